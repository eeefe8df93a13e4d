//! Echoes, conflicts and loops: the scenarios S55–S75.

use im_core::{Command, Kind, Severity, SeveritySource, Status};
use im_engine::commands;
use im_pagerduty::Call;
use im_store::connectors::State;
use im_store::people::UserRow;
use im_store::{incidents, people};
use jiff::SignedDuration;
use pd_sim::Fault;
use serde_json::json;

use crate::world::{CONNECTOR, World, is_event};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// An error as PagerDuty words it.
fn refusal(status: u16, code: i64, message: &str) -> im_pagerduty::Reply {
    let body = json!({"error": {"message": message, "code": code, "errors": [message]}});
    im_pagerduty::Reply {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    }
}

/// What a person reads on the dead letters.
fn letters(world: &mut World) -> Vec<String> {
    let rows = world.outbox().into_iter().filter(|row| row.parked);
    rows.map(|row| row.reason.unwrap_or_default()).collect()
}

story! {
    fn s55_an_echo_is_one_act_and_one_write(world) {
        let (incident, twin) = world.declared("Echo");
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.run_for(HOUR / 4);
        assert_eq!(world.told_about(&twin).len(), 3, "triggered, reassigned and acknowledged came back");
        assert_eq!(world.writes(), 2);
        assert_eq!(world.count(incident, Kind::Acknowledged), 1, "{}", world.timeline(incident));
        assert_eq!(world.count(incident, Kind::Triggered), 1);
        assert!(world.outbox().is_empty() && world.story(incident).pending.is_empty());
    }

    fn s55_writes_are_bounded_by_what_people_did_here(world) {
        let users: Vec<String> = (1..6).map(|who| world.user(who)).collect();
        let mut incidents = Vec::new();
        let mut acts = 0;
        for round in 0..300 {
            if round % 30 == 0 {
                incidents.push(world.declared(&format!("Busy {round}")));
                acts += 1;
            }
            let (incident, twin) = incidents[world.rng.usize(0..incidents.len())].clone();
            let user = users[world.rng.usize(0..users.len())].clone();
            let who = world.rng.usize(1..6);
            let pause = SignedDuration::from_millis(world.rng.i64(0..3_000));
            world.run_for(pause);
            let mine = match world.rng.u8(0..9) {
                0 => world.act(who, incident, &Command::Acknowledge, None),
                1 => world.act(who, incident, &Command::Resolve, None),
                2 => world.act(who, incident, &Command::Reopen, None),
                3 => world.act(who, incident, &Command::Note { text: format!("note {round}") }, None),
                other => {
                    // What the page refuses changes nothing.
                    let (sim, now) = (&mut world.sim, world.now);
                    let _done = match other {
                        4 => sim.acknowledge(&user, &twin, now),
                        5 => sim.resolve(&user, &twin, now),
                        6 => sim.reopen(&user, &twin, now),
                        7 => sim.unacknowledge(&user, &twin, now),
                        _ => sim.note(&user, &twin, "by hand", now),
                    };
                    continue;
                }
            };
            acts += usize::from(mine.is_ok());
        }
        world.run_for(MINUTE * 5);
        assert!(world.writes() <= acts, "{} writes for {acts} acts", world.writes());
        assert!(world.outbox().is_empty());
        let written = world.writes();
        world.run_for(HOUR);
        assert_eq!(world.writes(), written, "quiet at the end");
        for (incident, twin) in incidents {
            assert_eq!(world.story(incident).status.at_peer().as_str(), world.there(&twin));
        }
    }

    fn s56_what_the_same_person_does_by_hand_is_not_an_echo(world) {
        let (incident, twin) = world.declared("Same person");
        let user = world.user(2);
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.run_for(SECOND);
        world.sim.unacknowledge(&user, &twin, world.now).unwrap();
        world.run_for(SECOND / 2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(SECOND);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        assert_eq!(world.count(incident, Kind::Acknowledged), 2, "{}", world.timeline(incident));
        assert_eq!(world.count(incident, Kind::Unacknowledged), 1);
        assert_eq!(world.count(incident, Kind::Resolved), 1);
        assert_eq!(world.story(incident).status, Status::Resolved);
        assert_eq!(world.writes(), 2);
    }

    fn s57_notes_that_look_alike_are_told_apart_by_their_mark(world) {
        let (incident, twin) = world.declared("Notes");
        let user = world.user(2);
        world.act(2, incident, &Command::Note { text: "Rolled back".to_owned() }, None).unwrap();
        world.settle_down();
        // By hand: the same words, words with our prefix, and a quotation of ours.
        world.sim.note(&user, &twin, "Rolled back", world.now).unwrap();
        world.settle_down();
        world.sim.note(&user, &twin, "[im] Yuki: fake", world.now).unwrap();
        world.settle_down();
        world.run_for(MINUTE * 12);
        assert_eq!(world.notes(incident), ["Rolled back", "Rolled back", "[im] Yuki: fake"]);
        assert_eq!(world.sim.incident(&twin).unwrap().notes.len(), 3, "no ping-pong");
        assert_eq!(world.called("add_note"), 1);
    }

    fn a_note_of_ours_that_comes_back_before_its_answer_is_shown_once(world) {
        let (incident, twin) = world.declared("Notes");
        world.latency = SECOND * 20;
        world.write_note(incident, "One");
        world.write_note(incident, "Two");
        for there in [1, 2] {
            world.run_for(SECOND * 10);
            assert_eq!(world.sim.incident(&twin).unwrap().notes.len(), there);
            assert_eq!(world.told_about(&twin).iter().filter(|body| body.contains("incident.annotated")).count(), there);
            let told = world.timeline(incident);
            assert_eq!(world.notes(incident), ["One", "Two"], "{told}");
            assert_eq!(told.matches("[both] Note by").count(), there, "{told}");
            world.run_for(SECOND * 10);
        }
        world.settle_down();
        assert_eq!(world.notes(incident), ["One", "Two"]);
        assert!(world.outbox().is_empty());
    }

    fn s57_a_note_whose_answer_is_lost_is_not_written_twice(world) {
        let (incident, twin) = world.declared("Notes");
        world.sim.faults().next_matching("POST", "/notes", Fault::LoseAnswer);
        world.write_note(incident, "Once");
        world.run_for(MINUTE * 8);
        assert_eq!(world.sim.incident(&twin).unwrap().notes.len(), 1);
        assert_eq!(world.notes(incident), ["Once"]);
        assert!(world.outbox().is_empty());
    }

    fn s58_a_resolve_and_an_acknowledge_of_one_instant(world) {
        for here_first in [true, false] {
            let (incident, twin) = world.declared("Both at once");
            world.latency = SECOND * 2;
            let user = world.user(3);
            let before = world.writes();
            if here_first {
                world.act(2, incident, &Command::Acknowledge, None).unwrap();
                world.sim.resolve(&user, &twin, world.now).unwrap();
            } else {
                world.act(2, incident, &Command::Resolve, None).unwrap();
                world.sim.acknowledge(&user, &twin, world.now).unwrap();
            }
            world.run_for(MINUTE * 7);
            assert_eq!(world.there(&twin), "resolved", "resolve beats acknowledge");
            assert_eq!(world.story(incident).status, Status::Resolved);
            assert_eq!(world.count(incident, Kind::Acknowledged), 1, "both are told");
            assert_eq!(world.count(incident, Kind::Resolved), 1, "{}", world.timeline(incident));
            assert_eq!(world.count(incident, Kind::Reopened), 0, "no flip");
            assert!(world.writes() - before <= 1);
            assert!(world.outbox().is_empty());
            world.latency = SignedDuration::from_millis(80);
        }
    }

    fn s59_a_goal_that_is_reached_is_no_failure(world) {
        let codes = [(1001, "Incident Already Resolved"), (1002, "Incident Already Acknowledged"), (1012, "Incident Not Acknowledged")];
        for (code, message) in codes {
            let (incident, twin) = world.declared(message);
            world.way.lose = Some(|_| true);
            let user = world.user(3);
            let mut refused = false;
            world.instead = Some(Box::new(move |call| {
                let first = matches!(call, Call::UpdateIncident { .. }) && !std::mem::replace(&mut refused, true);
                first.then(|| refusal(400, code, message))
            }));
            world.sim.acknowledge(&user, &twin, world.now).unwrap();
            if code == 1001 {
                world.sim.resolve(&user, &twin, world.now).unwrap();
                world.must(incident, &Command::Resolve);
            } else {
                world.must(incident, &Command::Acknowledge);
            }
            world.run_for(MINUTE * 6);
            assert!(world.outbox().is_empty(), "{code}: {:?}", world.outbox());
            let story = world.story(incident);
            assert!(story.pending.is_empty());
            assert_eq!(story.status.at_peer().as_str(), world.there(&twin), "{code}");
            assert_eq!(story.status, if code == 1001 { Status::Resolved } else { Status::Acknowledged });
            world.instead = None;
            world.way.lose = None;
        }
    }

    fn s60_an_acknowledge_that_was_overtaken_is_not_sent(world) {
        let (incident, twin) = world.declared("Overtaken");
        world.wire_up = false;
        world.way.lose = Some(|_| true);
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.run_for(SECOND * 20);
        let user = world.user(3);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(SECOND * 20);
        let before = world.writes();
        world.wire_up = true;
        world.run_for(MINUTE * 7);
        assert_eq!(world.writes(), before, "not reopened");
        assert_eq!(world.there(&twin), "resolved");
        assert_eq!(world.story(incident).status, Status::Resolved);
        assert!(world.timeline(incident).contains("Not sent to PagerDuty: PagerDuty had moved on"), "{}", world.timeline(incident));
        assert!(world.outbox().is_empty());
    }

    fn s61_a_cause_that_persists_makes_a_new_incident(world) {
        let (first, twin) = world.born_there("Disk full");
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        let (second, other) = world.born_there("Disk full");
        assert_ne!((first, &twin), (second, &other));
        assert_eq!(world.story(first).status, Status::Resolved);
        assert_eq!(world.story(second).status, Status::Open);
        assert!(world.pages(&other) >= 1);
    }

    fn s62_a_create_whose_answer_is_lost_pages_once(world) {
        for fault in [Fault::LoseAnswer, Fault::ServerError(500), Fault::BadGateway, Fault::Unreachable, Fault::RateLimited { with_headers: false }] {
            let before = world.sim.incidents().count();
            world.sim.faults().next_n_matching(2, "POST", "/incidents", fault);
            let incident = world.declare("Once", Severity::Sev1, Some("web"));
            world.run_for(MINUTE * 5);
            assert_eq!(world.sim.incidents().count(), before + 1, "{fault:?}");
            assert!(world.story(incident).peer.is_some(), "{fault:?}");
            assert!(world.outbox().is_empty());
        }
        assert_eq!(world.list().len(), 5);
    }

    fn s62_dying_after_the_create_left_pages_once(world) {
        let incident = world.declare("Once", Severity::Sev1, Some("web"));
        world.way.lose = Some(|_| true);
        world.run_for(SignedDuration::from_millis(10));
        assert_eq!(world.called("create_incident"), 1);
        world.crash();
        world.run_for(MINUTE * 3);
        assert_eq!(world.sim.incidents().count(), 1);
        assert!(world.story(incident).peer.is_some());
        assert_eq!(world.called("create_incident"), 1);
    }

    fn s62_a_create_whose_answer_is_lost_pages_once_though_it_was_moved_meanwhile(world) {
        world.way.lose = Some(|_| true);
        world.sim.faults().next_n_matching(1, "POST", "/incidents", Fault::LoseAnswer);
        let incident = world.declare("Once", Severity::Sev1, Some("web"));
        world.run_for(SignedDuration::from_millis(10));
        let twin = world.sim.incidents().next().expect("the call left").id;
        let (user, elsewhere) = (world.user(2), world.account.services[3].0.clone());
        world.sim.move_service(&user, &twin, &elsewhere, world.now).unwrap();
        world.run_for(MINUTE * 7);
        assert_eq!(world.sim.incidents().count(), 1);
        assert_eq!(world.twin(incident), twin);
        assert_eq!(world.list().len(), 1);
    }

    fn s63_our_key_on_another_service_is_somebody_else_s_incident(world) {
        world.wire_up = false;
        let incident = world.declare("Ours", Severity::Sev1, Some("web"));
        let row = world.write(|tx| incidents::find(tx, incident)).unwrap();
        let key = row.pd_key.unwrap();
        let service = world.account.services[3].0.clone();
        let body = json!({"incident": {"type": "incident", "title": "Theirs", "incident_key": key,
            "service": {"id": service, "type": "service_reference"}}});
        world.way.lose = Some(|_| true);
        assert_eq!(world.ask("POST", "/incidents", body.to_string().into_bytes()).status, 201);
        world.settle_down();
        world.way.lose = None;
        world.wire_up = true;
        world.run_for(MINUTE * 7);
        assert_eq!(world.sim.incidents().count(), 2);
        let twin = world.twin(incident);
        assert_eq!(world.sim.incident(&twin).unwrap().title, "Ours");
        let theirs = world.list().into_iter().find(|row| row.title == "Theirs").expect("theirs is here, too");
        assert_ne!(theirs.number, incident);
    }

    fn s63_our_key_used_again_after_the_end_is_another_incident(world) {
        let (incident, twin) = world.declared("Ours");
        let key = world.write(|tx| incidents::find(tx, incident)).unwrap().pd_key.unwrap();
        world.must(incident, &Command::Resolve);
        world.settle_down();
        let service = world.account.services[1].0.clone();
        let body = json!({"incident": {"type": "incident", "title": "Used again", "incident_key": key,
            "service": {"id": service, "type": "service_reference"}}});
        assert_eq!(world.ask("POST", "/incidents", body.to_string().into_bytes()).status, 201);
        world.run_for(MINUTE * 7);
        let story = world.story(incident);
        assert_eq!((story.status, story.title.as_str()), (Status::Resolved, "Ours"));
        assert_eq!(story.peer.unwrap().id, twin);
        assert_eq!(world.list().len(), 2);
    }

    fn s64_an_unknown_address_parks_with_its_reason_and_blocks_nothing(world) {
        world.configure(|config| config["custom"]["from_email"] = json!("gone@lighthouse-works.example"));
        let (incident, twin) = world.born_there("Watched");
        // A person whom PagerDuty knows is not affected.
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.settle_down();
        assert_eq!(world.there(&twin), "acknowledged");
        let stranger = im_core::Actor::user("nobody@elsewhere.example", "Nobody");
        let now = world.our_now();
        let asked: Result<_, commands::CommandError> = world.db.write(|tx| {
            commands::act(tx, incident, &Command::Note { text: "By a stranger".to_owned() }, None, &stranger, now)
        });
        asked.unwrap();
        world.run_for(MINUTE * 10);
        let parked = letters(world);
        assert_eq!(parked.len(), 1);
        assert!(parked[0].contains("1008") || parked[0].contains("Requester User Not Found"), "{parked:?}");
        assert!(world.called("add_note") <= 2, "not over and over");
        let user = world.user(3);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Resolved, "inbound goes on");
        let email = world.account.users[0].2.clone();
        world.configure(move |config| config["custom"]["from_email"] = json!(email));
        let id = world.outbox()[0].id;
        let now = world.our_now();
        let retried: Result<(), commands::CommandError> = world.db.write(|tx| commands::retry(tx, CONNECTOR, id, now));
        retried.unwrap();
        world.run_for(MINUTE);
        assert!(world.outbox().is_empty());
        let notes = world.sim.incident(&twin).unwrap().notes;
        assert!(notes[0].starts_with("By a stranger") && notes[0].contains("Nobody via im"), "{notes:?}");
    }

    fn s64_a_person_who_left_is_replaced_by_the_connectors_own(world) {
        let gone = UserRow { id: "PGONE".to_owned(), email: "left@lighthouse-works.example".to_owned(), name: None };
        world.write(|tx| people::put(tx, CONNECTOR, &gone));
        let (incident, twin) = world.declared("Left");
        let who = im_core::Actor::user(gone.email.as_str(), "Leaver");
        let now = world.our_now();
        let asked: Result<_, commands::CommandError> =
            world.db.write(|tx| commands::act(tx, incident, &Command::Resolve, None, &who, now));
        asked.unwrap();
        world.run_for(MINUTE);
        assert_eq!(world.there(&twin), "resolved");
        assert!(world.outbox().is_empty(), "{:?}", world.outbox());
    }

    fn s65_a_key_that_may_only_read_leaves_inbound_and_says_so(world) {
        let (incident, twin) = world.born_there("Watched");
        let key = world.account.read_only_key.clone();
        world.use_key(&key);
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.forget_calls();
        world.run_for(HOUR);
        assert_eq!(world.connector().state, State::Limited);
        assert!(world.connector().state_reason.is_some());
        // Once as the person, once as the connector's own.
        assert!(world.called("update_incident") <= 2, "no loop on 403");
        assert_eq!(letters(world).len(), 1);
        assert!(world.called("list_log_entries") > 5, "reading goes on");
        let user = world.user(3);
        world.sim.note(&user, &twin, "Still heard", world.now).unwrap();
        world.settle_down();
        assert_eq!(world.notes(incident), ["Still heard"]);
        let key = world.account.api_key.clone();
        world.use_key(&key);
        let id = world.outbox()[0].id;
        let now = world.our_now();
        let retried: Result<(), commands::CommandError> = world.db.write(|tx| commands::retry(tx, CONNECTOR, id, now));
        retried.unwrap();
        world.run_for(MINUTE);
        assert_eq!(world.connector().state, State::Active);
        assert_eq!(world.there(&twin), "acknowledged");
        assert!(world.outbox().is_empty());
    }

    fn s68_a_loop_that_closes_a_case_is_idempotent(world) {
        let case: Vec<_> = (0..5).map(|n| world.declared(&format!("Alert {n}"))).collect();
        let user = world.user(3);
        // PagerDuty ended one of them, and we do not know yet.
        world.way.lose = Some(|_| true);
        world.sim.resolve(&user, &case[4].1, world.now).unwrap();
        for _ in 0..3 {
            for (incident, _) in &case {
                world.act(2, *incident, &Command::Close, None).unwrap();
            }
            world.run_for(SECOND * 3);
        }
        world.run_for(MINUTE * 6);
        for (incident, twin) in &case {
            assert_eq!(world.there(twin), "resolved");
            assert_eq!(world.story(*incident).status, Status::Closed);
            assert_eq!(world.count(*incident, Kind::Closed), 1);
        }
        assert_eq!(world.writes(), 11, "creates, the resolves together, and a word for each close");
        assert!(world.outbox().is_empty());
    }

    fn s69_a_severity_does_not_drift(world) {
        let mut all = Vec::new();
        for severity in Severity::ALL {
            let incident = world.declare(&severity.to_string(), severity, Some("web"));
            world.settle_down();
            all.push((incident, severity, world.twin(incident)));
        }
        let written = world.writes();
        let user = world.user(3);
        for (_, _, twin) in &all {
            world.sim.acknowledge(&user, twin, world.now).unwrap();
        }
        let (born, there) = world.born_there("Inferred");
        let inferred = world.story(born).severity;
        world.run_for(MINUTE * 16);
        for (incident, severity, twin) in &all {
            assert_eq!(world.story(*incident).severity, Some((*severity, SeveritySource::Explicit)));
            let wanted = if *severity <= Severity::Sev2 { "high" } else { "low" };
            assert_eq!(world.sim.incident(twin).unwrap().urgency, wanted);
        }
        assert_eq!(world.story(born).severity, inferred);
        assert_eq!(world.sim.incident(&there).unwrap().urgency, "high");
        assert_eq!(world.writes(), written, "no field is written when none was changed");
    }

    fn s70_an_echo_never_lowers_an_end_of_ours(world) {
        let ends = [Command::Close, Command::Cancel];
        for end in ends {
            let (incident, twin) = world.declared("Ended");
            world.must(incident, &end);
            let ended = world.story(incident).status;
            world.run_for(MINUTE * 12);
            assert_eq!(world.there(&twin), "resolved");
            assert_eq!(world.story(incident).status, ended);
            let now = world.our_now();
            world.write(|tx| im_engine::request_reread(tx, CONNECTOR, incident, now));
            world.settle_down();
            assert_eq!(world.story(incident).status, ended);
            assert_eq!(world.count(incident, Kind::Reopened), 0);
        }
        let (original, _) = world.declared("Original");
        let (copy, _) = world.declared("Copy");
        world.must(copy, &Command::MarkDuplicate { of: original });
        world.run_for(MINUTE * 7);
        assert_eq!(world.story(copy).status, Status::Duplicate);
        assert_eq!(world.story(original).status, Status::Open);
    }

    fn s72_two_nodes_never_send_the_same(world) {
        let (incident, _) = world.declared("Shared");
        world.must(incident, &Command::Acknowledge);
        for number in 0..10 {
            world.declare(&format!("Shared {number}"), Severity::Sev2, None);
        }
        let one = world.plan_once().unwrap();
        let other = world.plan_once().unwrap();
        assert_eq!(one.calls.len(), 11);
        assert!(other.calls.is_empty(), "{:?}", other.calls);
        // Both die; what was claimed is looked at before it is sent.
        world.run_for(MINUTE * 4);
        assert_eq!(world.sim.incidents().count(), 11);
        assert!(world.outbox().is_empty());
    }

    fn s73_a_note_that_is_too_long_is_shortened_and_says_so(world) {
        let (incident, twin) = world.declared("Wordy");
        let text = "word ".repeat(8_000);
        world.write_note(incident, &text);
        world.run_for(MINUTE * 7);
        assert!(world.outbox().is_empty(), "{:?}", letters(world));
        let notes = world.sim.incident(&twin).unwrap().notes;
        assert_eq!(notes.len(), 1);
        assert!(notes[0].chars().count() <= 25_000);
        assert!(notes[0].contains("shortened: 39999 characters"), "{}", notes[0].chars().rev().take(120).collect::<String>());
        assert_eq!(world.notes(incident), [text.trim()], "here it stays whole");
    }

    fn s73_an_incident_that_takes_no_more_notes_parks_them(world) {
        let (incident, twin) = world.declared("Wordy");
        world.instead = Some(Box::new(|call| {
            let note = matches!(call, Call::AddNote { .. });
            note.then(|| refusal(400, 2001, "Incident has reached the maximum number of notes"))
        }));
        world.write_note(incident, "One too many");
        world.must(incident, &Command::Resolve);
        world.run_for(MINUTE * 10);
        assert_eq!(letters(world).len(), 1);
        assert!(letters(world)[0].contains("maximum number of notes"), "{:?}", letters(world));
        assert_eq!(world.called("add_note"), 1, "not over and over");
        assert_eq!(world.there(&twin), "resolved", "the state does not wait for the note");
    }

    fn s74_a_deleted_incident_is_ended_there_and_does_not_come_back(world) {
        let (incident, twin) = world.declared("Deleted");
        let user = world.user(3);
        world.way.keep_back = Some(|body| is_event(body, "acknowledged"));
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.must(incident, &Command::Delete);
        world.run_for(MINUTE);
        assert_eq!(world.there(&twin), "resolved", "its page is ended");
        world.let_in(|_| ());
        world.run_for(MINUTE * 7);
        world.sim.note(&user, &twin, "late", world.now).unwrap();
        world.run_for(MINUTE * 7);
        assert!(world.story(incident).deleted);
        assert!(world.list().iter().all(|row| row.deleted), "no second life");
        assert!(world.act(2, incident, &Command::Acknowledge, None).is_err());
        assert!(world.outbox().is_empty());
    }

    fn s74_one_that_pagerduty_never_heard_of_is_just_deleted(world) {
        world.wire_up = false;
        let incident = world.declare("Never sent", Severity::Sev1, None);
        world.must(incident, &Command::Delete);
        world.wire_up = true;
        world.run_for(MINUTE * 3);
        assert_eq!(world.sim.incidents().count(), 0);
        assert!(world.outbox().is_empty());
    }

    fn s75_after_a_pause_only_what_is_still_true_is_sent(world) {
        let (open, twin) = world.declared("Acknowledged in the pause");
        let (ended, other) = world.declared("Ended there in the pause");
        world.configure(|config| config["sync_direction"] = json!("none"));
        world.forget_calls();
        world.act(2, open, &Command::Acknowledge, None).unwrap();
        world.act(2, ended, &Command::Acknowledge, None).unwrap();
        let dead = world.declare("Began and ended in the pause", Severity::Sev1, None);
        world.must(dead, &Command::Resolve);
        let alive = world.declare("Began in the pause", Severity::Sev1, None);
        let user = world.user(3);
        world.sim.resolve(&user, &other, world.now).unwrap();
        world.run_for(MINUTE * 20);
        assert!(world.calls.is_empty(), "{:?}", world.calls);
        world.configure(|config| config["sync_direction"] = json!("bidirectional"));
        let rows = world.outbox();
        assert!(rows.len() >= 2, "what will be sent can be seen first");
        assert!(rows.iter().all(|row| row.incident != dead));
        world.run_for(MINUTE * 7);
        assert_eq!(world.there(&twin), "acknowledged");
        assert_eq!(world.there(&other), "resolved");
        assert!(world.story(dead).peer.is_none());
        assert!(world.story(alive).peer.is_some());
        assert_eq!(world.sim.incidents().count(), 3);
        assert!(world.outbox().is_empty());
    }

    fn s75_what_waited_for_more_than_a_day_is_a_persons_decision(world) {
        for (service, ..) in world.account.services.clone() {
            world.sim.set_timeouts(&service, None, None);
        }
        let (incident, twin) = world.declared("Old news");
        world.configure(|config| config["sync_direction"] = json!("none"));
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        let fresh = world.declare("Old, too", Severity::Sev1, None);
        world.run_for(HOUR * 25);
        world.configure(|config| config["sync_direction"] = json!("bidirectional"));
        world.run_for(MINUTE * 10);
        assert_eq!(world.there(&twin), "triggered");
        assert!(world.story(fresh).peer.is_none(), "nobody is paged for yesterday");
        let parked = letters(world);
        assert_eq!(parked.len(), 2);
        assert!(parked[0].contains("more than a day"), "{parked:?}");
        for row in world.outbox() {
            let now = world.our_now();
            let done: Result<(), commands::CommandError> = if row.incident == fresh {
                world.db.write(|tx| commands::discard(tx, CONNECTOR, row.id, now))
            } else {
                world.db.write(|tx| commands::retry(tx, CONNECTOR, row.id, now))
            };
            done.unwrap();
        }
        world.run_for(MINUTE);
        assert_eq!(world.there(&twin), "acknowledged");
        assert!(world.story(fresh).peer.is_none());
        assert!(world.outbox().is_empty());
        assert!(world.timeline(fresh).contains("discarded by a person"));
    }
}
