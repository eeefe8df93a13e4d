//! Webhooks that come twice, late, wrongly signed or not at all.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::super::signing::signature;
use super::*;

/// Publishes a life of each of `incidents` incidents at one moment.
fn publish_lives(desk: &mut Desk, incidents: usize) {
    for event in [
        "incident.triggered",
        "incident.acknowledged",
        "incident.resolved",
    ] {
        for incident in 0..incidents {
            desk.publish(&format!("Q{incident}"), event);
        }
    }
}

fn lives_with(faults: &WebhookFaults, seed: u64) -> Vec<(Timestamp, Delivery)> {
    let mut desk = Desk::seeded(seed);
    desk.subscribe(json!({"type": "account_reference"}));
    desk.faults = faults.clone();
    publish_lives(&mut desk, 20);
    let arrivals = desk.run(OK, 1_000);
    assert_eq!(desk.queued(), 0);
    arrivals
}

fn by_incident(seen: &[(Timestamp, Delivery)]) -> BTreeMap<String, Vec<String>> {
    let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, delivery) in seen {
        let body = text(delivery);
        let (incident, event) = body.split_once(' ').unwrap();
        order
            .entry(incident.to_owned())
            .or_default()
            .push(event.to_owned());
    }
    order
}

#[test]
fn a_seed_replays_every_fault() {
    let faults = WebhookFaults {
        duplicate_percent: 30,
        reorder_percent: 30,
        delay_percent: 30,
        delay_max_s: 600,
        ..WebhookFaults::default()
    };
    assert_eq!(lives_with(&faults, 7), lives_with(&faults, 7));
    assert_ne!(lives_with(&faults, 7), lives_with(&faults, 8));
}

#[test]
fn duplicates_come_after_success_with_the_same_id() {
    let faults = WebhookFaults {
        duplicate_percent: 100,
        ..WebhookFaults::default()
    };
    let seen = lives_with(&faults, 1);
    assert_eq!(seen.len(), 120);
    let ids: BTreeSet<&str> = seen
        .iter()
        .map(|(_, delivery)| header(delivery, "X-Webhook-Id"))
        .collect();
    assert_eq!(ids.len(), 60);
    let bodies: BTreeSet<String> = seen.iter().map(|(_, delivery)| text(delivery)).collect();
    assert_eq!(bodies.len(), 60, "a duplicate is the same webhook");
}

#[test]
fn reordering_lets_other_incidents_overtake_but_keeps_each_in_order() {
    let faults = WebhookFaults {
        reorder_percent: 40,
        ..WebhookFaults::default()
    };
    let seen = lives_with(&faults, 1);
    for (incident, events) in by_incident(&seen) {
        assert_eq!(
            events,
            [
                "incident.triggered",
                "incident.acknowledged",
                "incident.resolved"
            ],
            "{incident}"
        );
    }
    let arrival: Vec<String> = seen.iter().map(|(_, delivery)| text(delivery)).collect();
    let plain: Vec<String> = lives_with(&WebhookFaults::default(), 1)
        .iter()
        .map(|(_, delivery)| text(delivery))
        .collect();
    assert_ne!(arrival, plain);
    let last = seen.last().unwrap().0.duration_since(seen[0].0);
    assert!(
        last <= SignedDuration::from_secs(30),
        "each is held back 10 s at most: {last}"
    );
}

#[test]
fn delays_stay_below_their_maximum() {
    let faults = WebhookFaults {
        delay_percent: 100,
        delay_max_s: 60,
        ..WebhookFaults::default()
    };
    let start = Desk::seeded(1).now;
    for (at, delivery) in lives_with(&faults, 1) {
        let waited = at.duration_since(start);
        // The third webhook of an incident has met three delays.
        assert!(
            waited >= SignedDuration::from_secs(1) && waited <= SignedDuration::from_mins(3),
            "{}",
            text(&delivery)
        );
    }
}

#[test]
fn a_wrong_secret_signs_with_none_of_ours() {
    let (mut desk, id) = Desk::subscribed();
    desk.webhooks.set_secret(&id, "s3cret");
    desk.faults.wrong_secret = true;
    desk.publish("QA", "incident.triggered");
    let wrong = desk.due();
    let right = signature(&["s3cret".to_owned()], &wrong[0].body);
    assert_ne!(header(&wrong[0], "X-PagerDuty-Signature"), right);
    assert_eq!(
        header(&wrong[0], "X-PagerDuty-Signature").len(),
        right.len()
    );

    desk.webhooks
        .delivered(wrong[0].id, DeliveryResult::Status(503), &[], desk.now);
    desk.faults.wrong_secret = false;
    desk.pass(SignedDuration::from_secs(5));
    assert_eq!(
        header(&desk.due()[0], "X-PagerDuty-Signature"),
        right,
        "each attempt is signed anew"
    );
}

#[test]
fn lost_webhooks_vanish_without_a_strike() {
    let (mut desk, id) = Desk::subscribed();
    desk.faults.lost = true;
    publish_lives(&mut desk, 5);
    assert_eq!(desk.due(), []);
    assert_eq!(desk.queued(), 0);
    assert_eq!(desk.webhooks.subscriptions()[0].dropped, 0);
    desk.faults.lost = false;
    assert!(!desk.disabled(&id));
    assert_eq!(desk.due(), [], "they never come");
}
