//! Which attempts are made, when, and what ends them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::queue::{BODY_BYTES_MAX, Judgement, judge};
use super::super::signing::{signature, split_userinfo};
use super::*;

const FAILED: DeliveryResult = DeliveryResult::Status(503);
const REFUSED: DeliveryResult = DeliveryResult::Status(400);

#[test]
fn signatures_match_the_published_vectors() {
    let vectors = example!("signature-vectors.json");
    for vector in vectors["vectors"].as_array().unwrap() {
        let secrets: Vec<String> =
            serde_json::from_value(vector["secrets_held_by_receiver"].clone()).unwrap();
        let ours = signature(&secrets, vector["body_utf8"].as_str().unwrap().as_bytes());
        let theirs = vector["x_pagerduty_signature"].as_str().unwrap();
        let valid = theirs.split(',').any(|entry| entry.trim() == ours);
        assert_eq!(
            valid,
            vector["expect_valid"].as_bool().unwrap(),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn a_rotation_signs_with_the_newer_secret_first() {
    let (mut desk, id) = Desk::subscribed();
    let old = "HLsim0secret0Zx9Qv7Lk2Nf5Tb8Wm1Rc4Yp6Gd3Hs0Ju7Ea2Io5Un8Bq1Vw4X+/";
    let new = "HLsim1secret1Ab8Cd7Ef6Gh5Ij4Kl3Mn2Op1Qr0St9Uv8Wx7Yz6Aa5Bb4Cc3D+/";
    assert!(desk.webhooks.set_secret(&id, old));
    assert!(desk.webhooks.add_second_secret(&id, new));
    let vectors = example!("signature-vectors.json");
    let vector = &vectors["vectors"][2];
    assert_eq!(vector["name"], "rotation-two-signatures-second-matches");
    let body = vector["body_utf8"].as_str().unwrap();
    desk.publish_body("QA", "incident.triggered", body.as_bytes().to_vec());
    let due = desk.due();
    assert_eq!(
        header(&due[0], "X-PagerDuty-Signature"),
        vector["x_pagerduty_signature"].as_str().unwrap()
    );
}

#[test]
fn a_delivery_carries_the_documented_headers() {
    let (mut desk, id) = Desk::subscribed();
    assert!(desk.webhooks.set_secret(&id, "s3cret"));
    desk.publish("QA", "incident.triggered");
    let due = desk.due();
    let delivery = &due[0];
    assert_eq!(
        delivery.url,
        "https://hooks.harbor-lantern.example/pagerduty"
    );
    assert_eq!(header(delivery, "Content-Type"), "application/json");
    assert_eq!(header(delivery, "Accept"), "application/json");
    assert_eq!(header(delivery, "User-Agent"), "PagerDuty-Webhook/V3.0");
    assert_eq!(header(delivery, "X-Webhook-Subscription"), id);
    assert_eq!(header(delivery, "X-Webhook-Id").len(), 36);
    assert_eq!(
        header(delivery, "X-Env"),
        "staging",
        "custom headers go out in clear"
    );
    let expected = signature(&["s3cret".to_owned()], &delivery.body);
    assert_eq!(header(delivery, "X-PagerDuty-Signature"), expected);
}

#[test]
fn credentials_in_the_url_become_basic_authorization() {
    let mut desk = Desk::seeded(1);
    let mut body = creation();
    body["webhook_subscription"]["delivery_method"]["url"] =
        json!("https://ann:p%40ss@hooks.example:8443/in?x=1@2");
    assert_eq!(desk.call("POST", &[], &body).status, 201);
    desk.publish("QA", "incident.triggered");
    let due = desk.due();
    assert_eq!(due[0].url, "https://hooks.example:8443/in?x=1@2");
    assert_eq!(header(&due[0], "Authorization"), "Basic YW5uOnBAc3M=");
    assert_eq!(
        split_userinfo("http://hooks.example/a@b"),
        ("http://hooks.example/a@b".to_owned(), None)
    );
}

#[test]
fn results_are_judged_by_the_published_table() {
    use DeliveryResult::{Status, TimedOut, TlsError, Unreachable};
    let accepted = [200, 202, 204, 299].map(Status);
    let retried = [
        Status(429),
        Status(500),
        Status(503),
        Status(599),
        TimedOut,
        Unreachable,
    ];
    let dropped = [
        Status(301),
        Status(302),
        Status(400),
        Status(401),
        Status(404),
        Status(499),
        TlsError,
    ];
    assert!(
        accepted
            .iter()
            .all(|result| judge(*result) == Judgement::Accepted)
    );
    assert!(
        retried
            .iter()
            .all(|result| judge(*result) == Judgement::Retry)
    );
    assert!(
        dropped
            .iter()
            .all(|result| judge(*result) == Judgement::Drop)
    );
}

#[test]
fn a_retry_holds_back_its_own_incident_only() {
    let (mut desk, _) = Desk::subscribed();
    desk.publish("QA", "incident.triggered");
    desk.publish("QA", "incident.acknowledged");
    desk.publish("QB", "incident.triggered");
    desk.publish("QB", "incident.acknowledged");
    assert_eq!(
        desk.round(FAILED),
        ["QA incident.triggered", "QB incident.triggered"]
    );
    assert_eq!(desk.round(OK), [""; 0], "both wait for their retries");

    desk.pass(SignedDuration::from_secs(5));
    let due = desk.due();
    assert_eq!(due.len(), 2);
    desk.webhooks.delivered(due[0].id, FAILED, &[], desk.now);
    desk.webhooks.delivered(due[1].id, OK, &[], desk.now);
    assert_eq!(desk.round(OK), ["QB incident.acknowledged"]);

    desk.pass(SignedDuration::from_secs(10));
    assert_eq!(desk.round(OK), ["QA incident.triggered"]);
    assert_eq!(desk.round(OK), ["QA incident.acknowledged"]);
    assert_eq!(desk.queued(), 0);
}

#[test]
fn an_attempt_under_way_holds_back_its_incident() {
    let (mut desk, _) = Desk::subscribed();
    desk.publish("QA", "incident.triggered");
    desk.publish("QA", "incident.acknowledged");
    let first = desk.due();
    assert_eq!(first.len(), 1);
    assert_eq!(desk.webhooks.wake_at(), None);
    assert_eq!(desk.due(), []);
    desk.webhooks.delivered(first[0].id, OK, &[], desk.now);
    assert_eq!(desk.webhooks.wake_at(), Some(desk.now));
    assert_eq!(desk.round(OK), ["QA incident.acknowledged"]);
}

#[test]
fn attempts_back_off_share_one_id_and_end_after_48_hours() {
    let (mut desk, _) = Desk::subscribed();
    let start = desk.now;
    desk.publish("QA", "incident.triggered");
    let attempts = desk.run(DeliveryResult::TimedOut, 1_000);
    let waits: Vec<i64> = attempts
        .windows(2)
        .map(|pair| pair[1].0.duration_since(pair[0].0).as_secs())
        .collect();
    assert_eq!(
        waits[..11],
        [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]
    );
    assert!(waits[11..].iter().all(|wait| *wait == 3600));
    let id = header(&attempts[0].1, "X-Webhook-Id");
    assert!(
        attempts
            .iter()
            .all(|(_, delivery)| header(delivery, "X-Webhook-Id") == id)
    );
    let last = attempts.last().unwrap().0.duration_since(start);
    assert!(
        last < SignedDuration::from_hours(48) && last > SignedDuration::from_hours(46),
        "{last}"
    );
    let view = &desk.webhooks.subscriptions()[0];
    assert_eq!((view.queued.len(), view.dropped), (0, 1));
    assert_eq!(
        desk.now.duration_since(start),
        SignedDuration::from_hours(48)
    );
}

#[test]
fn an_attempt_that_fails_after_48_hours_is_the_last() {
    let (mut desk, _) = Desk::subscribed();
    desk.publish("QA", "incident.triggered");
    let due = desk.due();
    desk.pass(SignedDuration::from_hours(49));
    desk.webhooks
        .delivered(due[0].id, DeliveryResult::TimedOut, &[], desk.now);
    let view = &desk.webhooks.subscriptions()[0];
    assert_eq!((view.queued.len(), view.dropped), (0, 1));
}

#[test]
fn three_drops_in_a_row_disable_for_a_day() {
    let (mut desk, id) = Desk::subscribed();
    for incident in ["QA", "QB"] {
        desk.publish(incident, "incident.triggered");
    }
    desk.round(REFUSED);
    assert!(!desk.disabled(&id));
    for event in [
        "incident.triggered",
        "incident.acknowledged",
        "incident.resolved",
    ] {
        desk.publish("QC", event);
    }
    desk.round(REFUSED);
    assert!(desk.disabled(&id));
    assert_eq!(desk.queued(), 0, "its queue is discarded");

    desk.publish("QD", "incident.triggered");
    desk.call("POST", &[&id, "ping"], &Value::Null);
    assert_eq!(desk.queued(), 0, "nothing is queued meanwhile");

    desk.pass(SignedDuration::from_hours(24) - SignedDuration::from_secs(1));
    assert!(desk.disabled(&id));
    desk.pass(SignedDuration::from_secs(1));
    assert!(!desk.disabled(&id));
    desk.publish("QD", "incident.resolved");
    assert_eq!(
        desk.round(REFUSED),
        ["QD incident.resolved"],
        "what came meanwhile is lost"
    );
    assert!(!desk.disabled(&id), "the count starts again");
}

#[test]
fn a_success_between_drops_starts_the_count_again() {
    let (mut desk, id) = Desk::subscribed();
    for result in [REFUSED, REFUSED, OK, REFUSED, DeliveryResult::TlsError] {
        desk.publish("QA", "incident.triggered");
        desk.round(result);
    }
    assert!(!desk.disabled(&id));
    assert_eq!(desk.webhooks.subscriptions()[0].dropped, 4);
}

#[test]
fn exhausted_retries_count_as_drops() {
    let (mut desk, id) = Desk::subscribed();
    for incident in ["QA", "QB", "QC"] {
        desk.publish(incident, "incident.triggered");
    }
    desk.run(DeliveryResult::Unreachable, 1_000);
    assert!(desk.disabled(&id));
}

#[test]
fn enable_ends_a_disablement_at_once() {
    let (mut desk, id) = Desk::subscribed();
    assert!(desk.webhooks.disable_now(&id, desk.now));
    assert!(desk.disabled(&id));
    let answer = desk.call("POST", &[&id, "enable"], &Value::Null);
    assert_eq!(answer.status, 200);
    assert!(!desk.disabled(&id));
    desk.publish("QA", "incident.triggered");
    assert_eq!(desk.round(OK), ["QA incident.triggered"]);
}

#[test]
fn a_report_on_a_discarded_webhook_is_ignored() {
    let (mut desk, id) = Desk::subscribed();
    desk.publish("QA", "incident.triggered");
    let due = desk.due();
    desk.webhooks.disable_now(&id, desk.now);
    desk.webhooks.delivered(due[0].id, REFUSED, &[], desk.now);
    desk.webhooks.delivered(999, OK, &[], desk.now);
    assert_eq!(desk.webhooks.subscriptions()[0].dropped, 0);
}

#[test]
fn filters_and_events_choose_the_subscriptions() {
    let mut desk = Desk::seeded(1);
    let account = desk.subscribe(json!({"type": "account_reference"}));
    let service = desk.subscribe(json!({"type": "service_reference", "id": "PSVC001"}));
    desk.subscribe(json!({"type": "service_reference", "id": "PSVC002"}));
    let team = desk.subscribe(json!({"type": "team_reference", "id": "PTEAM01"}));
    desk.subscribe(json!({"type": "team_reference", "id": "PTEAM02"}));
    desk.publish("QA", "incident.triggered");
    desk.publish("QA", "incident.workflow.started");
    let due = desk.due();
    let reached: Vec<&str> = due
        .iter()
        .map(|delivery| header(delivery, "X-Webhook-Subscription"))
        .collect();
    assert_eq!(reached, [account.as_str(), &service, &team]);
    assert_ne!(
        header(&due[0], "X-Webhook-Id"),
        header(&due[1], "X-Webhook-Id"),
        "one webhook per subscription"
    );
}

#[test]
fn an_inactive_subscription_produces_nothing() {
    let (mut desk, id) = Desk::subscribed();
    let change = json!({"webhook_subscription": {"active": false}});
    assert_eq!(desk.call("PUT", &[&id], &change).status, 200);
    desk.publish("QA", "incident.triggered");
    assert_eq!(desk.queued(), 0);
}

#[test]
fn size_decides_on_order_and_delivery() {
    let (mut desk, _) = Desk::subscribed();
    let kilobytes = |count: usize| vec![b'x'; count * 1024];
    desk.publish_body("QA", "incident.triggered", kilobytes(55));
    desk.publish_body("QA", "incident.acknowledged", kilobytes(56));
    desk.publish_body("QA", "incident.resolved", vec![b'x'; BODY_BYTES_MAX + 1]);
    let sizes: Vec<usize> = desk
        .due()
        .iter()
        .map(|delivery| delivery.body.len() / 1024)
        .collect();
    assert_eq!(
        sizes,
        [55, 56],
        "the large one does not wait, the huge one is gone"
    );
    assert_eq!(desk.queued(), 2);
}

#[test]
fn a_ping_is_delivered_like_the_published_one() {
    let (mut desk, id) = Desk::subscribed();
    desk.subscribe(json!({"type": "account_reference"}));
    let answer = desk.call("POST", &[&id, "ping"], &Value::Null);
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    let due = desk.due();
    assert_eq!(due.len(), 1, "only that subscription");
    let mut body: Value = serde_json::from_slice(&due[0].body).unwrap();
    let mut expected = example!("webhooks/pagey.ping.json");
    assert_eq!(body["event"]["occurred_at"], "2026-03-10T08:00:00.000Z");
    assert_eq!(body["event"]["id"].as_str().unwrap().len(), 26);
    for differing in ["id", "occurred_at"] {
        body["event"][differing] = Value::Null;
        expected["event"][differing] = Value::Null;
    }
    assert_eq!(body, expected);
}
