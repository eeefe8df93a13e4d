//! What waits for a person on the page of a connector, and comparing both sides.

use im_core::{Conflict, Field, IncidentNumber, Strategy};
use im_store::accounts::Role;
use im_store::inbox::{self, Arrival};
use im_store::{conflicts, outbox};
use serde_json::json;

use super::connected;
use crate::http::Server;
use crate::http::access::acts::{followed, line, problem};

/// Two changes that were refused, a field that both sides changed, and a delivery.
async fn add_trouble(server: &Server) {
    for title in ["One", "Two"] {
        let new = json!({"title": title, "severity": "SEV-2"});
        server.in_process("POST", "/api/v1/incidents", &new).await;
    }
    server
        .write(|tx| {
            for row in outbox::of_connector(tx, "prod", 10)? {
                outbox::park(tx, row.id, "PagerDuty answered 404")?;
            }
            let body = r#"{"event": {"id": "01E", "event_type": "pagey.ping", "resource_type": "pagey",
                "occurred_at": "2026-11-20T09:14:00Z", "data": {"type": "ping", "message": "hi"}}}"#;
            let arrival = Arrival {
                connector: "prod".parse().unwrap(),
                event_id: "01E".to_owned(),
                delivery_id: None,
                verified: true,
                environment: None,
                body: body.to_owned(),
            };
            let now = "2026-11-20T09:14:01Z".parse().unwrap();
            inbox::receive(tx, arrival, now)?;
            let found = Conflict {
                field: Field::Title,
                base: "Slow".to_owned(),
                ours: "Slow <here>".to_owned(),
                ours_at: now,
                ours_by: None,
                theirs: "Slow there".to_owned(),
                theirs_at: now,
                strategy: Strategy::ManualReview,
                verdict: None,
            };
            let of = ("prod", IncidentNumber::new(1).unwrap());
            conflicts::put(tx, of, &found, "c1", conflicts::State::Pending, now)
        })
        .await;
}

#[tokio::test]
async fn i130_a_viewer_sees_what_waits_and_changes_nothing() {
    let there = connected().await;
    let server = &there.server;
    add_trouble(server).await;
    let address = "/connectors/prod";
    let mut viewer = server.signed_in(Role::Viewer).await;
    let page = viewer.get(address).await.is(200).body;
    assert!(
        !page.contains("action=\"/connectors/prod"),
        "a viewer has no form: {page}"
    );
    viewer
        .post(address, "/connectors/prod/outbox/1/discard", &[])
        .await
        .is(403);
}

#[tokio::test]
async fn i130_a_responder_settles_what_waits_and_an_admin_replays() {
    let there = connected().await;
    let server = &there.server;
    add_trouble(server).await;
    let address = "/connectors/prod";
    let mut browser = server.signed_in(Role::Responder).await;
    let page = browser.get(address).await.is(200).body;
    assert!(
        page.contains("Slow &lt;here&gt;")
            && page.contains("Slow there")
            && page.contains("Keep PagerDuty's"),
        "{page}"
    );
    assert!(
        !page.contains("/replay"),
        "a delivery has a body, and is for admins"
    );
    let acts: Vec<&str> = page
        .split("action=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let act = |word: &str, nth: usize| {
        acts.iter()
            .filter(|act| act.ends_with(word))
            .nth(nth)
            .unwrap()
            .to_owned()
            .to_owned()
    };
    let page = browser.post(address, &act("/retry", 0), &[]).await;
    assert!(line(&followed(&mut browser, page).await).starts_with("It is sent again"));
    let page = browser.post(address, &act("/discard", 1), &[]).await;
    assert!(line(&followed(&mut browser, page).await).starts_with("The change was given up"));
    let twice = browser
        .post(address, &act("/discard", 1), &[])
        .await
        .is(404);
    assert!(
        problem(&twice.body).contains("there is no")
            || problem(&twice.body).contains("There is no"),
        "{}",
        twice.body
    );
    browser
        .post(address, "/connectors/prod/deliveries/1/replay", &[])
        .await
        .is(403);
    let settle = browser
        .post(
            address,
            "/connectors/prod/conflicts/1",
            &[("keep", "external")],
        )
        .await;
    assert_eq!(
        line(&followed(&mut browser, settle).await),
        "PagerDuty's value counts."
    );
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: decided a conflict [prod 1] 303"
    );
    let mut admin = server.signed_in(Role::Admin).await;
    let page = admin
        .post(address, "/connectors/prod/deliveries/1/replay", &[])
        .await;
    assert!(line(&followed(&mut admin, page).await).starts_with("Delivery 1 is taken once more"));
}

#[tokio::test]
async fn both_sides_are_compared_when_somebody_asks() {
    let there = connected().await;
    let work = there.server.work();
    let mut browser = there.server.signed_in(Role::Responder).await;
    let page = browser
        .post("/connectors/prod", "/connectors/prod/compare", &[])
        .await;
    let body = followed(&mut browser, page).await;
    assert!(line(&body).starts_with("Compared: "), "{body}");
    drop(work);
}
