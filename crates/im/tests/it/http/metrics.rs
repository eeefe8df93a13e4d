//! `/metrics` as collectors read it.

use serde_json::Value;

use super::{NEAR, Server, config, request};

const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";

async fn page(server: &Server, accept: &str) -> (String, String) {
    let mut request = request(NEAR, "GET", "/metrics", &Value::Null);
    let headers = request.headers_mut();
    headers.insert("accept", accept.parse().unwrap());
    let answer = server.send(request).await;
    let text = answer.is(200).as_str().unwrap().to_owned();
    let kind = answer.headers["content-type"].to_str().unwrap().to_owned();
    (kind, text)
}

/// A server with a count of each sort.
async fn counted() -> Server {
    let server = Server::with_connector(config()).await;
    server.app.metrics.called("prod", "ack", "done");
    server.app.metrics.called("prod", "ack", "done");
    server.app.metrics.delivered("prod", "accepted");
    server
}

#[tokio::test]
async fn each_format_introduces_a_counter_by_its_own_rules() {
    let server = counted().await;
    let (kind, text) = page(&server, "*/*").await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    insta::assert_snapshot!(text);
    let (kind, open) = page(&server, OPENMETRICS).await;
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"));
    // The samples are the same; only the family is named without its ending.
    let expected = text
        .replace("# HELP im_webhooks_total", "# HELP im_webhooks")
        .replace("# TYPE im_webhooks_total", "# TYPE im_webhooks")
        .replace(
            "# HELP im_pagerduty_calls_total",
            "# HELP im_pagerduty_calls",
        )
        .replace(
            "# TYPE im_pagerduty_calls_total",
            "# TYPE im_pagerduty_calls",
        );
    assert_eq!(open, format!("{expected}# EOF\n"));
}

#[tokio::test]
async fn a_connector_that_was_removed_leaves_the_page() {
    let server = counted().await;
    server.delete("/api/v1/connectors/prod").await.is(200);
    let (_, text) = page(&server, "text/plain").await;
    assert!(!text.contains("prod"), "{text}");
}
