//! Connectors over the API.

use serde_json::{Value, json};

use super::{Server, config, pretty};

async fn add(server: &Server, name: &str, config: Value) -> super::Answer {
    let new = json!({"name": name, "type": "pagerduty", "config": config});
    server.post("/api/v1/connectors", new).await
}

#[tokio::test]
async fn a_connector_has_the_documented_shape_and_keeps_its_key_to_itself() {
    let server = Server::start();
    let added = add(&server, "prod", config()).await;
    insta::assert_snapshot!(pretty(added.is(201)));
    let shown = server.get("/api/v1/connectors/prod/config").await;
    insta::assert_snapshot!(pretty(shown.is(200)));
    let whole = format!("{}{}", added.body, shown.body);
    assert!(!whole.contains("abcdefghijklmnop"), "{whole}");
}

#[tokio::test]
async fn an_outbound_connector_comes_with_a_warning() {
    let server = Server::start();
    let mut config = config();
    config.as_object_mut().unwrap().remove("sync_direction");
    let added = add(&server, "prod", config).await;
    let warning = added.is(201)["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.contains("changes nothing here"), "{warning}");
}

#[tokio::test]
async fn a_second_connector_with_the_same_key_comes_with_a_warning() {
    let server = Server::start();
    let first = add(&server, "prod", config()).await;
    assert!(first.is(201)["warnings"].get(0).is_none());
    let second = add(&server, "again", config()).await;
    let warning = second.is(201)["warnings"][0].as_str().unwrap().to_owned();
    assert!(
        warning.contains("connector `prod` has the same key"),
        "{warning}"
    );
    let mut elsewhere = config();
    elsewhere["base_url"] = json!("http://127.0.0.1:2");
    let third = add(&server, "eu", elsewhere).await;
    assert!(third.is(201)["warnings"].get(0).is_none());
}

#[tokio::test]
async fn a_configuration_that_is_wrong_is_refused_by_key() {
    let server = Server::start();
    let without = |key: &str| {
        let mut config = config();
        config.as_object_mut().unwrap().remove(key);
        config
    };
    let with = |key: &str, value: Value| {
        let mut config = config();
        config[key] = value;
        config
    };
    let cases = [
        (without("api_key"), "api_key"),
        (without("custom"), "custom"),
        (
            with("custom", json!({"service_id": "P1"})),
            "custom.from_email",
        ),
        (with("sync_interval", json!("1s")), "sync_interval"),
        (with("api_kye", json!("x")), "api_kye"),
        (with("allow_ips", json!(["nonsense"])), "allow_ips"),
        (with("base_url", json!("ftp://x")), "base_url"),
    ];
    for (config, key) in cases {
        let answer = add(&server, "prod", config).await;
        let detail = answer.is(422)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("`{key}`")), "{detail}");
        assert!(!detail.contains("abcdefghij"), "{detail}");
    }
    add(&server, "Prod", config()).await.is(422);
    let odd = json!({"name": "prod", "type": "opsgenie", "config": config()});
    server.post("/api/v1/connectors", odd).await.is(422);
    add(&server, "prod", config()).await.is(201);
    assert_eq!(
        add(&server, "prod", config()).await.is(409)["code"],
        "name_taken"
    );
}

#[tokio::test]
async fn after_the_removal_of_its_connector_an_incident_says_that_pagerduty_is_not_told() {
    let server = Server::with_connector(config()).await;
    let new = json!({"title": "Disk full", "severity": "SEV-2", "service": "db"});
    let declared = server.post("/api/v1/incidents", new).await;
    assert_eq!(
        declared.is(201)["incident"]["pagerduty"]["connector"],
        "prod"
    );
    server.delete("/api/v1/connectors/prod").await.is(200);
    let shown = server.get("/api/v1/incidents/1").await;
    assert_eq!(
        shown.is(200)["pagerduty"],
        Value::Null,
        "it never came there"
    );
    assert_eq!(shown.body["service"], "db");
    let done = server
        .post("/api/v1/incidents/1/resolve", Value::Null)
        .await;
    let there =
        json!({"state": "none", "text": "PagerDuty: not told; connector `prod` was removed"});
    assert_eq!(done.is(200)["there"], there);
    let doctor = server.get("/api/v1/doctor").await;
    assert!(doctor.is(200)["ok"].as_bool().unwrap(), "{}", doctor.body);
    // The same name again: it is this connector's incident as before.
    add(&server, "prod", config()).await.is(201);
    let note = json!({"text": "linked again"});
    let noted = server.post("/api/v1/incidents/1/notes", note).await;
    assert_eq!(noted.is(200)["incident"]["pagerduty"]["connector"], "prod");
}

#[tokio::test]
async fn a_part_of_a_configuration_can_change_and_the_rest_stays() {
    let server = Server::with_connector(config()).await;
    let before = server.get("/api/v1/connectors/prod/config").await.body;
    let part = json!({"sync_interval": "90s", "custom": {"service_mappings": {"db": "PDAT001"}}});
    let changed = server.patch("/api/v1/connectors/prod", part).await;
    assert_eq!(changed.is(200)["sync_interval"], "1m30s");
    let after = server.get("/api/v1/connectors/prod/config").await.body;
    assert_eq!(after["api_key"], before["api_key"]);
    assert_eq!(after["custom"]["service_id"], "PDAT001");
    assert_eq!(
        after["custom"]["service_mappings"],
        json!({"db": "PDAT001"})
    );
    let wrong = json!({"custom": {"service_id": null}});
    let answer = server.patch("/api/v1/connectors/prod", wrong).await;
    assert!(
        answer.is(422)["detail"]
            .as_str()
            .unwrap()
            .contains("custom.service_id")
    );
    let paused = server
        .patch("/api/v1/connectors/prod", json!({"sync_direction": "none"}))
        .await;
    assert_eq!(paused.is(200)["status"], "paused");
    server.delete("/api/v1/connectors/prod").await.is(200);
    server.get("/api/v1/connectors/prod").await.is(404);
}

#[tokio::test]
async fn a_webhook_needs_an_address_that_pagerduty_can_trust() {
    let server = Server::with_connector(config()).await;
    let enable = || json!({"action": "enable"});
    let path = "/api/v1/connectors/prod/webhook";
    let answer = server.post(path, enable()).await;
    assert_eq!(answer.is(422)["code"], "public_url");
    let url = json!({"public_url": "http://im.example.com/"});
    assert_eq!(
        server.patch("/api/v1/settings", url).await.is(200)["public_url"],
        "http://im.example.com"
    );
    assert_eq!(
        server.post(path, enable()).await.is(422)["code"],
        "insecure"
    );
    let manual = server.post(path, json!({"action": "manual"})).await;
    assert_eq!(
        manual.is(200)["url"],
        "http://im.example.com/connectors/prod/webhook"
    );
    assert_eq!(
        server.post(path, json!({"action": "x"})).await.is(422)["code"],
        "action"
    );
    let outbound = json!({"sync_direction": "outbound"});
    server
        .patch("/api/v1/connectors/prod", outbound)
        .await
        .is(200);
    let answer = server.post(path, enable()).await;
    let hint = answer.is(409)["hint"].as_str().unwrap().to_owned();
    assert_eq!(hint, "`im connector config prod --direction bidirectional`");
}

#[tokio::test]
async fn a_dead_letter_can_be_sent_again_or_given_up() {
    let server = Server::with_connector(config()).await;
    let new = json!({"title": "x", "severity": "SEV-1"});
    server.post("/api/v1/incidents", new).await.is(201);
    server
        .write(|tx| im_store::outbox::park(tx, 1, "Service not found (HTTP 400, code 2001)"))
        .await;
    let acted = server
        .post("/api/v1/incidents/1/acknowledge", Value::Null)
        .await;
    let there = &acted.is(200)["there"];
    assert_eq!(there["state"], "parked");
    let text = there["text"].as_str().unwrap();
    assert!(
        text.contains("Service not found") && text.contains("im connector outbox retry prod 1"),
        "{text}"
    );

    let path = "/api/v1/connectors/prod/outbox";
    let listed = server.get(path).await;
    assert_eq!(listed.is(200)[0]["state"], "parked");
    assert_eq!(listed.body[0]["incident"], "INC-1");
    let retried = server.post(&format!("{path}/1/retry"), Value::Null).await;
    assert_eq!(retried.is(200)["state"], "waiting");
    let again = server.post(&format!("{path}/1/retry"), Value::Null).await;
    assert_eq!(
        again.is(404)["hint"],
        "`im connector outbox list prod` shows them"
    );
    server.write(|tx| im_store::outbox::park(tx, 1, "no")).await;
    server
        .post(&format!("{path}/1/discard"), Value::Null)
        .await
        .is(200);
    server
        .post(&format!("{path}/x/discard"), Value::Null)
        .await
        .is(400);
}

#[tokio::test]
async fn the_steps_by_hand_tell_from_where_pagerduty_sends() {
    let server = Server::with_connector(config()).await;
    let url = json!({"public_url": "https://im.example.com"});
    server.patch("/api/v1/settings", url).await.is(200);
    let (us, eu) = ("44.242.69.192", "18.192.91.93");
    let cases = [
        ("https://api.pagerduty.com", true, false),
        ("https://api.eu.pagerduty.com", false, true),
        ("http://127.0.0.1:1", true, true),
    ];
    for (base_url, has_us, has_eu) in cases {
        let part = json!({"base_url": base_url});
        server.patch("/api/v1/connectors/prod", part).await.is(200);
        let manual = json!({"action": "manual"});
        let steps = server.post("/api/v1/connectors/prod/webhook", manual).await;
        let text = steps.is(200).to_string();
        assert_eq!(
            (text.contains(us), text.contains(eu)),
            (has_us, has_eu),
            "{base_url}"
        );
    }
}

#[test]
fn the_addresses_of_pagerduty_are_documented_as_they_are_in_the_code() {
    use im_pagerduty::senders::{EU, US};
    let page = include_str!("../../../../../docs/connector.md");
    let list = |from: &str| {
        let (_, list) = page.split_once(from).unwrap();
        let list = list
            .split("\n\n")
            .next()
            .unwrap()
            .split("\n- ")
            .next()
            .unwrap();
        let addresses: Vec<String> = list.split(',').map(|one| one.trim().to_owned()).collect();
        addresses
    };
    assert_eq!(list("- US: "), US);
    assert_eq!(list("- EU: "), EU);
}
