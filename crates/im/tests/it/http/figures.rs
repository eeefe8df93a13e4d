//! Metrics over the API: figures, what is behind them, and what is refused.

use axum::Extension;
use im::http::auth::InProcess;
use im_store::connectors;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{FAR, Server, config, pretty, request};
use crate::cli::on_router;

/// Three incidents: acknowledged and resolved, open, a test.
async fn with_incidents() -> Server {
    let server = Server::start();
    for title in ["db down", "web slow", "[test] a page"] {
        let new = json!({"title": title, "severity": "sev2", "service": "db"});
        server.post("/api/v1/incidents", new).await.is(201);
    }
    server.pass(300);
    let path = "/api/v1/incidents/INC-1";
    let step = |step: &str| format!("{path}/{step}");
    server.post(&step("acknowledge"), Value::Null).await.is(200);
    server.pass(600);
    server.post(&step("resolve"), Value::Null).await.is(200);
    server.pass(60);
    server
}

#[tokio::test]
async fn a_metric_has_the_documented_shape() {
    let server = with_incidents().await;
    let asked =
        "/api/v1/metrics/mttr?from=2026-11-16&to=2026-11-22&group_by=service&compare=previous";
    let answer = server.get(asked).await;
    insta::assert_snapshot!(pretty(answer.is(200)));
    let items = server.get("/api/v1/metrics/mttr/items?bucket=all").await;
    insta::assert_snapshot!(pretty(items.is(200)));
}

#[tokio::test]
async fn every_metric_answers() {
    let server = with_incidents().await;
    let totals = [
        (
            "mttr",
            json!({"n": 1, "mean": 900.0, "median": 900.0, "p90": 900.0, "min": 900.0, "max": 900.0}),
        ),
        (
            "mtta",
            json!({"n": 1, "mean": 300.0, "median": 300.0, "p90": 300.0, "min": 300.0, "max": 300.0}),
        ),
        ("pages", json!({"n": 2})),
        ("page_disruptions", json!({"n": 0})),
        ("incident_frequency", json!({"n": 2, "per_day": 2.0})),
        (
            "time_to_restore",
            json!({"n": 1, "mean": 900.0, "median": 900.0, "p90": 900.0, "min": 900.0, "max": 900.0, "level": "elite"}),
        ),
        (
            "sla_compliance",
            json!({"n": 2, "ack": {"met": 1, "breached": 0, "pending": 1, "compliance": 1.0},
                   "resolve": {"met": 1, "breached": 0, "pending": 1, "compliance": 1.0}}),
        ),
        (
            "reopen_rate",
            json!({"n": 1, "numerator": 0, "denominator": 1, "ratio": 0.0}),
        ),
        ("open_incidents", json!({"n": 1})),
        ("escalations", json!({"n": 0})),
    ];
    for (name, want) in totals {
        let path = format!("/api/v1/metrics/{name}?from=2026-11-20&to=2026-11-20");
        let answer = server.get(&path).await;
        assert_eq!(answer.is(200)["series"][0]["total"], want, "{name}");
        assert_eq!(answer.body["left_out"]["test"], 1, "{name}");
    }
    let load = server.get("/api/v1/metrics/oncall_load").await;
    assert_eq!(load.is(200)["series"], json!([]));
}

#[tokio::test]
async fn a_new_fact_is_in_the_next_answer() {
    let server = with_incidents().await;
    let count = async || {
        server.pass(1);
        let answer = server
            .get("/api/v1/metrics/open_incidents?bucket=all")
            .await;
        answer.is(200)["series"][0]["total"]["n"].clone()
    };
    assert_eq!(count().await, 1);
    let path = "/api/v1/incidents/INC-2/resolve";
    server.post(path, Value::Null).await.is(200);
    assert_eq!(count().await, 0);
    server
        .post("/api/v1/incidents/INC-2/reopen", Value::Null)
        .await
        .is(200);
    assert_eq!(count().await, 1);
    server.delete("/api/v1/incidents/INC-2").await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn days_are_those_of_the_organisation() {
    let server = with_incidents().await;
    let set = async |zone: &str| {
        server
            .patch("/api/v1/settings", json!({"time_zone": zone}))
            .await
    };
    let wrong = set("Mars/Olympus").await;
    assert_eq!(wrong.is(422)["code"], "time_zone");
    assert_eq!(
        set("Pacific Time (US & Canada)").await.is(200)["time_zone"],
        "America/Los_Angeles"
    );
    // It is 01:30 there.
    assert_eq!(
        set("America/Los_Angeles").await.is(200)["time_zone"],
        "America/Los_Angeles"
    );
    set("Pacific/Kiritimati").await.is(200);
    // 09:14 UTC is 23:14 there, and the next hour is the next day.
    let answer = server
        .get("/api/v1/metrics/pages?bucket=day&from=2026-11-20&to=2026-11-20")
        .await;
    assert_eq!(answer.is(200)["time_zone"], "Pacific/Kiritimati");
    assert_eq!(answer.body["series"][0]["values"][0]["n"], 2);
    server.pass(3_600);
    let new = json!({"title": "late", "severity": "sev2"});
    server.post("/api/v1/incidents", new).await.is(201);
    let answer = server
        .get("/api/v1/metrics/pages?bucket=day&from=2026-11-20")
        .await;
    assert_eq!(answer.is(200)["to"], "2026-11-21");
    assert_eq!(answer.body["series"][0]["values"][1]["n"], 1);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_what_can() {
    let server = Server::start();
    let unknown = server.get("/api/v1/metrics/mttx").await;
    assert_eq!(unknown.is(404)["detail"], "there is no metric `mttx`");
    let rows = [
        (
            "mtta?group_by=resolver_kind",
            "`group_by` cannot be `resolver_kind` for mtta",
            "use none, service, escalation_policy, team, urgency, priority, severity or environment",
        ),
        (
            "mttr?user=UANN",
            "mttr is never shown per person",
            "group or filter by service, escalation_policy, team, urgency, priority, severity, environment or resolver_kind; only oncall_load tells how people respond",
        ),
        (
            "pages?from=2026-11-20&to=2026-11-19",
            "the range ends on 2026-11-19, before it starts on 2026-11-20",
            "give `from` a date up to 2026-11-19",
        ),
    ];
    for (asked, detail, hint) in rows {
        let answer = server.get(&format!("/api/v1/metrics/{asked}")).await;
        assert_eq!(answer.is(400)["detail"], detail);
        assert_eq!(answer.body["hint"], hint);
    }
    for wrong in ["limit=0", "limit=1001", "limit=x", "offset=x", "colour=red"] {
        server
            .get(&format!("/api/v1/metrics/pages/items?{wrong}"))
            .await
            .is(400);
    }
    server.get("/api/v1/metrics/mttx/items").await.is(404);
}

#[tokio::test]
async fn items_come_in_pages() {
    let server = with_incidents().await;
    let page = server
        .get("/api/v1/metrics/pages/items?limit=1&offset=1")
        .await;
    assert_eq!(page.is(200)["total"], 2);
    assert_eq!(page.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(page.body["items"][0]["incident"], "INC-2");
}

#[tokio::test]
async fn how_single_people_respond_is_not_for_tokens() {
    let server = Server::start();
    let made = server.post("/api/v1/tokens", json!({"name": "ci"})).await;
    let token = made.is(201)["secret"].as_str().unwrap().to_owned();
    let ask = async |path: &str| {
        let mut request = request(FAR, "GET", path, &Value::Null);
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        server.send(request).await
    };
    for path in ["oncall_load", "oncall_load/items"] {
        let answer = ask(&format!("/api/v1/metrics/{path}")).await;
        assert_eq!(answer.is(403)["code"], "personal_load");
    }
    ask("/api/v1/metrics/mttr").await.is(200);
}

#[tokio::test]
async fn m040_figures_say_since_when_they_may_be_incomplete_while_webhooks_are_missing() {
    let server = with_incidents().await;
    let new = json!({"name": "prod", "type": "pagerduty", "config": config()});
    server.post("/api/v1/connectors", new).await.is(201);
    let since = server.clock.now() - SignedDuration::from_hours(2);
    let mark = async |asked: &str| {
        let path = format!("/api/v1/metrics/mttr{asked}");
        server.get(&path).await.is(200)["incomplete_since"].clone()
    };
    let im = async |line: &'static str| {
        let router = server.router.clone().layer(Extension(InProcess));
        let said = tokio::task::spawn_blocking(move || on_router(router).im(line));
        said.await.unwrap().all()
    };
    let page = async || {
        let shown = server.get("/metric/mttr").await;
        shown.is(200).as_str().unwrap().to_owned()
    };
    assert_eq!(mark("").await, Value::Null);
    assert!(!page().await.contains("Data may be incomplete"));
    server
        .write(move |tx| connectors::open_gap(tx, "prod", since))
        .await;
    assert_eq!(mark("").await, json!(since));
    let before = "?from=2026-11-01&to=2026-11-19";
    assert_eq!(mark(before).await, Value::Null, "it was whole then");
    let said = im("metrics mttr").await;
    assert!(
        said.contains("data may be incomplete since 2026-11-20 07:30:05: webhooks are missing"),
        "{said}"
    );
    assert!(page().await.contains("Data may be incomplete since <time"));
    // Repair has read what they would have told.
    let now = server.clock.now();
    server
        .write(move |tx| connectors::close_gap(tx, "prod", now))
        .await;
    assert_eq!(mark("").await, Value::Null);
    assert!(!im("metrics mttr").await.contains("incomplete"));
}
