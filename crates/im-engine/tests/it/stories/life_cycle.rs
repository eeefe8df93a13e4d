//! What PagerDuty's incidents go through: the scenarios S32–S53, and S71.

use std::collections::BTreeSet;

use im_core::{ActorKind, Command, Kind, PeerStatus, Status, Urgency};
use im_engine::{directory, request_reread};
use im_pagerduty::Call;
use im_store::{facts, repair};
use jiff::{SignedDuration, Timestamp};
use pd_sim::Fault;
use serde_json::{Value, json};

use crate::world::{CONNECTOR, World, is_event};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The steps of an incident, in order.
fn steps(world: &mut World, incident: im_core::IncidentNumber) -> Vec<Kind> {
    let kinds = [
        Kind::Triggered,
        Kind::Acknowledged,
        Kind::Unacknowledged,
        Kind::Resolved,
        Kind::Reopened,
        Kind::Closed,
    ];
    let story = world.story(incident);
    let all = story.lines.into_iter().map(|line| line.kind);
    all.filter(|kind| kinds.contains(kind)).collect()
}

/// An incident that a person makes by PagerDuty's API; its id there.
fn made_there(world: &mut World, incident: &Value) -> String {
    let body = json!({"incident": incident}).to_string().into_bytes();
    let reply = world.ask("POST", "/incidents", body);
    let made: Value = serde_json::from_slice(&reply.body).unwrap();
    made["incident"]["id"]
        .as_str()
        .expect("it is made")
        .to_owned()
}

story! {
    fn s32_an_acknowledgement_that_runs_out_is_kept_and_pages_again(world) {
        let (incident, twin) = world.declared("Nobody looks");
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.settle_down();
        let first = world.story(incident).acknowledged_at.unwrap();
        let paged = world.pages(&twin);
        world.run_for(MINUTE * 32);
        assert_eq!(world.there(&twin), "triggered");
        let story = world.story(incident);
        assert_eq!(story.status, Status::Open);
        assert!(world.timeline(incident).contains("Acknowledgement timed out"));
        assert!(world.pages(&twin) > paged, "somebody is paged again");
        let user = world.user(3);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        let story = world.story(incident);
        assert_eq!(story.status, Status::Acknowledged);
        let at = story.acknowledged_at.unwrap();
        assert_eq!(at.as_second(), first.as_second(), "the first counts");
        assert_eq!(
            steps(world, incident),
            [Kind::Triggered, Kind::Acknowledged, Kind::Unacknowledged, Kind::Acknowledged]
        );
        assert_eq!(world.writes(), 2, "a create and an acknowledge: the timer is PagerDuty's");
    }

    fn s33_resolved_reopened_and_resolved_again(world) {
        let (incident, twin) = world.born_there("Flapping");
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        let first_end = world.story(incident).resolved_at.unwrap();
        world.sim.reopen(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        let story = world.story(incident);
        assert_eq!((story.status, story.resolved_at, story.resolved_by), (Status::Open, None, None));
        assert_eq!(world.list().len(), 1, "it does not vanish");
        world.act(3, incident, &Command::Resolve, None).unwrap();
        world.run_for(MINUTE * 7);
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved);
        assert!(story.resolved_at.unwrap() > first_end);
        assert_eq!(story.resolved_by, Some(world.account.users[3].1.clone()));
        let ends: Vec<_> = story.lines.iter().filter(|line| line.kind == Kind::Resolved).collect();
        assert_eq!(ends.len(), 2);
        assert!(ends[0].at.duration_since(first_end).abs() < SignedDuration::from_secs(1), "the first end stays");
        assert_eq!(steps(world, incident), [Kind::Triggered, Kind::Resolved, Kind::Reopened, Kind::Resolved]);
    }

    fn s34_the_sources_of_a_merge_are_ended_by_it_and_linked(world) {
        let (target, into) = world.born_there("Database down");
        let (source, twin) = world.born_there("Checkout errors");
        let user = world.user(2);
        world.sim.merge(&user, &into, &twin, world.now).unwrap();
        world.settle_down();
        for round in 0..2 {
            let story = world.story(source);
            assert_eq!(story.status, Status::Resolved, "{round}");
            assert_eq!(story.peer.as_ref().unwrap().merged_into.as_deref(), Some(into.as_str()));
            assert!(world.timeline(source).contains(&format!("Merged into PagerDuty incident {into}")), "{}", world.timeline(source));
            assert_eq!(world.count(source, Kind::Resolved), 1);
            assert_eq!(world.story(target).status, Status::Open);
            world.sync();
        }
        assert_eq!(world.writes(), 0);
        assert_eq!(world.list().len(), 2);
    }

    fn s34_a_merge_that_no_webhook_told_is_known_as_one(world) {
        let (_, into) = world.born_there("Database down");
        let (source, twin) = world.born_there("Checkout errors");
        world.way.lose = Some(|_| true);
        let user = world.user(2);
        world.sim.merge(&user, &into, &twin, world.now).unwrap();
        world.sync();
        let story = world.story(source);
        assert_eq!(story.status, Status::Resolved);
        assert_eq!(story.peer.unwrap().merged_into.as_deref(), Some(into.as_str()));
        assert!(world.timeline(source).contains("Merged into"), "{}", world.timeline(source));
    }

    fn s35_a_chain_of_merges_leads_to_its_last_target(world) {
        let (first, first_twin) = world.born_there("Checkout errors");
        let (second, second_twin) = world.born_there("Database slow");
        let (last, last_twin) = world.born_there("Database down");
        let user = world.user(2);
        let way = |world: &mut World, from| world.write(|tx| im_engine::merges::merged_into(tx, from));
        world.sim.merge(&user, &second_twin, &first_twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(way(world, first), [second]);
        world.sim.merge(&user, &last_twin, &second_twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(way(world, first), [second, last]);
        assert_eq!(way(world, second), [last]);
        assert_eq!(way(world, last), []);
        assert_eq!(world.story(last).status, Status::Open);
        assert_eq!(world.writes(), 0);
    }

    fn s35_a_circle_of_merges_comes_to_an_end(world) {
        let (other, other_twin) = world.born_there("Checkout errors");
        let (first, first_twin) = world.born_there("Database slow");
        let (second, second_twin) = world.born_there("Database down");
        let user = world.user(2);
        let way = |world: &mut World, from| world.write(|tx| im_engine::merges::merged_into(tx, from));
        world.sim.merge(&user, &first_twin, &other_twin, world.now).unwrap();
        world.sim.merge(&user, &second_twin, &first_twin, world.now).unwrap();
        // Until the logs of the new ones have been read.
        world.run_for(MINUTE);
        assert_eq!(way(world, other), [first, second]);
        // That it was opened again is lost; that the second was then merged into it is told.
        world.way.lose = Some(|_| true);
        world.sim.reopen(&user, &first_twin, world.now).unwrap();
        world.settle_down();
        world.way.lose = None;
        world.sim.merge(&user, &first_twin, &second_twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(way(world, first), [second]);
        assert_eq!(way(world, second), [first]);
        assert_eq!(way(world, other), [first, second]);
        world.sync();
        assert_eq!(way(world, first), []);
        assert_eq!(way(world, other), [first]);
    }

    fn s36_a_snooze_is_neither_an_end_nor_an_acknowledgement(world) {
        let service = world.account.services[1].0.clone();
        world.sim.set_timeouts(&service, None, None);
        let (incident, twin) = world.born_there("Later");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.sim.snooze(&user, &twin, 3_600, world.now).unwrap();
        world.run_for(MINUTE * 10);
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        assert_eq!(world.count(incident, Kind::Snoozed), 1, "{}", world.timeline(incident));
        assert_eq!(world.count(incident, Kind::Acknowledged), 1, "{}", world.timeline(incident));
        world.run_for(MINUTE * 55);
        assert_eq!(world.there(&twin), "triggered");
        assert_eq!(world.story(incident).status, Status::Open);
        assert_eq!(world.count(incident, Kind::Unacknowledged), 1, "{}", world.timeline(incident));
        assert_eq!(world.list().len(), 1, "waking up is no new incident");
        assert_eq!(world.writes(), 0);
    }

    fn s38_resolved_without_an_acknowledgement_has_none(world) {
        let (here, _) = world.declared("Ended here");
        world.must(here, &Command::Resolve);
        let (there, twin) = world.born_there("Ended there");
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 7);
        for incident in [here, there] {
            let story = world.story(incident);
            assert_eq!(story.status, Status::Resolved);
            assert_eq!(story.acknowledged_at, None, "{}", world.timeline(incident));
            assert_eq!(world.count(incident, Kind::Acknowledged), 0);
        }
        let rows = world.list();
        assert!(rows.iter().all(|row| row.acknowledged_at.is_none() && row.resolved_at.is_some()));
    }

    fn s39_what_pagerduty_empties_at_the_end_stays_known(world) {
        let (incident, twin) = world.born_there("Emptied");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.sim.reassign(&user, &twin, &user, world.now).unwrap();
        world.settle_down();
        let before = world.story(incident);
        assert_eq!(before.assignees[0].id, user);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert!(world.sim.incident(&twin).unwrap().assignees.is_empty());
        assert!(world.sim.incident(&twin).unwrap().acknowledgers.is_empty());
        let now = world.our_now();
        world.write(|tx| request_reread(tx, CONNECTOR, incident, now));
        world.sync();
        let story = world.story(incident);
        let second = |story: &im_core::Story| story.acknowledged_at.unwrap().as_second();
        assert_eq!(second(&story), second(&before));
        assert_eq!(story.assignees, before.assignees, "nobody took it away from them");
        let ack = story.lines.iter().find(|line| line.kind == Kind::Acknowledged).unwrap();
        assert_eq!(ack.actor.name, Some(world.account.users[2].1.clone()));
        assert!(story.lines.iter().all(|line| line.kind != Kind::Assigned || !line.people.is_empty()));
    }

    fn s39_an_incident_read_after_its_end_gets_its_past_from_the_log(world) {
        world.way.lose = Some(|_| true);
        let twin = world.triggered("All over when we heard of it");
        let user = world.user(2);
        world.run_for(MINUTE);
        let acknowledged = world.now;
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        let incident = world.number_of(&twin).unwrap();
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved);
        assert_eq!(story.peer.unwrap().status, PeerStatus::Resolved);
        assert_eq!(story.acknowledged_at, Some(acknowledged), "{}", world.timeline(incident));
    }

    fn s37_what_a_timer_ends_is_nobodys_doing(world) {
        let service = world.account.services[1].0.clone();
        world.sim.set_timeouts(&service, None, Some(4 * 3_600));
        let (timed, _) = world.born_there("Nobody looked");
        let (ended, twin) = world.born_there("Somebody did");
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 60 * 4 + MINUTE * 7);
        let how = |world: &mut World, incident| {
            let story = world.story(incident);
            let end = story.lines.iter().find(|line| line.kind == Kind::Resolved).expect("it is over");
            (end.value.clone().unwrap(), story.acknowledged_at, story.resolved_by)
        };
        assert_eq!(how(world, timed), ("timer".to_owned(), None, Some("PagerDuty's timer".to_owned())));
        let name = world.account.users[2].1.clone();
        assert_eq!(how(world, ended), ("human".to_owned(), None, Some(name)));
        assert!(world.timeline(timed).contains("Resolved by PagerDuty's timer"), "{}", world.timeline(timed));
        assert_eq!(world.writes(), 0);
    }

    fn s40_who_takes_what_they_make_is_not_said_to_be_paged(world) {
        // PagerDuty tells nobody what they know already.
        world.tamper = Some(Box::new(|call, mut reply| {
            if matches!(call, Call::ListLogEntries { .. } | Call::IncidentLogEntries { .. }) {
                let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
                let entries = body["log_entries"].as_array_mut().unwrap();
                entries.retain(|entry| entry["type"] != "notify_log_entry");
                body["total"] = json!(entries.len());
                reply.body = body.to_string().into_bytes();
            }
            reply
        }));
        let (user, service) = (world.user(0), world.account.services[1].0.clone());
        let twin = made_there(world, &json!({
            "type": "incident", "title": "Mine", "service": {"id": service, "type": "service_reference"},
            "assignments": [{"assignee": {"id": user, "type": "user_reference"}}],
        }));
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 7);
        let incident = world.number_of(&twin).unwrap();
        let story = world.story(incident);
        assert_eq!(story.status, Status::Acknowledged);
        assert_eq!(world.count(incident, Kind::Notified), 0, "{}", world.timeline(incident));
        // Taken at once, and by whom it was made: both are kept.
        assert_eq!(story.acknowledged_at.map(Timestamp::as_second), Some(story.created_at.as_second()));
        let taken = story.lines.iter().find(|line| line.kind == Kind::Acknowledged).unwrap();
        assert_eq!((&taken.actor.id, &story.assignees[0].id), (&Some(user.clone()), &user));
        assert_eq!(story.declared_by.id, Some(user));
    }

    fn s41_an_urgency_that_changes_is_told_and_the_first_one_stays_known(world) {
        let service = world.account.services[1].0.clone();
        let twin = made_there(world, &json!({
            "type": "incident", "title": "Worse than it looked", "urgency": "low",
            "service": {"id": service, "type": "service_reference"},
        }));
        world.run_for(MINUTE * 10);
        let user = world.user(2);
        let raised_at = world.now;
        world.sim.set_urgency(&user, &twin, true, world.now).unwrap();
        world.run_for(MINUTE * 7);
        let incident = world.number_of(&twin).unwrap();
        let story = world.story(incident);
        let raised: Vec<_> = story.lines.iter().filter(|line| line.kind == Kind::UrgencyChanged).collect();
        assert_eq!(raised.len(), 1, "{}", world.timeline(incident));
        assert_eq!((raised[0].value.as_deref(), raised[0].at), (Some("high"), raised_at));
        assert_eq!(story.peer.unwrap().urgency, Some(Urgency::High));
        let facts = world.write(|tx| facts::of_incident(tx, incident));
        let first = facts.iter().filter(|fact| fact.at < raised_at)
            .find_map(|fact| fact.snapshot.as_ref()?.urgency);
        assert_eq!(first, Some(Urgency::Low), "as it was at the trigger");
        assert_eq!(world.writes(), 1, "nothing but what was made there by hand");
    }

    fn s43_each_person_of_each_level_is_paged_and_a_timer_is_not_a_person(world) {
        let (incident, twin) = world.born_there("Nobody wakes up");
        let (first, second) = (world.user(0), world.user(1));
        world.run_for(MINUTE * 22);
        let story = world.story(incident);
        let paged: Vec<&str> = story.lines.iter()
            .filter(|line| line.kind == Kind::Notified)
            .map(|line| line.people[0].id.as_str())
            .collect();
        assert!(paged.contains(&first.as_str()) && paged.contains(&second.as_str()), "{}", world.timeline(incident));
        let by_timer: Vec<_> = story.lines.iter().filter(|line| line.kind == Kind::Escalated).cloned().collect();
        assert_eq!(by_timer.len(), 1, "{}", world.timeline(incident));
        assert_ne!(by_timer[0].actor.kind, ActorKind::User);
        assert_eq!((by_timer[0].people[0].id.as_str(), by_timer[0].from[0].id.as_str()), (second.as_str(), first.as_str()));
        assert_eq!(story.assignees[0].id, second, "it is the second person's now");
        // A person's escalation is told from the timer's.
        let user = world.user(2);
        world.sim.escalate(&user, &twin, 1, world.now).unwrap();
        world.run_for(MINUTE * 7);
        let story = world.story(incident);
        let last = story.lines.iter().rfind(|line| line.kind == Kind::Escalated).unwrap();
        assert_eq!((last.actor.kind, last.actor.id.as_ref()), (ActorKind::User, Some(&user)));
        assert_eq!(world.count(incident, Kind::Escalated), 2);
    }

    fn s44_several_have_it_and_each_acknowledgement_is_kept(world) {
        let service = world.account.services[4].0.clone();
        let twin = world.sim.trigger(&service, "For everyone awake", world.now).unwrap();
        world.run_for(MINUTE);
        let incident = world.number_of(&twin).unwrap();
        let (yuki, freya) = (world.user(2), world.user(5));
        let first_at = world.now;
        world.sim.acknowledge(&yuki, &twin, world.now).unwrap();
        world.run_for(MINUTE * 2);
        world.sim.acknowledge(&freya, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        let story = world.story(incident);
        let ids = |people: &[im_core::Person]| -> BTreeSet<String> {
            people.iter().map(|person| person.id.clone()).collect()
        };
        let both: BTreeSet<String> = [yuki.clone(), freya.clone()].into();
        assert_eq!(ids(&story.assignees), both);
        let paged = story.lines.iter().filter(|line| line.kind == Kind::Notified);
        assert_eq!(paged.flat_map(|line| ids(&line.people)).collect::<BTreeSet<_>>(), both);
        assert_eq!(story.acknowledged_at, Some(first_at), "the first counts");
        let taken: Vec<_> = story.lines.iter()
            .filter(|line| line.kind == Kind::Acknowledged)
            .map(|line| (line.actor.id.clone().unwrap(), line.at.duration_since(first_at).as_mins()))
            .collect();
        assert_eq!(taken, [(yuki, 0), (freya, 2)], "each at their own time");
    }

    fn s45_handing_it_on_restarts_nothing_and_pages_whoever_gets_it(world) {
        let (incident, twin) = world.born_there("Handed on");
        let (taker, next) = (world.user(2), world.user(3));
        let policy = world.account.policies[2].0.clone();
        world.run_for(MINUTE);
        world.sim.acknowledge(&taker, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        let taken_at = world.story(incident).acknowledged_at;
        assert!(taken_at.is_some());
        world.sim.unacknowledge(&taker, &twin, world.now).unwrap();
        world.sim.reassign(&taker, &twin, &next, world.now).unwrap();
        world.run_for(MINUTE * 2);
        world.sim.delegate(&next, &twin, &policy, world.now).unwrap();
        world.run_for(MINUTE * 2);
        world.sim.acknowledge(&next, &twin, world.now).unwrap();
        world.run_for(MINUTE * 7);
        let story = world.story(incident);
        assert_eq!(story.acknowledged_at, taken_at, "{}", world.timeline(incident));
        assert_eq!(world.count(incident, Kind::Acknowledged), 2);
        let paged: BTreeSet<String> = story.lines.iter()
            .filter(|line| line.kind == Kind::Notified)
            .map(|line| line.people[0].id.clone())
            .collect();
        let paged_there: BTreeSet<String> = world.sim.pages().iter()
            .filter(|page| page.incident == twin)
            .map(|page| page.user.clone())
            .collect();
        assert_eq!(paged, paged_there);
        assert!(paged.contains(&next) && paged.contains(&world.user(5)), "{}", world.timeline(incident));
        assert_eq!((world.count(incident, Kind::Assigned), world.count(incident, Kind::Delegated)), (2, 1), "{}", world.timeline(incident));
    }

    fn s46_who_is_asked_to_help_is_neither_assigned_nor_an_acknowledger(world) {
        let (incident, twin) = world.born_there("Needs more people");
        let (asker, willing, busy) = (world.user(0), world.user(3), world.user(4));
        let had = world.story(incident).assignees;
        for user in [&willing, &busy] {
            world.sim.request_help(&asker, &twin, user, "Please join", world.now).unwrap();
        }
        world.run_for(MINUTE);
        world.sim.accept(&willing, &twin, world.now).unwrap();
        world.sim.decline(&busy, &twin, world.now).unwrap();
        world.run_for(MINUTE * 7);
        let story = world.story(incident);
        assert_eq!((story.status, story.acknowledged_at), (Status::Open, None), "{}", world.timeline(incident));
        assert_eq!(story.assignees, had);
        let told: BTreeSet<_> = story.lines.iter()
            .filter(|line| line.kind == Kind::Responder)
            .map(|line| (line.people[0].id.clone(), line.value.clone().unwrap()))
            .collect();
        let wanted = [(&willing, "pending"), (&busy, "pending"), (&willing, "joined"), (&busy, "declined")];
        assert_eq!(told, wanted.map(|(user, state)| (user.clone(), state.to_owned())).into());
        assert_eq!(world.count(incident, Kind::Responder), 4, "each once: {}", world.timeline(incident));
        let helpers = story.helpers();
        let answers: BTreeSet<(&str, &str)> = helpers.iter().map(|one| (&*one.person.id, &*one.answer)).collect();
        assert_eq!(answers, [(&*willing, "joined"), (&*busy, "declined")].into());
        let joined = helpers.iter().find(|one| one.has_joined()).unwrap();
        assert_eq!(story.mobilised_at(), Some(joined.at));
        assert!(joined.at > story.created_at);
        assert!(!story.is_major(&[]), "one who helps makes no major incident");
        let third = world.user(5);
        world.sim.request_help(&asker, &twin, &third, "You too", world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.accept(&third, &twin, world.now).unwrap();
        world.run_for(MINUTE * 7);
        let story = world.story(incident);
        assert!(story.is_major(&[]), "{:?}", story.helpers());
        assert!(story.mobilised_at() > Some(joined.at), "the last of them counts");
        assert_eq!(story.acknowledged_at, None);
    }

    fn s47_a_move_to_another_service_is_one_incident_and_both_services_are_known(world) {
        let (incident, twin) = world.born_there("Not ours");
        let (user, database) = (world.user(2), world.account.services[2].clone());
        assert_eq!(world.story(incident).service.as_deref(), Some("web"));
        world.sim.move_service(&user, &twin, &database.0, world.now).unwrap();
        world.run_for(MINUTE * 7);
        let story = world.story(incident);
        assert_eq!(story.peer.unwrap().service.unwrap().id, database.0);
        assert!(["db", "database"].contains(&story.service.as_deref().unwrap()));
        let moves: Vec<_> = story.lines.iter().filter(|line| line.kind == Kind::ServiceChanged).collect();
        assert_eq!((moves.len(), moves[0].value.as_deref()), (1, Some(database.1.as_str())), "{}", world.timeline(incident));
        let facts = world.write(|tx| facts::of_incident(tx, incident));
        let began = facts.iter().find(|fact| fact.kind == Kind::Triggered && fact.snapshot.is_some()).unwrap();
        let began = began.snapshot.as_ref().unwrap().service.as_ref().unwrap();
        assert_eq!(began.id, world.account.services[1].0, "where it was triggered stays known");
        assert_eq!(world.list().len(), 1);
        assert_eq!(world.writes(), 0);
    }

    fn s48_a_new_type_of_incident_is_told_and_moves_nothing(world) {
        let (incident, twin) = world.born_there("Grows");
        let before = world.story(incident);
        let body = json!({"incident": {"type": "incident", "incident_type": {"name": "major_incident"}}});
        assert_eq!(world.ask("PUT", &format!("/incidents/{twin}"), body.to_string().into_bytes()).status, 200);
        world.run_for(MINUTE * 7);
        let after = world.story(incident);
        assert_eq!((after.status, after.title, after.severity), (before.status, before.title, before.severity));
        let told = world.timeline(incident);
        assert_eq!(told.matches("major_incident").count(), 1, "{told}");
        assert_eq!(world.sim.subscriptions()[0].dropped, 0);
        assert_eq!(world.events("waiting"), 0);
    }

    fn s48_the_two_highest_priorities_make_a_major_incident(world) {
        let (incident, twin) = world.born_there("Grows");
        world.run_for(MINUTE * 7);
        let highest = world.write(|tx| directory::highest_priorities(tx, CONNECTOR));
        let ids: Vec<String> = world.account.priorities.iter().map(|one| one.0.clone()).collect();
        assert_eq!(highest, ids[..2]);
        for (at, is_major) in [(2, false), (1, true), (0, true), (3, false)] {
            let priority = json!({"id": ids[at], "type": "priority_reference"});
            let body = json!({"incident": {"type": "incident", "priority": priority}});
            assert_eq!(world.ask("PUT", &format!("/incidents/{twin}"), body.to_string().into_bytes()).status, 200);
            world.run_for(MINUTE * 7);
            assert_eq!(world.story(incident).is_major(&highest), is_major, "{at}");
        }
    }

    fn s49_nobody_left_to_page_is_said(world) {
        let (incident, twin) = world.born_there("Nobody at all");
        // Both levels, once more from the beginning, and the end.
        world.run_for(MINUTE * 100);
        assert!(world.sim.log_entries_of(&twin).iter().any(|entry| entry.kind == "exhaust_escalation_path"));
        let told = world.timeline(incident);
        assert_eq!(told.matches("Nobody is left to page").count(), 1, "{told}");
        assert_eq!(world.story(incident).status, Status::Open);
        assert!(world.story(incident).unowned_since().is_some());
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        assert_eq!(world.story(incident).unowned_since(), None);
    }

    fn s53_a_resolve_that_was_lost_on_either_way_arrives_within_an_interval(world) {
        let (there, twin) = world.born_there("Ended there");
        let (here, other) = world.declared("Ended here");
        // Past the looks at the log of a new incident.
        world.run_for(MINUTE);
        world.way.lose = Some(|body| is_event(body, "resolved"));
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sim.faults().next_n_matching(3, "PUT", "/incidents", Fault::Unreachable);
        world.must(here, &Command::Resolve);
        world.settle_down();
        assert_eq!(world.story(there).status, Status::Open, "nobody told us");
        world.run_for(MINUTE * 6);
        assert_eq!(world.story(there).status, Status::Resolved);
        let begun = world.now - MINUTE * 10;
        assert_eq!(world.write(|tx| repair::repaired_since(tx, CONNECTOR, begun)), 1, "and it is counted");
        assert_eq!(world.there(&other), "resolved");
        assert_eq!(world.writes(), 2, "one create and one resolve");
        assert!(world.outbox().is_empty());
    }

    fn s54_a_note_and_a_resolve_open_nothing(world) {
        // PagerDuty is away while it is declared, spoken of and ended: nobody is to be paged for it any more.
        world.wire_up = false;
        let command = Command::Declare {
            title: "Over before it was told".to_owned(),
            severity: im_core::Severity::Sev2,
            description: None,
            services: Vec::new(),
        };
        let incident = world.declare_by(None, &command);
        world.write_note(incident, "It was a false alarm");
        world.must(incident, &Command::Resolve);
        world.run_for(MINUTE);
        world.wire_up = true;
        world.run_for(MINUTE * 10);
        assert_eq!(world.sim.incidents().count(), 0, "no incident, so no page");
        // What is over stays over when somebody writes about it.
        let (ended, twin) = world.declared("Ended and spoken of");
        world.must(ended, &Command::Resolve);
        world.settle_down();
        let pages = world.pages(&twin);
        world.write_note(ended, "The report is in the wiki");
        world.settle_down();
        assert_eq!(world.there(&twin), "resolved");
        assert_eq!((world.sim.incidents().count(), world.pages(&twin)), (1, pages));
    }

    fn m_012_each_event_of_pagerdutys_is_in_the_list_in_order(world) {
        let (incident, twin) = world.born_there("Each in its turn");
        let (first, second) = (world.user(2), world.user(3));
        world.run_for(MINUTE);
        world.sim.acknowledge(&first, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.reassign(&first, &twin, &second, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.resolve(&second, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        let mut kinds: Vec<Kind> = world.story(incident).lines.iter().map(|line| line.kind).collect();
        let told = [Kind::Triggered, Kind::Acknowledged, Kind::Assigned, Kind::Resolved];
        kinds.retain(|kind| told.contains(kind));
        kinds.dedup();
        // Whoever is on call is assigned with the trigger.
        kinds.retain({
            let mut taken = false;
            move |kind| { taken |= *kind == Kind::Acknowledged; taken || *kind != Kind::Assigned }
        });
        assert_eq!(kinds, told);
        let times: Vec<_> = world.story(incident).lines.iter().map(|line| line.at).collect();
        assert!(times.is_sorted(), "{times:?}");
    }

    fn s71_who_has_it_is_who_pagerduty_gave_it_to_and_the_end_takes_it_from_nobody(world) {
        let (incident, twin) = world.born_there("Given at the trigger");
        let on_call = world.user(0);
        let story = world.story(incident);
        assert_eq!(story.assignees[0].id, on_call, "given to whoever is on call");
        assert_eq!((story.acknowledged_at, story.acknowledgement), (None, None), "who did nothing yet");
        // Somebody else takes it.
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.settle_down();
        let has: Vec<String> = world.story(incident).assignees.into_iter().map(|person| person.id).collect();
        assert_eq!(has, world.sim.incident(&twin).unwrap().assignees);
        world.must(incident, &Command::Resolve);
        world.run_for(MINUTE * 7);
        assert!(world.sim.incident(&twin).unwrap().assignees.is_empty(), "PagerDuty forgets");
        let had: Vec<String> = world.story(incident).assignees.into_iter().map(|person| person.id).collect();
        assert_eq!(had, has);
        assert!(!world.timeline(incident).to_lowercase().contains("unassigned"));
    }
}
