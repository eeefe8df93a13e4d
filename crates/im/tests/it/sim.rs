//! The stand-in's HTTP skin, without a socket.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use im::clock::Clock;
use im::sim::{StandIn, router};
use jiff::Timestamp;
use pd_sim::{Sim, account};
use serde_json::Value;
use tower::ServiceExt as _;

fn stand_in() -> Arc<StandIn> {
    let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let address = "127.0.0.1:8081".parse().unwrap();
    let stand_in = StandIn::new(address, Clock::manual(now), |options| {
        let mut sim = Sim::new(options, now);
        let account = account::lively(&mut sim, now);
        (sim, account)
    });
    Arc::new(stand_in)
}

async fn ask(stand_in: &Arc<StandIn>, method: &str, path: &str, key: &str) -> (u16, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Authorization", format!("Token token={key}"))
        .header("Content-Type", "application/json")
        .body(Body::empty())
        .unwrap();
    let response = router(Arc::clone(stand_in)).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn what_people_do_without_a_key_shows_in_the_api() {
    let stand_in = stand_in();
    let key = stand_in.account.api_key.clone();
    let path = "/_sim/trigger?title=Search%20is%20slow";
    let (status, said) = ask(&stand_in, "POST", path, "").await;
    assert_eq!(
        (status, said.as_str()),
        (200, "triggered #101: Search is slow\n")
    );
    let path = "/_sim/incidents/101/acknowledge?user=Bram%20Osei";
    let (status, said) = ask(&stand_in, "POST", path, "").await;
    assert_eq!(
        (status, said.as_str()),
        (200, "Bram Osei: acknowledge #101\n")
    );

    let (status, body) = ask(
        &stand_in,
        "GET",
        "/incidents?statuses%5B%5D=acknowledged",
        &key,
    )
    .await;
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["incidents"][0]["title"], "Search is slow");
    let url = body["incidents"][0]["html_url"].as_str().unwrap();
    let path = url.strip_prefix(&stand_in.base_url).unwrap();
    let (status, shown) = ask(&stand_in, "GET", path, "").await;
    assert_eq!(status, 200);
    assert!(shown.contains("Acknowledged by Bram Osei"), "{shown}");
    let (_, list) = ask(&stand_in, "GET", "/_sim", "").await;
    assert!(list.contains("#101   acknowledged"), "{list}");
}

#[tokio::test]
async fn what_nobody_can_do_is_said() {
    let stand_in = stand_in();
    for (path, status) in [
        ("/_sim/incidents/7/resolve", 409),
        ("/_sim/incidents/7/dance", 409),
    ] {
        assert_eq!(ask(&stand_in, "POST", path, "").await.0, status, "{path}");
    }
    assert_eq!(ask(&stand_in, "GET", "/_sim/incidents/7", "").await.0, 404);
    assert_eq!(ask(&stand_in, "GET", "/incidents", "wrong").await.0, 401);
}

#[tokio::test]
async fn everything_that_a_script_needs_is_in_one_document() {
    let stand_in = stand_in();
    let document = im::sim::document(&stand_in);
    for key in [
        "base_url",
        "control_url",
        "api_key",
        "read_only_key",
        "user_key",
        "services",
        "integration_keys",
        "users",
        "escalation_policies",
        "priorities",
        "oauth",
    ] {
        assert!(document.get(key).is_some(), "{key}");
    }
    assert_eq!(document["base_url"], "http://127.0.0.1:8081");
}
