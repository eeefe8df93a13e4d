//! API keys: tried before they are stored, and what they are told to be for.

use serde_json::{Value, json};

use super::there::{There, lines};
use super::{Answer, Server, config};

/// The configuration of another connector to the same PagerDuty; under another name it passes for another account.
fn config_there(there: &There, changes: &[(&str, Value)]) -> Value {
    let account = &there.stand_in.account;
    let mut config = json!({
        "api_key": account.api_key,
        "base_url": there.stand_in.base_url.replace("127.0.0.1", "localhost"),
        "sync_direction": "bidirectional",
        "custom": {"service_id": account.services[0].0, "from_email": account.users[0].2},
    });
    for (name, value) in changes {
        config[*name] = value.clone();
    }
    config
}

async fn add(there: &There, changes: &[(&str, Value)]) -> Answer {
    let config = config_there(there, changes);
    let new = json!({"name": "second", "type": "pagerduty", "config": config});
    there.server.post("/api/v1/connectors", new).await
}

/// PagerDuty reaches the server from now on, as far as anybody knows.
async fn with_address(there: &There) {
    let url = json!({"public_url": "https://im.example.com"});
    there.server.patch("/api/v1/settings", url).await.is(200);
}

/// The checks of an answer, as `state: text`.
fn checks(answer: &Value) -> Vec<String> {
    let line = |line: &Value| {
        let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", word("state"), word("text"))
    };
    answer["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

/// A person has another base role in PagerDuty.
fn give_role(there: &There, role: &str) {
    let path = format!("/users/{}", there.stand_in.account.users[0].0);
    let body = json!({"user": {"type": "user", "role": role}});
    there.pagerduty("PUT", &path, &body);
}

#[tokio::test]
async fn m026_a_read_only_key_is_refused_and_nothing_is_stored() {
    let there = There::start().await;
    let key = json!(there.stand_in.account.read_only_key);
    for direction in ["bidirectional", "outbound"] {
        let changes = [
            ("api_key", key.clone()),
            ("sync_direction", json!(direction)),
        ];
        let refused = add(&there, &changes).await;
        assert_eq!(refused.is(422)["code"], "read_only_key");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("this key is read-only"), "{detail}");
        assert!(detail.ends_with("nothing was stored"), "{detail}");
        let hint = refused.body["hint"].as_str().unwrap();
        assert!(hint.contains("\"sync_direction\": \"inbound\""), "{hint}");
    }
    there.server.get("/api/v1/connectors/second").await.is(404);
    // The key of a connector that is there stays as it was.
    let before = there.server.get("/api/v1/connectors/prod/config").await;
    let part = json!({"api_key": key});
    let refused = there.server.patch("/api/v1/connectors/prod", part).await;
    assert_eq!(refused.is(422)["code"], "read_only_key");
    let hint = refused.body["hint"].as_str().unwrap();
    assert!(
        hint.contains("`im connector config prod --direction inbound`"),
        "{hint}"
    );
    let after = there.server.get("/api/v1/connectors/prod/config").await;
    assert_eq!(after.body, before.body);
    assert_eq!(there.status().await["status"], "active");
    // To receive only, it does; but not to send later.
    let inbound = [("api_key", key), ("sync_direction", json!("inbound"))];
    add(&there, &inbound).await.is(201);
    let both = json!({"sync_direction": "bidirectional"});
    let refused = there.server.patch("/api/v1/connectors/second", both).await;
    assert_eq!(refused.is(422)["code"], "read_only_key");
}

#[tokio::test]
async fn i015_a_wrong_key_and_a_wrong_address_are_refused_and_silence_is_not() {
    let there = There::start().await;
    let refused = add(&there, &[("api_key", json!("y_NxrWrongWrongWrong"))]).await;
    assert_eq!(refused.is(422)["code"], "bad_key");
    let hint = refused.body["hint"].as_str().unwrap();
    assert!(hint.contains("https://api.eu.pagerduty.com"), "{hint}");
    let part = json!({"api_key": "y_NxrWrongWrongWrong"});
    let refused = there.server.patch("/api/v1/connectors/prod", part).await;
    assert_eq!(refused.is(422)["code"], "bad_key");
    assert_eq!(there.status().await["status"], "active");
    there.server.get("/api/v1/connectors/second").await.is(404);
    // Who sets a server up where PagerDuty cannot be reached yet can go on.
    let server = Server::start();
    let new = json!({"name": "prod", "type": "pagerduty", "config": config()});
    let added = server.post("/api/v1/connectors", new).await;
    assert_eq!(added.is(201)["status"], "untested");
    assert_eq!(
        checks(&added.body),
        ["skipped: API key: stored and not tried, since PagerDuty cannot be reached"]
    );
}

#[tokio::test]
async fn m027_a_pasted_key_makes_the_webhook_is_stored_and_is_masked() {
    let there = There::start().await;
    with_address(&there).await;
    let key = there.stand_in.account.api_key.clone();
    let added = add(&there, &[("api_key", json!(format!("  {key}\n")))]).await;
    let made = &there.stand_in.with(|sim| sim.subscriptions())[0];
    assert_eq!(
        checks(added.is(201)),
        [
            "ok: API key belongs to the account".to_owned(),
            "ok: API key may read incidents".to_owned(),
            "ok: API key may change incidents".to_owned(),
            format!(
                "ok: API key ********{} is stored",
                key.split_at(key.len() - 4).1
            ),
            format!(
                "ok: Webhook subscription {} is made, and its secret is stored",
                made.id
            ),
        ]
    );
    assert_eq!(added.body["status"], "active");
    assert_eq!(added.body["webhook"]["state"], "enabled");
    assert_eq!(
        there.receivers(),
        ["https://im.example.com/connectors/second/webhook"]
    );
    let config = there.server.get("/api/v1/connectors/second/config").await;
    let whole = format!("{}{}", added.body, config.is(200));
    assert!(!whole.contains(&key), "{whole}");
}

#[tokio::test]
async fn m036_adding_enabling_and_adding_again_leave_one_webhook() {
    let there = There::start().await;
    with_address(&there).await;
    add(&there, &[]).await.is(201);
    assert_eq!(there.receivers().len(), 1);
    let enable = json!({"action": "enable"});
    let path = "/api/v1/connectors/second/webhook";
    let enabled = there.server.post(path, enable).await;
    assert!(
        lines(&enabled)[0].ends_with("is there already"),
        "{}",
        enabled.body
    );
    assert_eq!(add(&there, &[]).await.is(409)["code"], "name_taken");
    assert_eq!(there.receivers().len(), 1);
    there
        .server
        .delete("/api/v1/connectors/second")
        .await
        .is(200);
    add(&there, &[]).await.is(201);
    assert_eq!(there.receivers().len(), 1);
}

#[tokio::test]
async fn m036_where_no_webhook_can_be_made_the_next_step_is_said() {
    let there = There::start().await;
    // The address of a trial on one machine is not encrypted.
    let added = add(&there, &[]).await;
    let last = added.is(201)["checks"].as_array().unwrap().last().unwrap();
    assert_eq!(last["state"], "skipped");
    let text = last["text"].as_str().unwrap();
    assert!(
        text.starts_with("Webhook: none yet: the address http://127.0.0.1"),
        "{text}"
    );
    there
        .server
        .delete("/api/v1/connectors/second")
        .await
        .is(200);
    // Nobody knows the address.
    there
        .server
        .write(|tx| im_store::settings::put(tx, "public_url", ""))
        .await;
    let added = add(&there, &[]).await;
    let last = added.is(201)["checks"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["next"],
        "`im config set public_url https://…`, then `im connector webhook second --enable`"
    );
    there
        .server
        .delete("/api/v1/connectors/second")
        .await
        .is(200);
    // Who only receives is asked before something is written.
    with_address(&there).await;
    let added = add(&there, &[("sync_direction", json!("inbound"))]).await;
    let last = added.is(201)["checks"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["text"],
        "Webhook: none yet: with direction inbound nothing is written unasked"
    );
    assert!(there.receivers().is_empty());
}

#[tokio::test]
async fn m015_who_may_not_make_a_webhook_is_told_which_role_it_takes() {
    let there = There::start().await;
    give_role(&there, "limited_user");
    let part = json!({"api_key": there.stand_in.account.user_key});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let refused = there.enable().await;
    assert_eq!(refused.is(502)["code"], "role");
    let detail = refused.body["detail"].as_str().unwrap();
    let name = &there.stand_in.account.users[0].1;
    assert!(
        detail.contains("base role Manager") && detail.contains("Global Admin"),
        "{detail}"
    );
    let whose = format!("this key's user is {name} (base role Responder)");
    assert!(detail.ends_with(&whose), "{detail}");
    let said = lines(&there.test().await);
    let line = said
        .iter()
        .find(|line| line.contains("may manage webhooks"))
        .unwrap();
    assert!(
        line.starts_with("skipped: ") && line.ends_with(&whose),
        "{line}"
    );
    assert!(there.receivers().is_empty());
    // Managers may for a service, admins for the account.
    let scope = || {
        there.pagerduty("GET", "/webhook_subscriptions", &Value::Null)["webhook_subscriptions"][0]["filter"]["type"].clone()
    };
    give_role(&there, "user");
    there.enable().await.is(200);
    assert_eq!(scope(), "service_reference");
    there.webhook(json!({"action": "disable"})).await.is(200);
    give_role(&there, "admin");
    there.enable().await.is(200);
    assert_eq!(scope(), "account_reference");
}

#[tokio::test]
async fn i015_a_key_can_be_asked_about_before_it_is_stored() {
    let there = There::start().await;
    let account = &there.stand_in.account;
    let ask = async |path: &str, key: &str, more: Value| {
        let mut body = json!({"api_key": key, "base_url": there.stand_in.base_url});
        if let Some(more) = more.as_object() {
            body.as_object_mut().unwrap().extend(more.clone());
        }
        there.server.post(path, body).await
    };
    let found = ask("/api/v1/key-probe", &account.user_key, Value::Null).await;
    assert_eq!(found.is(200)["kind"], "user");
    assert_eq!(found.body["owner"]["email"], account.users[0].2);
    assert_eq!(found.body["role"], "Manager");
    assert_eq!(found.body["may_write"], true);
    assert_eq!(
        found.body["services"].as_array().unwrap().len(),
        account.services.len()
    );
    assert_eq!(
        found.body["policies"].as_array().unwrap().len(),
        account.policies.len()
    );
    let found = ask("/api/v1/key-probe", &account.read_only_key, Value::Null).await;
    assert_eq!(
        (&found.is(200)["kind"], &found.body["may_write"]),
        (&json!("account"), &json!(false))
    );
    let refused = ask("/api/v1/key-probe", "y_NxrWrongWrongWrong", Value::Null).await;
    assert_eq!(refused.is(422)["code"], "bad_key");
    let users = "/api/v1/key-probe/users";
    let email = json!({"email": account.users[1].2.to_uppercase()});
    let found = ask(users, &account.api_key, email).await;
    assert_eq!(found.is(200)[0]["name"], account.users[1].1);
    let nobody = json!({"email": "nobody@example.com"});
    assert_eq!(
        ask(users, &account.api_key, nobody).await.is(200),
        &json!([])
    );
    let silent = there
        .server
        .post(
            "/api/v1/key-probe",
            json!({"api_key": "key", "base_url": "http://127.0.0.1:1"}),
        )
        .await;
    assert_eq!(silent.is(504)["code"], "pagerduty");
}
