//! Longer stories: machines, merges, snoozes, maintenance, and that a seed repeats.

use pd_sim::{DeliveryResult, Request};
use serde_json::{Value, json};

use crate::shapes::fixture;
use crate::world::World;

fn event(world: &mut World, action: &str, key: &str) -> Value {
    let routing_key = world.account.services[0].2.clone();
    let body = json!({"routing_key": routing_key, "event_action": action, "dedup_key": key, "client": "Metrics",
        "payload": {"summary": "errors above 5%", "source": "web-1", "severity": "warning"}});
    let response = world.send(&Request::new("POST", "/v2/enqueue").with_json(&body));
    assert_eq!(response.status, 202);
    response.value().unwrap()
}

#[test]
fn a_machine_triggers_and_resolves() {
    let mut world = World::new();
    let answer = event(&mut world, "trigger", "checkout/error-rate");
    assert_eq!(answer, fixture("events/accepted.response"));
    event(&mut world, "trigger", "checkout/error-rate");
    let id = world.sim.incidents().next().unwrap().id;
    assert_eq!(world.sim.incidents().count(), 1);
    let shown = world.get(&format!("/incidents/{id}"), &[]);
    assert_eq!(shown["incident"]["incident_key"], Value::Null);
    assert_eq!(
        shown["incident"]["alert_counts"],
        json!({"all": 1, "triggered": 1, "resolved": 0})
    );
    let found = world.get("/incidents", &[("incident_key", "checkout/error-rate")]);
    assert_eq!(found["incidents"].as_array().unwrap().len(), 1);
    event(&mut world, "acknowledge", "checkout/error-rate");
    event(&mut world, "resolve", "checkout/error-rate");
    assert_eq!(
        world.steps(&id),
        ["trigger", "assign", "trigger", "acknowledge", "resolve"]
    );
    event(&mut world, "resolve", "checkout/error-rate");
    event(&mut world, "trigger", "checkout/error-rate");
    assert_eq!(world.sim.incidents().count(), 2, "an event never reopens");
}

#[test]
fn bad_events_are_refused_with_the_published_words() {
    let mut world = World::new();
    let key = world.account.services[0].2.clone();
    let mut send = |body: &[u8]| {
        let request = Request {
            body: body.to_vec(),
            ..Request::new("POST", "/v2/enqueue/")
        };
        world.send(&request)
    };
    assert_eq!(
        send(b"{").value().unwrap(),
        fixture("events/invalid-json.response")
    );
    assert_eq!(
        send(br#"{"routing_key":"short"}"#).value().unwrap(),
        fixture("events/invalid-key.response")
    );
    let body =
        json!({"routing_key": key, "event_action": "trigger", "payload": {"severity": "info"}});
    let answer = send(body.to_string().as_bytes());
    assert_eq!(
        answer.value().unwrap(),
        fixture("events/missing-fields.response")
    );
    assert_eq!(answer.status, 400);
}

#[test]
fn a_snooze_ends_in_triggered() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    let path = format!("/incidents/{id}/snooze");
    world.write("POST", &path, &json!({"duration": 3_600}), 400);
    world.put(&id, &json!({"status": "acknowledged"}));
    let shown = world.write("POST", &path, &json!({"duration": 3_600}), 201);
    assert_eq!(
        shown["incident"]["pending_actions"],
        json!([{"type": "unacknowledge", "at": "2026-03-10T09:00:00Z"}])
    );
    world.pass_s(3_599);
    assert_eq!(world.sim.incident(&id).unwrap().status, "acknowledged");
    world.pass_s(1);
    assert_eq!(world.sim.incident(&id).unwrap().status, "triggered");
    assert_eq!(
        world.steps(&id),
        [
            "trigger",
            "assign",
            "acknowledge",
            "snooze",
            "unacknowledge"
        ]
    );
}

#[test]
fn merging_ends_the_source_and_keeps_its_alerts() {
    let mut world = World::new();
    let target = world.create("disk full", None);
    event(&mut world, "trigger", "disk");
    let source = world.sim.incidents().last().unwrap().id;
    let body = json!({"source_incidents": [{"id": source, "type": "incident_reference"}]});
    let path = format!("/incidents/{target}/merge");
    let merged = world.write("PUT", &path, &body, 200);
    assert_eq!(merged["incident"]["type"], "incident_reference");
    let shown = world.get(&format!("/incidents/{source}"), &[]);
    assert_eq!(
        shown["incident"]["resolve_reason"]["incident"]["id"],
        target.as_str()
    );
    assert_eq!(world.write("PUT", &path, &body, 400)["error"]["code"], 1019);
    let alerts = world.get(&format!("/incidents/{target}/alerts"), &[]);
    assert_eq!(alerts["alerts"][0]["alert_key"], "disk");
    event(&mut world, "resolve", "disk");
    assert_eq!(world.sim.incident(&target).unwrap().status, "resolved");
}

#[test]
fn a_bulk_change_is_all_or_nothing() {
    let mut world = World::new();
    let (first, second) = (world.create("one", None), world.create("two", None));
    let both = |status: &str, id: &str| {
        json!({"incidents": [{"id": first, "type": "incident_reference", "status": "acknowledged"},
            {"id": id, "type": "incident_reference", "status": status}]})
    };
    world.write("PUT", "/incidents", &both("closed", &second), 400);
    world.write("PUT", "/incidents", &both("resolved", "QNOTHERE"), 404);
    assert_eq!(world.sim.incident(&first).unwrap().status, "triggered");
    let changed = world.write("PUT", "/incidents", &both("resolved", &second), 200);
    assert_eq!(changed["incidents"][1]["status"], "resolved");
}

#[test]
fn custom_fields_tell_their_old_values() {
    let mut world = World::new();
    world.subscribe();
    let id = world.create("disk full", None);
    let path = format!("/incidents/{id}/custom_fields/values");
    let set = |value: &str| json!({"custom_fields": [{"name": "environment", "value": value}]});
    world.write("PUT", &path, &set("mars"), 400);
    world.write("PUT", &path, &set("staging"), 201);
    world.events();
    world.write("PUT", &path, &set("production"), 201);
    let events = world.events();
    let data = &events.last().unwrap()["data"];
    assert_eq!(data["custom_fields"][0]["value"], "production");
    assert_eq!(data["changed_custom_fields"][0]["value"], "staging");
    assert_eq!(
        world.get(&path, &[])["custom_fields"][0]["value"],
        "production"
    );
}

#[test]
fn maintenance_makes_no_incidents() {
    let mut world = World::new();
    let body = json!({"maintenance_window": {"type": "maintenance_window", "start_time": "2026-03-10T07:00:00Z",
        "end_time": "2026-03-10T09:00:00Z", "services": [{"id": world.service(0), "type": "service_reference"}]}});
    let window =
        world.write("POST", "/maintenance_windows", &body, 201)["maintenance_window"].clone();
    assert_eq!(window["start_time"], "2026-03-10T08:00:00Z");
    event(&mut world, "trigger", "disk");
    assert_eq!(world.sim.incidents().count(), 0);
    let path = format!("/maintenance_windows/{}", window["id"].as_str().unwrap());
    assert_eq!(world.send(&world.request("DELETE", &path)).status, 204);
    assert_eq!(world.send(&world.request("DELETE", &path)).status, 405);
    event(&mut world, "trigger", "disk");
    assert_eq!(world.sim.incidents().count(), 1);
}

#[test]
fn raising_the_urgency_takes_an_acknowledgement_back() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    world.put(&id, &json!({"urgency": "low", "status": "acknowledged"}));
    let shown = world.put(&id, &json!({"urgency": "high"}));
    assert_eq!(shown["status"], "triggered");
    let level = json!({"incident": {"type": "incident", "escalation_level": 2}});
    world.write("PUT", &format!("/incidents/{id}"), &level, 200);
    world.put(&id, &json!({"urgency": "low"}));
    assert_eq!(
        world.write("PUT", &format!("/incidents/{id}"), &level, 400)["error"]["code"],
        1006
    );
}

#[test]
fn the_trail_is_read_by_windows() {
    let mut world = World::new();
    world.create("early", None);
    world.pass_s(3_600);
    let id = world.create("late", None);
    let query = [
        ("since", "2026-03-10T08:59:59Z"),
        ("include[]", "channels"),
        ("limit", "100"),
    ];
    let entries = world.get("/log_entries", &query);
    let entries = entries["log_entries"].as_array().unwrap();
    assert_eq!(
        entries.last().unwrap()["created_at"],
        "2026-03-10T09:00:00Z"
    );
    assert!(
        entries
            .iter()
            .any(|entry| entry["incident"]["id"] == id.as_str())
    );
    let until = world.get("/log_entries", &[("until", "2026-03-10T08:00:00Z")]);
    assert!(
        until["log_entries"]
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["created_at"] == "2026-03-10T08:00:00Z")
    );
}

/// Everything that one run shows.
fn run(seed: u64) -> Vec<u8> {
    let options = pd_sim::Options {
        seed,
        ..pd_sim::Options::default()
    };
    let mut world = World::with(options);
    world.subscribe();
    world.sim.faults().chances.lose_answer = 20;
    let mut shown = Vec::new();
    for step in 0..40 {
        let request = world
            .request("GET", "/log_entries")
            .with_query("include[]", "channels");
        shown.extend(world.send(&request).body);
        let service = world.service(step % 5);
        if let Some(id) = world.sim.trigger(&service, "errors", world.now) {
            let user = world.user(step % 6);
            world.sim.acknowledge(&user, &id, world.now).unwrap();
        }
        world.now += jiff::SignedDuration::from_secs(613);
        for delivery in world.sim.due(world.now) {
            shown.extend(&delivery.body);
            world
                .sim
                .delivered(delivery.id, DeliveryResult::Status(200), world.now);
        }
    }
    shown
}

#[test]
fn a_seed_repeats_byte_for_byte() {
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn log_entries_can_turn_up_late() {
    let mut world = World::new();
    world.create("disk full", None);
    world.sim.faults().late_log_entries_s = 90;
    let seen = |world: &mut World| {
        world.get("/log_entries", &[])["log_entries"]
            .as_array()
            .unwrap()
            .len()
    };
    let early = seen(&mut world);
    world.pass_s(90);
    assert!(early < seen(&mut world));
}

#[test]
fn a_schedule_takes_turns() {
    let mut world = World::new();
    let (first, second) = (world.user(0), world.user(1));
    let start = world.now;
    let schedule = world
        .sim
        .add_schedule("Weekly", &[&first, &second], 3_600, start);
    let policy = world
        .sim
        .add_policy("Turns", &[(10, &[&schedule])], 0, None);
    let (service, _) = world.sim.add_service("Turning", &policy, start);
    let id = world.sim.trigger(&service, "one", world.now).unwrap();
    assert_eq!(world.sim.incident(&id).unwrap().assignees, [first]);
    world.pass_s(3_600);
    let id = world.sim.trigger(&service, "two", world.now).unwrap();
    assert_eq!(world.sim.incident(&id).unwrap().assignees[0], second);
    let query = [("escalation_policy_ids[]", policy.as_str())];
    let now = world.get("/oncalls", &query);
    assert_eq!(now["oncalls"][0]["user"]["id"], second.as_str());
    assert_eq!(now["oncalls"][0]["end"], "2026-03-10T10:00:00Z");
}
