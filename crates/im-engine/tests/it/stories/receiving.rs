//! Webhooks as they come in: the scenarios S01–S18.

use im_core::{Kind, Status};
use im_store::fault::Fault;
use im_store::params;
use jiff::SignedDuration;
use pd_sim::DeliveryResult;
use serde_json::json;

use crate::world::{CONNECTOR, event, is_event};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

story! {
    fn the_log_takes_nothing_away_that_a_webhook_told(world) {
        let (incident, twin) = world.born_there("As it was called");
        let (user, policy) = (world.user(2), world.account.policies[1].clone());
        world.run_for(MINUTE);
        world.sim.delegate(&user, &twin, &policy.0, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.rename(&user, &twin, "As it is called now", world.now).unwrap();
        let told = |timeline: String| -> Vec<String> {
            let lines = timeline.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned()));
            lines.filter(|line| line.contains("policy") || line.contains("Triggered")).collect()
        };
        let by_webhook = told(world.timeline(incident));
        assert!(by_webhook[1].contains(&format!("Moved to policy {}, assigned to ", policy.1)), "{by_webhook:?}");
        world.sync();
        let now = world.our_now();
        world.write(|tx| im_engine::request_reread(tx, CONNECTOR, incident, now));
        world.settle_down();
        let with_log = world.story(incident);
        assert!(with_log.lines.iter().any(|line| line.kind == Kind::Notified), "the log is read");
        assert_eq!(told(world.timeline(incident)), by_webhook);
    }

    fn s01_what_was_acknowledged_survives_a_kill_before_it_is_understood(world) {
        let twin = world.triggered("Checkout is slow");
        world.deliver();
        assert_eq!(world.events("waiting"), 1, "stored, not understood");
        world.crash();
        assert!(world.list().is_empty());
        world.settle_down();
        let incident = world.number_of(&twin).unwrap();
        assert_eq!(world.count(incident, Kind::Triggered), 1);
        assert_eq!((world.events("waiting"), world.events("done")), (0, 1));
    }

    fn s01_a_kill_at_any_statement_loses_nothing_and_doubles_nothing(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        let users = [world.user(2), world.user(3)];
        world.mortal = true;
        let mut rounds = 0;
        for statement in 1..=60 {
            let fault = [Fault::Io, Fault::Full, Fault::Unavailable][statement % 3];
            world.sim.acknowledge(&users[statement % 2], &twin, world.now).unwrap();
            world.deliver();
            let stored = world.events("waiting") + world.events("done");
            world.faults.fail_statement(u64::try_from(statement).unwrap(), fault);
            world.digest_once();
            world.plan_once();
            world.faults.disarm();
            assert_eq!(world.events("waiting") + world.events("done"), stored, "statement {statement}");
            world.run_for(MINUTE);
            world.sim.unacknowledge(&users[statement % 2], &twin, world.now).unwrap();
            world.run_for(MINUTE);
            rounds += 1;
        }
        assert!(world.deaths > 10, "the kills hit something: {}", world.deaths);
        assert_eq!(world.count(incident, Kind::Acknowledged), rounds);
        assert_eq!(world.count(incident, Kind::Unacknowledged), rounds);
        assert_eq!(world.story(incident).status, Status::Open);
    }

    fn s01_a_commit_whose_answer_is_lost_is_not_repeated(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        world.mortal = true;
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.deliver();
        world.faults.lose_commit_answer();
        world.digest_once();
        assert_eq!(world.deaths, 1);
        world.settle_down();
        assert_eq!(world.count(incident, Kind::Acknowledged), 1);
    }

    fn s03_an_answer_that_comes_too_late_costs_a_delivery_and_no_second_act(world) {
        let (incident, twin) = world.born_there("Slow to answer");
        world.way.late = true;
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Acknowledged, "it is stored all the same");
        let tried = world.way.attempts.len();
        world.way.late = false;
        world.run_for(MINUTE * 2);
        assert!(world.way.attempts.len() > tried, "PagerDuty sends it again");
        assert!(world.sim.subscriptions()[0].queued.is_empty(), "and is content");
        assert_eq!(world.count(incident, Kind::Acknowledged), 1, "{}", world.timeline(incident));
        assert_eq!(world.sim.subscriptions()[0].dropped, 0);
    }

    fn s04_the_same_delivery_twice_is_one_act(world) {
        world.sim.faults().webhooks.duplicate_percent = 100;
        let (incident, twin) = world.declared("Checkout is slow");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.sim.note(&user, &twin, "Looking", world.now).unwrap();
        world.run_for(MINUTE);
        assert!(world.told_about(&twin).len() >= 6, "each came twice");
        assert_eq!(world.list().len(), 1);
        assert_eq!(world.count(incident, Kind::Acknowledged), 1);
        assert_eq!(world.notes(incident), ["Looking"]);
        assert_eq!(world.writes(), 1, "the create alone");
    }

    fn s05_a_replay_under_another_delivery_id_is_counted_and_changes_nothing(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sync();
        let before = world.timeline(incident);
        let events = world.events("done");
        for body in world.told_about(&twin) {
            world.arrive(&body, "a-fresh-delivery-id");
        }
        world.run_for(SignedDuration::from_hours(72));
        for body in world.told_about(&twin) {
            world.arrive(&body, "another-fresh-delivery-id");
        }
        world.settle_down();
        assert_eq!(world.timeline(incident), before);
        assert_eq!(world.events("done"), events);
        let copies = world.write(|tx| {
            let row = tx.query_one("SELECT MIN(copies) FROM inbox", params![])?;
            Ok(row.map(|row| row.int(0)).transpose()?.unwrap())
        });
        assert_eq!(copies, 3, "a replay is counted");
    }

    fn s06_a_new_secret_takes_over_without_a_lost_delivery(world) {
        let (incident, twin) = world.born_there("While the secret changes");
        let subscription = world.sim.subscriptions()[0].id.clone();
        let (old, new) = (world.secrets[0].clone(), world.sim.new_secret());
        let user = world.user(2);
        assert!(world.sim.add_second_secret(&subscription, &new));
        // PagerDuty signs with both; whichever of them we know is enough.
        for secrets in [vec![old.clone()], vec![new.clone()], vec![old, new.clone()]] {
            world.secrets = secrets;
            world.sim.note(&user, &twin, "signed twice", world.now).unwrap();
            world.settle_down();
        }
        let signed = world.way.attempts.last().cloned().unwrap();
        let header = signed.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("X-PagerDuty-Signature"));
        assert_eq!(header.unwrap().1.matches("v1=").count(), 2);
        assert!(world.sim.drop_old_secret(&subscription));
        world.sim.note(&user, &twin, "signed by the new one", world.now).unwrap();
        world.settle_down();
        assert_eq!(world.notes(incident).len(), 4);
        assert!(
            world.sim.attempts().all(|attempt| matches!(attempt.result, Some((DeliveryResult::Status(202), _)))),
            "nothing was refused on the way"
        );
    }

    fn s09_an_unverified_webhook_is_a_hint_to_read_the_incident(world) {
        world.way.unverified = true;
        let (incident, twin) = world.born_there("Checkout is slow");
        assert_eq!(world.called("read_incident"), 1, "read before anything is believed");
        // A forged event claims a resolve: PagerDuty is asked, and says no.
        let forged = json!({"type": "incident", "id": twin, "title": "hacked", "status": "resolved"});
        let forged = event("FORGED", "incident.resolved", world.now, &forged);
        world.arrive(&forged, "forged");
        world.settle_down();
        let story = world.story(incident);
        assert_eq!((story.status, story.title.as_str()), (Status::Open, "Checkout is slow"));
        assert_eq!(world.count(incident, Kind::Resolved), 0);
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Resolved);
    }

    fn s09_an_unverified_deletion_of_a_service_is_not_believed(world) {
        let (incident, _) = world.born_there("Checkout is slow");
        world.way.unverified = true;
        let service = json!({"type": "service", "id": world.account.services[1].0, "summary": "x"});
        let forged = event("FORGED", "service.deleted", world.now, &service);
        world.arrive(&forged, "forged");
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Open);
    }

    fn s10_signed_but_unknown_is_kept_and_changes_nothing(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        world.sync();
        world.forget_calls();
        let before = world.timeline(incident);
        let data = json!({"type": "weather_report", "temperature": 21});
        let body = event("UNKNOWN-1", "sky.cleared", world.now, &data);
        world.arrive(&body, "d1");
        let about = json!({"type": "incident_hologram", "id": "H1", "incident": {"id": twin, "type": "incident_reference"}});
        let body = event("UNKNOWN-2", "incident.hologram.shown", world.now, &about);
        world.arrive(&body, "d2");
        // A webhook of the generation before, and one that is no object at all.
        world.arrive(r#"{"messages": [{"event": "incident.trigger"}]}"#, "d3");
        world.arrive("[1, 2, 3]", "d4");
        world.settle_down();
        assert_eq!(world.events("unknown"), 2);
        assert_eq!(world.events("unreadable"), 2);
        assert_eq!(world.events("waiting"), 0, "no loop");
        assert_eq!(world.timeline(incident), before);
        assert_eq!(world.list().len(), 1);
        assert_eq!(world.called("read_incident"), 1, "the incident that it was about is read");
    }

    fn s11_a_new_event_type_and_a_new_status_do_not_move_the_state(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        let data = json!({"type": "incident", "id": twin, "status": "hibernating", "title": "Checkout is slow"});
        let body = event("NEW-1", "incident.hibernated", world.now, &data);
        world.arrive(&body, "d1");
        world.settle_down();
        let story = world.story(incident);
        assert_eq!(story.status, Status::Acknowledged);
        assert_eq!(story.peer.unwrap().status, im_core::PeerStatus::Acknowledged);
        assert!(world.timeline(incident).contains("incident.hibernated"), "{}", world.timeline(incident));
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Resolved);
    }

    fn s12_the_id_of_a_note_is_not_the_id_of_an_incident(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        let user = world.user(2);
        world.sim.note(&user, &twin, "Rolled back", world.now).unwrap();
        world.sim.status_update(&user, &twin, "We are on it", world.now).unwrap();
        let reference = json!({"id": twin, "type": "incident_reference", "summary": "x"});
        let kinds = [
            ("incident.responder.added", "incident_responder"),
            ("incident.workflow.started", "incident_workflow_instance"),
            ("incident.task.created", "incident_task"),
        ];
        for (event_type, kind) in kinds {
            let data = json!({"type": kind, "id": format!("X-{kind}"), "incident": reference, "state": "pending", "name": "y"});
            let body = event(kind, event_type, world.now, &data);
            world.arrive(&body, kind);
        }
        let roles = json!({"type": "incident_role_assignment", "incident_role_assignments": [
            {"id": "R1", "type": "role_assignment_reference", "incident": reference, "role": {"id": "L", "summary": "Lead"}}
        ]});
        let body = event("ROLE", "incident.role.assigned", world.now, &roles);
        world.arrive(&body, "role");
        world.settle_down();
        assert_eq!(world.list().len(), 1, "no ghosts");
        assert_eq!(world.notes(incident), ["Rolled back"]);
        assert_eq!(world.count(incident, Kind::StatusUpdated), 1);
        assert_eq!(world.story(incident).title, "Checkout is slow");
        assert_eq!(world.events("unknown") + world.events("unreadable"), 0);
    }

    fn s13_a_giant_that_was_dropped_is_found_by_repair(world) {
        let title = "x".repeat(300_000);
        let service = world.account.services[1].0.clone();
        let giant = world.sim.trigger(&service, &title, world.now).unwrap();
        let (small, _) = world.born_there("Small");
        assert_eq!(world.number_of(&giant), None, "PagerDuty drops bodies above 256 KB");
        world.run_for(SignedDuration::from_mins(6));
        let incident = world.number_of(&giant).unwrap();
        assert_eq!(world.story(incident).title.len(), 300_000);
        assert_ne!(incident, small);
        assert!(world.last_run().found.created >= 1);
    }

    fn s13_bodies_around_the_limits_arrive_whole(world) {
        for size in [54_000, 56_400, 200_000, 250_000] {
            let title = format!("{size} {}", "y".repeat(size));
            let (incident, _) = world.born_there(&title);
            let story = world.story(incident);
            assert_eq!((story.status, story.title), (Status::Open, title));
        }
    }

    fn s13_a_note_that_was_cut_is_completed(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        let user = world.user(2);
        let long = format!("{} the end", "z".repeat(40_000));
        world.sim.note(&user, &twin, &long, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.notes(incident).len(), 1);
        world.run_for(SignedDuration::from_mins(6));
        let notes = world.notes(incident);
        assert_eq!(notes.len(), 1, "the cut text is not a note of its own");
        assert_eq!(notes[0], long);
    }

    fn s14_nobody_is_not_a_person(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        world.way.edit = Some(Box::new(|body| {
            body["event"]["agent"] = json!(null);
            body["event"]["client"] = json!(null);
        }));
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved);
        assert_eq!(story.resolved_by, None);
        let ack = story.lines.iter().find(|line| line.kind == Kind::Acknowledged).unwrap();
        assert_eq!(ack.actor.kind, im_core::ActorKind::None);
        assert_eq!(ack.text(), "Acknowledged");
        assert_eq!(ack.actor.label(), None);
    }

    fn s14_what_a_timer_did_is_one_act_and_nobody_s(world) {
        let service = world.account.services[1].0.clone();
        world.sim.set_timeouts(&service, Some(600), Some(1_200));
        let (incident, twin) = world.born_there("Nobody looks");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 40);
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved);
        let actor = |kind| story.lines.iter().find(|line| line.kind == kind).unwrap().actor.kind;
        assert_ne!(actor(Kind::Resolved), im_core::ActorKind::User);
        assert_ne!(actor(Kind::Unacknowledged), im_core::ActorKind::User);
        assert_eq!(world.count(incident, Kind::Unacknowledged), 1);
        assert_eq!(world.count(incident, Kind::Resolved), 1);
        let told = world.timeline(incident);
        assert!(told.contains("Acknowledgement timed out") && told.contains("Resolved by PagerDuty's timer"), "{told}");
    }

    fn s15_a_test_event_proves_the_path_and_changes_nothing(world) {
        let begun = world.now;
        let data = json!({"type": "ping", "message": "Hello from your friend Pagey!"});
        let body = event("PING", "pagey.ping", world.now, &data);
        world.arrive(&body, "ping");
        world.settle_down();
        assert!(world.list().is_empty());
        assert_eq!(world.events("ignored"), 1);
        let came = world.write(|tx| im_store::inbox::ping_since(tx, crate::world::CONNECTOR, begun));
        assert_eq!(came, Some(begun));
        assert_eq!(world.connector().last_heard_at, Some(begun));
    }

    fn s15_a_hand_made_event_about_no_incident_makes_none(world) {
        let data = json!({"type": "incident_note", "id": "N1", "content": "hi", "incident": {"id": "QNOSUCH", "type": "incident_reference"}});
        let body = event("FAKE", "incident.annotated", world.now, &data);
        world.arrive(&body, "fake");
        world.run_for(SignedDuration::from_hours(1));
        assert!(world.list().is_empty());
        assert!(world.called("read_incident") >= 1, "PagerDuty was asked");
        assert!(world.called("read_incident") <= 20, "and not over and over: {}", world.called("read_incident"));
        assert_eq!(world.events("waiting"), 0);
        assert_eq!(world.events("orphan"), 1);
    }

    fn an_event_about_an_incident_that_nobody_shows_us_is_given_up_after_ten_minutes_and_not_before(world) {
        let data = json!({"type": "incident_note", "id": "N1", "content": "hi", "incident": {"id": "QNOSUCH", "type": "incident_reference"}});
        let body = event("FAKE", "incident.annotated", world.now, &data);
        world.arrive(&body, "fake");
        world.run_for(MINUTE);
        assert!(world.called("read_incident") >= 1, "PagerDuty was asked");
        world.asleep = true;
        world.run_for(MINUTE * 9);
        world.asleep = false;
        assert_eq!(world.digest_once(), Some(1), "it is looked at after ten minutes");
        assert_eq!((world.events("waiting"), world.events("orphan")), (1, 0));
        world.run_for(MINUTE * 2);
        assert_eq!((world.events("waiting"), world.events("orphan")), (0, 1));
    }

    fn an_event_about_an_incident_that_cannot_be_read_now_waits_until_it_can(world) {
        world.way.lose = Some(|body| !is_event(body, "annotated"));
        let twin = world.triggered("Half heard");
        let user = world.user(2);
        world.wire_up = false;
        world.sim.note(&user, &twin, "Anybody there?", world.now).unwrap();
        world.run_for(MINUTE * 30);
        assert_eq!((world.events("waiting"), world.events("orphan")), (1, 0), "nobody said that there is none");
        world.wire_up = true;
        world.run_for(MINUTE * 10);
        let incident = world.number_of(&twin).unwrap();
        assert_eq!(world.notes(incident), ["Anybody there?"]);
        assert_eq!((world.events("waiting"), world.events("done")), (0, 1));
    }

    fn s16_two_subscriptions_tell_one_act(world) {
        let secret = world.secrets[0].clone();
        let service = world.account.services[1].0.clone();
        let (_, second) = world.subscribe("service_reference", Some(&service));
        world.secrets = vec![secret, second];
        let (incident, twin) = world.born_there("Checkout is slow");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.told_about(&twin).len(), 4);
        assert_eq!(world.events("done"), 2, "one event, whatever the number of subscriptions");
        assert_eq!(world.count(incident, Kind::Acknowledged), 1);
    }

    fn s16_the_same_act_under_two_event_ids_is_one_once_the_log_is_read(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        let body = world.told_about(&twin).pop().unwrap();
        let mut again: serde_json::Value = serde_json::from_str(&body).unwrap();
        again["event"]["id"] = json!("ANOTHER-ID-OF-THE-SAME");
        world.arrive(&again.to_string(), "other");
        world.run_for(SignedDuration::from_mins(6));
        assert_eq!(world.events("done"), 3);
        assert_eq!(world.count(incident, Kind::Acknowledged), 1);
    }

    fn s17_in_a_storm_nothing_is_lost_and_each_incident_keeps_its_order(world) {
        let user = world.user(2);
        let mut twins = Vec::new();
        for number in 0..1_250 {
            let twin = world.triggered(&format!("Alarm {number}"));
            world.now += SignedDuration::from_millis(1);
            world.sim.acknowledge(&user, &twin, world.now).unwrap();
            world.now += SignedDuration::from_millis(1);
            world.sim.note(&user, &twin, "Storm", world.now).unwrap();
            world.now += SignedDuration::from_millis(1);
            world.sim.resolve(&user, &twin, world.now).unwrap();
            twins.push(twin);
        }
        while world.sim.wake_at().is_some_and(|at| at <= world.now) {
            world.deliver();
        }
        assert_eq!(world.events("waiting"), 5_000, "all are stored before any is understood");
        assert_eq!(world.digest_once(), Some(100), "one transaction's work is bounded");
        world.run_for(MINUTE);
        assert_eq!(world.events("done"), 5_000);
        // The log, which tells seconds alone, was read for the first few.
        for twin in twins.into_iter().skip(40).step_by(97) {
            let incident = world.number_of(&twin).unwrap();
            let kinds: Vec<Kind> = world.story(incident).lines.iter().map(|line| line.kind).collect();
            let wanted = [Kind::Triggered, Kind::Acknowledged, Kind::Noted, Kind::Resolved];
            let kept: Vec<Kind> = kinds.into_iter().filter(|kind| wanted.contains(kind)).collect();
            assert_eq!(kept, wanted);
        }
        assert_eq!(world.write(im_store::incidents::count_open), 0);
        assert_eq!(world.writes(), 0);
    }

    fn s18_nonsense_is_stored_and_does_not_stop_what_comes_after(world) {
        let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
        let at = "2026-03-10T08:00:00Z";
        let head = format!(r#""event_type":"incident.triggered","occurred_at":"{at}""#);
        let bodies = [
            deep.clone(),
            format!(r#"{{"event":{{"id":"N1",{head},"data":{deep}}}}}"#),
            format!(r#"{{"event":{{"id":"N2","id":"N2b",{head},"data":{{"type":"incident","type":"x","id":"QDUP"}}}}}}"#),
            format!(r#"{{"event":{{"id":"N3",{head},"data":{{"type":"incident","id":"QHUGE","number":1e400}}}}}}"#),
            format!(r#"{{"event":{{"id":"N4",{head},"data":{{"type":"incident","id":99,"title":["a"],"service":7}}}}}}"#),
            r#"{"event":{"id":"N5","event_type":"incident.triggered","occurred_at":"yesterday","data":{}}}"#.to_owned(),
            format!(r#"{{"event":{{"id":"N6",{head},"data":null}}}}"#),
            "not json at all".to_owned(),
            String::new(),
            format!(r#"{{"event":{{"id":"N7",{head},"data":{{"type":"incident","id":"QNUL","title":"a\u0000b","created_at":"{at}"}}}}}}"#),
        ];
        let count = bodies.len();
        for (number, body) in bodies.into_iter().enumerate() {
            world.arrive(&body, &number.to_string());
        }
        let (incident, _) = world.born_there("After the nonsense");
        assert_eq!(world.story(incident).status, Status::Open);
        world.run_for(MINUTE);
        assert_eq!(world.events("waiting"), 0);
        let kept = ["done", "ignored", "unknown", "unreadable", "orphan"].map(|state| world.events(state));
        assert_eq!(kept.iter().sum::<i64>(), i64::try_from(count).unwrap() + 1, "{kept:?}");
    }

    fn s02_what_was_dropped_while_we_were_down_is_refilled_and_the_subscription_switched_on(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        let healthy = world.connector().last_heard_at.unwrap();
        let subscription = world.connector().subscription.unwrap();
        world.asleep = true;
        world.crash();
        let user = world.user(2);
        world.run_for(SignedDuration::from_hours(1));
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        let unheard = world.triggered("Began while we were down");
        world.run_for(MINUTE);
        world.sim.disable_subscription(&subscription, world.now);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(SignedDuration::from_hours(1));
        world.asleep = false;
        world.run_for(SignedDuration::from_mins(6));
        assert_eq!(world.called("enable_subscription"), 1);
        assert!(world.sim.subscriptions().iter().all(|view| view.disabled_until.is_none_or(|until| until <= world.now)));
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved);
        assert!(story.acknowledged_at.is_some());
        let found = world.number_of(&unheard).unwrap();
        assert_eq!(world.story(found).title, "Began while we were down");
        let gap = world.connector().gap.unwrap();
        assert_eq!(gap.from, healthy);
        assert!(gap.to.is_some_and(|to| to > gap.from));
        assert!(gap.repaired >= 3, "an acknowledge, a resolve and an incident: {}", gap.repaired);
    }

    fn s02_a_receiver_that_refuses_for_days_loses_nothing_for_good(world) {
        let (incident, twin) = world.born_there("Checkout is slow");
        world.run_for(MINUTE);
        world.door = Some(DeliveryResult::Status(400));
        let user = world.user(2);
        for step in 0..3 {
            world.sim.note(&user, &twin, &format!("dropped {step}"), world.now).unwrap();
            world.run_for(MINUTE);
        }
        assert!(world.sim.subscriptions()[0].disabled_until.is_some(), "three strikes");
        world.door = None;
        world.run_for(SignedDuration::from_mins(6));
        assert_eq!(world.notes(incident), ["dropped 0", "dropped 1", "dropped 2"]);
        assert_eq!(world.called("enable_subscription"), 1);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Resolved, "and webhooks come again");
        assert_eq!(world.connector().gap.unwrap().repaired, 3);
    }
}
