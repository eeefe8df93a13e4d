//! Trying a connector at a PagerDuty that answers.

use std::sync::{Arc, Mutex};

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

    // A key that loses its right to write after it was stored.
    let key = there.stand_in.account.user_key.clone();
    there
        .stand_in
        .with(|sim| sim.accept_key(&key, pd_sim::KeyKind::ReadOnly));
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

/// Methods and paths of requests.
type Seen = Arc<Mutex<Vec<String>>>;

/// A PagerDuty with one user, nothing else, and refusals: of `forbidden` paths because of the key,
/// of `lacking` ones because of the plan. Without a word about others it has them not.
async fn narrow_pagerduty(forbidden: &'static [&str], lacking: &'static [&str]) -> (String, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let answer = async move |request: Request| {
        let problem =
            |code: u16, message: &str| json!({"error": {"message": message, "code": code}});
        let path = request.uri().path().to_owned();
        noted
            .lock()
            .unwrap()
            .push(format!("{} {path}", request.method()));
        let (status, body) = match path.as_str() {
            path if forbidden.contains(&path) => (403, problem(2010, "Access Denied")),
            path if lacking.contains(&path) => {
                (402, problem(2014, "Account does not have the ability"))
            }
            "/users/me" => (200, json!({"user": {"id": "PANN001", "name": "Ann Lee"}})),
            "/users" => (
                200,
                json!({"users": [{"id": "PANN001", "name": "Ann Lee", "email": "ops@company.com"}], "more": false}),
            ),
            "/incidents" => (200, json!({"incidents": [], "more": false})),
            "/log_entries" => (200, json!({"log_entries": [], "more": false})),
            "/services" => (200, json!({"services": [], "more": false})),
            "/services/PDAT001" => (
                200,
                json!({"service": {"id": "PDAT001", "name": "Database"}}),
            ),
            "/teams" => (200, json!({"teams": [], "more": false})),
            _ => (404, problem(2100, "Not Found")),
        };
        (StatusCode::from_u16(status).unwrap(), axum::Json(body))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    (format!("http://{address}"), seen)
}

/// A server with an inbound connector to it.
async fn inbound(base_url: &str) -> Server {
    let mut config = config();
    config["base_url"] = json!(base_url);
    config["sync_direction"] = json!("inbound");
    Server::with_connector(config).await
}

#[tokio::test]
async fn mw22_mw27_mw29_mw31_a_right_that_is_missing_is_said_with_what_is_lost_and_the_sync_goes_on()
 {
    let (base_url, _) = narrow_pagerduty(&["/users"], &["/teams"]).await;
    let server = inbound(&base_url).await;
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

#[tokio::test]
async fn mw28_a_key_that_may_not_read_services_is_told_what_is_lost() {
    let (base_url, _) = narrow_pagerduty(&["/services"], &[]).await;
    let server = inbound(&base_url).await;
    let tested = server
        .post("/api/v1/connectors/prod/test", Value::Null)
        .await;
    let said = lines(&tested);
    assert!(
        said[4].starts_with("skipped: API key may read services: no (Access Denied"),
        "{said:?}"
    );
    assert_eq!(
        tested.body["lines"][4]["next"],
        "services are known by their ids alone, and mappings cannot be checked"
    );
    assert_eq!(
        tested.body["ok"], true,
        "and nothing else is wrong: {said:?}"
    );
}

/// All that a connector which only reads needs to be granted.
const BEYOND_THE_FOUR: [&str; 8] = [
    "/users/me",
    "/abilities",
    "/escalation_policies",
    "/schedules",
    "/v3/schedules",
    "/priorities",
    "/webhook_subscriptions",
    "/incidents/types/incident_default/custom_fields",
];

#[tokio::test]
async fn mw31_four_rights_to_read_are_enough_and_nothing_is_written() {
    let (base_url, seen) = narrow_pagerduty(&BEYOND_THE_FOUR, &[]).await;
    let server = inbound(&base_url).await;
    let stop = server.work();
    let tested = server
        .post("/api/v1/connectors/prod/test", Value::Null)
        .await;
    assert_eq!(tested.is(200)["ok"], true, "{}", tested.body);
    let synced = server.post("/api/v1/connectors/prod/sync", json!({})).await;
    assert_eq!(synced.is(200)["failed"], 0, "{}", synced.body);
    let view = server.get("/api/v1/connectors/prod").await;
    assert_eq!(view.is(200)["status"], "active", "{}", view.body);
    assert_eq!(view.body["status_reason"], Value::Null);
    let seen = seen.lock().unwrap();
    assert!(
        seen.iter().any(|line| line == "GET /log_entries"),
        "{seen:?}"
    );
    let writes: Vec<_> = seen
        .iter()
        .filter(|line| !line.starts_with("GET "))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
    drop(stop);
}

#[tokio::test]
async fn mw30_a_key_that_may_not_list_incidents_is_refused_and_nothing_is_stored() {
    let (base_url, _) = narrow_pagerduty(&["/incidents"], &[]).await;
    let mut config = config();
    config["base_url"] = json!(base_url);
    let server = Server::start();
    for direction in ["bidirectional", "inbound"] {
        config["sync_direction"] = json!(direction);
        let new = json!({"name": "prod", "type": "pagerduty", "config": config});
        let refused = server.post("/api/v1/connectors", new).await;
        assert_eq!(refused.is(422)["code"], "key_cannot_read");
        assert_eq!(
            refused.body["detail"],
            "this key may not list incidents: PagerDuty refused (Access Denied (HTTP 403, code 2010)); nothing was stored"
        );
    }
    let all = server.get("/api/v1/connectors").await;
    assert_eq!(all.is(200), &json!([]));
}
