//! Schedules over REST: layers, rendering, overrides.

use serde_json::{Value, json};

use crate::shapes::same_shape;
use crate::world::World;

fn layers(world: &World) -> Value {
    let user = |at: usize| json!({"user": {"id": world.user(at), "type": "user_reference"}});
    json!([{
        "name": "Layer 1", "start": "2026-03-02T09:00:00+01:00", "rotation_virtual_start": "2026-03-02 09:00:00 +0100 CET",
        "rotation_turn_length_seconds": 604_800, "users": [user(0), user(1)], "restrictions": [],
    }])
}

fn made(world: &mut World) -> String {
    let body = json!({"schedule": {"type": "schedule", "name": "Payments weekly", "time_zone": "Europe/Berlin",
        "description": "Monday 09:00", "schedule_layers": layers(world)}});
    let made = world.write("POST", "/schedules", &body, 201);
    made["schedule"]["id"].as_str().unwrap().to_owned()
}

const WINDOW: [(&str, &str); 2] = [
    ("since", "2026-03-09T00:00:00Z"),
    ("until", "2026-03-23T00:00:00Z"),
];

#[test]
fn a_schedule_is_rendered_in_its_own_zone_with_overrides_on_top() {
    let mut world = World::new();
    let id = made(&mut world);
    let stands_in = world.user(3);
    let body = json!({"overrides": [
        {"start": "2026-03-11T18:00:00+01:00", "end": "2026-03-12T08:00:00+01:00", "user": {"id": stands_in, "type": "user_reference"}},
        {"start": "2026-03-13T08:00:00Z", "end": "2026-03-13T07:00:00Z", "user": {"id": stands_in, "type": "user_reference"}},
    ]});
    let answer = world.write("POST", &format!("/schedules/{id}/overrides"), &body, 201);
    assert_eq!(
        (answer[0]["status"].clone(), answer[1]["status"].clone()),
        (201.into(), 400.into())
    );
    assert_eq!(answer[1]["errors"][0], "Override must end after its start");

    let shown = world.get(&format!("/schedules/{id}"), &WINDOW);
    same_shape(&shown, "rest/schedule-get", "");
    let entries = shown["schedule"]["final_schedule"]["rendered_schedule_entries"]
        .as_array()
        .unwrap();
    let starts: Vec<&str> = entries
        .iter()
        .map(|one| one["start"].as_str().unwrap())
        .collect();
    assert_eq!(
        starts,
        [
            "2026-03-09T01:00:00+01:00",
            "2026-03-09T09:00:00+01:00",
            "2026-03-11T18:00:00+01:00",
            "2026-03-12T08:00:00+01:00",
            "2026-03-16T09:00:00+01:00"
        ]
    );
    assert_eq!(entries[2]["user"]["id"], stands_in.as_str());
    assert_eq!(
        shown["schedule"]["final_schedule"]["rendered_coverage_percentage"],
        100.0
    );
    assert_eq!(
        shown["schedule"]["overrides_subschedule"]["rendered_schedule_entries"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let bare = world.get(&format!("/schedules/{id}"), &[]);
    assert_eq!(
        bare["schedule"]["final_schedule"]["rendered_schedule_entries"],
        json!([])
    );
    let listed = world.get("/schedules", &[("query", "payments")]);
    assert!(listed["schedules"][0].get("schedule_layers").is_none());
    let users = world.get(&format!("/schedules/{id}/users"), &WINDOW);
    assert_eq!(users["users"].as_array().unwrap().len(), 3);
}

#[test]
fn an_override_that_runs_is_cut_and_a_past_one_stays() {
    let mut world = World::new();
    let id = made(&mut world);
    let user = json!({"id": world.user(3), "type": "user_reference"});
    let path = format!("/schedules/{id}/overrides");
    let body = json!({"overrides": [
        {"start": "2026-03-10T08:00:00Z", "end": "2026-03-10T12:00:00Z", "user": user},
        {"start": "2026-03-20T08:00:00Z", "end": "2026-03-20T12:00:00Z", "user": user},
    ]});
    let answer = world.write("POST", &path, &body, 201);
    let id_of = |at: usize| answer[at]["override"]["id"].as_str().unwrap().to_owned();
    world.pass_s(3_600);
    world.write("DELETE", &format!("{path}/{}", id_of(1)), &json!({}), 204);
    world.write("DELETE", &format!("{path}/{}", id_of(0)), &json!({}), 200);
    let refused = world.write("DELETE", &format!("{path}/{}", id_of(0)), &json!({}), 400);
    assert_eq!(refused["error"]["code"], 4004);
    let left = world.get(&path, &WINDOW);
    assert_eq!(left["overrides"][0]["end"], "2026-03-10T10:00:00+01:00");
    let request = world.request("GET", &path);
    assert_eq!(world.send(&request).status, 400);
}

#[test]
fn whoever_stands_in_is_called() {
    let mut world = World::new();
    let id = made(&mut world);
    let policy = world.sim.add_policy("By turn", &[(10, &[&id])], 0, None);
    let (service, _) = world.sim.add_service("Ledger", &policy, world.now);
    let stands_in = world.user(4);
    let body = json!({"override": {"start": "2026-03-10T08:00:00Z", "end": "2026-03-10T20:00:00Z", "user": {"id": stands_in, "type": "user_reference"}}});
    world.write("POST", &format!("/schedules/{id}/overrides"), &body, 201);
    let incident = world.sim.trigger(&service, "slow", world.now).unwrap();
    assert_eq!(
        world.sim.incident(&incident).unwrap().assignees,
        std::slice::from_ref(&stands_in)
    );
    let oncalls = world.get("/oncalls", &[("schedule_ids[]", &id)]);
    assert_eq!(oncalls["oncalls"][0]["user"]["id"], stands_in.as_str());
    assert_eq!(oncalls["oncalls"][0]["end"], "2026-03-10T20:00:00Z");
}

#[test]
fn a_layer_cannot_be_deleted_only_ended_and_a_used_schedule_stays() {
    let mut world = World::new();
    let id = made(&mut world);
    let path = format!("/schedules/{id}");
    let change = json!({"schedule": {"type": "schedule", "schedule_layers": layers(&world)}});
    let changed = world.write("PUT", &path, &change, 200);
    let layers = changed["schedule"]["schedule_layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    assert_eq!(
        (layers[0]["end"].clone(), layers[1]["end"].clone()),
        (Value::Null, "2026-03-10T09:00:00+01:00".into())
    );
    world.sim.add_policy("By turn", &[(10, &[&id])], 0, None);
    let refused = world.write("DELETE", &path, &json!({}), 400);
    assert_eq!(refused["error"]["code"], 3001);
    let other = json!({"schedule": {"type": "schedule", "name": "Nights", "time_zone": "Mars/Olympus", "schedule_layers": []}});
    world.write("POST", "/schedules", &other, 400);
}
