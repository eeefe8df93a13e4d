//! What a log shows of a body: row I-114.

use im_pagerduty::redacted;
use serde_json::json;

#[test]
fn i114_secrets_and_addresses_of_people_are_hidden_wherever_they_stand() {
    let body = json!({"webhook_subscription": {"id": "P1", "delivery_method": {"url": "https://im.example", "secret": "hush"}},
        "users": [{"name": "Mira", "email": "mira@harbor-lantern.example", "contact_methods": [{"address": "+49 30 12345"}], "summary": "mira@harbor-lantern.example"}],
        "integration_key": "R0UTING", "note": {"content": "write to a person @ once"}});
    let shown = redacted(body.to_string().as_bytes());
    for hidden in ["hush", "mira@", "12345", "R0UTING"] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    for kept in [
        "https://im.example",
        "\"name\":\"Mira\"",
        "write to a person @ once",
    ] {
        assert!(shown.contains(kept), "{kept}: {shown}");
    }
}

#[test]
fn i114_a_body_is_cut_at_64_kib_and_what_is_no_json_is_not_shown() {
    let long = json!({"details": "é".repeat(100_000)}).to_string();
    let shown = redacted(long.as_bytes());
    assert!(
        shown.len() <= 64 * 1024 + 4 && shown.ends_with('…'),
        "{}",
        shown.len()
    );
    assert_eq!(redacted(b"<html>token=abc"), "[15 bytes that are no JSON]");
}
