//! What the document of the connector promises, row by row, where no case of its own tells it.

use std::collections::BTreeSet;

use im_core::{Actor, Command, Kind, Severity};
use im_engine::key::{self, Key};
use im_engine::{commands, connector, subscription};
use im_pagerduty::Call;
use im_store::arrangements::{self, Sort};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::world::{CONNECTOR, World};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn declare(world: &mut World, severity: Severity) -> (im_core::IncidentNumber, String) {
    let command = Command::Declare {
        title: "Row".to_owned(),
        severity,
        description: None,
        services: Vec::new(),
    };
    let incident = world.declare_by(None, &command);
    world.settle_down();
    let twin = world.twin(incident);
    (incident, twin)
}

fn urgency(world: &World, twin: &str) -> &'static str {
    world.sim.incident(twin).unwrap().urgency
}

story! {
    fn i041_an_overridden_urgency_is_what_pagerduty_gets_and_nothing_drifts_back(world) {
        let (_, before) = declare(world, Severity::Sev3);
        assert_eq!(urgency(world, &before), "low");
        world.configure(|config| config["custom"]["urgency_mapping"] = json!({"SEV-3": "high"}));
        world.settle_down();
        let (incident, twin) = declare(world, Severity::Sev3);
        assert_eq!(urgency(world, &twin), "high");
        world.run_for(HOUR);
        assert_eq!(world.story(incident).severity.unwrap().0, Severity::Sev3, "what a person said");
        // The others keep the documented urgency.
        let (_, fourth) = declare(world, Severity::Sev4);
        assert_eq!(urgency(world, &fourth), "low");
    }

    fn i043_auto_resolve_resolves_there_and_without_it_a_note_is_left(world) {
        for end in [Command::Resolve, Command::Close] {
            let (incident, twin) = declare(world, Severity::Sev2);
            world.must(incident, &end);
            world.settle_down();
            assert_eq!(world.there(&twin), "resolved");
        }
        world.configure(|config| config["custom"]["auto_resolve"] = json!(false));
        world.settle_down();
        let (incident, twin) = declare(world, Severity::Sev2);
        world.must(incident, &Command::Resolve);
        world.settle_down();
        assert_eq!(world.there(&twin), "triggered");
        let notes = world.sim.incident(&twin).unwrap().notes;
        assert!(notes.len() == 1 && notes[0].contains("not resolved in PagerDuty"), "{notes:?}");
    }

    fn i044_without_sync_notes_no_note_crosses_either_way(world) {
        for (cross, expected) in [(true, 1), (false, 0)] {
            world.configure(move |config| config["custom"]["sync_notes"] = json!(cross));
            world.settle_down();
            let (incident, twin) = world.declared("Notes");
            world.write_note(incident, "from here");
            let user = world.user(1);
            world.sim.note(&user, &twin, "from there", world.now).unwrap();
            world.settle_down();
            world.run_for(MINUTE * 7);
            let there = world.sim.incident(&twin).unwrap().notes;
            let ours = there.iter().filter(|note| note.contains("from here")).count();
            let here = world.notes(incident);
            let theirs = here.iter().filter(|note| note.contains("from there")).count();
            assert_eq!((ours, theirs), (expected, expected), "{there:?} {here:?}");
        }
    }

    fn i083_i087_i088_i089_whom_pagerduty_tells_has_it_here_and_either_side_can_hand_it_on(world) {
        // Whom PagerDuty would call anyway would not show that our calls name somebody else.
        let from = world.account.users[5].2.clone();
        world.configure(move |config| config["custom"]["from_email"] = json!(from));
        world.settle_down();
        let (incident, twin) = declare(world, Severity::Sev1);
        world.run_for(MINUTE);
        let there = world.sim.incident(&twin).unwrap().assignees;
        let pages = world.sim.pages().iter().filter(|page| page.incident == twin);
        let told: BTreeSet<&str> = pages.map(|page| page.user.as_str()).collect();
        assert_eq!(told, there.iter().map(String::as_str).collect(), "who is on call, and nobody else");
        assert_ne!(there, [world.user(5)], "never whom our calls name");
        let writes: Vec<&str> = world.asked.iter().filter(|asked| asked.call.is_write()).map(|asked| asked.call.name()).collect();
        assert_eq!(writes, ["create_incident"], "PagerDuty decides whom it tells");
        let here = |world: &mut World| -> Vec<String> {
            world.story(incident).assignees.iter().map(|one| one.id.clone()).collect()
        };
        assert_eq!(here(world), there, "the same people on both sides");
        assert!(!there.is_empty() && world.pages(&twin) > 0, "PagerDuty told them");
        let other = world.user(4);
        let from = there[0].clone();
        world.sim.reassign(&from, &twin, &other, world.now).unwrap();
        world.settle_down();
        assert_eq!(here(world), std::slice::from_ref(&other));
        let third = world.user(5);
        let to = vec![im_core::Person { id: third.clone(), name: None }];
        world.must(incident, &Command::Assign { to });
        world.settle_down();
        assert_eq!(world.sim.incident(&twin).unwrap().assignees, std::slice::from_ref(&third));
        assert_eq!(here(world), [third]);
    }

    fn i088_who_is_nobody_here_is_shown_by_pagerdutys_name(world) {
        let (incident, twin) = declare(world, Severity::Sev2);
        let from = world.sim.incident(&twin).unwrap().assignees[0].clone();
        let (id, name) = (world.account.users[4].0.clone(), world.account.users[4].1.clone());
        world.write(|tx| tx.execute("DELETE FROM pd_user", im_store::params![]).map(drop));
        world.sim.reassign(&from, &twin, &id, world.now).unwrap();
        world.settle_down();
        let assignees = world.story(incident).assignees;
        assert_eq!(assignees, [im_core::Person { id, name: Some(name) }]);
    }

    fn i087_who_was_linked_by_hand_acts_in_their_own_name(world) {
        let (incident, twin) = declare(world, Severity::Sev2);
        let there = world.user(4);
        let link = json!({"user": there, "person": "cleo@home.example"});
        world.write(|tx| arrangements::put(tx, Sort::User, &there, &link));
        let cleo = Actor::user("Cleo@home.example", "Cleo");
        let now = world.our_now();
        world.write(|tx| Ok(commands::act(tx, incident, &Command::Acknowledge, None, &cleo, now).unwrap()));
        world.settle_down();
        assert_eq!(world.sim.incident(&twin).unwrap().assignees, std::slice::from_ref(&there));
        let entries = world.sim.log_entries_of(&twin);
        let entry = entries.iter().find(|entry| entry.kind == "acknowledge").unwrap();
        assert_eq!(entry.user.as_ref(), Some(&there), "not the connector's own person");
        let notes = &world.sim.incident(&twin).unwrap().notes;
        assert!(notes.iter().all(|note| !note.contains("Cleo")), "nothing has to be signed: {notes:?}");
    }

    fn i090_each_escalation_stands_in_the_timeline_with_its_time_and_whom_it_reached(world) {
        let (incident, twin) = world.born_there("Nobody at all");
        world.run_for(MINUTE * 100);
        let there: Vec<_> = world.sim.log_entries_of(&twin).into_iter().filter(|entry| entry.kind == "escalate").map(|entry| entry.at).collect();
        let story = world.story(incident);
        let here: Vec<_> = story.lines.iter().filter(|line| line.kind == Kind::Escalated).collect();
        assert!(there.len() >= 2, "{}", world.timeline(incident));
        assert_eq!(here.iter().map(|line| line.at).collect::<Vec<_>>(), there);
        assert!(here.iter().all(|line| !line.people.is_empty()), "{}", world.timeline(incident));
    }

    fn i108_what_was_refused_gets_another_chance_and_what_is_too_old_waits_for_a_person(world) {
        let (good, bad) = (world.account.services[0].0.clone(), "PNOSUCH");
        world.configure(move |config| config["custom"]["service_id"] = json!(bad));
        world.settle_down();
        let declare = |world: &mut World| {
            let title = "Refused".to_owned();
            let command = Command::Declare { title, severity: Severity::Sev2, description: None, services: Vec::new() };
            world.declare_by(None, &command)
        };
        let old = declare(world);
        world.run_for(HOUR * 25);
        let new = declare(world);
        world.settle_down();
        assert_eq!(world.outbox().iter().filter(|row| row.parked).count(), 2);
        world.configure(move |config| config["custom"]["service_id"] = json!(good));
        let now = world.our_now();
        world.write(move |tx| commands::retry_refused(tx, CONNECTOR, now));
        world.settle_down();
        assert!(world.story(new).peer.is_some(), "{:?}", world.outbox());
        assert!(world.story(old).peer.is_none(), "nobody is paged for yesterday");
        let left = world.outbox();
        assert!(left.len() == 1 && left[0].parked && left[0].incident == old, "{left:?}");
    }

    fn mw21_m026_an_inbound_connector_only_reads(world) {
        world.configure(|config| config["sync_direction"] = json!("inbound"));
        world.settle_down();
        let known = world.asked.len();
        let (incident, _) = world.born_there("Theirs");
        world.must(incident, &Command::Acknowledge);
        world.write_note(incident, "kept here");
        world.must(incident, &Command::Resolve);
        world.run_for(HOUR);
        let asked = &world.asked[known..];
        assert!(!asked.is_empty(), "it goes on reading");
        let writes: Vec<&Call> = asked.iter().map(|asked| &asked.call).filter(|call| call.is_write()).collect();
        assert!(writes.is_empty(), "{writes:?}");
    }

    fn mw21_an_inbound_connector_switches_no_webhook_on_and_says_so(world) {
        world.configure(|config| config["sync_direction"] = json!("inbound"));
        world.settle_down();
        let id = world.sim.subscriptions()[0].id.clone();
        assert!(world.sim.disable_subscription(&id, world.now));
        let known = world.asked.len();
        let twin = world.triggered("Nobody tells of it");
        world.sync();
        world.settle_down();
        assert!(world.number_of(&twin).is_some(), "it is read");
        let message = world.last_run().message.unwrap();
        assert!(message.contains("`im connector webhook pd --enable` switches it on"), "{message}");
        let wrong = world.write(|tx| subscription::wrong(tx, CONNECTOR));
        assert_eq!(wrong.as_ref(), Some(&message), "and it is known until it is on again");
        assert!(subscription::is_off(wrong.as_deref()));
        let key = world.write(|tx| {
            let connector = connector::load(tx, CONNECTOR)?.expect("it is there");
            key::state(tx, &connector, Timestamp::UNIX_EPOCH)
        });
        assert!(matches!(key, Key::Needed { .. }), "repair is all there is");
        let asked = &world.asked[known..];
        let writes: Vec<&Call> = asked.iter().map(|asked| &asked.call).filter(|call| call.is_write()).collect();
        assert!(writes.is_empty(), "{writes:?}");
    }

    fn mw42_mw43_m048_after_the_removal_nothing_is_asked_and_nothing_is_doubled_when_it_comes_back(world) {
        let (ours, twin) = declare(world, Severity::Sev2);
        let (theirs, _) = world.born_there("Theirs");
        world.settle_down();
        world.remove_connector();
        let known = world.asked.len();
        world.must(ours, &Command::Acknowledge);
        world.run_for(HOUR);
        assert_eq!(world.asked.len(), known, "no request after it was removed");
        assert_eq!(world.there(&twin), "triggered");
        world.add_connector_again();
        world.settle_down();
        assert_eq!(world.list().len(), 2, "each is here once");
        assert_eq!(world.sim.incidents().count(), 2, "each is there once");
        assert!(world.story(theirs).peer.is_some());
        assert_eq!(world.there(&twin), "acknowledged", "what was done meanwhile is still true");
    }
}
