//! Many at once: the scenario S66.

use std::collections::BTreeSet;

use im_core::{Command, IncidentNumber, Kind, Severity, Status};
use im_pagerduty::Call;
use jiff::SignedDuration;
use pd_sim::Fault;
use serde_json::json;

use crate::world::World;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// What PagerDuty takes in one request.
const BATCH_MAX: usize = 250;
/// What PagerDuty takes in a minute.
const CALLS_PER_MINUTE: usize = 960;

/// An error as PagerDuty words it.
fn refusal(status: u16, code: i64, message: &str) -> im_pagerduty::Reply {
    let body = json!({"error": {"message": message, "code": code, "errors": [message]}});
    im_pagerduty::Reply {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    }
}

/// Incidents that were declared here and that both sides know: our numbers and their ids.
fn declared(world: &mut World, count: usize) -> Vec<(IncidentNumber, String)> {
    let numbers: Vec<_> = (0..count)
        .map(|number| world.declare(&format!("Many {number}"), Severity::Sev2, Some("web")))
        .collect();
    world.run_for(MINUTE * 2);
    assert!(world.outbox().is_empty(), "{:?}", world.outbox().first());
    world.forget_calls();
    let both = numbers
        .into_iter()
        .map(|number| (number, world.twin(number)));
    both.collect()
}

fn resolve_all(world: &mut World, incidents: &[(IncidentNumber, String)]) {
    for (incident, _) in incidents {
        world.must(*incident, &Command::Resolve);
    }
}

/// How many incidents each request resolved, in order.
fn sizes(world: &World) -> Vec<usize> {
    let asked = world.asked.iter().filter_map(|asked| match &asked.call {
        Call::ResolveIncidents { ids, .. } => Some(ids.len()),
        Call::UpdateIncident { .. } => Some(1),
        _ => None,
    });
    asked.collect()
}

/// Both sides have it resolved, once, and nothing is owed.
fn check_resolved(world: &mut World, incidents: &[(IncidentNumber, String)]) {
    assert!(world.outbox().is_empty(), "{:?}", world.outbox().first());
    for (incident, twin) in incidents {
        assert_eq!(world.there(twin), "resolved", "{incident}");
        let story = world.story(*incident);
        assert_eq!(story.status, Status::Resolved, "{incident}");
        assert!(story.pending.is_empty(), "{incident}");
        let resolved = story
            .lines
            .iter()
            .filter(|line| line.kind == Kind::Resolved);
        assert_eq!(resolved.count(), 1, "{incident}");
    }
}

/// A resolve of one of these incidents is refused, alone or among others.
fn refuse(world: &mut World, twins: Vec<String>, code: i64, message: &'static str) {
    world.instead = Some(Box::new(move |call| {
        let refused = match call {
            Call::ResolveIncidents { ids, .. } => ids.iter().any(|id| twins.contains(id)),
            Call::UpdateIncident { id, .. } => twins.contains(id),
            _ => false,
        };
        refused.then(|| refusal(400, code, message))
    }));
}

story! {
    fn s66_four_hundred_resolved_at_once_take_two_calls(world) {
        let incidents = declared(world, 400);
        resolve_all(world, &incidents);
        world.run_for(SECOND * 5);
        assert_eq!(sizes(world), [250, 150]);
        world.run_for(MINUTE * 6);
        assert_eq!(sizes(world), [250, 150], "and no more");
        check_resolved(world, &incidents);
    }

    fn s66_four_hundred_resolved_while_pagerduty_is_away_take_a_handful_of_writes(world) {
        let incidents = declared(world, 400);
        for (incident, _) in incidents.iter().step_by(40) {
            world.write_note(*incident, "It was the cache");
        }
        world.settle_down();
        world.wire_up = false;
        resolve_all(world, &incidents);
        world.run_for(MINUTE);
        assert_eq!(world.outbox().len(), 400, "nothing is given up");
        let pages: Vec<usize> = incidents.iter().map(|(_, twin)| world.pages(twin)).collect();
        world.wire_up = true;
        world.forget_calls();
        let back = world.now;
        world.run_for(MINUTE);
        check_resolved(world, &incidents);
        let sizes = sizes(world);
        assert!(sizes.len() <= 6 && sizes.iter().all(|size| *size <= BATCH_MAX), "{sizes:?}");
        let in_a_minute = world.asked.iter().filter(|asked| asked.at.duration_since(back) < MINUTE);
        assert!(in_a_minute.count() < CALLS_PER_MINUTE);
        assert_eq!(world.sim.incidents().count(), 400, "one page each");
        let refused = world.sim.writes().iter().filter(|write| write.status >= 300).count();
        assert_eq!(refused, 0);
        let still: Vec<usize> = incidents.iter().map(|(_, twin)| world.pages(twin)).collect();
        assert_eq!(still, pages, "and nobody is paged again");
        for (incident, twin) in incidents.iter().step_by(40) {
            assert_eq!(world.notes(*incident), ["It was the cache"]);
            assert_eq!(world.sim.incident(twin).unwrap().notes.len(), 1);
        }
    }

    fn s66_what_is_too_much_for_one_request_is_split(world) {
        let incidents = declared(world, 400);
        world.instead = Some(Box::new(|call| match call {
            Call::ResolveIncidents { ids, .. } if ids.len() > 60 => Some(refusal(413, 2001, "Too many incidents")),
            _ => None,
        }));
        resolve_all(world, &incidents);
        world.run_for(MINUTE);
        check_resolved(world, &incidents);
        let sizes = sizes(world);
        assert!(sizes.iter().filter(|size| **size <= 60).all(|size| *size >= 2), "{sizes:?}");
        assert!(sizes.len() < 30, "{sizes:?}");
        assert_eq!(world.called("read_incident"), 0, "a refusal of all changed nothing");
    }

    fn s66_what_pagerduty_refuses_is_parked_alone(world) {
        let mut incidents = declared(world, 60);
        let (bad, twin) = incidents.remove(17);
        refuse(world, vec![twin.clone()], 2001, "Required fields are empty");
        world.must(bad, &Command::Resolve);
        resolve_all(world, &incidents);
        world.run_for(MINUTE);
        let left = world.outbox();
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(left[0].parked && left[0].incident == bad, "{left:?}");
        assert!(left[0].reason.as_deref().unwrap().contains("Required fields are empty"), "{left:?}");
        assert!(sizes(world).len() <= 14, "{:?}", sizes(world));
        // A person retries, and only that one goes.
        world.instead = None;
        world.forget_calls();
        let now = world.our_now();
        world.write(|tx| im_store::outbox::retry(tx, left[0].id, now));
        world.run_for(MINUTE);
        assert_eq!(sizes(world), [1]);
        incidents.push((bad, twin));
        check_resolved(world, &incidents);
    }

    fn s66_one_that_is_resolved_already_keeps_no_other_open(world) {
        let incidents = declared(world, 60);
        world.way.lose = Some(|_| true);
        let user = world.user(3);
        let theirs: Vec<String> = incidents.iter().skip(20).take(3).map(|(_, twin)| twin.clone()).collect();
        for twin in &theirs {
            world.sim.resolve(&user, twin, world.now).unwrap();
        }
        refuse(world, theirs, 1001, "Incident Already Resolved");
        resolve_all(world, &incidents);
        world.run_for(MINUTE * 7);
        assert!(world.outbox().is_empty(), "{:?}", world.outbox());
        for (incident, twin) in &incidents {
            assert_eq!(world.there(twin), "resolved", "{incident}");
            assert_eq!(world.story(*incident).status, Status::Resolved, "{incident}");
        }
    }

    fn s66_each_person_resolves_in_their_own_name(world) {
        let incidents = declared(world, 40);
        for (number, (incident, _)) in incidents.iter().enumerate() {
            world.act(1 + number % 2, *incident, &Command::Resolve, None).unwrap();
        }
        world.run_for(SECOND * 5);
        check_resolved(world, &incidents);
        let froms: Vec<_> = world.asked.iter().filter_map(|asked| match &asked.call {
            Call::ResolveIncidents { ids, from } => Some((from.clone(), ids.len())),
            _ => None,
        }).collect();
        let wanted: BTreeSet<_> = [1, 2].map(|who| (world.account.users[who].2.clone(), 20)).into();
        assert_eq!(froms.len(), 2, "{froms:?}");
        assert_eq!(BTreeSet::from_iter(froms), wanted);
    }

    fn s66_one_alone_is_a_call_as_ever(world) {
        let incidents = declared(world, 1);
        resolve_all(world, &incidents);
        world.settle_down();
        assert_eq!((world.called("update_incident"), world.called("resolve_incidents")), (1, 0));
        check_resolved(world, &incidents);
    }

    fn s66_a_batch_whose_answer_is_lost_is_not_sent_again(world) {
        let incidents = declared(world, 30);
        let before = world.writes();
        world.sim.faults().next_matching("PUT", "/incidents", Fault::LoseAnswer);
        resolve_all(world, &incidents);
        world.run_for(MINUTE * 5);
        check_resolved(world, &incidents);
        assert_eq!(world.writes() - before, 1, "each row looked at PagerDuty first");
        // The same where our program dies before it hears.
        let incidents = declared(world, 30);
        let before = world.writes();
        world.latency = SECOND * 5;
        resolve_all(world, &incidents);
        world.run_for(SECOND);
        assert_eq!(sizes(world), [30]);
        world.crash();
        world.latency = SignedDuration::from_millis(80);
        world.run_for(MINUTE * 5);
        check_resolved(world, &incidents);
        assert_eq!(world.writes() - before, 1);
    }

    fn s66_a_look_does_not_go_stale_in_a_long_queue(world) {
        let incidents = declared(world, 250);
        // All looks together take longer than one of them counts.
        world.latency = SignedDuration::from_millis(800);
        for (incident, _) in &incidents {
            world.must(*incident, &Command::Acknowledge);
        }
        world.run_for(MINUTE * 2);
        assert!(world.outbox().is_empty(), "{} left", world.outbox().len());
        for (_, twin) in &incidents {
            assert_eq!(world.there(twin), "acknowledged");
        }
        let looks = world.asked.iter().filter(|asked| matches!(&asked.call, Call::ReadIncident { id } if *id == incidents[0].1));
        assert_eq!(looks.count(), 1);
    }
}
