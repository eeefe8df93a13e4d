//! Asking for help, and what people answer.

use serde_json::json;

use crate::world::World;

#[test]
fn a_reply_shows_on_the_incident_in_the_trail_and_in_a_webhook() {
    let mut world = World::new();
    world.subscribe_to(&["incident.responder.added", "incident.responder.replied"]);
    let id = world.create("disk full", None);
    let (asks, joins, declines) = (world.user(0), world.user(3), world.user(4));
    let target =
        |id: &str| json!({"responder_request_target": {"id": id, "type": "user_reference"}});
    let body = json!({"requester_id": asks, "message": "Please look",
        "responder_request_targets": [target(&joins), target(&declines)]});
    let path = format!("/incidents/{id}/responder_requests");
    world.write("POST", &path, &body, 200);
    world.sim.accept(&joins, &id, world.now).unwrap();
    world.sim.decline(&declines, &id, world.now).unwrap();

    let shown = world.get(&format!("/incidents/{id}"), &[])["incident"].clone();
    let states: Vec<_> = shown["incidents_responders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["user"]["id"].as_str().unwrap(),
                one["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [(joins.as_str(), "joined"), (declines.as_str(), "declined")]
    );
    let targets = &shown["responder_requests"][0]["responder_request_targets"];
    assert_eq!(targets.as_array().unwrap().len(), 2);
    let replies = world
        .steps(&id)
        .into_iter()
        .filter(|kind| *kind == "responder_reply");
    assert_eq!(replies.count(), 2);
    let told: Vec<_> = world
        .events()
        .iter()
        .map(|event| {
            (
                event["event_type"].as_str().unwrap().to_owned(),
                event["data"]["state"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|(kind, state)| (kind.as_str(), state.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("incident.responder.added", "pending"),
            ("incident.responder.added", "pending"),
            ("incident.responder.replied", "joined"),
            ("incident.responder.replied", "declined"),
        ]
    );
    assert!(world.sim.accept(&declines, &id, world.now).is_err());
}

#[test]
fn only_an_unanswered_request_can_be_taken_back() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    let (asks, joins, waits, stranger) =
        (world.user(0), world.user(3), world.user(4), world.user(5));
    for user in [&joins, &waits] {
        world
            .sim
            .request_help(&asks, &id, user, "Please look", world.now)
            .unwrap();
    }
    world.sim.acknowledge(&joins, &id, world.now).unwrap();
    let target = |id: &str| json!({"id": id, "type": "user_reference"});
    let body = json!({"requester_id": asks,
        "responder_request_targets": [target(&joins), target(&waits), target(&stranger)]});
    let path = format!("/incidents/{id}/responder_requests/cancel");
    let answer = world.write("PUT", &path, &body, 200);
    let results: Vec<_> = answer["responder_request_targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["result"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["joined", "cancelled", "not_found"]);
}

#[test]
fn whoever_is_asked_to_help_is_told_even_when_it_is_not_urgent() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    let (asks, helper) = (world.user(0), world.user(3));
    world.put(&id, &json!({"urgency": "low"}));
    world
        .sim
        .request_help(&asks, &id, &helper, "Please look", world.now)
        .unwrap();
    world.pass_s(300);
    let told: Vec<_> = world
        .sim
        .pages()
        .iter()
        .filter(|page| page.user == helper)
        .map(|page| page.channel)
        .collect();
    assert_eq!(told, ["push_notification", "email", "sms", "phone"]);
}
