//! What people are told: who was paged, who acted, when it began, and what did not leave.

use im_core::{Actor, Command, Kind, Severity, Status};
use im_pagerduty::Reply;
use im_store::connectors::State;
use im_store::repair;
use jiff::SignedDuration;
use serde_json::json;

use crate::world::{CONNECTOR, World};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Somebody whom PagerDuty does not know.
fn stranger() -> Actor {
    Actor::user("nobody@elsewhere.example", "Nobody")
}

fn act_as(world: &mut World, who: &Actor, incident: im_core::IncidentNumber, command: &Command) {
    let now = world.our_now();
    let asked: Result<_, im_engine::commands::CommandError> = world
        .db
        .write(|tx| im_engine::commands::act(tx, incident, command, None, who, now));
    asked.unwrap();
}

story! {
    fn whom_pagerduty_paged_is_told_within_seconds_and_costs_two_calls(world) {
        world.forget_calls();
        let (here, twin) = (world.declare("Declared", Severity::Sev1, Some("web")), world.triggered("Triggered"));
        world.run_for(SECOND * 6);
        let there = world.number_of(&twin).unwrap();
        for incident in [here, there] {
            let told = world.timeline(incident);
            assert!(world.count(incident, Kind::Notified) > 0, "{told}");
            assert!(world.count(incident, Kind::Assigned) > 0, "{told}");
        }
        world.run_for(SECOND * 40);
        assert_eq!(world.called("incident_log_entries"), 4, "two for each: {:?}", world.calls);
        assert_eq!(world.called("read_incident"), 0);
        world.run_for(MINUTE * 3);
        assert_eq!(world.called("incident_log_entries"), 4);
    }

    fn in_a_storm_the_log_of_each_incident_waits_for_the_repair(world) {
        world.forget_calls();
        for number in 0..100 {
            world.triggered(&format!("Storm {number}"));
        }
        world.run_for(MINUTE * 2);
        assert!(world.called("incident_log_entries") <= 40, "{}", world.called("incident_log_entries"));
        world.run_for(MINUTE * 6);
        for row in world.list() {
            assert!(world.count(row.number, Kind::Notified) > 0, "{}", world.timeline(row.number));
        }
    }

    fn what_webhooks_and_answers_told_needs_no_repair(world) {
        let (incident, _) = world.declared("Declared");
        let (_, twin) = world.born_there("Triggered");
        let (user, other) = (world.user(2), world.user(3));
        world.act(2, incident, &Command::Acknowledge, Some("Mine")).unwrap();
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.sim.note(&user, &twin, "Looking", world.now).unwrap();
        world.sim.reassign(&user, &twin, &other, world.now).unwrap();
        world.settle_down();
        world.sim.escalate(&user, &twin, 2, world.now).unwrap();
        world.sim.rename(&user, &twin, "Renamed", world.now).unwrap();
        world.sim.set_urgency(&user, &twin, false, world.now).unwrap();
        world.settle_down();
        world.act(2, incident, &Command::Resolve, None).unwrap();
        world.settle_down();
        world.act(2, incident, &Command::Reopen, None).unwrap();
        world.settle_down();
        world.sim.resolve(&other, &twin, world.now).unwrap();
        world.run_for(MINUTE * 2);
        world.sync();
        world.run_for(MINUTE * 11);
        let begun = world.now - SignedDuration::from_hours(1);
        assert_eq!(world.write(|tx| repair::repaired_since(tx, CONNECTOR, begun)), 0);
        assert_eq!(world.last_run().found.repaired, 0);
    }

    fn what_was_said_with_a_resolve_stands_in_the_timeline(world) {
        let (incident, twin) = world.born_there("Resolved with a word");
        let body = json!({"incident": {"type": "incident", "status": "resolved", "resolution": "Rolled back release 412"}});
        assert_eq!(world.ask("PUT", &format!("/incidents/{twin}"), body.to_string().into_bytes()).status, 200);
        world.run_for(MINUTE * 6);
        let told = world.timeline(incident);
        assert!(told.contains(": Rolled back release 412"), "{told}");
        assert_eq!(world.count(incident, Kind::Resolved), 1, "{told}");
    }

    fn what_was_over_before_pagerduty_heard_of_it_says_so_once(world) {
        world.wire_up = false;
        let incident = world.declare("Short", Severity::Sev1, Some("web"));
        world.run_for(SECOND * 5);
        world.must(incident, &Command::Resolve);
        world.run_for(SECOND * 5);
        world.wire_up = true;
        world.run_for(MINUTE * 7);
        let told = world.timeline(incident);
        assert_eq!(told.matches("Not sent to PagerDuty").count(), 1, "{told}");
        assert!(told.contains("it was over before PagerDuty heard of it"), "{told}");
        assert_eq!(world.sim.incidents().count(), 0);
    }

    fn a_declaration_that_waited_began_when_it_was_made(world) {
        for direction in ["bidirectional", "outbound"] {
            world.configure(|config| config["sync_direction"] = json!(direction));
            world.run_for(MINUTE);
            world.wire_up = false;
            let declared_at = world.our_now();
            let incident = world.declare("Waited", Severity::Sev1, Some("web"));
            world.run_for(SECOND * 5);
            world.must(incident, &Command::Edit { title: Some("Renamed".to_owned()), description: None, severity: None, service: None });
            world.run_for(SECOND * 90);
            world.wire_up = true;
            world.run_for(MINUTE * 3);
            let story = world.story(incident);
            let told = world.timeline(incident);
            assert!(story.peer.is_some());
            assert_eq!(story.created_at, declared_at, "{told}");
            let kinds: Vec<Kind> = story.lines.iter().map(|line| line.kind).collect();
            assert_eq!(kinds[..3], [Kind::Triggered, Kind::Titled, Kind::Linked], "{told}");
        }
    }

    fn a_clock_that_is_wrong_does_not_look_like_a_wait(world) {
        for skew in [-90, 90] {
            world.skew = SECOND * skew;
            let (incident, twin) = world.declared("At once");
            let made = world.sim.incident(&twin).unwrap().created_at;
            let began = world.story(incident).created_at;
            assert!(began.duration_since(made).abs() <= SECOND * 2, "{skew}: {began}, made {made}");
        }
    }

    fn whoever_pagerduty_does_not_know_is_named_in_a_note(world) {
        let (incident, twin) = world.born_there("Taken by a stranger");
        let (known, other) = world.born_there("Taken by somebody known");
        act_as(world, &stranger(), incident, &Command::Acknowledge);
        world.act(2, known, &Command::Acknowledge, None).unwrap();
        world.settle_down();
        act_as(world, &stranger(), incident, &Command::Resolve);
        world.run_for(MINUTE * 7);
        let notes = world.sim.incident(&twin).unwrap().notes;
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].starts_with("Acknowledged") && notes[0].contains("Nobody via im"), "{notes:?}");
        assert!(notes[1].starts_with("Resolved") && notes[1].contains("Nobody via im"), "{notes:?}");
        assert!(world.sim.incident(&other).unwrap().notes.is_empty());
        assert_eq!(world.there(&twin), "resolved");
        assert!(world.outbox().is_empty());
    }

    fn imported_incidents_are_listed_by_when_they_began(world) {
        world.way.lose = Some(|_| true);
        let mut titles = Vec::new();
        for number in 0..12 {
            let title = format!("Began as {number}");
            let twin = world.triggered(&title);
            if number % 3 == 0 {
                let user = world.user(2);
                world.sim.resolve(&user, &twin, world.now).unwrap();
            }
            titles.insert(0, title);
            world.run_for(SECOND * 5);
        }
        world.run_for(MINUTE * 7);
        let rows = world.list();
        let listed: Vec<&str> = rows.iter().map(|row| row.title.as_str()).collect();
        assert_eq!(listed, titles);
        // And page by page.
        let mut paged = Vec::new();
        let mut before = None;
        loop {
            let filter = im_store::incidents::Filter { before, limit: 5, ..Default::default() };
            let page = world.write(|tx| im_store::incidents::list(tx, &filter));
            let Some(last) = page.last() else { break };
            before = Some(last.number);
            paged.extend(page.into_iter().map(|row| row.title));
        }
        assert_eq!(paged, titles);
    }

    fn whatever_answers_in_the_place_of_pagerduty_is_not_active(world) {
        let page = |status| Reply { status, headers: Vec::new(), body: b"<html>Nothing here</html>".to_vec() };
        for status in [404, 200, 405] {
            world.write(|tx| im_store::connectors::set_state(tx, CONNECTOR, State::Untested, None, jiff::Timestamp::UNIX_EPOCH));
            world.instead = Some(Box::new(move |_| Some(page(status))));
            let synced = world.connector().last_sync_at;
            world.sync();
            world.run_for(MINUTE * 3);
            let row = world.connector();
            assert_eq!(row.state, State::Failing, "{status}: {row:?}");
            assert!(row.state_reason.is_some(), "{status}");
            assert_eq!(row.last_sync_at, synced, "{status}: nothing was read");
            world.instead = None;
            world.run_for(MINUTE * 7);
            assert_eq!(world.connector().state, State::Active, "{status}");
            assert!(world.connector().last_sync_at > synced);
        }
    }
}

/// Whoever declared is named even if PagerDuty does not know them.
#[test]
fn a_stranger_is_named_where_it_began() {
    let mut world = World::sqlite();
    let command = Command::Declare {
        title: "By a stranger".to_owned(),
        severity: Severity::Sev1,
        description: None,
        services: Vec::new(),
    };
    let now = world.our_now();
    let declared: Result<im_engine::commands::Asked, im_engine::commands::CommandError> = world
        .db
        .write(|tx| im_engine::commands::declare(tx, &command, None, &stranger(), now));
    let incident = declared.unwrap().incident;
    world.settle_down();
    let story = world.story(incident);
    assert_eq!(story.declared_by.label(), Some("Nobody"));
    assert_eq!(story.status, Status::Open);
    let twin = world.twin(incident);
    assert!(world.sim.incident(&twin).unwrap().notes.is_empty());
}
