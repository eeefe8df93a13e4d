//! Deployments over the API: told, told again, and what becomes of them in metrics.

use im_store::directory::{self, About, DirectoryRow, Kind};
use im_store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::organisation::im;
use super::{Server, config};

const PATH: &str = "/api/v1/deployments";

#[tokio::test]
async fn a_deployment_is_told_and_told_again() {
    let server = Server::start();
    let begun = json!({"id": "d1", "service": "db", "status": "in_progress", "version": "v1",
        "commits": [{"sha": "4f2a1c9", "time": "2026-11-20T08:14:05.12Z"}]});
    let made = server.post(PATH, begun).await;
    let want = json!({"id": "d1", "service": "db", "environment": null, "version": "v1",
        "started_at": "2026-11-20T09:14:05.12Z", "finished_at": null, "status": "in_progress",
        "unplanned_fix": false, "commits": [{"sha": "4f2a1c9", "time": "2026-11-20T08:14:05.12Z"}]});
    let hint = "no connector and no incident knows the service `db`: it matches incidents of that name until a service has it";
    let hinted = |want: &Value| {
        let mut want = want.clone();
        want["hint"] = json!(hint);
        want
    };
    assert_eq!(*made.is(201), hinted(&want));
    server.pass(300);
    let over = json!({"id": "d1", "status": "success", "environment": "Production"});
    let told = server.post(PATH, over).await;
    let mut want = want;
    want["status"] = json!("success");
    want["environment"] = json!("Production");
    want["finished_at"] = json!("2026-11-20T09:19:05.12Z");
    assert_eq!(*told.is(200), hinted(&want));
    let listed = server.get(PATH).await;
    assert_eq!(*listed.is(200), json!([want]));
    let unknown = server.get(&format!("{PATH}?service=web&limit=5")).await;
    assert!(
        unknown.is(400)["hint"].to_string().contains("`db`"),
        "{}",
        unknown.body
    );
    let other = server.post(PATH, json!({"service": "web"})).await;
    let id = other.is(201)["id"].as_str().unwrap();
    assert!(id.starts_with("dep_"), "{id}");
    assert_eq!(other.body["status"], "success");
    assert_eq!(other.body["finished_at"], "2026-11-20T09:19:05.12Z");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let server = Server::start();
    let long = "x".repeat(201);
    let commit = json!({"sha": "a", "time": "2026-11-20T08:14:05Z"});
    let rows = [
        (json!({}), "service"),
        (json!({"service": ""}), "service"),
        (json!({"service": "db", "id": long}), "id"),
        (
            json!({"service": "db", "environment": "x".repeat(201)}),
            "environment",
        ),
        (json!({"service": "db", "status": "odd"}), "status"),
        (
            json!({"service": "db", "started_at": "2026-11-20T09:00:00Z", "finished_at": "2026-11-20T08:59:59Z"}),
            "finished_at",
        ),
        (
            json!({"service": "db", "commits": vec![commit; 1001]}),
            "commits",
        ),
        (
            json!({"service": "db", "commits": [{"sha": " ", "time": "2026-11-20T08:14:05Z"}]}),
            "commits",
        ),
        (
            json!({"service": "db", "commits": [{"sha": "x".repeat(5000), "time": "2026-11-20T08:14:05Z"}]}),
            "commits",
        ),
        (
            json!({"service": "db", "commits": [{"sha": "a", "time": "2026-11-20T08:14:05Z"},
                {"sha": "a", "time": "2026-11-20T08:15:05Z"}]}),
            "commits",
        ),
    ];
    for (body, code) in rows {
        let answer = server.post(PATH, body).await;
        assert_eq!(answer.is(422)["code"], code);
        let leaves = answer.body["hint"]
            .as_str()
            .unwrap()
            .contains("leave `service` out");
        assert!(!leaves, "{}", answer.body);
    }
    server
        .post(PATH, json!({"service": "db", "colour": "red"}))
        .await
        .is(400);
    for wrong in ["limit=0", "limit=1001", "limit=x", "colour=red"] {
        server.get(&format!("{PATH}?{wrong}")).await.is(400);
    }
    assert_eq!(*server.get(PATH).await.is(200), json!([]));
}

#[tokio::test]
async fn m_013_a_commit_that_is_told_twice_is_one_in_lead_time() {
    let server = Server::start();
    let commit = |sha: &str| json!({"sha": sha, "time": "2026-11-20T08:14:05.12Z"});
    let new =
        json!({"service": "db", "commits": [commit("4f2a1c9"), commit("4f2a1c9 "), commit("77")]});
    let made = server.post(PATH, new).await;
    assert_eq!(made.is(201)["commits"].as_array().unwrap().len(), 2);
    let answer = server
        .get("/api/v1/metrics/change_lead_time?bucket=all")
        .await;
    let total = &answer.is(200)["series"][0]["total"];
    assert_eq!((&total["n"], &total["median"]), (&json!(2), &json!(3600.0)));
}

#[tokio::test]
async fn dd_43_blanks_around_an_environment_make_no_other_and_an_empty_one_is_none() {
    let server = Server::start();
    for (environment, stored) in [
        (json!(" Prod "), json!("Prod")),
        (json!("prod"), json!("prod")),
        (json!(" "), Value::Null),
    ] {
        let new = json!({"service": "db", "environment": environment});
        assert_eq!(server.post(PATH, new).await.is(201)["environment"], stored);
    }
    let groups = server
        .get("/api/v1/metrics/deployment_frequency?group_by=environment&bucket=all&environment=%20PROD%20&environment=prod")
        .await;
    let series = groups.is(200)["series"].as_array().unwrap();
    assert_eq!(series.len(), 1, "{series:?}");
    assert_eq!(series[0]["group"][0]["key"], "prod");
    assert_eq!(series[0]["total"]["n"], 2);
    let echoed = groups.body["parameters"].as_array().unwrap().iter();
    let echoed: Vec<_> = echoed
        .filter(|one| one["name"] == "environment")
        .map(|one| &one["value"])
        .collect();
    assert_eq!(echoed, ["prod"], "the same filter twice is one");
    let without = server
        .get("/api/v1/metrics/deployment_frequency?bucket=all&environment=")
        .await;
    let series = &without.is(200)["series"];
    assert_eq!(series[0]["total"]["n"], 1, "no environment is one of none");
}

#[tokio::test]
async fn a_service_goes_by_the_id_that_a_connector_knows() {
    let mut config = config();
    config["custom"]["service_mappings"] = json!({"db": "PDATA01"});
    let server = Server::with_connector(config).await;
    let made = server.post(PATH, json!({"service": "db"})).await;
    assert_eq!(made.is(201)["service"], "PDATA01");
    assert_eq!(made.body["service_name"], "db");
    let listed = server.get(&format!("{PATH}?service=db")).await;
    assert_eq!(listed.is(200).as_array().unwrap().len(), 1);
}

/// Services as PagerDuty lists them; the last is gone.
fn services(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    for (id, name) in [
        ("PCHECK1", "Checkout Web"),
        ("PFIND01", "Search"),
        ("PFIND02", "search"),
        ("PGONE01", "Checkout Web"),
    ] {
        let row = DirectoryRow {
            connector: "prod".to_owned(),
            kind: Kind::Service,
            id: id.to_owned(),
            since: now,
            until: None,
            name: Some(name.to_owned()),
            about: About::default(),
            state: None,
        };
        directory::begin(tx, &row, 1)?;
    }
    directory::end(tx, "prod", Kind::Service, "PGONE01", now).map(drop)
}

#[tokio::test]
async fn mw07_dd37_dd43_a_deployment_is_of_the_service_that_pagerduty_calls_so() {
    let server = Server::with_connector(config()).await;
    server.write(services).await;
    for given in ["Checkout Web", "checkout web", "PCHECK1"] {
        let made = server.post(PATH, json!({"service": given})).await;
        assert_eq!(made.is(201)["service"], "PCHECK1", "{given}");
        assert_eq!(made.body["service_name"], "Checkout Web", "{given}");
        assert_eq!(made.body.get("hint"), None, "{given} is known");
    }
    let listed = server.get(&format!("{PATH}?service=CHECKOUT%20WEB")).await;
    assert_eq!(listed.is(200).as_array().unwrap().len(), 3);
    let either = server.post(PATH, json!({"service": "SEARCH"})).await;
    let detail = "more than one service is `SEARCH`: PFIND01, PFIND02";
    assert_eq!(either.is(422)["detail"], detail);
    let slip = server.post(PATH, json!({"service": "Checkout Wbe"})).await;
    assert_eq!(slip.is(201)["service"], "Checkout Wbe");
    assert_eq!(slip.body.get("service_name"), None);
    let hint = slip.body["hint"].as_str().unwrap();
    assert!(hint.contains("did you mean `Checkout Web`?"), "{hint}");
}

#[tokio::test]
async fn a_deployment_that_is_not_over_has_no_end() {
    let server = Server::start();
    let now: Timestamp = "2026-11-20T09:14:05.12Z".parse().unwrap();
    let at = |seconds: i64| json!((now + SignedDuration::from_secs(seconds)).to_string());
    let open =
        json!({"id": "d1", "service": "db", "status": "in_progress", "finished_at": at(-60)});
    let refused = server.post(PATH, open).await;
    let detail = "a deployment that is in progress is not over";
    assert_eq!(refused.is(422)["detail"], detail);
    let early = json!({"id": "d1", "service": "db", "finished_at": at(301)});
    let refused = server.post(PATH, early).await;
    assert_eq!(
        refused.is(422)["detail"],
        "it cannot be over at a time to come: it is 2026-11-20T09:14:05Z here"
    );
    assert!(
        server
            .get(PATH)
            .await
            .is(200)
            .as_array()
            .unwrap()
            .is_empty()
    );
    // A clock may be a little ahead.
    let ahead = json!({"id": "d1", "service": "db", "finished_at": at(300)});
    server.post(PATH, ahead).await.is(201);
}

#[tokio::test]
async fn dd_43_where_no_deployment_was_ever_told_of_no_frequency_is_low() {
    let server = Server::start();
    let level = async || {
        let answer = server
            .get("/api/v1/metrics/deployment_frequency?bucket=all")
            .await;
        answer.is(200)["series"][0]["total"]["level"].clone()
    };
    assert_eq!(level().await, Value::Null);
    let old = json!({"service": "db", "finished_at": "2026-01-02T09:00:00Z"});
    server.post(PATH, old).await.is(201);
    assert_eq!(level().await, "low");
}

#[tokio::test]
async fn csv_and_the_table_of_groups_have_the_level_and_its_year() {
    let server = Server::start();
    server.post(PATH, json!({"service": "db"})).await.is(201);
    server.pass(60);
    let asked = "change_failure_rate --from 2026-11-09 --group-by service";
    for (benchmark, ends) in [
        ("2024", [",level,benchmark", ",,2024", ",elite,2024"]),
        ("none", [",ratio", "0,", "0.0"]),
    ] {
        let csv = im(
            &server,
            &format!("metrics {asked} --csv --benchmark {benchmark}"),
        )
        .await;
        let lines: Vec<&str> = csv.out.lines().collect();
        assert_eq!(lines.len(), 3, "{}", csv.out);
        for (line, end) in lines.iter().zip(ends) {
            assert!(line.ends_with(end), "{end} in\n{}", csv.out);
            let cells = |line: &str| line.split(',').count();
            assert_eq!(cells(line), cells(lines[0]), "{}", csv.out);
        }
    }
    let said = im(&server, &format!("metrics {asked} --benchmark 2024"))
        .await
        .out;
    let row = said.lines().find(|line| line.starts_with("db")).unwrap();
    assert!(row.contains("  elite  "), "{said}");
    assert!(said.contains("By the levels of 2024.\n"), "{said}");
}

#[tokio::test]
async fn the_metrics_of_deployments_follow() {
    let server = Server::start();
    let none = server
        .get("/api/v1/metrics/change_failure_rate?bucket=all")
        .await;
    let nothing = json!({"n": 0, "numerator": 0, "denominator": 0, "ratio": null, "level": null});
    assert_eq!(none.is(200)["series"][0]["total"], nothing);
    let first = json!({"id": "d1", "service": "db",
        "commits": [{"sha": "a", "time": "2026-11-20T08:14:05.12Z"}]});
    server.post(PATH, first).await.is(201);
    server.pass(1_800);
    let new = json!({"title": "db down", "severity": "sev2", "service": "db"});
    server.post("/api/v1/incidents", new).await.is(201);
    server.pass(1_800);
    server
        .post("/api/v1/incidents/1/resolve", Value::Null)
        .await
        .is(200);
    let fix = json!({"id": "d2", "service": "db", "unplanned_fix": true});
    server.post(PATH, fix).await.is(201);
    server.pass(60);
    let hour = json!({"n": 1, "mean": 3600.0, "median": 3600.0, "p90": 3600.0, "min": 3600.0, "max": 3600.0, "level": "high"});
    let mut lead = hour.clone();
    lead["level"] = json!("elite");
    let totals = [
        (
            "deployment_frequency",
            json!({"n": 2, "per_day": 2.0, "level": "elite"}),
        ),
        (
            "deployment_rework_rate",
            json!({"n": 2, "numerator": 1, "denominator": 2, "ratio": 0.5, "level": null}),
        ),
        ("change_lead_time", lead),
        ("failed_deployment_recovery_time", hour),
        (
            "change_failure_rate",
            json!({"n": 2, "numerator": 1, "denominator": 2, "ratio": 0.5, "level": "low"}),
        ),
    ];
    for (name, want) in totals {
        let path = format!("/api/v1/metrics/{name}?from=2026-11-20&to=2026-11-20&bucket=all");
        let answer = server.get(&path).await;
        assert_eq!(answer.is(200)["series"][0]["total"], want, "{name}");
    }
    let items = server
        .get("/api/v1/metrics/change_failure_rate/items")
        .await;
    let reason =
        "the newest successful deployment of its service, finished 0h30m before the trigger";
    let failure = json!({"incident": "INC-1", "method": "same_service_time", "reason": reason});
    assert_eq!(items.is(200)["items"][0]["deployment"], "d1");
    assert_eq!(items.body["items"][0]["failures"], json!([failure]));
    assert_eq!(items.body["items"][1]["counts"], false);
    let answer = server
        .get("/api/v1/metrics/change_failure_rate?bucket=all")
        .await;
    assert_eq!(answer.is(200)["buckets"][0]["immature"], true);
    let left_out = json!({"test": 0, "merged": 0, "not_failure": 0, "unlinked": 0});
    assert_eq!(answer.body["left_out"], left_out);
}
