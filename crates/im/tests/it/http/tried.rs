//! Trying a connector at a PagerDuty that answers.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::there::{There, lines};
use super::{Server, config};

#[tokio::test]
async fn i015_m015_mw27_mw28_mw29_mw30_a_test_says_what_the_key_allows_right_by_right() {
    let there = There::start().await;
    let said = lines(&there.test().await);
    assert_eq!(
        said[..8],
        [
            "ok: Connected to PagerDuty API",
            "ok: API key belongs to the account",
            "ok: API key may read incidents",
            "ok: API key may read users",
            "ok: API key may read services",
            "ok: API key may read teams",
            "ok: API key may change incidents",
            "ok: API key may manage webhooks",
        ]
    );
    let part = json!({"api_key": there.stand_in.account.user_key});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let owner = format!(
        "ok: API key belongs to {}",
        there.stand_in.account.users[0].1
    );
    let said = lines(&there.test().await);
    assert_eq!(said[1], owner);

    let part = json!({"api_key": there.stand_in.account.read_only_key});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let tested = there.test().await;
    assert_eq!(tested.is(200)["ok"], false);
    let said = lines(&tested);
    assert_eq!(said[2], "ok: API key may read incidents");
    assert!(
        said[6].starts_with("failed: API key may change incidents ("),
        "{said:?}"
    );
    assert!(
        said[7].starts_with("skipped: API key may manage webhooks: no ("),
        "{said:?}"
    );
}

#[tokio::test]
async fn an_unknown_service_is_mended_where_it_is_written() {
    let there = There::start().await;
    let part = json!({"custom": {"service_mappings": {"bad": "PNOTHERE"}}});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let next = |answer: &super::Answer| {
        let lines = answer.is(200)["lines"].as_array().unwrap();
        let failed = lines.iter().find(|line| line["state"] == "failed").unwrap();
        failed["next"].as_str().unwrap().to_owned()
    };
    let said = next(&there.test().await);
    assert!(
        said.starts_with("`im connector config prod --set custom.service_mappings.bad=ID`"),
        "{said}"
    );
    let part = json!({"custom": {"service_id": "PNOTHERE", "service_mappings": null}});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let said = next(&there.test().await);
    assert!(
        said.starts_with("`im connector config prod --service-id ID`"),
        "{said}"
    );
}

/// A PagerDuty whose key may not read users, and whose plan has no teams.
async fn narrow_pagerduty() -> String {
    let answer = async |request: Request| {
        let problem =
            |code: u16, message: &str| json!({"error": {"message": message, "code": code}});
        let (status, body) = match request.uri().path() {
            "/users/me" => (200, json!({"user": {"id": "PANN001", "name": "Ann Lee"}})),
            "/incidents" => (200, json!({"incidents": [], "more": false})),
            "/services" => (200, json!({"services": [], "more": false})),
            "/users" => (403, problem(2010, "Access Denied")),
            "/teams" => (402, problem(2014, "Account does not have the ability")),
            _ => (404, problem(2100, "Not Found")),
        };
        (StatusCode::from_u16(status).unwrap(), axum::Json(body))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    format!("http://{address}")
}

#[tokio::test]
async fn mw22_mw27_mw29_mw31_a_right_that_is_missing_is_said_with_what_is_lost_and_the_sync_goes_on()
 {
    let mut config = config();
    config["base_url"] = json!(narrow_pagerduty().await);
    config["sync_direction"] = json!("inbound");
    let server = Server::with_connector(config).await;
    let tested = server
        .post("/api/v1/connectors/prod/test", Value::Null)
        .await;
    let said = lines(&tested);
    assert_eq!(said[2], "ok: API key may read incidents");
    assert!(
        said[3].starts_with("skipped: API key may read users: no ("),
        "{said:?}"
    );
    assert_eq!(said[4], "ok: API key may read services");
    assert_eq!(
        said[5],
        "skipped: API key may read teams: the account's plan does not include them"
    );
    let next = |at: usize| tested.body["lines"][at]["next"].as_str().unwrap();
    assert!(next(3).contains("do not work"), "{}", next(3));
    assert!(
        next(5).contains("by what incidents show alone"),
        "{}",
        next(5)
    );
    assert_eq!(
        server.get("/api/v1/connectors/prod").await.is(200)["status"],
        "active"
    );
}
