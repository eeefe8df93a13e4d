//! The report of a period, by API and command line.

use serde_json::{Value, json};

use super::organisation::{done, im, with_incident};

#[tokio::test]
async fn mw_13_a_period_is_reported_as_json_and_csv_with_the_numbers_of_the_metrics() {
    let server = with_incident().await;
    let asked = "from=2026-11-20&to=2026-11-20";
    let report = server.get(&format!("/api/v1/overview?{asked}")).await;
    let report = report.is(200);
    assert_eq!(report["from"], "2026-11-20");
    assert_eq!(report["compared_to"], "2026-11-19");
    let row = |metric: &str, service: &Value| -> Value {
        let mut rows = report["rows"].as_array().unwrap().iter();
        let is_it = |row: &&Value| row["metric"] == metric && row["service"] == *service;
        rows.find(is_it).unwrap().clone()
    };
    let mttr = server
        .get(&format!("/api/v1/metrics/mttr?{asked}&bucket=all"))
        .await;
    let mttr = mttr.is(200)["series"][0]["total"]["mean"].clone();
    for service in [Value::Null, json!("db")] {
        let row = row("mttr", &service);
        assert_eq!((&row["value"], &row["n"]), (&mttr, &json!(1)), "{service}");
    }
    assert_eq!(row("incident_frequency", &Value::Null)["n"], 1);
    // Nobody told of a deployment: that is not 0 a day.
    let deployments = row("deployment_frequency", &Value::Null);
    assert_eq!(deployments["value"], Value::Null);
    let csv = server
        .get(&format!("/api/v1/overview?{asked}&format=csv"))
        .await;
    let csv = csv.is(200).as_str().unwrap();
    let head = "metric,title,service,unit,value,n,value_before,n_before,change";
    assert_eq!(csv.lines().next(), Some(head));
    assert_eq!(
        csv.lines().count(),
        1 + report["rows"].as_array().unwrap().len()
    );
    let said = im(&server, "overview --from 2026-11-20 --to 2026-11-20 --csv").await;
    assert_eq!((said.code, said.out.as_str()), (0, csv));
    let alone = server
        .get(&format!("/api/v1/overview?{asked}&compare=none&service=db"))
        .await;
    assert_eq!(alone.is(200)["compared_from"], Value::Null);
    assert_eq!(alone.body["filters"], json!([["service", "db"]]));
    let shown = done(&server, "overview --from 2026-11-20 --to 2026-11-20").await;
    assert!(
        shown.contains("before: 2026-11-19 to 2026-11-19"),
        "{shown}"
    );
    assert!(shown.contains("30m 00s"), "{shown}");
}

#[tokio::test]
async fn mw_13_a_report_of_what_nobody_knows_is_refused_with_what_is_near() {
    let server = with_incident().await;
    for (asked, want) in [
        ("service=dbb", "db"),
        ("format=pdf", "json or csv"),
        ("compare=later", "previous or none"),
        ("colour=red", "known are from, to"),
        ("from=2026-11-21&to=2026-11-20", "give `from` a date up to"),
        (
            "from=2026-13-01",
            "`from` cannot be `2026-13-01` for the overview",
        ),
    ] {
        let refused = server.get(&format!("/api/v1/overview?{asked}")).await;
        let said = refused.is(400).to_string();
        assert!(said.contains(want), "{asked}: {said}");
    }
    let said = im(&server, "overview --service dbb").await;
    assert_eq!(said.code, 2, "{}", said.all());
    let said = im(&server, "overview --from yesterday").await.all();
    assert!(
        said.contains("`from` cannot be `yesterday` for the overview"),
        "{said}"
    );
}
