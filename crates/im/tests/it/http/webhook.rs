//! The webhook of a connector, made and tried at a PagerDuty that answers and delivers.

use serde_json::{Value, json};

use super::there::{There, lines};
use super::{NEAR, request};

const BASIC: [&str; 3] = [
    "incident.triggered",
    "incident.acknowledged",
    "incident.resolved",
];

#[tokio::test]
async fn m036_m027_i030_a_webhook_is_made_once_and_tells() {
    let there = There::start().await;
    let made = there.enable().await;
    assert!(lines(&made)[0].ends_with("is made, and its secret is stored"));
    let again = there.enable().await;
    let kept = lines(&again);
    assert!(
        kept.len() == 1 && kept[0].ends_with("is there already"),
        "{kept:?}"
    );
    let tried = there.webhook(json!({"action": "test"})).await;
    assert_eq!(lines(&tried), ["ok: Test webhook received (pagey.ping)"]);
    assert_eq!(there.receivers().len(), 1);
}

#[tokio::test]
async fn a_secret_that_does_not_fit_is_named_and_enable_makes_another() {
    let there = There::start().await;
    there.enable().await.is(200);
    let bogus = json!({"action": "manual", "secret": "bogus"});
    there.webhook(bogus).await.is(200);
    let tried = there.webhook(json!({"action": "test"})).await;
    let cause = "a webhook arrived, and its signature does not fit the secret that is stored here";
    assert_eq!(
        lines(&tried),
        [format!(
            "failed: Test webhook received (pagey.ping) ({cause})"
        )]
    );
    let tested = there.test().await;
    let expected = format!("failed: Webhook endpoint configured ({cause})");
    assert!(lines(&tested).contains(&expected), "{}", tested.body);
    assert_eq!(there.status().await["webhook"]["state"], "bad_signatures");

    let enabled = there.enable().await;
    let said = lines(&enabled);
    assert!(
        said[0].ends_with("is made, and its secret is stored"),
        "{said:?}"
    );
    assert!(said[1].contains("Removed webhook subscription"), "{said:?}");
    // Old failures are not about the new secret.
    assert_eq!(there.status().await["webhook"]["state"], "enabled");
    let tried = there.webhook(json!({"action": "test"})).await;
    assert_eq!(tried.is(200)["ok"], true, "{}", tried.body);
    assert_eq!(there.receivers().len(), 1);
}

#[tokio::test]
async fn a_secret_given_by_hand_is_not_believed_before_a_delivery_fits() {
    let there = There::start().await;
    there.enable().await.is(200);
    let bogus = json!({"action": "manual", "secret": "bogus"});
    there.webhook(bogus).await.is(200);
    let said = lines(&there.enable().await);
    assert!(
        said[1].ends_with("whose secret no delivery has proved"),
        "{said:?}"
    );

    // A good secret stays, once something was signed with it.
    there.webhook(json!({"action": "disable"})).await.is(200);
    let secret = there.by_hand(&BASIC);
    let given = json!({"action": "manual", "secret": secret});
    there.webhook(given).await.is(200);
    let tried = there.webhook(json!({"action": "test"})).await;
    assert_eq!(tried.is(200)["ok"], true, "{}", tried.body);
}

#[tokio::test]
async fn a_new_public_address_leaves_no_subscription_to_the_old_one() {
    let there = There::start().await;
    there.enable().await.is(200);
    let url = json!({"public_url": "http://im.example.com"});
    there.server.patch("/api/v1/settings", url).await.is(200);
    let said = lines(&there.enable().await);
    assert!(
        said[1].ends_with("which delivered to another address"),
        "{said:?}"
    );
    assert_eq!(
        there.receivers(),
        ["http://im.example.com/connectors/prod/webhook"]
    );
}

#[tokio::test]
async fn another_programs_subscription_is_left_alone() {
    let there = There::start().await;
    there.by_hand(&BASIC);
    let url = json!({"public_url": "http://im.example.com"});
    there.server.patch("/api/v1/settings", url).await.is(200);
    there.enable().await.is(200);
    assert_eq!(there.receivers().len(), 2);
}

#[tokio::test]
async fn events_that_a_webhook_leaves_out_are_said_everywhere() {
    let there = There::start().await;
    let secret = there.by_hand(&BASIC);
    let given = json!({"action": "manual", "secret": secret});
    let said = lines(&there.webhook(given).await);
    let left =
        "the webhook leaves out 23 of 26 events, incident.action_invocation.created among them";
    let expected = format!("skipped: Webhook tells of every event: {left}");
    assert!(said.contains(&expected), "{said:?}");
    let tested = there.test().await;
    assert!(lines(&tested).contains(&expected), "{}", tested.body);
    assert_eq!(there.status().await["status_reason"], left);
    let doctor = there.server.get("/api/v1/doctor").await;
    let expected = format!("skipped: prod: Webhook tells of every event: {left}");
    assert!(lines(&doctor).contains(&expected), "{}", doctor.body);

    // One without the basic events does not do its work.
    there.webhook(json!({"action": "disable"})).await.is(200);
    assert_eq!(there.status().await["status_reason"], Value::Null);
    let secret = there.by_hand(&["incident.triggered", "incident.acknowledged"]);
    let given = json!({"action": "manual", "secret": secret});
    let said = lines(&there.webhook(given).await);
    let expected = "failed: Webhook tells of every event (the webhook leaves out 24 of 26 events, incident.resolved among them)";
    assert!(said.contains(&expected.to_owned()), "{said:?}");
    let enabled = there.enable().await;
    assert_eq!(enabled.is(200)["ok"], true);
    assert_eq!(there.status().await["webhook"].get("missing_events"), None);
}

#[tokio::test]
async fn m046_m047_mw42_a_removed_connector_takes_its_webhook_with_it_and_says_what_is_left() {
    let there = There::start().await;
    there.enable().await.is(200);
    let removed = there.server.delete("/api/v1/connectors/prod").await;
    let said = lines(&removed);
    assert!(
        said[0].ends_with("is removed at PagerDuty") && said[0].starts_with("ok: "),
        "{said:?}"
    );
    assert_eq!(
        said[1..],
        [
            "ok: Key or sign-in and signing secrets are destroyed here",
            "ok: Incidents stay on both sides (0)"
        ]
    );
    assert!(there.receivers().is_empty());
    // A late delivery is told that this is final; a name that never was is not known.
    let late = there
        .server
        .post("/connectors/prod/webhook", json!({"event": {}}))
        .await;
    assert_eq!(late.is(410)["code"], "removed");
    there
        .server
        .post("/connectors/never/webhook", json!({"event": {}}))
        .await
        .is(404);
}

#[tokio::test]
async fn m046_mw43_a_connector_is_removed_with_its_data_where_that_is_asked_for() {
    let there = There::start().await;
    let server = &there.server;
    for title in ["Disk full", "Search is slow"] {
        let declared = json!({"title": title, "severity": "SEV-2"});
        server.post("/api/v1/incidents", declared).await.is(201);
    }
    let counted = "/api/v1/metrics/incident_frequency";
    let before = server.get(counted).await;
    assert_eq!(before.is(200)["series"][0]["total"]["n"], 2);

    let bad = server.delete("/api/v1/connectors/prod?purge=maybe").await;
    assert_eq!(bad.is(400)["detail"], "`purge` cannot be `maybe`");
    let removed = server.delete("/api/v1/connectors/prod?purge=true").await;
    let said = lines(&removed);
    let erased = "ok: Erased here: 2 incidents with their history, and all deliveries; PagerDuty keeps its own";
    assert_eq!(said.last().unwrap(), erased);
    assert!(!said.iter().any(|line| line.contains("stay")), "{said:?}");
    server.get("/api/v1/incidents/1").await.is(404);
    let after = server.get(counted).await;
    let total = &after.is(200)["series"][0]["total"];
    assert_eq!(total["n"], 0, "figures forget them at once");

    // Numbers do not come again, and what was cut off can be asked for again.
    let declared = json!({"title": "Disk full", "severity": "SEV-2"});
    let next = server.post("/api/v1/incidents", declared).await;
    let made = next.is(201).to_string();
    assert!(made.contains("INC-3"), "{made}");
    let again = server.delete("/api/v1/connectors/prod?purge=true").await;
    assert_eq!(lines(&again), [erased.replace('2', "0")]);
    server.delete("/api/v1/connectors/prod").await.is(404);
    server
        .delete("/api/v1/connectors/never?purge=true")
        .await
        .is(404);
    server.get("/api/v1/incidents/3").await.is(200);
}

#[tokio::test]
async fn m047_a_key_that_is_gone_does_not_hold_the_connector_and_the_steps_are_shown() {
    let there = There::start().await;
    there.enable().await.is(200);
    let declared = json!({"title": "Disk full", "severity": "SEV-2"});
    there
        .server
        .post("/api/v1/incidents", declared)
        .await
        .is(201);
    let key = there.stand_in.account.api_key.clone();
    there.stand_in.with(|sim| sim.revoke_key(&key));
    let removed = there.server.delete("/api/v1/connectors/prod").await;
    let said = lines(&removed);
    assert!(
        said[0].starts_with("failed: Webhook subscription "),
        "{said:?}"
    );
    assert_eq!(removed.body["ok"], false);
    let next = removed.body["lines"][0]["next"].as_str().unwrap();
    assert!(
        next.starts_with("in PagerDuty: Integrations, Generic Webhooks (v3)"),
        "{next}"
    );
    assert!(
        said.contains(&"skipped: Changes that PagerDuty had not taken: 1, not sent".to_owned()),
        "{said:?}"
    );
    there.server.get("/api/v1/connectors/prod").await.is(404);
    assert_eq!(
        there.server.get("/api/v1/incidents").await.is(200)[0]["pagerduty"],
        Value::Null
    );
}

/// The only subscription that PagerDuty has.
fn subscription(there: &There) -> Value {
    let found = there.pagerduty("GET", "/webhook_subscriptions", &Value::Null);
    let found = found["webhook_subscriptions"].as_array().unwrap().clone();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[tokio::test]
async fn m037_the_webhook_says_whose_it_is_and_listens_to_what_is_chosen() {
    let there = There::start().await;
    there.enable().await.is(200);
    let made = subscription(&there);
    assert_eq!(made["description"], "im, connector prod");
    let url = format!("{}/connectors/prod/webhook", there.url);
    assert_eq!(made["delivery_method"]["url"], url);
    assert_eq!(made["filter"], json!({"type": "account_reference"}));
    let events: Vec<&str> = made["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(events, im_pagerduty::EVENTS);
    let service = there.stand_in.account.services[1].0.clone();
    let teams = there.pagerduty("GET", "/teams", &Value::Null);
    let team = teams["teams"][0]["id"].as_str().unwrap().to_owned();
    let enable = async |scope: &str| {
        let body = json!({"action": "enable", "insecure": true, "scope": scope});
        there.webhook(body).await
    };
    for (scope, kind, id) in [
        (format!("service:{service}"), "service", Some(&service)),
        (format!("team:{team}"), "team", Some(&team)),
        ("account".to_owned(), "account", None),
    ] {
        let said = lines(&enable(&scope).await);
        assert!(
            said[1].ends_with("which listened to something else"),
            "{said:?}"
        );
        assert!(said[0].contains("is made"), "{said:?}");
        let filter = &subscription(&there)["filter"];
        assert_eq!(filter["type"], format!("{kind}_reference"));
        assert_eq!(filter["id"].as_str(), id.map(String::as_str));
        let again = lines(&enable(&scope).await);
        assert!(again[0].ends_with("is there already"), "{again:?}");
    }
    for wrong in ["x", "service:", "service", "account:1"] {
        assert_eq!(enable(wrong).await.is(422)["code"], "scope", "{wrong}");
    }
    // Without a word about it, it stays as it was chosen.
    enable(&format!("service:{service}")).await.is(200);
    let kept = lines(&there.enable().await);
    assert!(kept[0].ends_with("is there already"), "{kept:?}");
}

#[tokio::test]
async fn m038_a_signed_event_is_accepted_and_any_other_is_refused() {
    let there = There::start().await;
    there.enable().await.is(200);
    let tried = there.webhook(json!({"action": "test"})).await;
    assert_eq!(tried.is(200)["ok"], true, "{}", tried.body);
    let event = json!({"event": {"id": "01FORGED", "event_type": "incident.triggered", "data": {"id": "QFORGED", "type": "incident"}}});
    let wrong = format!("v1={}", "ab".repeat(32));
    for signature in [None, Some(wrong.as_str()), Some("v1=")] {
        let mut forged = request(NEAR, "POST", "/connectors/prod/webhook", &event);
        if let Some(signature) = signature {
            let header = signature.parse().unwrap();
            forged.headers_mut().insert("x-pagerduty-signature", header);
        }
        let answer = there.server.send(forged).await;
        assert!(
            [401, 403].contains(&answer.status),
            "{signature:?}: {}",
            answer.status
        );
    }
    let incidents = there.server.get("/api/v1/incidents").await;
    assert_eq!(incidents.is(200), &json!([]), "and nothing came of it");
}

/// What somebody changes of a webhook in PagerDuty, what is said of it, and what a repair says.
fn changes_of(service: &str) -> [(Value, String, String); 3] {
    [
        (
            json!({"events": BASIC}),
            "the webhook leaves out 23 of 26 events".to_owned(),
            "ok: Events: 23 that it left out are back".to_owned(),
        ),
        (
            json!({"filter": {"type": "service_reference", "id": service}}),
            format!("it listens to service {service}, not to the account"),
            format!("ok: It listens to the account again, not to service {service}"),
        ),
        (
            json!({"active": false}),
            "the webhook subscription is switched off in PagerDuty".to_owned(),
            "ok: It is switched on again".to_owned(),
        ),
    ]
}

#[tokio::test]
async fn m039_what_was_changed_of_the_webhook_is_named_and_repaired() {
    let there = There::start().await;
    let _working = there.server.work();
    there.enable().await.is(200);
    let sync = async || {
        there.server.pass(2);
        there
            .server
            .post("/api/v1/connectors/prod/sync", json!({}))
            .await
            .is(200);
        there.status().await["status_reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let plain = there.webhook(json!({"action": "repair"})).await;
    assert_eq!(plain.is(422)["code"], "insecure");
    let ask = json!({"action": "repair", "insecure": true});
    let repair = async || lines(&there.webhook(ask.clone()).await);
    assert_eq!(sync().await, "");
    let id = subscription(&there)["id"].as_str().unwrap().to_owned();
    assert_eq!(
        repair().await,
        [format!("ok: Webhook subscription {id} is as it was made")]
    );
    let service = there.stand_in.account.services[1].0.clone();
    for (change, drift, repaired) in changes_of(&service) {
        let path = format!("/webhook_subscriptions/{id}");
        there.pagerduty("PUT", &path, &json!({"webhook_subscription": change}));
        let said = sync().await;
        assert!(said.contains(&drift), "{said}");
        assert_eq!(repair().await, [repaired]);
        assert_eq!(sync().await, "");
        assert_eq!(subscription(&there)["id"], id, "it is the same one");
    }
    // Moved to another address: PagerDuty changes none, so another one takes its place.
    let url = json!({"public_url": there.url.replace("127.0.0.1", "localhost")});
    there.server.patch("/api/v1/settings", url).await.is(200);
    let said = repair().await;
    assert!(
        said[0].ends_with("is made, and its secret is stored"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with(&format!("ok: It delivered to {}", there.url)),
        "{said:?}"
    );
    let second = subscription(&there)["id"].as_str().unwrap().to_owned();
    assert_ne!(second, id);
    // Deleted.
    there.pagerduty(
        "DELETE",
        &format!("/webhook_subscriptions/{second}"),
        &Value::Null,
    );
    assert_eq!(
        sync().await,
        "the webhook subscription was deleted in PagerDuty"
    );
    let said = repair().await;
    assert_eq!(said[0], "ok: It was deleted in PagerDuty: another is made");
    assert_eq!(sync().await, "");
    subscription(&there);
    // What was never made is not repaired.
    there.webhook(json!({"action": "disable"})).await.is(200);
    let nothing = there.webhook(ask.clone()).await;
    assert_eq!(nothing.is(409)["code"], "no_webhook");
}

/// What was done to subscriptions, the last first: methods of HTTP.
async fn done(there: &There) -> Vec<String> {
    let calls = there.server.get("/api/v1/calls?limit=20").await;
    let calls = calls.is(200).as_array().unwrap().clone();
    let of_webhooks = calls.iter().filter(|call| {
        let path = call["path"].as_str().unwrap();
        path.starts_with("/webhook_subscriptions") && call["method"] != "GET"
    });
    of_webhooks
        .map(|call| format!("{} {}", call["method"].as_str().unwrap(), call["status"]))
        .collect()
}

#[tokio::test]
async fn another_webhook_is_there_before_the_old_one_goes_unless_pagerduty_takes_no_more() {
    let there = There::start().await;
    there.enable().await.is(200);
    let bogus = json!({"action": "manual", "secret": "bogus"});
    there.webhook(bogus.clone()).await.is(200);
    there.enable().await.is(200);
    assert_eq!(done(&there).await[..2], ["DELETE 204", "POST 201"]);
    // Nine others fill what PagerDuty takes of a scope.
    for number in 0..9 {
        let body = json!({"webhook_subscription": {
            "type": "webhook_subscription",
            "delivery_method": {"type": "http_delivery_method", "url": format!("https://other{number}.example.com/")},
            "events": ["incident.triggered"],
            "filter": {"type": "account_reference"},
        }});
        there.pagerduty("POST", "/webhook_subscriptions", &body);
    }
    there.webhook(bogus).await.is(200);
    let said = lines(&there.enable().await);
    assert!(said[0].contains("Removed webhook subscription"), "{said:?}");
    assert!(
        said[1].ends_with("is made, and its secret is stored"),
        "{said:?}"
    );
    let done = done(&there).await;
    assert_eq!(done[..3], ["POST 201", "DELETE 204", "POST 400"]);
    assert_eq!(there.receivers().len(), 10);
}
