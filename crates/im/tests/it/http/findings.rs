//! Findings and insights over the API and by command line, and the gauges of the main figures.

use std::fmt::Write as _;

use axum::Extension;
use im::http::auth::InProcess;
use serde_json::{Value, json};

use super::{NEAR, Server, pretty, request};
use crate::cli::on_router;

async fn said(server: &Server, line: &str) -> String {
    let router = server.router.clone().layer(Extension(InProcess));
    let line = line.to_owned();
    let said = tokio::task::spawn_blocking(move || on_router(router).im(&line));
    let said = said.await.unwrap();
    assert_eq!(said.code, 0, "{}", said.err);
    for line in said.out.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
        assert_eq!(line, line.trim_end(), "spaces at the end");
    }
    said.out
}

async fn act(server: &Server, number: u32, step: &str) {
    let path = format!("/api/v1/incidents/{number}/{step}");
    let mut request = request(NEAR, "POST", &path, &Value::Null);
    let headers = request.headers_mut();
    headers.insert("im-as", "ann@example.com".parse().unwrap());
    server.send(request).await.is(200);
}

/// Each is acknowledged after so many minutes, and resolved after twice as many.
async fn incidents(server: &Server, first: u32, service: &str, titles: &[&str], minutes: i64) {
    for (number, title) in (first..).zip(titles) {
        let new = json!({"title": title, "severity": "sev2", "service": service});
        server.post("/api/v1/incidents", new).await.is(201);
        server.pass(minutes * 60);
        act(server, number, "acknowledge").await;
        server.pass(minutes * 60);
        act(server, number, "resolve").await;
        server.pass(60);
    }
}

/// Three quick incidents of a service, and six weeks later four slow ones.
pub(crate) async fn two_ranges() -> Server {
    let server = Server::start();
    incidents(&server, 1, "db", &["slow", "slower", "slowest"], 5).await;
    server.pass(42 * 86_400);
    let titles = [
        "disk full on db-1.example.com",
        "Disk full on db-22.example.com",
        "odd",
        "disk full!",
    ];
    incidents(&server, 4, "db", &titles, 20).await;
    let new = json!({"title": "[test] disk full", "severity": "sev2", "service": "db"});
    server.post("/api/v1/incidents", new).await.is(201);
    let cause = json!({"cause": "Full disk"});
    for number in [4, 5] {
        let path = format!("/api/v1/incidents/{number}/annotations");
        server.patch(&path, cause.clone()).await.is(200);
    }
    let note = json!({"text": "Root cause: expired certificate\nand more"});
    server.post("/api/v1/incidents/6/notes", note).await.is(200);
    server
}

#[tokio::test]
async fn mw_15_mw_16_mw_18_mw_19_mw_20_findings_say_what_is_worth_a_look() {
    let server = two_ranges().await;
    done_target(&server, 3.0).await;
    let found = server.get("/api/v1/findings").await;
    insta::assert_snapshot!("findings", pretty(found.is(200)));
    insta::assert_snapshot!("findings_said", said(&server, "findings").await);
    let other = server.get("/api/v1/findings?urgency=low").await;
    assert_eq!(other.is(200)["incidents"], 0);
    assert_eq!(other.body["recurring"], json!([]));
    server.get("/api/v1/findings?bucket=day").await.is(400);
    let bad = server.get("/api/v1/findings?from=2026-13-01").await;
    let detail = "`from` cannot be `2026-13-01` for findings";
    assert_eq!(bad.is(400)["detail"], detail);
    for (flag, many) in [
        ("service db", 4),
        ("origin im", 4),
        ("origin pagerduty", 0),
        ("sev SEV-2", 4),
        ("urgency low", 0),
    ] {
        let told = said(&server, &format!("findings --{flag}")).await;
        assert!(
            told.starts_with(&format!("{many} incidents")),
            "{flag}: {told}"
        );
    }
    let before = said(
        &server,
        "findings --as-of current --as-of-time 2026-12-01T00:00:00Z",
    )
    .await;
    assert!(before.starts_with("3 incidents"), "{before}");
    let empty = said(&Server::start(), "findings").await;
    assert_eq!(empty.lines().count(), 1, "{empty}");
}

async fn done_target(server: &Server, pages: f64) {
    let target = json!({"name": "page_disruptions", "at_most": pages});
    server.post("/api/v1/targets", target).await.is(200);
}

#[tokio::test]
async fn mw_18_a_cause_is_counted_where_it_was_named_and_never_guessed() {
    let server = two_ranges().await;
    let found = server.get("/api/v1/findings").await;
    let want = json!([
        {"cause": "full disk", "incidents": 2, "behind": ["INC-4", "INC-5"]},
        {"cause": "expired certificate", "incidents": 1, "behind": ["INC-6"]},
        {"cause": null, "incidents": 1, "behind": ["INC-7"]},
    ]);
    assert_eq!(found.is(200)["causes"], want);
    // Who says which deployment it was, says the cause; what was named says more.
    server
        .post(
            "/api/v1/deployments",
            json!({"id": "pw-9", "service": "db"}),
        )
        .await
        .is(201);
    for number in [4, 7] {
        let link = json!({"caused_by": "pw-9", "reason": "seen in the graphs"});
        let path = format!("/api/v1/incidents/{number}/annotations");
        server.patch(&path, link).await.is(200);
    }
    let causes = async || server.get("/api/v1/findings").await.is(200)["causes"].clone();
    let linked = json!({"cause": "deployment", "incidents": 1, "behind": ["INC-7"]});
    assert_eq!(causes().await[1], linked);
    assert_eq!(causes().await[0], want[0]);
    let none = json!({"caused_by": "none", "reason": "it was the disk"});
    server
        .patch("/api/v1/incidents/7/annotations", none)
        .await
        .is(200);
    assert_eq!(causes().await, want);
}

#[tokio::test]
async fn m_005_who_has_more_pages_in_a_week_than_the_target_is_found() {
    let server = two_ranges().await;
    let over = async || {
        let found = server.get("/api/v1/findings").await;
        let over = found.is(200)["over_target"].clone();
        (over, found.body["pages_target"].clone())
    };
    assert_eq!(over().await, (json!([]), json!(7.0)));
    done_target(&server, 4.0).await;
    assert_eq!(over().await.0, json!([]));
    done_target(&server, 3.0).await;
    let week = json!([{"user": {"key": "ann@example.com", "name": "ann@example.com"}, "week": "2026-12-28", "pages": 4, "behind": ["INC-4", "INC-5", "INC-6", "INC-7"]}]);
    assert_eq!(over().await, (week, json!(3.0)));
}

#[tokio::test]
async fn m_005_each_week_of_a_person_is_set_against_the_target_or_seven_pages() {
    let server = two_ranges().await;
    let ask = async |asked: &str| {
        let path = format!("/api/v1/metrics/page_disruptions?{asked}");
        server.get(&path).await.is(200).clone()
    };
    let last = |answer: &Value| {
        let values = answer["series"][0]["values"].as_array().unwrap();
        values.last().unwrap()["on_target"].clone()
    };
    let whole = ask("").await;
    assert_eq!(whole["target"]["at_most"], 7.0);
    assert_eq!(last(&whole), Value::Null, "it is of more than one person");
    for asked in ["group_by=user", "user=ann@example.com"] {
        assert_eq!(last(&ask(asked).await), true, "{asked}");
    }
    done_target(&server, 3.0).await;
    for asked in ["group_by=user", "user=ann@example.com"] {
        let answer = ask(asked).await;
        assert_eq!(answer["target"]["at_most"], 3.0, "{asked}");
        assert_eq!(last(&answer), false, "{asked}");
        assert_eq!(
            answer["series"][0]["total"]["on_target"], false,
            "one week is over"
        );
    }
    for other in ["group_by=user&bucket=day", "group_by=user&measure=hours"] {
        assert_eq!(last(&ask(other).await), Value::Null, "{other}");
    }
    let told = said(&server, "metrics page_disruptions --group-by user").await;
    assert!(told.contains("missed"), "{told}");
    assert!(
        told.contains("Target: at most 3 a week for each person."),
        "{told}"
    );
    let told = said(&server, "metrics page_disruptions").await;
    assert!(
        told.contains("Target: at most 3 a week for each person."),
        "{told}"
    );
}

#[tokio::test]
async fn m_013_each_figure_has_a_sentence() {
    let server = two_ranges().await;
    let answer = server
        .get("/api/v1/metrics/mttr/insights?group_by=service")
        .await;
    insta::assert_snapshot!("insights", pretty(answer.is(200)));
    let mut all = String::new();
    for metric in im_metrics::Metric::ALL {
        let name = metric.as_str();
        let line = format!("metrics {name} --insight");
        writeln!(
            all,
            "$ im {line}
{}",
            said(&server, &line).await
        )
        .unwrap();
    }
    insta::assert_snapshot!("insights_said", all);
    server
        .get("/api/v1/metrics/mttr/insights?colour=red")
        .await
        .is(400);
}

#[tokio::test]
async fn a_new_group_stands_to_0_and_a_change_of_a_share_is_in_points() {
    let server = two_ranges().await;
    incidents(&server, 9, "web", &["slow"], 150).await;
    for (metric, index, told) in [
        (
            "pages/insights?group_by=service",
            1,
            "pages of web is 1, worse than 0 before: ",
        ),
        (
            "sla_compliance/insights",
            0,
            "sla_compliance is 80.0 % (5 incidents), worse than 100.0 % before; web moved it most (-20.0 points): ",
        ),
    ] {
        let answer = server.get(&format!("/api/v1/metrics/{metric}")).await;
        let text = answer.is(200)[index]["text"].as_str().unwrap();
        assert!(text.starts_with(told), "{text}");
    }
}

#[tokio::test]
async fn the_main_figures_are_gauges() {
    let server = two_ranges().await;
    let page = server.get("/metrics").await;
    let text = page.is(200).as_str().unwrap();
    for line in [
        "im_mttr_seconds{statistic=\"median\"} 2400",
        "im_mtta_seconds{statistic=\"mean\"} 1200",
        "im_pages 4",
        "im_page_disruptions 4",
        "im_sla_compliance_ratio{of=\"resolve\"} 1",
        "im_reopen_ratio 0",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
    }
    // Nobody told of a deployment yet: that is no frequency of 0.
    let of_changes = |line: &str| {
        ["im_change_failure_ratio", "im_deployments_per_day"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    assert!(!text.lines().any(of_changes), "{text}");
    let old = json!({"service": "db", "finished_at": "2026-01-02T09:00:00Z"});
    server.post("/api/v1/deployments", old).await.is(201);
    let page = server.get("/metrics").await;
    let text = page.is(200).as_str().unwrap();
    let none_lately = "im_deployments_per_day 0";
    assert!(text.lines().any(|line| line == none_lately), "{text}");
}

#[tokio::test]
async fn mw_24_where_there_is_nothing_an_insight_and_a_hint_say_what_brings_it() {
    let server = Server::start();
    let incidents = "`im connector add` brings those of PagerDuty";
    let deployments = "`im deployment record --service SERVICE` does";
    let rows = [
        ("incident_frequency", incidents),
        ("pages", incidents),
        ("mttr", incidents),
        ("deployment_frequency", deployments),
        ("change_lead_time", deployments),
        ("change_failure_rate", deployments),
    ];
    for (name, next) in rows {
        let told = server
            .get(&format!("/api/v1/metrics/{name}/insights"))
            .await;
        let told = &told.is(200)[0];
        let text = told["text"].as_str().unwrap();
        let start = format!("{name} has no data: ");
        assert!(text.starts_with(&start) && text.contains(next), "{text}");
        assert_eq!(
            (&told["value"], &told["trend"]),
            (&Value::Null, &json!("unknown"))
        );
        let answer = server.get(&format!("/api/v1/metrics/{name}")).await;
        let hint = answer.is(200)["hint"].as_str().unwrap();
        assert!(hint.contains(next), "{name}: {hint}");
    }
    let page = server.get("/metrics").await;
    let text = page.is(200).as_str().unwrap();
    for name in ["im_incidents_per_day", "im_pages", "im_deployments_per_day"] {
        let has_sample = |line: &str| line.starts_with(&format!("{name} "));
        assert!(!text.lines().any(has_sample), "{name}: {text}");
    }
    // With incidents alone nobody knows of deployments still.
    let new = json!({"title": "db down", "severity": "sev2", "service": "db"});
    server.post("/api/v1/incidents", new).await.is(201);
    let answer = server.get("/api/v1/metrics/deployment_frequency").await;
    let hint = answer.is(200)["hint"].as_str().unwrap();
    assert!(hint.contains(deployments), "{hint}");
    let answer = server.get("/api/v1/metrics/incident_frequency").await;
    assert_eq!(answer.is(200).get("hint"), None);
}
