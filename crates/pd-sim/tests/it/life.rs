//! Life cycles: what happens to an incident over REST, by people and by itself.

use pd_sim::Trouble;
use serde_json::json;

use crate::world::World;

#[test]
fn acknowledged_and_resolved_over_rest() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    world.pass_s(30);
    let shown = world.put(&id, &json!({"status": "acknowledged"}));
    assert_eq!(shown["status"], "acknowledged");
    assert_eq!(
        shown["acknowledgements"][0]["acknowledger"]["id"],
        world.user(0).as_str()
    );
    assert_eq!(shown["pending_actions"][0]["type"], "unacknowledge");
    world.pass_s(30);
    let shown = world.put(&id, &json!({"status": "resolved", "resolution": "freed"}));
    assert_eq!(shown["assignments"], json!([]));
    assert_eq!(shown["resolved_at"], "2026-03-10T08:01:00Z");
    assert_eq!(
        world.steps(&id),
        ["trigger", "assign", "acknowledge", "resolve"]
    );
}

#[test]
fn an_acknowledgement_runs_out() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    world.put(&id, &json!({"status": "acknowledged"}));
    world.pass_s(1_799);
    assert_eq!(world.sim.incident(&id).unwrap().status, "acknowledged");
    world.pass_s(1);
    assert_eq!(world.sim.incident(&id).unwrap().status, "triggered");
    assert_eq!(
        world.steps(&id),
        ["trigger", "assign", "acknowledge", "unacknowledge"]
    );
}

#[test]
fn an_incident_that_nobody_takes_goes_up_and_round_and_ends_by_itself() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    world.pass_s(4 * 3_600);
    assert_eq!(
        world.steps(&id),
        [
            "trigger",
            "assign",
            "escalate",
            "repeat_escalation_path",
            "escalate",
            "escalate",
            "exhaust_escalation_path",
            "resolve"
        ],
    );
}

#[test]
fn people_are_called_by_push_then_sms_then_phone() {
    let mut world = World::new();
    world.create("disk full", None);
    world.pass_s(600);
    let calls: Vec<_> = world.sim.pages().iter().map(|page| page.channel).collect();
    assert_eq!(calls, ["push_notification", "email", "sms", "phone"]);
}

#[test]
fn an_acknowledgement_stops_the_calls() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    world.pass_s(60);
    let user = world.user(0);
    world.sim.acknowledge(&user, &id, world.now).unwrap();
    world.pass_s(600);
    assert_eq!(world.sim.pages().len(), 2);
}

#[test]
fn a_resolved_incident_opens_again() {
    let mut world = World::new();
    let id = world.create("disk full", Some("k"));
    world.put(&id, &json!({"status": "resolved"}));
    let shown = world.put(&id, &json!({"status": "triggered"}));
    assert_eq!(shown["status"], "triggered");
    assert_eq!(shown["assignments"].as_array().unwrap().len(), 1);
    world.put(&id, &json!({"status": "resolved"}));
    let shown = world.put(&id, &json!({"status": "acknowledged"}));
    assert_eq!(shown["status"], "acknowledged");
    assert_eq!(shown["assigned_via"], "direct_assignment");
}

#[test]
fn monitoring_says_how_bad_it_is_and_when_it_is_over() {
    let mut world = World::new();
    let service = world.service(2);
    let path = format!("/services/{service}");
    let rule = json!({"type": "constant", "urgency": "severity_based"});
    let body = json!({"service": {"incident_urgency_rule": rule}});
    world.write("PUT", &path, &body, 200);
    let priority = world.account.priorities[1].0.clone();
    let trouble = |severity| Trouble {
        service: &service,
        title: "disk full",
        severity,
        priority: Some(&priority),
    };
    let urgent = world.sim.alert(trouble("critical"), world.now).unwrap();
    let patient = world.sim.alert(trouble("warning"), world.now).unwrap();
    let seen = world.sim.incident(&urgent).unwrap();
    assert_eq!(
        (seen.urgency, seen.priority.as_ref()),
        ("high", Some(&priority))
    );
    assert_eq!(world.sim.incident(&patient).unwrap().urgency, "low");
    world.pass_s(60);
    world.sim.calm(&patient, world.now).unwrap();
    let seen = world.sim.incident(&patient).unwrap();
    assert_eq!((seen.status, seen.alerts), ("resolved", (0, 1)));
    let last = world.sim.log_entries_of(&patient).pop().unwrap();
    assert_eq!((last.kind, last.user), ("resolve", None));
    assert_eq!(world.sim.incident(&urgent).unwrap().status, "triggered");
    let unknown = world.sim.calm("QNONE", world.now);
    assert_eq!(unknown, Err("there is no incident QNONE".to_owned()));
}
