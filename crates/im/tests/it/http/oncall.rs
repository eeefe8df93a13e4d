//! The page of who is on call.

use futures_util::StreamExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::there::There;
use super::{NEAR, request};

#[tokio::test]
async fn its_shape_comes_before_pagerduty_is_asked_and_what_it_says_after_it() {
    let there = There::start().await;
    let work = there.server.work();
    let sync = "/api/v1/connectors/prod/sync?wait=20s";
    there.server.post(sync, Value::Null).await.is(200);
    drop(work);
    let page = request(NEAR, "GET", "/on-call", &Value::Null);
    let answer = there.server.router.clone().oneshot(page).await.unwrap();
    let mut parts = answer.into_body().into_data_stream();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let first = text(&parts.next().await.unwrap().unwrap());
    assert!(first.contains("Asking PagerDuty who is on call"), "{first}");
    assert!(
        first.contains("<h2>Shop first line") && !first.contains("</html>"),
        "{first}"
    );
    let asked = async || {
        let calls = there.server.get("/api/v1/calls?limit=1000").await;
        let calls = calls.is(200).as_array().unwrap().clone();
        calls
            .iter()
            .filter(|call| call["path"] == "/oncalls")
            .count()
    };
    assert_eq!(asked().await, 0, "nobody was asked yet");
    let mut rest = String::new();
    while let Some(part) = parts.next().await {
        rest.push_str(&text(&part.unwrap()));
    }
    assert!(asked().await > 0);
    assert!(
        rest.contains("as PagerDuty says") && rest.ends_with("</html>"),
        "{rest}"
    );
    assert!(rest.contains("Ines Halloran"), "{rest}");
}
