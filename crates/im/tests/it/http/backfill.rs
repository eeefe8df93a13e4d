//! Reading the past over the API. No loop runs here: the story with PagerDuty is in `cli_past.rs`.

use serde_json::{Value, json};

use super::{Server, config};

const PATH: &str = "/api/v1/connectors/prod/backfill";

#[tokio::test]
async fn m044_a_new_connector_begins_with_its_past() {
    let server = Server::with_connector(config()).await;
    let begun = server.get(PATH).await;
    let want = json!({"state": "running", "since": "2026-05-24T09:14:05.12Z", "until": "2026-11-20T09:14:05.12Z",
        "started_at": "2026-11-20T09:14:05.12Z", "stopped_at": null, "finished_at": null, "reading": "incidents",
        "rows": 0, "total": null, "percent": null, "per_minute": null, "seconds_left": null,
        "next_step_by": "2026-11-20T09:14:05.12Z", "requests": 0, "share": 50,
        "created": 0, "updated": 0, "unchanged": 0, "failed": 0, "message": null});
    assert_eq!(*begun.is(200), want, "180 days");
    server.pass(60);
    let stopped = server.delete(PATH).await;
    assert_eq!(stopped.is(200)["state"], "stopped");
    assert_eq!(stopped.body["stopped_at"], "2026-11-20T09:15:05.12Z");
    let again = server.post(PATH, json!({})).await;
    assert_eq!(
        (&again.is(200)["state"], &again.body["since"]),
        (&want["state"], &want["since"]),
        "it goes on"
    );
    let same = server.post(PATH, json!({"since": "180d"})).await;
    assert_eq!(
        same.is(200)["since"],
        want["since"],
        "the same past is the same reading"
    );
    let more = server
        .post(PATH, json!({"since": "2026-01-31", "share": 20}))
        .await;
    assert_eq!(more.is(200)["since"], "2026-01-31T00:00:00Z");
    assert_eq!(more.body["share"], 20);
    // A change of the configuration does not begin anew.
    server
        .patch("/api/v1/connectors/prod", json!({"sync_interval": "2m"}))
        .await
        .is(200);
    assert_eq!(
        server.get(PATH).await.is(200)["since"],
        "2026-01-31T00:00:00Z"
    );
}

#[tokio::test]
async fn m044_how_far_back_may_be_said_where_a_connector_is_added() {
    let server = Server::start();
    let add = async |name: &str, direction: &str, since: Value| {
        let mut config = config();
        config["sync_direction"] = json!(direction);
        let new = json!({"name": name, "type": "pagerduty", "config": config, "since": since});
        server.post("/api/v1/connectors", new).await
    };
    let of = async |name: &str| {
        server
            .get(&format!("/api/v1/connectors/{name}/backfill"))
            .await
    };
    add("short", "inbound", json!("30d")).await.is(201);
    assert_eq!(
        of("short").await.is(200)["since"],
        "2026-10-21T09:14:05.12Z"
    );
    add("nothing", "inbound", json!("none")).await.is(201);
    assert_eq!(of("nothing").await.is(200)["state"], "finished");
    assert_eq!(
        add("wrong", "inbound", json!("soon")).await.is(422)["code"],
        "since"
    );
    server.get("/api/v1/connectors/wrong").await.is(404);
    // One that takes nothing has no past until it does.
    add("out", "outbound", Value::Null).await.is(201);
    of("out").await.is(404);
    let refused = server
        .post("/api/v1/connectors/out/backfill", json!({}))
        .await;
    assert_eq!(refused.is(409)["code"], "direction");
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("its direction is outbound")
    );
    server
        .patch(
            "/api/v1/connectors/out",
            json!({"sync_direction": "bidirectional"}),
        )
        .await
        .is(200);
    assert_eq!(of("out").await.is(200)["state"], "running");
    server
        .patch("/api/v1/connectors/nothing", json!({"sync_interval": "2m"}))
        .await
        .is(200);
    assert_eq!(
        of("nothing").await.is(200)["state"],
        "finished",
        "who wanted none gets none"
    );
}

#[tokio::test]
async fn m044_what_makes_no_sense_is_refused_by_name() {
    let server = Server::with_connector(config()).await;
    for (body, code) in [
        (json!({"since": "yesterday"}), "since"),
        (json!({"since": "0d"}), "since"),
        (json!({"since": "2027-01-01"}), "since"),
        (json!({"share": 0}), "share"),
        (json!({"share": 101}), "share"),
    ] {
        assert_eq!(server.post(PATH, body).await.is(422)["code"], code);
    }
    server.post(PATH, json!({"colour": "red"})).await.is(400);
    server
        .post("/api/v1/connectors/nope/backfill", json!({}))
        .await
        .is(404);
    server.get("/api/v1/connectors/nope/backfill").await.is(404);
}
