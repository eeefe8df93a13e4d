//! Trying a routing key: what PagerDuty answers to an event proves nothing, what comes back does.

use serde_json::{Value, json};

use super::Answer;
use super::there::{There, lines};

/// How long the server waits for a webhook that does not come; those that come take milliseconds.
const WAIT: &str = "5s";

async fn try_key(there: &There, key: &str, wait: &str) -> Answer {
    let path = format!("/api/v1/connectors/prod/test-event?wait={wait}");
    there.server.post(&path, json!({"routing_key": key})).await
}

fn key_of(there: &There, service: usize) -> String {
    there.stand_in.account.services[service].2.clone()
}

/// A person changes a service in PagerDuty.
fn change_service(there: &There, change: &Value) {
    let id = &there.stand_in.account.services[0].0;
    let path = format!("/services/{id}");
    there.pagerduty("PUT", &path, &json!({"service": change}));
}

#[tokio::test]
async fn g08_a_routing_key_is_proved_by_an_incident_that_comes_and_goes() {
    let there = There::start().await;
    there.enable().await.is(200);
    let before = there.stand_in.with(|sim| sim.incidents().count());
    let tried = try_key(&there, &key_of(&there, 0), WAIT).await;
    assert_eq!(tried.is(200)["ok"], true, "{}", tried.body);
    let newest = there.stand_in.with(|sim| sim.incidents().last().unwrap());
    assert_eq!(
        lines(&tried),
        [
            "ok: PagerDuty took the event (which proves nothing yet)".to_owned(),
            format!(
                "ok: Its webhook tells of an incident: #{} on {}",
                newest.number, there.stand_in.account.services[0].1
            ),
            "ok: Resolved again by an event, and its webhook tells so".to_owned(),
        ]
    );
    assert_eq!(
        there.stand_in.with(|sim| sim.incidents().count()),
        before + 1
    );
    assert!(newest.title.starts_with("[test] "), "{}", newest.title);
    assert_eq!(newest.status, "resolved");
    // It is not kept: nothing of ours shows it again.
    assert!(
        !there
            .status()
            .await
            .to_string()
            .contains(&key_of(&there, 0))
    );
}

#[tokio::test]
async fn g08_an_event_that_nothing_comes_of_is_no_success_though_pagerduty_takes_it() {
    let there = There::start().await;
    there.enable().await.is(200);
    change_service(&there, &json!({"status": "disabled"}));
    let tried = try_key(&there, &key_of(&there, 0), "200ms").await;
    assert_eq!(tried.is(200)["ok"], false, "{}", tried.body);
    let said = lines(&tried);
    assert!(
        said[0].starts_with("ok: PagerDuty took the event"),
        "{said:?}"
    );
    assert_eq!(
        said[1],
        "failed: Its webhook tells of an incident (PagerDuty has no incident of it, and no webhook told of one within 200ms)"
    );
    assert!(said[2].ends_with("not tried"), "{said:?}");
    let next = tried.body["lines"][1]["next"].as_str().unwrap();
    assert!(next.contains("disabled"), "{next}");
}

#[tokio::test]
async fn g08_an_incident_without_a_webhook_blames_the_webhook_and_is_not_left_open() {
    let there = There::start().await;
    there.enable().await.is(200);
    let found = there.pagerduty("GET", "/webhook_subscriptions", &Value::Null);
    let id = found["webhook_subscriptions"][0]["id"].as_str().unwrap();
    let off = json!({"webhook_subscription": {"active": false}});
    there.pagerduty("PUT", &format!("/webhook_subscriptions/{id}"), &off);
    let tried = try_key(&there, &key_of(&there, 0), "200ms").await;
    let newest = there.stand_in.with(|sim| sim.incidents().last().unwrap());
    let said = lines(&tried);
    let cause = format!("PagerDuty put the alert into incident #{}", newest.number);
    assert!(said[1].contains(&cause), "{said:?}");
    let next = tried.body["lines"][1]["next"].as_str().unwrap();
    assert!(
        next.contains("`im connector webhook prod --test`"),
        "{next}"
    );
    assert_eq!(newest.status, "resolved");
}

#[tokio::test]
async fn g08_what_pagerduty_refuses_is_told_in_its_words_and_what_is_no_key_is_not_sent() {
    let there = There::start().await;
    there.enable().await.is(200);
    let unknown = "0123456789abcdef0123456789abcdef";
    let tried = try_key(&there, unknown, WAIT).await;
    let said = lines(&tried);
    assert!(said[0].contains("HTTP 400 Invalid routing key"), "{said:?}");
    assert_eq!(tried.is(200)["ok"], false);
    let api_key = there.stand_in.account.api_key.clone();
    let refused = try_key(&there, &api_key, WAIT).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(
        refused.body["hint"]
            .as_str()
            .unwrap()
            .contains("no API key")
    );
    assert!(
        !refused.body.to_string().contains(&api_key),
        "a secret is not repeated"
    );
}

#[tokio::test]
async fn g08_without_a_webhook_there_is_nothing_to_prove_it_by() {
    let there = There::start().await;
    let refused = try_key(&there, &key_of(&there, 0), WAIT).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert_eq!(refused.body["code"], "no_webhook");
    let part = json!({"sync_direction": "outbound"});
    let changed = there.server.patch("/api/v1/connectors/prod", part).await;
    changed.is(200);
    let refused = try_key(&there, &key_of(&there, 0), WAIT).await;
    assert_eq!(refused.body["code"], "direction", "{}", refused.body);
}
