//! Analytics come late, and count what the trail says.

use pd_sim::{KeyKind, Request};
use serde_json::{Value, json};

use crate::shapes::same_shape;
use crate::world::World;

fn ask(world: &mut World, path: &str, body: &Value) -> Value {
    world.write("POST", &format!("/analytics/{path}"), body, 200)
}

/// An incident that went up a level, was acknowledged, snoozed and resolved within an hour.
fn one_hour(world: &mut World) -> String {
    let id = world.create("disk full", None);
    let (ines, bram) = (world.user(0), world.user(1));
    world.pass_s(900);
    world.pass_s(900);
    world.sim.acknowledge(&bram, &id, world.now).unwrap();
    world.sim.snooze(&bram, &id, 1_200, world.now).unwrap();
    world.pass_s(600);
    world.sim.acknowledge(&ines, &id, world.now).unwrap();
    world.pass_s(1_200);
    world.sim.resolve(&ines, &id, world.now).unwrap();
    id
}

#[test]
fn what_incidents_asked_of_each_person() {
    let mut world = World::new();
    world
        .sim
        .change_options(|options| options.analytics_lag_s = 0);
    let id = world.create("disk full", None);
    world.pass_s(1_200);
    let (first, second) = (world.user(0), world.user(1));
    world.sim.acknowledge(&second, &id, world.now).unwrap();
    world.pass_s(600);
    world.sim.resolve(&second, &id, world.now).unwrap();
    world.pass_s(60);
    let filters = json!({"filters": {"date_range_start": "2026-03-10T08:00:00Z", "date_range_end": "2026-03-11T08:00:00Z"}});
    let told = world.write("POST", "/analytics/metrics/responders/all", &filters, 200);
    let rows = told["data"].as_array().unwrap();
    let of = |user: &str| rows.iter().find(|row| row["responder_id"] == user).unwrap();
    let facts = |user: &str, names: &[&str]| -> Vec<i64> {
        names
            .iter()
            .map(|name| of(user)[*name].as_i64().unwrap())
            .collect()
    };
    let names = [
        "total_incident_count",
        "total_incidents_timeout_escalated_from",
        "total_incidents_acknowledged",
        "total_notifications",
    ];
    assert_eq!(facts(&first, &names), [1, 1, 0, 4]);
    let names = [
        "total_incidents_timeout_escalated_to",
        "mean_time_to_acknowledge_seconds",
        "total_engaged_seconds",
    ];
    assert_eq!(facts(&second, &names), [1, 1_200, 600]);
    // On call all the time, and the day is not over.
    assert_eq!(of(&first)["total_seconds_on_call_level_1"], 1_860);
    let teams = world.write("POST", "/analytics/metrics/responders/teams", &filters, 200);
    assert!(teams["data"][0]["team_name"].is_string());
    let wide = json!({"filters": {"date_range_start": "2024-01-01T00:00:00Z", "date_range_end": "2026-01-01T00:00:00Z"}});
    world.write("POST", "/analytics/metrics/responders/all", &wide, 400);
}

#[test]
fn what_happened_is_told_an_hour_later_step_by_step() {
    let mut world = World::new();
    let id = one_hour(&mut world);
    let path = format!("/analytics/raw/incidents/{id}");
    let seen = world.get(&path, &[]);
    same_shape(&seen, "rest/analytics-raw-incident-single", "");
    assert_eq!(seen["data"]["status"], "triggered");
    assert_eq!(seen["data"]["acknowledgement_count"], 0);
    let young = world.create("another", None);
    let path_of_young = format!("/analytics/raw/incidents/{young}");
    let request = world.request("GET", &path_of_young);
    assert_eq!(world.send(&request).status, 404);
    world.pass_s(1_800);
    assert_eq!(world.get(&path, &[])["data"]["status"], "acknowledged");
    world.pass_s(1_800);
    assert_eq!(world.get(&path, &[])["data"]["status"], "resolved");
    world
        .sim
        .change_options(|options| options.analytics_lag_s = 0);
    world.get(&path_of_young, &[]);
}

#[test]
fn a_row_counts_people_levels_and_calls() {
    let mut world = World::new();
    world
        .sim
        .change_options(|options| options.analytics_lag_s = 0);
    let id = one_hour(&mut world);
    let row = world.get(&format!("/analytics/raw/incidents/{id}"), &[])["data"].clone();
    let counted = [
        ("seconds_to_first_ack", 1_800),
        ("seconds_to_resolve", 3_600),
        ("seconds_to_engage", 600),
        ("engaged_seconds", 1_800 + 1_200),
        ("engaged_user_count", 2),
        ("acknowledgement_count", 2),
        ("assignment_count", 2),
        ("timeout_escalation_count", 1),
        ("manual_escalation_count", 0),
        ("snoozed_seconds", 600),
    ];
    for (name, value) in counted {
        assert_eq!(row[name], value, "{name}");
    }
    let [bram, ines] = [world.user(1), world.user(0)];
    assert_eq!(row["acknowledged_user_ids"], json!([bram, ines]));
    assert_eq!(row["resolved_by_user_name"], "Ines Halloran");
    // Each was told by push, mail, SMS and phone; mail interrupts nobody. It is 9 in Berlin.
    assert_eq!(row["total_notifications"], 8);
    assert_eq!(row["total_interruptions"], 6);
    assert_eq!(row["business_hour_interruptions"], 6);
    let responses = world.get(&format!("/analytics/raw/incidents/{id}/responses"), &[]);
    assert_eq!(responses["responses"][1]["time_to_respond_seconds"], 1_800);
}

#[test]
fn lists_are_filtered_ordered_and_paged() {
    let mut world = World::new();
    world
        .sim
        .change_options(|options| options.analytics_lag_s = 0);
    let first = world.create("one", None);
    world.pass_s(60);
    let second = world.create("two", None);
    world.put(&second, &json!({"priority": "P1"}));
    world.pass_s(60);
    let other = world.service(2);
    let third = world.sim.trigger(&other, "three", world.now).unwrap();
    let asked = json!({"filters": {"created_at_start": "2026-03-01T00:00:00Z", "created_at_end": "2026-03-31T00:00:00Z"},
        "limit": 2, "order": "asc", "order_by": "created_at", "time_zone": "Europe/Berlin"});
    let page = ask(&mut world, "raw/incidents", &asked);
    same_shape(&page["data"], "rest/analytics-raw-incidents", "/data");
    assert_eq!(page["data"][0]["id"], first.as_str());
    assert_eq!(page["data"][0]["created_at"], "2026-03-10T09:00:00");
    assert_eq!(page["more"], true);
    let mut next = asked.clone();
    next["starting_after"] = page["last"].clone();
    let page = ask(&mut world, "raw/incidents", &next);
    assert_eq!(
        (&page["data"][0]["id"], &page["more"]),
        (&third.as_str().into(), &false.into())
    );
    let found = |world: &mut World, filters: Value| -> Vec<String> {
        let page = ask(world, "raw/incidents", &json!({"filters": filters}));
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(found(&mut world, json!({"service_ids": [other]})), [third]);
    assert_eq!(
        found(&mut world, json!({"major": true})),
        std::slice::from_ref(&second)
    );
    assert_eq!(
        found(&mut world, json!({"priority_names": ["P1"]})),
        [second]
    );
    let wide =
        json!({"filters": {"created_at_start": "2024-01-01", "created_at_end": "2026-01-01"}});
    world.write("POST", "/analytics/raw/incidents", &wide, 400);
    let key = world.sim.add_key(KeyKind::User(world.user(0)));
    let request = Request::new("POST", "/analytics/raw/incidents").with_json(&asked);
    let request = request.with_header("Authorization", &format!("Token token={key}"));
    assert_eq!(
        world.send(&request).status,
        400,
        "a user names teams or services"
    );
}

#[test]
fn metrics_sum_by_service_and_by_month() {
    let mut world = World::new();
    world
        .sim
        .change_options(|options| options.analytics_lag_s = 0);
    one_hour(&mut world);
    let other = world.service(2);
    world.sim.trigger(&other, "lag", world.now).unwrap();
    let asked = json!({"filters": {"created_at_start": "2026-03-01T00:00:00Z", "created_at_end": "2026-03-31T00:00:00Z"},
        "aggregate_unit": "month"});
    let all = ask(&mut world, "metrics/incidents/all", &asked);
    let row = &all["data"][0];
    assert_eq!(row["total_incident_count"], 2);
    assert_eq!(row["mean_seconds_to_first_ack"], 1_800);
    assert_eq!(row["p95_seconds_to_resolve"], 3_600);
    assert_eq!(row["range_start"], "2026-03-01T00:00:00.000000");
    assert_eq!(row["up_time_pct"], 100.0);
    let theirs = crate::shapes::fixture("rest/analytics-metrics-incidents-all");
    for name in theirs["data"][0].as_object().unwrap().keys() {
        assert!(row.get(name).is_some(), "{name}");
    }
    let by = ask(&mut world, "metrics/incidents/services", &asked);
    let names: Vec<&str> = by["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["service_name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"Payments API") && names.contains(&"Database"));
    let request = world
        .request("POST", "/analytics/metrics/pigeons/all")
        .with_json(&asked);
    assert_eq!(world.send(&request).status, 404);
}
