//! How healthy a connector is, against a PagerDuty that answers, refuses and is away: rows I-098 … I-105, I-132, I-133.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{self, Next};
use im_store::{Tx, connectors, tallies};
use jiff::SignedDuration;
use pd_sim::{DeliveryResult, Fault};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::there::There;
use super::{Answer, Server, config, pretty};

const PATH: &str = "/api/v1/connectors/prod/health";

/// Each line as `Name: state: text`.
fn lines(answer: &Answer) -> Vec<String> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let lines = answer.is(200)["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|line| {
            let [name, state, text] = ["name", "state", "text"].map(|key| text(line, key));
            format!("{name}: {state}: {text}")
        })
        .collect()
}

#[track_caller]
fn has(answer: &Answer, expected: &str) {
    let lines = lines(answer);
    assert!(
        lines.iter().any(|line| line == expected),
        "{expected}: {lines:#?}"
    );
}

/// A connector that has been compared half a minute ago, with a webhook that was heard of.
async fn well() -> There {
    let there = There::start().await;
    there.enable().await.is(200);
    let now = there.server.clock.now();
    there
        .server
        .write(move |tx| {
            connectors::heard(tx, "prod", now - SignedDuration::from_mins(2))?;
            connectors::synced(tx, "prod", now - SignedDuration::from_secs(30))
        })
        .await;
    there
}

#[tokio::test]
async fn i098_i099_i100_i101_i102_i103_i104_a_healthy_connector_has_a_true_line_for_each() {
    let there = well().await;
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "healthy", "{}", found.body);
    let service = &there.stand_in.account.services[0].0;
    assert_eq!(
        lines(&found),
        [
            "API Connectivity: ok: Connected (0ms response time)",
            "Authentication: ok: Valid API key",
            &format!("Service Access: ok: {service} accessible"),
            "Webhook: ok: Receiving events (last: 2m ago)",
            "Sync Status: ok: Up to date (last sync: 30s ago)",
            "Error Rate: ok: 0% (0 errors in 24h)",
        ]
    );
}

#[tokio::test]
async fn i100_i105_a_revoked_key_is_unhealthy_and_the_check_is_shown_without_the_key() {
    let there = well().await;
    let key = there.stand_in.account.api_key.clone();
    there.stand_in.with(|sim| sim.revoke_key(&key));
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "unhealthy", "{}", found.body);
    has(
        &found,
        "Authentication: failed: The API key is wrong or revoked (HTTP 401)",
    );
    has(
        &found,
        "API Connectivity: ok: Connected (0ms response time)",
    );
    let next = found.body["lines"][1]["next"].as_str().unwrap();
    assert!(
        next.contains("curl -H \"Authorization: Token token=********") && !next.contains(&key),
        "{next}"
    );
}

#[tokio::test]
async fn i099_a_pagerduty_that_is_away_is_unhealthy_and_nothing_else_is_claimed() {
    let server = Server::with_connector(config()).await;
    let found = server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "unhealthy");
    insta::assert_snapshot!(pretty(&found.body));
}

#[tokio::test]
async fn i101_a_service_that_is_gone_is_unhealthy() {
    let there = well().await;
    let service = &there.stand_in.account.services[0].0;
    there.pagerduty("DELETE", &format!("/services/{service}"), &Value::Null);
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "unhealthy");
    has(
        &found,
        &format!(
            "Service Access: failed: PagerDuty has no service {service} that this key can see"
        ),
    );
    // One that is only mapped counts as much.
    let custom = json!({"custom": {
        "service_id": there.stand_in.account.services[1].0,
        "service_mappings": {"api": "PNOSUCH"},
    }});
    there
        .server
        .patch("/api/v1/connectors/prod", custom)
        .await
        .is(200);
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "unhealthy");
    has(
        &found,
        "Service Access: failed: PagerDuty has no service PNOSUCH that this key can see",
    );
}

#[tokio::test]
async fn i102_quiet_is_tried_and_a_subscription_that_is_off_is_said() {
    let there = well().await;
    // Nobody has heard of it for two hours: a test event is sent, and arrives.
    there.server.pass(2 * 3600);
    let found = there.server.get(PATH).await;
    has(
        &found,
        "Webhook: ok: Receiving events (a test event arrived; last before: 2h ago)",
    );
    let off = json!({"webhook_subscription": {"type": "webhook_subscription", "active": false}});
    there.pagerduty("PUT", &subscription(&there), &off);
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "degraded");
    has(&found, "Webhook: failed: it is switched off in PagerDuty");
    let next = &found.body["lines"][3]["next"];
    assert_eq!(next, "`im connector webhook prod --enable` switches it on");
}

/// What the webhook's line says, and what it offers.
fn webhook_line(answer: &Answer) -> (String, String) {
    let lines = answer.is(200)["lines"].as_array().unwrap();
    let line = lines.iter().find(|line| line["name"] == "Webhook").unwrap();
    let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    (format!("{}: {}", word("state"), word("text")), word("next"))
}

fn subscription(there: &There) -> String {
    let found = there.pagerduty("GET", "/webhook_subscriptions", &Value::Null);
    let id = &found["webhook_subscriptions"][0]["id"];
    format!("/webhook_subscriptions/{}", id.as_str().unwrap())
}

const ENABLE: &str = "`im connector webhook prod --enable`";

#[tokio::test]
async fn i102_a_line_to_us_that_is_cut_is_found_by_a_test_event_that_is_lost() {
    let there = There::changed(|app| app.ping_wait = Duration::from_secs(1)).await;
    there.enable().await.is(200);
    there.stand_in.with(|sim| sim.faults().webhooks.lost = true);
    let (said, next) = webhook_line(&there.server.get(PATH).await);
    assert_eq!(
        said,
        "failed: PagerDuty sent a test event, and none arrived within 1 s"
    );
    assert!(next.contains(ENABLE), "{next}");
}

#[tokio::test]
async fn i102_a_subscription_that_pagerduty_gave_up_is_failed_however_lately_it_was_heard() {
    let there = well().await;
    let service = there.stand_in.account.services[0].0.clone();
    let now = there.stand_in.clock.now();
    there.stand_in.with(|sim| {
        for _ in 0..3 {
            sim.trigger(&service, "Disk full", now).unwrap();
            for delivery in sim.due(now) {
                sim.delivered(delivery.id, DeliveryResult::Status(404), now);
            }
        }
    });
    let (said, next) = webhook_line(&there.server.get(PATH).await);
    assert_eq!(
        said,
        "failed: PagerDuty switched it off for 24 hours after three deliveries that failed for good"
    );
    assert!(next.starts_with(ENABLE), "{next}");
}

#[tokio::test]
async fn i102_a_subscription_that_was_deleted_is_failed_however_lately_it_was_heard() {
    let there = well().await;
    there.pagerduty("DELETE", &subscription(&there), &Value::Null);
    let (said, next) = webhook_line(&there.server.get(PATH).await);
    assert_eq!(said, "failed: The subscription was deleted in PagerDuty");
    assert!(next.starts_with(ENABLE), "{next}");
}

/// Webhooks came at these hours before now.
async fn heard_before(there: &There, hours: &'static [i64]) {
    let now = there.server.clock.now();
    there
        .server
        .write(move |tx| {
            for hours in hours {
                let at = now - SignedDuration::from_hours(*hours);
                tallies::add(tx, "prod", "webhooks", 1, at)?;
                connectors::heard(tx, "prod", at)?;
            }
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn i102_m039_without_a_key_a_silence_that_is_longer_than_usual_is_a_warning() {
    let there = needs_no_key().await;
    there
        .server
        .delete("/api/v1/connectors/prod/api-key")
        .await
        .is(200);
    let good = "ok: Receiving events (last: ";
    there.server.pass(24 * 3600 - 120);
    let (said, _) = webhook_line(&there.server.get(PATH).await);
    assert_eq!(said, format!("{good}1d ago)"));
    there.server.pass(3600);
    let (said, next) = webhook_line(&there.server.get(PATH).await);
    assert_eq!(
        said,
        "warning: Silent (last: 1d ago): nothing came for more than a day"
    );
    assert!(next.contains("`Send Test Event`"), "{next}");
    // A connector that is heard of every second day is quiet for four.
    heard_before(&there, &[50, 2]).await;
    there.server.pass(93 * 3600);
    let (said, _) = webhook_line(&there.server.get(PATH).await);
    assert_eq!(said, format!("{good}3d ago)"));
    there.server.pass(2 * 3600);
    let found = there.server.get(PATH).await;
    let (said, _) = webhook_line(&found);
    assert_eq!(
        said,
        "warning: Silent (last: 4d ago): the longest pause before was 2d"
    );
    assert_eq!(found.is(200)["health"], "degraded");
}

#[tokio::test]
async fn s64_an_address_that_pagerduty_does_not_have_is_found_before_a_change_is_refused() {
    let there = well().await;
    let email = "lea.ver@lighthouse-works.example";
    let lea = json!({"user": {"type": "user", "name": "Lea Ver", "email": email}});
    let made = there.pagerduty("POST", "/users", &lea);
    let lea = format!("/users/{}", made["user"]["id"].as_str().unwrap());
    let set = async |email: &str| {
        let from = json!({"custom": {"from_email": email}});
        let path = "/api/v1/connectors/prod";
        there.server.patch(path, from).await.is(200);
    };
    let bad = |email: &str| {
        format!("From Address: failed: PagerDuty has no user with the address {email}")
    };
    set("nobody@elsewhere.example").await;
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "degraded", "inbound goes on");
    has(&found, &bad("nobody@elsewhere.example"));
    // Somebody who leaves is found as well.
    set(email).await;
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "healthy", "{}", found.body);
    there.pagerduty("DELETE", &lea, &Value::Null);
    has(&there.server.get(PATH).await, &bad(email));
}

#[tokio::test]
async fn i099_the_api_line_tells_how_long_pagerduty_took() {
    let there = well().await;
    let clock = there.server.clock.clone();
    let slow = middleware::from_fn(move |request: Request, next: Next| {
        clock.advance(SignedDuration::from_millis(45));
        next.run(request)
    });
    let router = im::sim::router(Arc::clone(&there.stand_in)).layer(slow);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    let base = json!({"base_url": url});
    there
        .server
        .patch("/api/v1/connectors/prod", base)
        .await
        .is(200);
    has(
        &there.server.get(PATH).await,
        "API Connectivity: ok: Connected (45ms response time)",
    );
}

#[tokio::test]
async fn i104_one_failure_of_four_calls_is_25_percent() {
    let there = There::start().await;
    for _ in calls(&there).await..3 {
        let services = there.server.get("/api/v1/connectors/prod/services");
        services.await.is(200);
    }
    assert_eq!(calls(&there).await, 3);
    there.stand_in.with(|sim| {
        sim.faults()
            .next_matching("GET", "/users/me", Fault::Unreachable);
    });
    has(
        &there.server.get(PATH).await,
        "Error Rate: warning: 25% (1 error in 24h)",
    );
}

#[tokio::test]
async fn i133_five_hundred_calls_are_never_unusual_and_one_more_may_be() {
    let there = well().await;
    there.server.pass(9 * 24 * 3600);
    let before = calls(&there).await;
    let now = there.server.clock.now();
    let heard = move |tx: &mut Tx<'_>| {
        for day in 1..8 {
            let at = now - SignedDuration::from_hours(24 * day + 1);
            tallies::add(tx, "prod", "calls", 70, at)?;
        }
        connectors::heard(tx, "prod", now)?;
        connectors::synced(tx, "prod", now)
    };
    there.server.write(heard).await;
    there.server.get(PATH).await.is(200);
    let one_look = calls(&there).await - before;
    let has_warning = async || {
        let found = there.server.get(PATH).await;
        lines(&found)
            .iter()
            .any(|line| line.starts_with("API Usage: warning: "))
    };
    let rest = 500 - calls(&there).await - one_look;
    let add = move |tx: &mut Tx<'_>| tallies::add(tx, "prod", "calls", rest, now);
    there.server.write(add).await;
    assert!(!has_warning().await);
    assert_eq!(calls(&there).await, 500);
    assert!(has_warning().await);
}

#[tokio::test]
async fn i103_i104_a_sync_that_is_behind_and_calls_that_fail_are_degraded() {
    let there = well().await;
    there.server.pass(3600);
    let declared = json!({"title": "Disk full", "severity": "SEV-2"});
    there
        .server
        .post("/api/v1/incidents", declared)
        .await
        .is(201);
    let now = there.server.clock.now();
    there
        .server
        .write(move |tx| tallies::add(tx, "prod", "errors", 40, now))
        .await;
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "degraded");
    has(
        &found,
        "Sync Status: failed: Behind (last sync: 1h ago, every 5m); 1 change waits",
    );
    let rate = lines(&found)
        .into_iter()
        .find(|line| line.starts_with("Error Rate: warning: "));
    assert!(rate.unwrap().ends_with("% (40 errors in 24h)"));
}

#[tokio::test]
async fn i132_i133_an_old_key_and_unusual_use_are_warnings_and_a_new_key_is_young() {
    let there = well().await;
    let key = there.stand_in.account.api_key.clone();
    there.server.pass(91 * 24 * 3600);
    let now = there.server.clock.now();
    there
        .server
        .write(move |tx| {
            connectors::synced(tx, "prod", now)?;
            connectors::heard(tx, "prod", now)?;
            for day in 1..=7 {
                let at = now - SignedDuration::from_hours(24 * day + 1);
                tallies::add(tx, "prod", "calls", 200, at)?;
            }
            tallies::add(tx, "prod", "calls", 600, now)
        })
        .await;
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "degraded");
    has(&found, "API Key: warning: It is 91 days old");
    let usage = lines(&found)
        .into_iter()
        .find(|line| line.starts_with("API Usage: warning: "));
    assert!(
        usage
            .unwrap()
            .ends_with(" calls in 24h, 200 a day in the week before")
    );
    let new = json!({"api_key": key});
    there
        .server
        .patch("/api/v1/connectors/prod", new)
        .await
        .is(200);
    let found = there.server.get(PATH).await;
    let young = lines(&found)
        .iter()
        .all(|line| !line.starts_with("API Key:"));
    assert!(young, "{}", found.body);
}

async fn calls(there: &There) -> i64 {
    let figures = there.server.get("/api/v1/connectors/prod/metrics").await;
    figures.is(200)["api_calls_24h"].as_i64().unwrap()
}

#[tokio::test]
async fn i098_a_paused_connector_is_not_asked_for() {
    let there = well().await;
    let pause = json!({"sync_direction": "none"});
    there
        .server
        .patch("/api/v1/connectors/prod", pause)
        .await
        .is(200);
    let asked = calls(&there).await;
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["health"], "degraded");
    assert_eq!(
        lines(&found),
        ["Sync Status: warning: Paused: nothing travels, and what is owed waits"]
    );
    assert_eq!(calls(&there).await, asked);
}

#[tokio::test]
async fn i116_i117_i119_i120_figures_of_a_connector_are_what_was_asked() {
    let there = well().await;
    let path = "/api/v1/connectors/prod/metrics";
    let before = calls(&there).await;
    for _ in 0..10 {
        let services = there.server.get("/api/v1/connectors/prod/services");
        services.await.is(200);
    }
    let after = there.server.get(path).await;
    assert_eq!(
        after.is(200)["api_calls_24h"],
        before + 10,
        "{}",
        after.body
    );
    assert_eq!(after.body["success_percent_24h"], 100.0);
    assert_eq!(after.body["incidents"], 0);
    assert!(
        after.body["rate_limit_percent"].as_i64().unwrap() > 0,
        "{}",
        after.body
    );
    there
        .server
        .get("/api/v1/connectors/nope/metrics")
        .await
        .is(404);
}

/// The same, where everything that the key is needed for is done.
async fn needs_no_key() -> There {
    let there = well().await;
    let part = json!({"sync_direction": "inbound"});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    // What the settings and the first comparison wanted to be read has been read.
    there
        .server
        .write(|tx| {
            if let Some(connector) = im_engine::connector::load(tx, "prod")? {
                while im_engine::connector::attach(
                    tx,
                    &connector,
                    200,
                    jiff::Timestamp::UNIX_EPOCH,
                )? {}
            }
            im_store::repair::want_nothing(tx, "prod")?;
            im_store::backfill::finish(tx, "prod", None, jiff::Timestamp::UNIX_EPOCH)?;
            let next = "2030-01-01T00:00:00Z".parse().unwrap();
            im_store::connectors::schedule_sync(tx, "prod", next, "interval")
        })
        .await;
    there
}

#[tokio::test]
async fn m028_a_key_that_something_needs_is_not_forgotten() {
    let there = well().await;
    let view = there.server.get("/api/v1/connectors/prod").await;
    assert_eq!(view.is(200)["api_key"], "needed");
    assert_eq!(
        view.is(200)["api_key_reason"],
        "changes made here are sent with it"
    );
    let refused = there.server.delete("/api/v1/connectors/prod/api-key").await;
    let problem = refused.is(409);
    assert_eq!(
        problem["detail"],
        "connector `prod` needs its API key: changes made here are sent with it"
    );
    assert_eq!(
        problem["hint"],
        "`im connector config prod --direction inbound`"
    );
}

#[tokio::test]
async fn m028_m029_a_key_that_nothing_needs_is_safe_to_revoke_and_forgotten_on_purpose() {
    let there = needs_no_key().await;
    let server = &there.server;
    let view = server.get("/api/v1/connectors/prod").await;
    assert_eq!(view.is(200)["api_key"], "safe_to_revoke", "{}", view.body);
    has(
        &server.get(PATH).await,
        "API Key: ok: Safe to revoke now: webhooks alone keep this connector up to date",
    );
    let forgotten = server.delete("/api/v1/connectors/prod/api-key").await;
    let steps = forgotten.is(200)["lines"][2]["next"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        steps.contains("API Access Keys") && steps.ends_with("Remove"),
        "{steps}"
    );
    let view = server.get("/api/v1/connectors/prod").await;
    assert_eq!(view.is(200)["api_key"], "discarded");
    assert_eq!(view.is(200)["mode"], "live only, no repair");
    assert_eq!(view.is(200)["status"], "active");
    let health = server.get(PATH).await;
    assert_eq!(health.is(200)["health"], "healthy", "{}", health.body);
    assert_eq!(
        lines(&health)[..3],
        [
            "Authentication: skipped: Discarded: the key was forgotten on purpose",
            "Webhook: ok: Receiving events (last: 2m ago)",
            "Sync Status: ok: Live only, no repair",
        ]
    );
    assert_eq!(
        server.get("/api/v1/connectors/prod/config").await.is(200)["api_key"],
        Value::Null
    );
    // What would need it says so.
    for (path, body) in [("sync", json!({})), ("test", json!({}))] {
        let refused = server
            .post(&format!("/api/v1/connectors/prod/{path}"), body)
            .await;
        assert_eq!(refused.is(409)["code"], "no_key", "{path}");
    }
    server
        .delete("/api/v1/connectors/prod/api-key")
        .await
        .is(409);
    let sends = json!({"sync_direction": "bidirectional"});
    assert_eq!(
        server.patch("/api/v1/connectors/prod", sends).await.is(409)["code"],
        "no_key"
    );
    // Another key, and all is as before.
    let key = json!({"api_key": there.stand_in.account.api_key});
    server.patch("/api/v1/connectors/prod", key).await.is(200);
    assert_eq!(
        server.get(PATH).await.is(200)["lines"][0]["name"],
        "API Connectivity"
    );
}
