//! Whatever comes in, nothing panics.

use im_pagerduty::events_v2::{read_event, read_event_reply};
use im_pagerduty::{config, note_mark, read, read_envelope, read_webhook, verify};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::support::{every_call, fixture, names, read_at, reply};

fn all_readers(body: &[u8]) {
    drop(read_webhook(body));
    drop(read_envelope(body));
    drop(read_event(body));
    drop(read_event_reply(body));
    for call in every_call() {
        for status in [200, 400, 403, 429, 500] {
            drop(read(&call, &reply(status, body), read_at()));
        }
    }
    let text = String::from_utf8_lossy(body);
    drop(config::parse(&text));
    note_mark(&text);
    verify(&text, body, &[&text, "s"]);
}

/// A documented body in which one value is replaced.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let mut files: Vec<String> = Vec::new();
    for folder in ["webhooks", "rest", "rest/errors"] {
        files.extend(
            names(folder)
                .into_iter()
                .map(|name| format!("{folder}/{name}")),
        );
    }
    let odd = prop::sample::select(vec![
        "null",
        "7",
        "-1",
        "1e400",
        "18446744073709551615",
        "true",
        "\"\"",
        "\"x\"",
        "[]",
        "[null]",
        "{}",
        "{\"id\":[]}",
        "[[[[]]]]",
        "\"9999-99-99T99:99:99Z\"",
    ]);
    (
        prop::sample::select(files),
        any::<prop::sample::Index>(),
        odd,
    )
        .prop_map(|(file, at, odd)| {
            let body = fixture(&file);
            let starts = body.windows(3).enumerate();
            let starts = starts.filter(|(_, bytes)| *bytes == b"\": ");
            let starts: Vec<usize> = starts.map(|(at, _)| at + 3).collect();
            let start = starts[at.index(starts.len())];
            let value = serde_json::Deserializer::from_slice(&body[start..]);
            let mut values = value.into_iter::<serde::de::IgnoredAny>();
            values.next();
            let end = start + values.byte_offset();
            [&body[..start], odd.as_bytes(), &body[end..]].concat()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
        all_readers(&body);
    }

    #[test]
    fn any_text(text in ".{0,200}") {
        all_readers(text.as_bytes());
    }

    #[test]
    fn documented_bodies_with_one_odd_value(body in mutated()) {
        all_readers(&body);
    }

    /// A webhook whose head is whole is never an error, whatever its data is.
    #[test]
    fn odd_data_is_unknown_not_an_error(body in mutated()) {
        let head_is_whole = read_envelope(&body).is_ok()
            && serde_json::from_slice::<serde_json::Value>(&body)
                .is_ok_and(|value| value["event"]["occurred_at"].as_str().is_some_and(|at| at.starts_with("2026")));
        if head_is_whole {
            prop_assert!(read_webhook(&body).is_ok());
        }
    }
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    all_readers(deep.as_bytes());
    let deep = format!(r#"{{"event":{}"#, r#"{"event":"#.repeat(50_000));
    all_readers(deep.as_bytes());
}
