//! Instants and lengths of time, as people and PagerDuty write them. Input: one of either, as text.

use std::time::Duration;

use im::length;
use im_pagerduty::config::parse_duration;
use im_pagerduty::{Reply, read_webhook};
use jiff::{SignedDuration, Timestamp};

const CENTURY: Duration = Duration::from_hours(24 * 36_525);

pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Some(read) = length::read(text) {
        assert_eq!(length::read(&length::write(read)), Some(read), "{text}");
    }
    // Units cannot say more than some ten thousand years; plain seconds can.
    if let Some(read) = length::read_loosely(text).filter(|read| *read < CENTURY) {
        let written = format!("{}s {}ms", read.as_secs(), read.subsec_millis());
        let again = length::read_loosely(&written);
        let left = read.checked_sub(again.unwrap_or_default());
        assert!(
            left.is_some_and(|left| left.as_millis() == 0),
            "{text}: {written}"
        );
    }
    if let Some(read) = parse_duration(text) {
        assert!(!read.is_negative(), "{text}");
        let written = format!("{}s", read.as_secs());
        assert_eq!(parse_duration(&written), Some(read), "{text}");
    }
    date(text);
    occurred_at(text);
}

/// The `Date` of an answer, which tells how our clock goes.
fn date(text: &str) {
    let reply = Reply {
        headers: vec![("date".to_owned(), text.to_owned())],
        ..Reply::default()
    };
    let limits = reply.limits();
    for now in [Timestamp::UNIX_EPOCH, Timestamp::MIN, Timestamp::MAX] {
        let ahead = limits.clock_ahead(now, now);
        assert_eq!(ahead.is_some(), limits.date.is_some());
    }
    if let Some(date) = limits.date {
        let same = limits.clock_ahead(date, date);
        assert_eq!(same, Some(SignedDuration::ZERO), "{text}");
    }
}

/// The instant of a webhook.
fn occurred_at(text: &str) {
    let body = |at: &str| {
        let event = serde_json::json!({
            "event": {"id": "E1", "event_type": "pagey.ping", "occurred_at": at, "data": {"type": "ping"}}
        });
        read_webhook(event.to_string().as_bytes()).map(|webhook| webhook.occurred_at)
    };
    if let Ok(at) = body(text) {
        assert_eq!(body(&at.to_string()), Ok(at), "{text}");
    }
}
