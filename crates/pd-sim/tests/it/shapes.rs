//! Bodies have exactly the keys of the published examples.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::world::World;

pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The keys of each object by path; arrays are represented by their first element.
fn keys(value: &Value, path: &str, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Object(object) => {
            let mut names: Vec<String> = object.keys().cloned().collect();
            names.sort();
            found.insert(path.to_owned(), names);
            for (key, value) in object {
                keys(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(list) => {
            if let Some(first) = list.first() {
                keys(first, &format!("{path}[]"), found);
            }
        }
        _ => {}
    }
}

/// Where both have an object, the keys are the same.
#[track_caller]
pub(crate) fn same_shape(ours: &Value, fixture_name: &str, pointer: &str) {
    let theirs = fixture(fixture_name);
    let theirs = theirs.pointer(pointer).unwrap();
    let (mut left, mut right) = (BTreeMap::new(), BTreeMap::new());
    keys(ours, "", &mut left);
    keys(theirs, "", &mut right);
    for (path, names) in &left {
        if path.ends_with("/details") {
            continue; // whatever the machine sent
        }
        if let Some(expected) = right.get(path) {
            assert_eq!(names, expected, "{fixture_name}{pointer} at {path:?}");
        }
    }
}

#[test]
fn an_incident_has_the_published_keys() {
    let mut world = World::new();
    let id = world.create("disk full", Some("k"));
    let shown = world.get(&format!("/incidents/{id}"), &[]);
    same_shape(&shown, "rest/incident-create", "");
    world.put(&id, &json!({"status": "acknowledged", "priority": "P2"}));
    let shown = world.get(&format!("/incidents/{id}"), &[]);
    same_shape(&shown, "rest/incident-get", "");
}

#[test]
fn log_entries_have_the_published_keys() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    world.pass_s(7_200);
    let user = world.user(0);
    world.sim.acknowledge(&user, &id, world.now).unwrap();
    world.sim.note(&user, &id, "looking", world.now).unwrap();
    world.sim.snooze(&user, &id, 3_600, world.now).unwrap();
    world.sim.set_urgency(&user, &id, false, world.now).unwrap();
    let policy = world.account.policies[1].0.clone();
    world.sim.delegate(&user, &id, &policy, world.now).unwrap();
    world
        .sim
        .set_priority(&user, &id, Some(&world.account.priorities[0].0), world.now)
        .unwrap();
    world.put(&id, &json!({"status": "resolved", "resolution": "freed"}));
    let theirs = fixture("rest/incident-log-entries-list-include-channels");
    let theirs = theirs["log_entries"].as_array().unwrap();
    let ours = world.get(
        "/log_entries",
        &[("include[]", "channels"), ("limit", "100")],
    );
    let mut compared = 0;
    for entry in ours["log_entries"].as_array().unwrap() {
        let Some(at) = theirs
            .iter()
            .position(|other| other["type"] == entry["type"])
        else {
            continue;
        };
        if entry["type"] == "trigger_log_entry" {
            continue; // a trigger over REST has no client and no service key
        }
        same_shape(
            entry,
            "rest/incident-log-entries-list-include-channels",
            &format!("/log_entries/{at}"),
        );
        compared += 1;
    }
    assert!(compared > 12, "{compared}");
}

#[test]
fn events_have_the_published_keys() {
    let mut world = World::new();
    world.subscribe();
    let (service, other) = (world.service(0), world.service(2));
    let id = world.sim.trigger(&service, "disk full", world.now).unwrap();
    world.pass_s(1_000);
    let (user, second) = (world.user(0), world.user(1));
    let now = world.now;
    let policy = world.account.policies[1].0.clone();
    let priority = world.account.priorities[0].0.clone();
    let id2 = world.create("another", None);
    let sim = &mut world.sim;
    sim.acknowledge(&user, &id, now).unwrap();
    sim.unacknowledge(&user, &id, now).unwrap();
    sim.escalate(&user, &id, 2, now).unwrap();
    sim.reassign(&user, &id, &second, now).unwrap();
    sim.delegate(&user, &id, &policy, now).unwrap();
    sim.set_priority(&user, &id, Some(&priority), now).unwrap();
    sim.move_service(&user, &id, &other, now).unwrap();
    sim.note(&user, &id, "looking", now).unwrap();
    sim.status_update(&user, &id, "soon", now).unwrap();
    sim.resolve(&user, &id, now).unwrap();
    sim.reopen(&user, &id, now).unwrap();
    sim.merge(&user, &id, &id2, now).unwrap();
    let events = world.events();
    assert!(events.len() >= 12, "{}", events.len());
    for event in events {
        let kind = event["event_type"].as_str().unwrap();
        let merged = event.pointer("/data/resolve_reason/type").is_some();
        let name = if merged {
            format!("webhooks/{kind}.merged")
        } else {
            format!("webhooks/{kind}")
        };
        if kind != "incident.triggered" {
            same_shape(&event, &name, "/event");
        }
        same_shape(&event["data"], &name, "/event/data");
    }
}

#[test]
fn the_directory_has_the_published_keys() {
    let mut world = World::new();
    let (user, service) = (world.user(0), world.service(0));
    let policy = world.account.policies[0].0.clone();
    same_shape(
        &world.get(&format!("/users/{user}"), &[]),
        "rest/user-get",
        "",
    );
    same_shape(
        &world.get(&format!("/services/{service}"), &[]),
        "rest/service-get",
        "",
    );
    same_shape(
        &world.get(&format!("/escalation_policies/{policy}"), &[]),
        "rest/escalation-policy-get",
        "",
    );
    same_shape(&world.get("/priorities", &[]), "rest/priorities-list", "");
    same_shape(&world.get("/oncalls", &[]), "rest/oncalls-list", "");
    let id = world.create("disk full", None);
    let note = world.write(
        "POST",
        &format!("/incidents/{id}/notes"),
        &json!({"note": {"content": "looking"}}),
        200,
    );
    same_shape(&note, "rest/incident-note-create", "");
}

#[test]
fn what_surrounds_incidents_has_the_published_keys() {
    let mut world = World::new();
    let service = world.service(0);
    let id = world.sim.trigger(&service, "disk full", world.now).unwrap();
    world.pass_s(600);
    let path = |rest: &str| format!("/incidents/{id}/{rest}");
    let alerts = world.get(&path("alerts"), &[]);
    let alert = format!("alerts/{}", alerts["alerts"][0]["id"].as_str().unwrap());
    same_shape(
        &world.get(&path(&alert), &[]),
        "rest/incident-alert-get",
        "",
    );
    let values = world.get(&path("custom_fields/values"), &[]);
    same_shape(&values, "rest/incident-custom-field-values", "");
    let update = world.write(
        "POST",
        &path("status_updates"),
        &json!({"message": "soon"}),
        200,
    );
    same_shape(&update, "rest/incident-status-update", "");
    let window = [
        ("since", "2026-03-10T00:00:00Z"),
        ("until", "2026-03-11T00:00:00Z"),
    ];
    same_shape(
        &world.get("/notifications", &window),
        "rest/notifications-list",
        "",
    );
    let (user, team) = (world.user(0), world.get("/teams", &[]));
    same_shape(&team, "rest/teams-list", "");
    let members = format!(
        "/teams/{}/members",
        team["teams"][0]["id"].as_str().unwrap()
    );
    same_shape(&world.get(&members, &[]), "rest/team-members", "");
    let user = format!("/users/{user}");
    let methods = world.get(&format!("{user}/contact_methods"), &[]);
    same_shape(&methods, "rest/user-contact-methods", "");
    let rules = world.get(&format!("{user}/notification_rules"), &[("urgency", "all")]);
    same_shape(&rules, "rest/user-notification-rules", "");
    same_shape(
        &world.get("/incidents/types", &[]),
        "rest/incident-types-list",
        "",
    );
    let fields = world.get("/incidents/types/incident_default/custom_fields", &[]);
    same_shape(&fields, "rest/incident-type-custom-fields", "");
    let shown = world.get(
        &format!("/services/{service}"),
        &[("include[]", "integrations")],
    );
    same_shape(
        &shown["service"]["integrations"][0],
        "rest/service-integration-get",
        "/integration",
    );
    let now = world.now;
    let start = now - jiff::SignedDuration::from_hours(1);
    world.sim.add_schedule(
        "Weekly",
        &[&world.account.users[0].0.clone()],
        604_800,
        start,
    );
    same_shape(&world.get("/schedules", &[]), "rest/schedules-list", "");
}

#[test]
fn a_maintenance_window_has_the_published_keys() {
    let mut world = World::new();
    let body = json!({"maintenance_window": {"type": "maintenance_window",
        "start_time": "2026-03-10T10:00:00Z", "end_time": "2026-03-10T11:00:00Z",
        "services": [{"id": world.service(0), "type": "service_reference"}]}});
    world.write("POST", "/maintenance_windows", &body, 201);
    let shown = world.get("/maintenance_windows", &[("filter", "future")]);
    same_shape(&shown, "rest/maintenance-windows-list", "");
}

#[test]
fn a_change_event_has_the_published_keys_and_is_found_in_utc_only() {
    let mut world = World::new();
    let (service, _, key) = world.account.services[0].clone();
    let change = json!({"routing_key": key, "payload": {"summary": "Release 412", "source": "deployer",
        "custom_details": {"commit": "0a1b2c3"}}, "links": [{"href": "https://ci.example/412", "text": "Build 412"}]});
    world.write("POST", "/v2/change/enqueue", &change, 202);
    let listed = world.get("/change_events", &[("since", "2026-03-10T00:00:00Z")]);
    same_shape(&listed, "rest/change-events-list", "");
    let id = listed["change_events"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let one = world.get(&format!("/change_events/{id}"), &[]);
    assert_eq!(one["change_event"], listed["change_events"][0]);
    let of_service = format!("/services/{service}/change_events");
    let later = world.get(&of_service, &[("since", "2026-03-11T00:00:00Z")]);
    assert_eq!(later["change_events"], json!([]));
    let local = world
        .request("GET", &of_service)
        .with_query("since", "2026-03-10T00:00:00+01:00");
    assert_eq!(world.send(&local).status, 400);
}
