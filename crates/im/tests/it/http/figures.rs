//! Metrics over the API: figures, what is behind them, and what is refused.

use axum::Extension;
use im::http::auth::InProcess;
use im_store::directory::{self, About, DirectoryRow, Kind};
use im_store::{backfill, connectors};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{FAR, Server, config, pretty, request};
use crate::cli::{Said, on_router};

/// Three incidents: acknowledged and resolved, open, a test.
pub(super) async fn with_incidents() -> Server {
    let server = Server::start();
    live(&server).await;
    server
}

pub(super) async fn live(server: &Server) {
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
        (
            "open_incidents",
            json!({"n": 1, "oldest": {"incident": "INC-2", "since": "2026-11-20T09:14:05.12Z"}}),
        ),
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
async fn m_003_a_filter_takes_ids_and_names_and_names_what_it_does_not_know() {
    let server = with_incidents().await;
    let n = async |asked: &str| {
        let answer = server.get(&format!("/api/v1/metrics/pages?{asked}")).await;
        answer.is(200)["series"][0]["total"]["n"].clone()
    };
    let refused = async |asked: &str| {
        let answer = server.get(&format!("/api/v1/{asked}")).await;
        let text = |name: &str| answer.is(400)[name].as_str().unwrap().to_owned();
        (text("detail"), text("hint"))
    };
    assert_eq!(n("service=db").await, 2);
    assert_eq!(n("service=DB").await, 2, "a name, in any case");
    let slip = (
        "nothing that is known here has the service `dbb`",
        "did you mean `db`?",
    );
    let slip = (slip.0.to_owned(), slip.1.to_owned());
    for asked in [
        "metrics/pages?service=dbb",
        "metrics/pages/items?service=dbb",
        "metrics/pages/insights?service=dbb",
        "findings?service=dbb",
    ] {
        assert_eq!(refused(asked).await, slip, "{asked}");
    }
    let (_, severities) = refused("metrics/pages?severity=worst").await;
    assert_eq!(severities, "there is `SEV-1`, `SEV-2`, `SEV-3`, `SEV-4`");
    let (_, nobody) = refused("metrics/pages?severity=None").await;
    assert_eq!(nobody, "use `null` for what has no severity");
    let (_, origins) = refused("metrics/pages?origin=here").await;
    assert_eq!(origins, "use pagerduty or im");
    // Nobody has said anything of environments yet: there is nothing to choose from, and no slip.
    assert_eq!(n("environment=production").await, 0);
    let said = json!({"environment": "production"});
    server
        .patch("/api/v1/incidents/1/annotations", said)
        .await
        .is(200);
    // One that nothing has been in is answered, and the answer says so.
    assert_eq!(n("environment=staging").await, 0);
    let staging = im(&server, "metrics pages --environment staging").await;
    let want = "nothing that is known here has the environment `staging`: there is `production`";
    let words: Vec<&str> = staging.err.split_whitespace().collect();
    assert!(words.join(" ").contains(want), "{}", staging.err);
    let known = server
        .get("/api/v1/metrics/pages?environment=production")
        .await;
    assert_eq!(known.is(200)["hint"], Value::Null);
    assert_eq!(n("origin=null").await, 0);
    // A severity that has no target and no incident yet.
    server.delete("/api/v1/targets/SEV-4").await;
    assert_eq!(n("severity=sev-4").await, 0);
    // A service of ours that is mapped is the one of PagerDuty's, too.
    let mut config = config();
    config["custom"]["service_mappings"] = json!({"db": "PDAT002", "shop": "PDAT002"});
    let new = json!({"name": "prod", "type": "pagerduty", "config": config});
    server.post("/api/v1/connectors", new).await.is(201);
    assert_eq!(n("service=shop").await, 0);
    assert_eq!(
        n("service=db").await,
        2,
        "under their own name until PagerDuty has them"
    );
    let said = im(&server, "metrics pages --service dbb").await;
    let said = (said.code, said.err);
    let want =
        "error: nothing that is known here has the service `dbb`\nhint: did you mean `db`?\n";
    assert_eq!(said, (2, want.to_owned()));
}

/// Runs the command line on the server's own API.
async fn im(server: &Server, line: &str) -> Said {
    let router = server.router.clone().layer(Extension(InProcess));
    let line = line.to_owned();
    let said = tokio::task::spawn_blocking(move || on_router(router).im(&line));
    said.await.unwrap()
}

#[tokio::test]
async fn mw_23_without_services_or_incidents_the_prerequisite_is_said() {
    let server = Server::start();
    let hint = async |asked: &str| {
        let answer = server.get(&format!("/api/v1/{asked}")).await;
        answer.is(200)["hint"].as_str().map(str::to_owned)
    };
    let none = hint("metrics/mttr").await.unwrap();
    assert!(none.contains("`im connector add`"), "{none}");
    let said = im(&server, "metrics mttr").await;
    assert_eq!(said.code, 0);
    assert!(said.err.contains("`im connector add`"), "{}", said.err);
    assert!(
        im(&server, "findings")
            .await
            .err
            .contains("`im connector add`")
    );
    let new = json!({"name": "prod", "type": "pagerduty", "config": config()});
    server.post("/api/v1/connectors", new).await.is(201);
    let none = hint("findings").await.unwrap();
    assert!(none.contains("make services in PagerDuty"), "{none}");
    let service = DirectoryRow {
        connector: "prod".to_owned(),
        kind: Kind::Service,
        id: "PDATA01".to_owned(),
        since: server.clock.now(),
        until: None,
        name: None,
        about: About::default(),
        state: None,
    };
    server
        .write(move |tx| directory::begin(tx, &service, 1))
        .await;
    let none = hint("metrics/mttr").await.unwrap();
    assert!(none.contains("is being read"), "{none}");
    let now = server.clock.now();
    server
        .write(move |tx| backfill::finish(tx, "prod", None, now))
        .await;
    let none = hint("metrics/mttr").await.unwrap();
    assert!(none.contains("none in the past that was read"), "{none}");
    let server = with_incidents().await;
    let answer = server.get("/api/v1/metrics/mttr").await;
    assert_eq!(answer.is(200).get("hint"), None);
}

#[tokio::test]
async fn s93_how_many_are_open_is_told_with_the_oldest() {
    let server = with_incidents().await;
    let answer = server
        .get("/api/v1/metrics/open_incidents?bucket=all")
        .await;
    let want = json!({"n": 1, "oldest": {"incident": "INC-2", "since": "2026-11-20T09:14:05.12Z"}});
    assert_eq!(answer.is(200)["series"][0]["total"], want);
    let said = im(&server, "metrics open_incidents").await.out;
    let line = |one: &str| one.starts_with("The oldest is INC-2, triggered ");
    assert!(said.lines().any(line), "{said}");
}

#[tokio::test]
async fn m_014_metrics_are_listed_in_two_areas() {
    let server = Server::start();
    let listed = server.get("/api/v1/metrics").await;
    let areas = |name: &str| {
        let all = listed.is(200).as_array().unwrap().iter();
        let mut found = all.filter(|one| one["name"] == name);
        found.next().unwrap()["area"].as_str().unwrap().to_owned()
    };
    for metric in ["mttr", "mtta", "pages"] {
        assert_eq!(areas(metric), "quality_of_work");
    }
    assert_eq!(areas("page_disruptions"), "wellbeing");
    assert_eq!(listed.body.as_array().unwrap().len(), 16);
    insta::assert_snapshot!("areas", im(&server, "metrics").await.all());
}

#[tokio::test]
async fn mw_17_figures_are_marked_by_the_targets_of_the_organisation() {
    let server = with_incidents().await;
    let target = json!({"name": "mttr", "at_most": 600.0});
    server.post("/api/v1/targets", target).await.is(200);
    let said = im(&server, "metrics mttr --from 2026-11-20").await.out;
    assert!(said.contains("Target: at most 10m 00s."), "{said}");
    let whole = said
        .lines()
        .find(|line| line.starts_with("2026-11-16"))
        .unwrap();
    assert!(whole.contains("missed"), "{said}");
    let target = json!({"name": "mttr", "at_most": 900.0});
    server.post("/api/v1/targets", target).await.is(200);
    let said = im(&server, "metrics mttr --from 2026-11-20").await.out;
    assert!(said.contains("met") && !said.contains("missed"), "{said}");
    let csv = im(&server, "metrics mttr --from 2026-11-20 --csv")
        .await
        .out;
    assert!(csv.lines().next().unwrap().contains("on_target"), "{csv}");
    // The label of a week in part is the longest.
    for metric in [
        "mttr --from 2026-11-11",
        "mttr --group-by service --compare previous",
    ] {
        let said = im(&server, &format!("metrics {metric}")).await.out;
        let fits = |line: &str| line.chars().count() <= 80;
        assert!(said.lines().all(fits), "{said}");
        assert!(said.contains("  Target"), "{said}");
    }
}

#[tokio::test]
async fn what_is_left_out_is_wrapped() {
    let server = with_incidents().await;
    for title in ["slow", "slower"] {
        let new = json!({"title": title, "severity": "sev2", "service": "db"});
        server.post("/api/v1/incidents", new).await.is(201);
    }
    for number in [2, 4] {
        let path = format!("/api/v1/incidents/INC-{number}/resolve");
        server.post(&path, Value::Null).await.is(200);
    }
    server.pass(60);
    let after = json!({"id": "d1", "service": "db"});
    server.post("/api/v1/deployments", after).await.is(201);
    for (number, cause) in [(1, "d1"), (2, "none")] {
        let path = format!("/api/v1/incidents/INC-{number}/annotations");
        let said = json!({"caused_by": cause, "reason": "seen in the log"});
        server.patch(&path, said).await.is(200);
    }
    let said = im(&server, "metrics failed_deployment_recovery_time").await;
    let told = "
Left out: 1 over before their deployment, 1 still open, 1 test, 2 without a
          deployment.
";
    assert!(said.out.contains(told), "{}", said.out);
}

#[tokio::test]
async fn s102_the_whole_figure_of_then_is_told_beside_the_one_of_now() {
    let server = with_incidents().await;
    let read_at = server.clock.now();
    let asked = format!("as_of_time={read_at}&group_by=service&bucket=all");
    let read = async |metric: &str| {
        let path = format!("/api/v1/metrics/{metric}?{asked}");
        server.get(&path).await.is(200)["series"].clone()
    };
    let then = (read("mtta").await, read("mttr").await);
    // A day later PagerDuty's log tells of an acknowledgement at 09:16, and of an incident of 09:00.
    server.pass(86_400);
    let fact = |id: &str, kind, at: &str| {
        let at = at.parse().unwrap();
        let log = im_core::Source::LogEntry;
        (
            im_core::Fact::new(log, id, kind, im_core::Actor::NOBODY, at),
            None,
        )
    };
    let late = [fact(
        "R1",
        im_core::Kind::Acknowledged,
        "2026-11-20T09:16:05Z",
    )];
    let number = im_core::IncidentNumber::new(2).unwrap();
    let now = server.clock.now();
    server
        .write(move |tx| im_engine::record::record(tx, number, None, &late, now).map(drop))
        .await;
    let path = format!("/api/v1/metrics/mtta/restated?since={read_at}&group_by=service&bucket=all");
    let restated = server.get(&path).await;
    let restated = restated.is(200);
    assert_eq!(restated["before"]["series"], then.0, "as it was read");
    assert_eq!(restated["now"]["series"], read("mtta").await);
    assert_ne!(restated["before"]["series"], restated["now"]["series"]);
    assert_eq!(read("mttr").await, then.1);
    let router = server
        .router
        .clone()
        .layer(axum::Extension(im::http::auth::InProcess));
    let line = format!("metrics mtta --bucket all --restated {read_at}");
    let said = tokio::task::spawn_blocking(move || crate::cli::on_router(router).im(&line));
    let said = said.await.unwrap();
    assert_eq!(said.code, 0, "{}", said.err);
    insta::assert_snapshot!("restated", said.out);
}

#[tokio::test]
async fn s102_what_became_known_late_restates_a_figure_and_is_told() {
    let server = with_incidents().await;
    let read_at = server.clock.now();
    let restated = async |asked: &str| {
        let path = format!(
            "/api/v1/metrics/{}since={read_at}",
            asked.replace('?', "/restated?")
        );
        server.get(&path).await.is(200)["incidents"].clone()
    };
    // What happens later restates nothing.
    server.pass(60);
    server
        .post("/api/v1/incidents/2/acknowledge", Value::Null)
        .await
        .is(200);
    assert_eq!(restated("mtta?").await, json!([]));
    // A day later PagerDuty's log tells of an acknowledgement at 09:16.
    server.pass(86_400);
    let at = "2026-11-20T09:16:05.12Z".parse().unwrap();
    let (log, kind) = (im_core::Source::LogEntry, im_core::Kind::Acknowledged);
    let fact = im_core::Fact::new(log, "R1", kind, im_core::Actor::NOBODY, at);
    let number = im_core::IncidentNumber::new(2).unwrap();
    let now = server.clock.now();
    server
        .write(move |tx| {
            im_engine::record::record(tx, number, None, &[(fact.clone(), None)], now)?;
            Ok::<_, im_store::StoreError>(())
        })
        .await;
    let want = json!([{
        "incident": "INC-2",
        "before": [],
        "now": [{"bucket": 6, "seconds": 120.0}],
        "why": [{"kind": "acknowledged", "at": "2026-11-20T09:16:05.12Z", "source": "log_entry", "recorded_at": now}],
    }]);
    assert_eq!(restated("mtta?").await, want);
    assert_eq!(restated("mttr?").await, json!([]), "it moved no recovery");
    assert_eq!(restated("mtta?severity=SEV-1&").await, json!([]));
    // What people say of it counts in both, as in the figure.
    let said = json!({"environment": "production"});
    server
        .patch("/api/v1/incidents/2/annotations", said)
        .await
        .is(200);
    assert_eq!(restated("mtta?environment=production&").await, want);
    // As of the very instant of the act, it counts.
    let path = format!("/api/v1/metrics/mtta/restated?since={at}");
    let at_once = server.get(&path).await;
    assert_eq!(at_once.is(200)["incidents"], want);
    // What no figure depends on is no reason.
    let seen = im_core::Fact::new(
        log,
        "R2",
        im_core::Kind::Responder,
        im_core::Actor::NOBODY,
        at,
    );
    server
        .write(move |tx| {
            im_store::facts::append(tx, number, &[(seen.clone(), None)], now).map(drop)
        })
        .await;
    assert_eq!(restated("mtta?").await, want);
    for wrong in [
        "mtta/restated",
        "mtta/restated?since=yesterday",
        "change_failure_rate/restated?since=2026-11-20T09:00:00Z",
    ] {
        server
            .get(&format!("/api/v1/metrics/{wrong}"))
            .await
            .is(400);
    }
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
    let said = im(&server, "metrics pages --items --limit 1").await.all();
    assert!(said.contains("INC-1") && !said.contains("INC-2"), "{said}");
    assert!(
        said.contains("there are 2 in all; `--offset 1` shows the next"),
        "{said}"
    );
    let said = im(&server, "metrics pages --items --limit 1 --offset 1")
        .await
        .all();
    assert!(said.contains("INC-2") && !said.contains("in all"), "{said}");
    let said = im(&server, "metrics pages --items --offset 7").await.all();
    assert!(
        said.contains("There are 2, all before --offset 7."),
        "{said}"
    );
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
    server
        .post("/api/v1/people", json!({"id": "ann@example.com"}))
        .await
        .is(200);
    for path in [
        "oncall_load",
        "oncall_load/items",
        // Nor which people there are.
        "page_disruptions?user=anne",
        "oncall_load/insights?user=anne",
    ] {
        let answer = ask(&format!("/api/v1/metrics/{path}")).await;
        assert_eq!(answer.is(403)["code"], "personal_load");
        assert!(!answer.body.to_string().contains("ann@"), "{path}");
    }
    ask("/api/v1/metrics/mttr").await.is(200);
}

#[tokio::test]
async fn m_009_people_see_their_own_pages_and_nobody_elses() {
    let server = with_incidents().await;
    for person in ["ann@example.com", "bob@example.com"] {
        let person = json!({"id": person});
        server.post("/api/v1/people", person).await.is(200);
    }
    let own = json!({"name": "own", "email": "ann@example.com"});
    let made = server.post("/api/v1/tokens", own).await;
    let token = made.is(201)["secret"].as_str().unwrap().to_owned();
    let ask = async |asked: &str| {
        let path = format!("/api/v1/{asked}");
        let mut request = request(FAR, "GET", &path, &Value::Null);
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        server.send(request).await
    };
    for asked in [
        "metrics/oncall_load?user=ann@example.com",
        "metrics/page_disruptions?user=ann@example.com",
        "metrics/page_disruptions/items?user=ann@example.com",
        "metrics/page_disruptions?group_by=team",
    ] {
        ask(asked).await.is(200);
    }
    for asked in [
        "metrics/oncall_load",
        "metrics/oncall_load?user=ann@example.com&user=bob@example.com",
        "metrics/page_disruptions?user=bob@example.com",
        "metrics/page_disruptions?group_by=user",
        "metrics/pages/insights?source=notifications&group_by=user",
        "metrics/oncall_load?user=bo",
    ] {
        let refused = ask(asked).await;
        assert_eq!(refused.is(403)["code"], "personal_load", "{asked}");
        assert!(!refused.body.to_string().contains("bob@"), "{asked}");
    }
    // What is behind a figure of a team names incidents, and nobody.
    let items = ask("metrics/page_disruptions/items").await;
    let items = items.is(200)["items"].as_array().unwrap().clone();
    assert!(
        items.iter().all(|item| item.get("user").is_none()),
        "{items:?}"
    );
    assert_eq!(ask("findings").await.is(200)["over_target"], Value::Null);
    assert_eq!(
        server.get("/api/v1/findings").await.is(200)["over_target"],
        json!([])
    );
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
