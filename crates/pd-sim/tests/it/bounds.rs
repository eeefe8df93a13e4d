//! Windows, levels without people, sizes: what happens at the edges.

use serde_json::json;

use crate::shapes::same_shape;
use crate::world::World;

#[test]
fn lists_look_back_a_month_and_never_more_than_half_a_year() {
    let mut world = World::new();
    let id = world.create("old", None);
    world.sim.resolve(&world.user(0), &id, world.now).unwrap();
    let count = |world: &mut World, query: &[(&str, &str)]| {
        world.get("/incidents", query)["incidents"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count(&mut world, &[]), 1);
    world.pass_s(31 * 86_400);
    assert_eq!(count(&mut world, &[]), 0);
    assert_eq!(count(&mut world, &[("since", "2026-03-01")]), 1);
    assert_eq!(count(&mut world, &[("date_range", "all")]), 1);
    let wide = world
        .request("GET", "/incidents")
        .with_query("since", "2025-09-01");
    assert_eq!(world.send(&wide).value().unwrap()["error"]["code"], 2005);
}

#[test]
fn a_level_without_people_is_skipped_and_without_any_nothing_starts() {
    let mut world = World::new();
    let (ines, now) = (world.user(0), world.now);
    let later = now + jiff::SignedDuration::from_hours(240);
    let empty = world.sim.add_schedule("Not yet", &[&ines], 86_400, later);
    let some = world
        .sim
        .add_policy("Second counts", &[(5, &[&empty]), (5, &[&ines])], 0, None);
    let none = world.sim.add_policy("Nobody", &[(5, &[&empty])], 0, None);
    let (service, _) = world.sim.add_service("Skipped", &some, now);
    let (silent, key) = world.sim.add_service("Silent", &none, now);
    let id = world.sim.trigger(&service, "x", now).unwrap();
    assert_eq!(world.sim.incident(&id).unwrap().assignees, [ines]);
    let body = json!({"incident": {"type": "incident", "title": "x", "service": {"id": silent, "type": "service_reference"}}});
    let refused = world.write("POST", "/incidents", &body, 400);
    assert!(
        [1015, 2001]
            .map(Some)
            .contains(&refused["error"]["code"].as_i64()),
        "{refused}"
    );
    let event = json!({"routing_key": key, "event_action": "trigger",
        "payload": {"summary": "x", "source": "s", "severity": "critical"}});
    world.write("POST", "/v2/enqueue", &event, 202);
    assert_eq!(
        world.sim.incident_counts().0,
        1,
        "the sender is not told, and nothing started"
    );
}

#[test]
fn low_urgency_never_goes_up() {
    let mut world = World::new();
    let body = json!({"incident": {"type": "incident", "title": "x", "urgency": "low",
        "service": {"id": world.service(0), "type": "service_reference"}}});
    let made = world.write("POST", "/incidents", &body, 201);
    let id = made["incident"]["id"].as_str().unwrap().to_owned();
    world.pass_s(3 * 3_600);
    assert!(!world.steps(&id).contains(&"escalate"));
    let up = json!({"incident": {"type": "incident", "escalation_level": 2}});
    let refused = world.write("PUT", &format!("/incidents/{id}"), &up, 400);
    assert_eq!(refused["error"]["code"], 1006);
}

#[test]
fn more_than_250_changes_are_too_many_and_a_long_note_is_cut_in_webhooks() {
    let mut world = World::new();
    world.subscribe();
    let id = world.create("x", None);
    let one = json!({"id": id, "type": "incident_reference", "status": "acknowledged"});
    let many = json!({"incidents": vec![one; 251]});
    world.write("PUT", "/incidents", &many, 413);
    let note = json!({"note": {"content": "n".repeat(30_000)}});
    world.write("POST", &format!("/incidents/{id}/notes"), &note, 200);
    let events = world.events();
    let data = &events.last().unwrap()["data"];
    assert_eq!(data["trimmed"], true);
    assert_eq!(data["content"].as_str().unwrap().len(), 25_000);
}

#[test]
fn a_plan_without_priorities_has_none_to_list() {
    let mut world = World::new();
    world.get("/priorities", &[]);
    world
        .sim
        .change_options(|options| options.abilities.retain(|one| one != "priorities"));
    let refused = world.request("GET", "/priorities");
    let refused = world.send(&refused);
    assert_eq!(
        (
            refused.status,
            refused.value().unwrap()["error"]["code"].clone()
        ),
        (402, 2014.into())
    );
}

#[test]
fn vendors_are_found_by_name_and_id() {
    let mut world = World::new();
    let found = world.get("/vendors", &[("query", "datadog")]);
    same_shape(&found, "rest/vendors-list", "");
    let id = found["vendors"][0]["id"].as_str().unwrap();
    let one = world.get(&format!("/vendors/{id}"), &[]);
    assert_eq!(one["vendor"]["name"], "Datadog");
}

#[test]
fn a_change_event_has_fifty_links_at_most() {
    let mut world = World::new();
    let link = json!({"href": "https://ci.example/1", "text": "Build"});
    let event = |count: usize| {
        json!({"routing_key": world.account.services[0].2, "payload": {"summary": "Release"},
            "links": vec![link.clone(); count]})
    };
    let (most, more) = (event(50), event(51));
    world.write("POST", "/v2/change/enqueue", &most, 202);
    let refused = world.write("POST", "/v2/change/enqueue", &more, 400);
    assert_eq!(refused["error"][0], "links should have at most 50 item(s)");
}
