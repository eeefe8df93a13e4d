//! What was delivered, and once more: row I-130.

use im_engine::inbox;
use serde_json::{Value, json};

use super::there::There;
use super::{NEAR, request};

const PATH: &str = "/api/v1/connectors/prod/deliveries";

/// Everything that waits is understood.
async fn digest(there: &There) {
    let now = there.server.clock.now();
    there
        .server
        .write(move |tx| inbox::digest(tx, 100, now).map(drop))
        .await;
}

async fn rows(there: &There) -> Vec<Value> {
    let found = there.server.get(PATH).await;
    found.is(200)["deliveries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn i130_deliveries_are_listed_with_their_outcome_shown_and_taken_once_more() {
    let there = There::start().await;
    there.enable().await.is(200);
    there.webhook(json!({"action": "test"})).await.is(200);
    let service = there.stand_in.account.services[0].0.clone();
    let now = there.server.clock.now();
    let incident = there
        .stand_in
        .with(|sim| sim.trigger(&service, "Disk full", now))
        .unwrap();
    while rows(&there).await.len() < 2 {
        tokio::task::yield_now().await;
    }
    let waiting = rows(&there).await;
    assert!(
        waiting.iter().all(|row| row["outcome"] == "waiting"),
        "{waiting:?}"
    );
    digest(&there).await;
    let listed = rows(&there).await;
    let told = |row: &Value| ["event", "outcome", "verified", "copies"].map(|key| row[key].clone());
    assert_eq!(
        told(&listed[0]),
        [
            json!("incident.triggered"),
            json!("done"),
            json!(true),
            json!(1)
        ]
    );
    assert_eq!(
        told(&listed[1]),
        [json!("pagey.ping"), json!("ignored"), json!(true), json!(1)]
    );
    assert_eq!(listed[0]["incident"], incident.as_str());
    let one = format!("{PATH}/{}", listed[0]["id"]);
    let shown = there.server.get(&one).await;
    assert_eq!(shown.is(200)["body"]["event"]["data"]["title"], "Disk full");
    let before = there.server.get("/api/v1/incidents/1/timeline").await.body;
    there.server.pass(1);
    let replayed = there
        .server
        .post(&format!("{one}/replay"), Value::Null)
        .await;
    assert_eq!(replayed.is(200)["outcome"], "waiting");
    digest(&there).await;
    assert_eq!(rows(&there).await[0]["outcome"], "done");
    let after = there.server.get("/api/v1/incidents/1/timeline").await.body;
    assert_eq!(before, after, "what it told is not told twice");
    assert_eq!(
        there
            .server
            .get("/api/v1/incidents")
            .await
            .body
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let figures = there.server.get("/api/v1/connectors/prod/metrics").await;
    assert_eq!(figures.is(200)["webhooks_24h"], 2, "each event counts once");
}

#[tokio::test]
async fn i121_webhooks_are_counted_alike_by_the_connector_and_for_prometheus() {
    let there = There::start().await;
    there.enable().await.is(200);
    there.webhook(json!({"action": "test"})).await.is(200);
    let service = there.stand_in.account.services[0].0.clone();
    let now = there.server.clock.now();
    for title in ["Disk full", "Disk full again"] {
        let there = &there.stand_in;
        there.with(|sim| sim.trigger(&service, title, now).unwrap());
    }
    while rows(&there).await.len() < 3 {
        tokio::task::yield_now().await;
    }
    digest(&there).await;
    let figures = there.server.get("/api/v1/connectors/prod/metrics").await;
    assert_eq!(figures.is(200)["webhooks_24h"], 3);
    let page = there.server.get("/metrics").await;
    let page = page.is(200).as_str().unwrap();
    let line = "im_webhooks_total{connector=\"prod\",result=\"accepted\"} 3\n";
    assert!(page.contains(line), "{page}");
}

#[tokio::test]
async fn i130_what_is_refused_is_counted_and_wrong_questions_are_answered() {
    let there = There::start().await;
    there.enable().await.is(200);
    let door = "/connectors/prod/webhook";
    let forged = json!({"event": {"id": "1"}});
    let mut forged = request(NEAR, "POST", door, &forged);
    let wrong = format!("v1={}", "ab".repeat(32)).parse().unwrap();
    forged.headers_mut().insert("x-pagerduty-signature", wrong);
    there.server.send(forged).await;
    let found = there.server.get(PATH).await;
    assert_eq!(found.is(200)["refused_24h"], 1);
    assert_eq!(found.body["deliveries"], json!([]));
    there.server.get(&format!("{PATH}/7")).await.is(404);
    there.server.get(&format!("{PATH}/x")).await.is(400);
    there
        .server
        .post(&format!("{PATH}/7/replay"), Value::Null)
        .await
        .is(404);
    for query in ["limit=0", "limit=501", "before=x", "colour=red"] {
        there.server.get(&format!("{PATH}?{query}")).await.is(400);
    }
}
