//! `im metrics`: what it asks, and what people read, 80 columns wide and without colour.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli::{Fake, on};

/// A metric over three weeks, the last of which is not over.
fn answer(metric: &str, group_by: &[&str], series: &Value, left_out: &Value) -> Value {
    let week = |start: &str, to: &str, partial: bool, incomplete: bool| json!({"start": start, "from": start, "to": to, "days": 7, "partial": partial, "incomplete": incomplete});
    json!({
        "metric": metric, "from": "2026-11-04", "to": "2026-11-20", "time_zone": "Europe/Berlin",
        "as_of_time": "2026-11-20T09:18:05Z", "bucket": "week", "group_by": group_by,
        "buckets": [
            week("2026-11-02", "2026-11-08", true, false),
            week("2026-11-09", "2026-11-15", false, false),
            week("2026-11-16", "2026-11-20", true, true),
        ],
        "series": series, "left_out": left_out,
        "parameters": [{"name": "as_of", "value": "trigger"}, {"name": "recovery", "value": "last"}],
    })
}

fn durations(n: u64, seconds: f64) -> Value {
    if n == 0 {
        return json!({"n": 0, "mean": null, "median": null, "p90": null, "min": null, "max": null});
    }
    json!({"n": n, "mean": seconds, "median": seconds / 2.0, "p90": seconds * 3.0,
           "min": 4.25, "max": seconds * 40.0})
}

fn series(names: &[&str], values: &[Value], total: &Value) -> Value {
    let group: Vec<Value> = names
        .iter()
        .map(|name| json!({"key": name.to_uppercase(), "name": name}))
        .collect();
    json!({"group": group, "values": values, "total": total})
}

#[track_caller]
fn said(answer: &Value, line: &str) -> String {
    let name = line.split(' ').nth(1).unwrap();
    let is_items = line.contains("--items");
    let path = if is_items { "/items" } else { "" };
    let call = format!("GET /api/v1/metrics/{name}{path}");
    let said = on(&Fake::default().on(&call, 200, answer)).im(line);
    for line in said.out.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
        assert_eq!(line, line.trim_end(), "spaces at the end");
    }
    said.all()
}

#[test]
fn every_flag_is_a_parameter() {
    let fake = Fake::default().on(
        "GET /api/v1/metrics/page_disruptions",
        200,
        &answer("page_disruptions", &[], &json!([]), &json!({})),
    );
    let line = "metrics page_disruptions --from 2026-11-01 --to 2026-11-30 --bucket month --group-by user \
                --compare previous --as-of current --as-of-time 2026-11-20T09:00:00Z --view multitudes \
                --recovery first --bucket-by resolved --source notifications --include-email \
                --collapse-minutes 5 --measure hours --when out_of_hours --distinct --benchmark 2023 \
                --mode impact --max-lag 3d --service P1 --service P2 --team T1 --environment production --escalation-policy E1 --urgency high --priority null \
                --sev SEV-1 --resolver-kind human --sort value --history live --origin im --title 'db down' --user U1";
    assert_eq!(on(&fake).im(line).code, 0);
    assert_snapshot!("asked", fake.seen()[0].replace('&', "\n&"));
}

#[test]
fn figures_by_bucket_end_with_the_whole_range() {
    let values = [
        durations(3, 754.0),
        durations(0, 0.0),
        durations(12, 5_400.0),
    ];
    let one = series(&[], &values, &durations(15, 4_470.8));
    let left_out = json!({"test": 1, "merged": 0, "open": 2});
    let mut found = answer("mttr", &[], &json!([one]), &left_out);
    assert_snapshot!("mttr", said(&found, "metrics mttr"));
    let before = series(&[], &values, &durations(10, 4_000.0));
    let previous = answer(
        "mttr",
        &[],
        &json!([before]),
        &json!({"test": 0, "merged": 0, "open": 0}),
    );
    found["previous"] = previous;
    assert_snapshot!(
        "mttr_compared",
        said(&found, "metrics mttr --compare previous")
    );
    let csv =
        on(&Fake::default().on("GET /api/v1/metrics/mttr", 200, &found)).im("metrics mttr --csv");
    assert_snapshot!("mttr_csv", csv.out);
}

#[test]
fn a_cell_of_csv_stands_under_its_name_whatever_other_figures_have() {
    let mut rebuilt = durations(12, 5_400.0);
    rebuilt["reconstructed"] = json!(4);
    rebuilt["on_target"] = json!(false);
    let values = [durations(3, 754.0), durations(0, 0.0), rebuilt.clone()];
    let one = series(&[], &values, &rebuilt);
    let found = answer("mttr", &[], &json!([one]), &json!({}));
    let csv =
        on(&Fake::default().on("GET /api/v1/metrics/mttr", 200, &found)).im("metrics mttr --csv");
    let lines: Vec<Vec<&str>> = csv
        .out
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    let cell = |line: usize, name: &str| {
        let place = lines[0].iter().position(|column| *column == name).unwrap();
        lines[line][place]
    };
    assert!(
        lines.iter().all(|line| line.len() == lines[0].len()),
        "{}",
        csv.out
    );
    let row = |line: usize| {
        ["n", "mean", "median", "on_target", "reconstructed"].map(|name| cell(line, name))
    };
    assert_eq!(row(1), ["3", "754.0", "377.0", "", ""]);
    assert_eq!(row(2), ["0", "", "", "", ""]);
    assert_eq!(row(3), ["12", "5400.0", "2700.0", "false", "4"]);
}

#[test]
fn csv_says_what_is_not_final_and_has_both_periods_of_a_comparison() {
    let rate = |failed: u64| json!({"numerator": failed, "denominator": 4, "ratio": 0.25});
    let one = |failed: u64| series(&["Db"], &[rate(failed), rate(0), rate(1)], &rate(2));
    let compared = |failed: u64| {
        let mut found = answer(
            "change_failure_rate",
            &["service"],
            &json!([one(failed)]),
            &json!({}),
        );
        for (place, immature) in [false, false, true].into_iter().enumerate() {
            found["buckets"][place]["immature"] = json!(immature);
        }
        found
    };
    let mut found = compared(1);
    found["previous"] = compared(3);
    let fake = Fake::default().on("GET /api/v1/metrics/change_failure_rate", 200, &found);
    let csv = on(&fake).im("metrics change_failure_rate --csv --compare previous");
    assert_snapshot!("change_failure_rate_csv", csv.out);
}

#[test]
fn a_hint_names_no_parameter_that_the_metric_does_not_have_and_more_failures_than_deployments_are_no_share()
 {
    let mut rate = json!({"numerator": 17, "denominator": 11, "ratio": 1.545});
    rate["reconstructed"] = json!(15);
    let rates = [rate.clone(), rate.clone(), rate.clone()];
    let one = series(&[], &rates, &rate);
    let mut found = answer("change_failure_rate", &[], &json!([one]), &json!({}));
    found["parameters"] = json!([{"name": "mode", "value": "impact"}]);
    let text = said(&found, "metrics change_failure_rate --mode impact");
    assert!(text.contains("rebuilt from PagerDuty's log."), "{text}");
    assert!(!text.contains("--history"), "{text}");
    let heads = text.lines().find(|line| line.starts_with("Week")).unwrap();
    let heads: Vec<&str> = heads.split_whitespace().collect();
    assert_eq!(heads, ["Week", "Deployments", "Failures", "Rate", "Trend"]);
}

#[test]
fn figures_by_group_have_a_line_of_bars() {
    let values = |n: u64| [json!({"n": n}), json!({"n": 0}), json!({"n": n / 2})];
    let row = |name: &str, n: u64| series(&[name], &values(n), &json!({"n": n + n / 2}));
    let mut unnamed = row("none", 1);
    unnamed["group"][0]["key"] = Value::Null;
    let rows = json!([
        row("Database", 8),
        row(
            "A service with a very long name, \"of many words\" that needs more than a line",
            120
        ),
        unnamed
    ]);
    let mut found = answer(
        "pages",
        &["service"],
        &rows,
        &json!({"test": 0, "merged": 0}),
    );
    found["previous"] = answer(
        "pages",
        &["service"],
        &json!([row("Database", 6)]),
        &json!({}),
    );
    assert_snapshot!(
        "pages",
        said(
            &found,
            "metrics pages --group-by service --compare previous"
        )
    );
    let csv =
        on(&Fake::default().on("GET /api/v1/metrics/pages", 200, &found)).im("metrics pages --csv");
    assert_snapshot!("pages_csv", csv.out);
}

#[test]
fn shares_targets_and_loads_have_columns_of_their_own() {
    let judged = |met: u64, breached: u64| json!({"met": met, "breached": breached, "pending": 1, "compliance": 0.875});
    let sla = json!({"n": 9, "ack": judged(7, 1), "resolve": judged(7, 1)});
    let one = series(&[], &[sla.clone(), sla.clone(), sla.clone()], &sla);
    let found = answer(
        "sla_compliance",
        &[],
        &json!([one]),
        &json!({"test": 0, "merged": 1, "no_target": 4}),
    );
    assert_snapshot!("sla", said(&found, "metrics sla_compliance"));
    let ratio = json!({"n": 8, "numerator": 1, "denominator": 8, "ratio": 0.125});
    let none = json!({"n": 0, "numerator": 0, "denominator": 0, "ratio": null});
    let one = series(&[], &[ratio.clone(), none, ratio.clone()], &ratio);
    let found = answer(
        "reopen_rate",
        &[],
        &json!([one]),
        &json!({"test": 0, "merged": 0}),
    );
    assert_snapshot!("reopen_rate", said(&found, "metrics reopen_rate"));
    let load = json!({"n": 9, "acknowledged": 0.75, "mtta": 95.0, "out_of_hours": 0.5, "escalated_away": 2});
    let rows = json!([series(
        &["Ann Lee"],
        &[load.clone(), load.clone(), load.clone()],
        &load
    )]);
    let found = answer(
        "oncall_load",
        &["user"],
        &rows,
        &json!({"test": 0, "merged": 0}),
    );
    assert_snapshot!("oncall_load", said(&found, "metrics oncall_load"));
    let rate = json!({"n": 3, "per_day": 3.0 / 7.0});
    let one = series(&[], &[rate.clone(), rate.clone(), rate.clone()], &rate);
    let found = answer(
        "incident_frequency",
        &[],
        &json!([one]),
        &json!({"test": 0, "merged": 0}),
    );
    assert_snapshot!(
        "incident_frequency",
        said(&found, "metrics incident_frequency")
    );
}

#[test]
fn deployments_are_recorded_and_listed() {
    let deployment = |id: &str, status: &str, finished: Value| {
        json!({"id": id, "service": "PDAT001", "environment": "production", "version": "v1.2.3",
               "started_at": "2026-11-20T09:00:00Z", "finished_at": finished, "status": status,
               "unplanned_fix": status == "success", "commits": []})
    };
    let over = deployment("build-7", "success", json!("2026-11-20T09:05:00Z"));
    let fake = Fake::default().on("POST /api/v1/deployments", 201, &over);
    let line = "deployment record --service db --id build-7 --environment production --version v1.2.3 \
                --status success --started 2026-11-20T09:00:00Z --finished 2026-11-20T09:05:00Z \
                --unplanned-fix --commit 4f2a1c9@2026-11-19T08:00:00Z";
    assert_snapshot!("deployment_record", on(&fake).im(line).all());
    assert_snapshot!("deployment_asked", fake.seen()[0]);
    let at = "write a time like 2026-11-20T09:00:00Z";
    for (wrong, next) in [
        (
            "deployment record --commit 4f2a1c9",
            "4f2a1c9@2026-11-20T09:00:00Z",
        ),
        ("deployment record --finished now", at),
        ("annotate INC-1 --impact-start 09:00", at),
        (
            "hours set organisation --from monday --week mon-fri=09:00-17:00",
            "write a date like 2026-11-20",
        ),
    ] {
        let refused = on(&Fake::default()).im(wrong);
        assert_eq!(refused.code, 2, "{wrong}");
        assert!(refused.all().contains(next), "{wrong}: {}", refused.all());
    }
    let running = deployment(
        "dep_0192f0c1a5b37c4d8e9f0a1b2c3d4e5f",
        "in_progress",
        Value::Null,
    );
    let call = "GET /api/v1/deployments";
    let found = json!([running, over]);
    let listed = on(&Fake::default().on(call, 200, &found)).im("deployment list");
    for line in listed.out.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
    assert_snapshot!("deployment_list", listed.all());
    let none = on(&Fake::default().on(call, 200, &json!([]))).im("deployment list --service db");
    assert_snapshot!("deployment_list_empty", none.all());
}

#[test]
fn m_008_m_045_what_is_counted_twice_or_was_rebuilt_is_said() {
    let values = [json!({"n": 3}), json!({"n": 0}), json!({"n": 1})];
    let total = json!({"n": 4, "reconstructed": 3});
    let rows = json!([
        series(&["A"], &values, &total),
        series(&["B"], &values, &total)
    ]);
    let mut found = answer("page_disruptions", &["team"], &rows, &json!({"test": 0}));
    found["in_several_groups"] = json!(4);
    assert_snapshot!(
        "counted_twice",
        said(&found, "metrics page_disruptions --group-by team")
    );
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let found = answer(
        "oncall_load",
        &["user"],
        &json!([]),
        &json!({"test": 0, "merged": 0}),
    );
    assert_snapshot!("nothing", said(&found, "metrics oncall_load"));
}

#[test]
fn what_is_behind_a_figure_is_a_list() {
    let at = "2026-11-20T09:14:05Z";
    let recovery = json!({"time_zone": "Europe/Berlin", "total": 3, "items": [
        {"bucket": 0, "at": at, "incident": "INC-1", "seconds": 900.0},
        {"bucket": 2, "at": at, "incident": "INC-42", "seconds": 187_204.0},
    ]});
    assert_snapshot!("items", said(&recovery, "metrics mttr --items --limit 2"));
    let own = json!({"time_zone": "Europe/Berlin", "total": 1, "items": [
        {"bucket": 0, "at": at, "incident": "INC-1", "seconds": 0.0, "self_assigned": true}]});
    let told = said(&own, "metrics mtta --items");
    assert!(told.contains("0s (self-assigned)"), "S40: {told}");
    let user = json!({"key": "PUANN", "name": "Ann Lee"});
    let hour = json!({"time_zone": "Europe/Berlin", "total": 1, "items": [
        {"bucket": 0, "at": at, "incident": "INC-1", "user": user, "hour": "2026-11-20T09:00:00Z"},
    ]});
    assert_snapshot!(
        "items_hour",
        said(&hour, "metrics page_disruptions --items")
    );
    let load = json!({"time_zone": "Europe/Berlin", "total": 2, "items": [
        {"bucket": 0, "at": at, "incident": "INC-1", "user": user, "seconds": 64.0, "acknowledged": true,
         "out_of_hours": false, "escalated_away": false},
        {"bucket": 0, "at": at, "incident": "INC-2", "user": user, "acknowledged": false,
         "out_of_hours": true, "escalated_away": true},
    ]});
    assert_snapshot!("items_load", said(&load, "metrics oncall_load --items"));
    let sla = json!({"time_zone": "Europe/Berlin", "total": 1, "items": [
        {"bucket": 0, "at": at, "incident": "INC-1", "ack": "met", "resolve": "pending"},
    ]});
    assert_snapshot!("items_sla", said(&sla, "metrics sla_compliance --items"));
    let changes = json!({"time_zone": "Europe/Berlin", "total": 2, "items": [
        {"bucket": 0, "at": at, "deployment": "d1", "counts": true, "failures": [
            {"incident": "INC-1", "method": "manual", "reason": "a person linked it"},
            {"incident": "INC-2", "method": "manual", "reason": "a person linked it"}]},
        {"bucket": 0, "at": at, "deployment": "d2", "counts": false},
    ]});
    assert_snapshot!(
        "items_changes",
        said(&changes, "metrics change_failure_rate --items")
    );
    let none = json!({"time_zone": "Europe/Berlin", "total": 0, "items": []});
    assert_snapshot!("items_none", said(&none, "metrics pages --items"));
}
