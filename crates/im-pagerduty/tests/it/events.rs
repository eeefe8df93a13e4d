//! The Events API's bodies.

use im_pagerduty::events_v2::{EventAction, read_event, read_event_reply};

use crate::support::{at, fixture};

#[test]
fn documented_events_are_read() {
    for (file, action) in [
        ("trigger", EventAction::Trigger),
        ("acknowledge", EventAction::Acknowledge),
        ("resolve", EventAction::Resolve),
    ] {
        let event = read_event(&fixture(&format!("events/{file}.request.json"))).unwrap();
        assert_eq!(event.action, Some(action));
        assert_eq!(event.dedup_key.as_deref(), Some("checkout/error-rate"));
        assert!(!format!("{event:?}").contains("0f1e2d3c"));
    }
    let event = read_event(&fixture("events/trigger.request.json")).unwrap();
    assert_eq!(
        event.summary.as_deref(),
        Some("Checkout error rate above 5%")
    );
    assert_eq!(event.timestamp, Some(at("2026-03-10T08:14:04.9Z")));
    assert_eq!(event.routing_key.unwrap().expose().len(), 32);
    let change = read_event(&fixture("events/change.request.json")).unwrap();
    assert_eq!(change.action, None);
    assert_eq!(change.source.as_deref(), Some("deployer"));
}

#[test]
fn documented_answers_are_read() {
    let accepted = read_event_reply(&fixture("events/accepted.response.json")).unwrap();
    assert_eq!(accepted.status.as_deref(), Some("success"));
    assert_eq!(accepted.dedup_key.as_deref(), Some("checkout/error-rate"));
    let first = read_event_reply(&fixture("events/v1-accepted.response.json")).unwrap();
    assert_eq!(first.dedup_key.as_deref(), Some("checkout/error-rate"));
    for (file, errors) in [
        ("invalid-json", 1),
        ("invalid-key", 1),
        ("missing-fields", 2),
        ("change-accepted", 0),
    ] {
        let refused = read_event_reply(&fixture(&format!("events/{file}.response.json"))).unwrap();
        assert_eq!(refused.errors.len(), errors, "{file}");
    }
    let links = br#"{"error":["links should have at most 50 item(s)"]}"#;
    assert_eq!(read_event_reply(links).unwrap().errors.len(), 1);
    assert_eq!(read_event_reply(b"<html>"), None);
}
