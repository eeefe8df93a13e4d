//! Order, duplicates and repair: the scenarios S19–S31.

use im_core::{Command, Kind, PeerStatus, Severity, Status};
use im_engine::{Settled, Ticket, request_reread, request_sync, settle, skew};
use im_pagerduty::{Answer, Call, Limits, Outcome, Page};
use im_store::repair;
use jiff::{SignedDuration, Timestamp};
use pd_sim::Outage;
use serde_json::{Value, json};

use crate::world::{CONNECTOR, World, event, is_event};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// An answer without log entries.
fn no_log(reply: &mut im_pagerduty::Reply) {
    let empty = json!({"log_entries": [], "limit": 100, "offset": 0, "more": false, "total": 0});
    reply.body = empty.to_string().into_bytes();
}

/// The same webhook about another incident, under another id.
fn relabel(body: &str, twin: &str, other: &str) -> String {
    let mut body: Value = serde_json::from_str(&body.replace(twin, other)).unwrap();
    let id = body["event"]["id"].as_str().unwrap().to_owned();
    body["event"]["id"] = json!(format!("{id}-{other}"));
    body["event"]["data"]["incident_key"] = json!(null);
    body.to_string()
}

/// Every order of `0..count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for at in 0..count {
            let mut order = shorter.clone();
            order.insert(at, count - 1);
            all.push(order);
        }
    }
    all
}

/// Switches the timers of the services off that stories use.
fn without_timers(world: &mut World) {
    for (service, ..) in world.account.services.clone() {
        world.sim.set_timeouts(&service, None, None);
    }
}

story! {
    fn s19_any_order_of_arrival_gives_the_same_incident(world) {
        let (incident, twin) = world.born_there("Flapping");
        let (first, second) = (world.user(2), world.user(3));
        world.run_for(MINUTE);
        world.sim.acknowledge(&first, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.resolve(&first, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.reopen(&second, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.acknowledge(&second, &twin, world.now).unwrap();
        world.settle_down();
        let wanted = world.story(incident);
        assert_eq!(wanted.status, Status::Acknowledged);
        let bodies = world.told_about(&twin);
        assert_eq!(bodies.len(), 5);
        for (number, order) in orders(5).into_iter().enumerate() {
            let other = format!("QORDER{number}");
            for at in &order {
                world.arrive(&relabel(&bodies[*at], &twin, &other), "x");
                world.digest_once();
            }
            let found = world.number_of(&other).unwrap();
            let story = world.story(found);
            assert_eq!(story.status, wanted.status, "{order:?}");
            assert_eq!(story.acknowledged_at, wanted.acknowledged_at, "{order:?}");
            assert_eq!(story.resolved_at, None, "{order:?}");
            assert_eq!(story.created_at, wanted.created_at, "{order:?}");
            assert_eq!(story.peer.unwrap().status, PeerStatus::Acknowledged, "{order:?}");
            let steps = |story: &im_core::Story| -> Vec<Kind> {
                let kinds = [Kind::Triggered, Kind::Acknowledged, Kind::Resolved, Kind::Reopened];
                story.lines.iter().map(|line| line.kind).filter(|kind| kinds.contains(kind)).collect()
            };
            let story = world.story(found);
            assert_eq!(steps(&story), steps(&wanted), "{order:?}");
        }
    }

    fn s19_a_resolve_that_comes_after_the_reopen_does_not_close(world) {
        let (incident, twin) = world.declared("Flapping");
        let user = world.user(2);
        world.way.keep_back = Some(|body| is_event(body, "resolved"));
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.reopen(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.let_in(|_| ());
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Open);
        assert_eq!(world.there(&twin), "triggered");
        assert_eq!(world.writes(), 1, "nothing is sent because of it");
    }

    fn s20_a_read_that_is_older_than_a_webhook_does_not_win(world) {
        let (incident, twin) = world.born_there("Slow read");
        let user = world.user(2);
        world.latency = SignedDuration::from_secs(20);
        let now = world.our_now();
        world.write(|tx| request_reread(tx, CONNECTOR, incident, now));
        world.run_for(SignedDuration::from_secs(1));
        assert_eq!(world.called("read_incident"), 1);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sim.rename(&user, &twin, "Renamed meanwhile", world.now).unwrap();
        world.run_for(SignedDuration::from_secs(5));
        assert_eq!(world.story(incident).status, Status::Resolved);
        world.run_for(SignedDuration::from_secs(40));
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved, "the old read says triggered");
        assert_eq!(world.count(incident, Kind::Reopened), 0);
        assert_eq!(world.count(incident, Kind::Triggered), 1);
    }

    fn s21_events_of_one_instant_have_one_order(world) {
        let twins: Vec<String> = (0..4).map(|n| world.triggered(&format!("Bulk {n}"))).collect();
        world.settle_down();
        world.way.keep_back = Some(|_| true);
        let rows: Vec<Value> = twins
            .iter()
            .map(|id| json!({"id": id, "type": "incident_reference", "status": "resolved"}))
            .collect();
        let reply = world.ask("PUT", "/incidents", json!({"incidents": rows}).to_string().into_bytes());
        assert_eq!(reply.status, 200);
        world.settle_down();
        assert_eq!(world.way.kept.len(), 4);
        world.let_in(|kept| kept.reverse());
        world.settle_down();
        assert_eq!(world.write(im_store::incidents::count_open), 0);
        // Resolved and reopened in the same millisecond: open, whichever comes first.
        let at = world.now;
        let mut told = Vec::new();
        for (number, swap) in [false, true].into_iter().enumerate() {
            let twin = format!("QTIE{number}");
            let data = |status: &str| json!({"type": "incident", "id": twin, "title": "Tie", "status": status, "created_at": "2026-03-10T07:00:00Z"});
            let mut bodies = vec![
                event(&format!("A{number}"), "incident.resolved", at, &data("resolved")),
                event(&format!("B{number}"), "incident.reopened", at, &data("triggered")),
            ];
            if swap {
                bodies.reverse();
            }
            for body in bodies {
                world.arrive(&body, "x");
                world.digest_once();
            }
            let incident = world.number_of(&twin).unwrap();
            assert_eq!(world.story(incident).status, Status::Open);
            told.push(world.timeline(incident));
        }
        assert_eq!(told[0], told[1]);
    }

    fn s22_a_webhook_before_the_answer_of_our_create_is_about_the_same_incident(world) {
        let keys: [fn(&mut Value); 3] = [
            |_| (),
            |body| body["event"]["data"]["incident_key"] = json!(null),
            |body| body["event"]["data"]["incident_key"] = json!("0123456789abcdef0123456789abcdef"),
        ];
        for (number, key) in keys.into_iter().enumerate() {
            world.latency = SignedDuration::from_secs(5);
            world.way.edit = Some(Box::new(key));
            let incident = world.declare(&format!("Race {number}"), Severity::Sev1, Some("web"));
            let stranger = world.triggered(&format!("Not ours {number}"));
            world.run_for(SignedDuration::from_secs(1));
            assert_eq!(world.called("create_incident"), number + 1);
            assert!(world.way.attempts.len() >= 2, "the webhook was first");
            world.run_for(MINUTE);
            assert_eq!(world.list().len(), 2 * (number + 1));
            assert_eq!(world.count(incident, Kind::Triggered), 1);
            assert!(world.number_of(&stranger).is_some_and(|found| found != incident));
            assert_eq!(world.events("waiting"), 0);
        }
        assert_eq!(world.sim.incidents().count(), 6);
    }

    fn s22_a_slow_answer_of_our_create_undoes_nothing_of_its_second(world) {
        world.latency = SignedDuration::from_secs(10);
        let incident = world.declare("Race", Severity::Sev1, None);
        world.run_for(SignedDuration::from_millis(200));
        let twin = world.sim.incidents().next().unwrap().id;
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        assert_eq!(world.story(incident).status, Status::Resolved);
        assert_eq!(world.count(incident, Kind::Reopened), 0, "{}", world.timeline(incident));
    }

    fn s22_a_create_whose_answer_is_lost_finds_its_webhook_again(world) {
        world.way.edit = Some(Box::new(|body| body["event"]["data"]["incident_key"] = json!(null)));
        world.sim.faults().next_matching("POST", "/incidents", pd_sim::Fault::LoseAnswer);
        let incident = world.declare("Race", Severity::Sev1, None);
        world.run_for(MINUTE * 3);
        assert_eq!(world.list().len(), 1);
        assert_eq!(world.sim.incidents().count(), 1);
        let twin = world.twin(incident);
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Acknowledged);
    }

    fn s22_an_incident_that_is_here_twice_is_a_persons_decision(world) {
        // The look at PagerDuty is refused, so the create is a dead letter when its webhook comes.
        world.way.edit = Some(Box::new(|body| body["event"]["data"]["incident_key"] = json!(null)));
        world.way.keep_back = Some(|_| true);
        world.sim.faults().next_matching("POST", "/incidents", pd_sim::Fault::LoseAnswer);
        world.instead = Some(Box::new(|call| {
            let refused = matches!(call, Call::FindByKey { .. });
            refused.then(|| im_pagerduty::Reply { status: 403, ..im_pagerduty::Reply::default() })
        }));
        let incident = world.declare("Race", Severity::Sev1, None);
        world.run_for(MINUTE * 3);
        assert!(world.outbox()[0].parked);
        world.let_in(|_| ());
        world.settle_down();
        assert_eq!(world.list().len(), 2, "nobody can tell that it is ours");
        world.instead = None;
        let (id, now) = (world.outbox()[0].id, world.our_now());
        let retried: Result<(), im_engine::commands::CommandError> =
            world.db.write(|tx| im_engine::commands::retry(tx, CONNECTOR, id, now));
        retried.unwrap();
        world.run_for(MINUTE * 3);
        let letter = &world.outbox()[0];
        assert!(letter.parked);
        assert!(letter.reason.as_ref().unwrap().contains("already"), "{:?}", letter.reason);
        assert!(world.story(incident).peer.is_none());
        assert_eq!(world.sim.incidents().count(), 1, "nobody is paged twice");
    }

    fn s22_a_reopen_while_the_resolve_is_on_its_way_is_not_overtaken_by_it(world) {
        for taken in [false, true] {
            let (incident, twin) = world.declared("There and back");
            world.way.keep_back = Some(|body| is_event(body, "resolved"));
            world.latency = SignedDuration::from_secs(20);
            world.must(incident, &Command::Resolve);
            world.run_for(SignedDuration::from_secs(2));
            assert_eq!(world.there(&twin), "resolved", "and nobody here knows");
            world.crash();
            world.latency = SignedDuration::ZERO;
            world.must(incident, &Command::Reopen);
            if taken {
                world.run_for(SignedDuration::from_secs(2));
                world.must(incident, &Command::Acknowledge);
            }
            world.run_for(SignedDuration::from_secs(1));
            world.let_in(|_| ());
            world.run_for(MINUTE * 10);
            let wanted = if taken { Status::Acknowledged } else { Status::Open };
            assert_eq!(world.story(incident).status, wanted, "{}", world.timeline(incident));
            assert_eq!(world.there(&twin), if taken { "acknowledged" } else { "triggered" });
        }
    }

    fn s22_what_is_taken_back_while_the_call_for_it_is_on_its_way_is_sent_again(world) {
        let (incident, twin) = world.declared("db down");
        let edit = |title: &str, severity| Command::Edit {
            title: Some(title.to_owned()),
            description: None,
            severity: Some(severity),
            service: None,
        };
        world.latency = SignedDuration::from_secs(20);
        world.must(incident, &edit("disk full", Severity::Sev4));
        world.run_for(SignedDuration::from_secs(2));
        world.must(incident, &edit("db down", Severity::Sev1));
        world.run_for(MINUTE * 10);
        let there = world.sim.incidents().find(|one| one.id == twin).unwrap();
        assert_eq!((there.title.as_str(), there.urgency), ("db down", "high"));
        assert_eq!(world.story(incident).title, "db down");
        assert!(world.outbox().is_empty());
    }

    fn s23_the_first_that_is_heard_is_an_acknowledgement(world) {
        world.way.lose = Some(|body| is_event(body, "triggered"));
        let twin = world.triggered("Half heard");
        let began = world.now;
        world.run_for(MINUTE * 2);
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        let incident = world.number_of(&twin).unwrap();
        let story = world.story(incident);
        assert_eq!(story.created_at, began, "not when we first heard of it");
        assert_eq!(story.status, Status::Acknowledged);
        assert_eq!(story.title, "Half heard");
        assert_eq!(world.count(incident, Kind::Triggered), 1);
        assert!(world.called("incident_log_entries") >= 1, "its log is read");
        assert!(world.count(incident, Kind::Notified) >= 1, "and tells what no webhook does");
    }

    fn s23_the_first_that_is_heard_is_a_note(world) {
        world.way.lose = Some(|body| !is_event(body, "annotated"));
        let twin = world.triggered("Half heard");
        let began = world.now;
        world.run_for(MINUTE * 2);
        let user = world.user(2);
        world.sim.note(&user, &twin, "Anybody there?", world.now).unwrap();
        world.settle_down();
        let incident = world.number_of(&twin).unwrap();
        assert_eq!(world.story(incident).created_at, began);
        assert_eq!(world.story(incident).title, "Half heard");
        assert_eq!(world.notes(incident), ["Anybody there?"]);
    }

    fn s24_an_old_incident_that_changed_today_is_found(world) {
        without_timers(world);
        let (resolved, twin) = world.declared("Forty days old");
        let (renamed, other) = world.declared("Also old");
        world.asleep = true;
        world.crash();
        world.run_for(HOUR * 24 * 40);
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sim.rename(&user, &other, "Also renamed", world.now).unwrap();
        // The log is no help: what we hold for open has to be compared.
        world.tamper = Some(Box::new(|call, mut reply| {
            if matches!(call, Call::ListLogEntries { .. } | Call::IncidentLogEntries { .. }) {
                no_log(&mut reply);
            }
            reply
        }));
        world.way.lose = Some(|_| true);
        world.asleep = false;
        world.run_for(MINUTE * 6);
        assert_eq!(world.story(resolved).status, Status::Resolved);
        assert_eq!(world.story(renamed).title, "Also renamed");
        assert_eq!(world.writes(), 2, "nothing but the creates");
    }

    fn s25_a_repair_that_dies_goes_on_where_it_was(world) {
        without_timers(world);
        let (incident, twin) = world.born_there("Noted daily");
        let user = world.user(2);
        world.way.lose = Some(|_| true);
        world.asleep = true;
        world.crash();
        for day in 0..4 {
            world.sim.note(&user, &twin, &format!("day {day}"), world.now).unwrap();
            world.run_for(HOUR * 24);
        }
        world.asleep = false;
        world.forget_calls();
        while world.called("list_log_entries") < 3 {
            world.run_for(SignedDuration::from_millis(20));
        }
        world.crash();
        let cursor = world.connector().log_cursor.unwrap();
        assert!(cursor < world.now - HOUR * 24, "not past what was not read");
        assert_eq!(world.notes(incident).first().unwrap(), "day 0", "oldest first");
        assert!(world.notes(incident).len() < 4);
        world.run_for(MINUTE * 3);
        assert_eq!(world.notes(incident), ["day 0", "day 1", "day 2", "day 3"]);
        assert!(world.connector().log_cursor.unwrap() > world.now - HOUR);
        let mut windows: Vec<Timestamp> = Vec::new();
        for asked in &world.asked {
            if let Call::ListLogEntries { since, .. } = asked.call {
                windows.push(since);
            }
        }
        let first = windows.iter().filter(|since| **since == windows[0]).count();
        assert_eq!(first, 1, "a window that is stored is not read again");
        assert!(windows.is_sorted());
    }

    fn s26_a_second_repair_at_once_is_a_no_op(world) {
        let now = world.our_now();
        world.write(|tx| request_sync(tx, CONNECTOR, "asked", now));
        let runs = |plan: &im_engine::Plan| {
            plan.calls.iter().filter(|call| matches!(call.ticket, Ticket::Run(_))).count()
        };
        let one = world.plan_once().unwrap();
        let other = world.plan_once().unwrap();
        assert_eq!((runs(&one), runs(&other)), (1, 0));
        let id = world.run_under_way().unwrap().id;
        world.write(|tx| request_sync(tx, CONNECTOR, "asked again", now));
        world.plan_once().unwrap();
        assert_eq!(world.run_under_way().unwrap().id, id, "no second run beside it");
    }

    fn s26_an_answer_after_the_lease_does_not_confuse_the_run(world) {
        let (incident, twin) = world.born_there("Watched by two");
        let now = world.our_now();
        world.write(|tx| request_sync(tx, CONNECTOR, "asked", now));
        let late = world.plan_once().unwrap().calls.into_iter().find(|call| matches!(call.ticket, Ticket::Run(_))).unwrap();
        world.run_for(MINUTE + SignedDuration::from_secs(1));
        // Somebody else took the step over; the run is over or further. Then it is begun again.
        let now = world.our_now();
        world.write(|tx| request_sync(tx, CONNECTOR, "asked", now));
        let current = world.plan_once().unwrap().calls.into_iter().find(|call| matches!(call.ticket, Ticket::Run(_))).unwrap();
        let ticket = current.ticket;
        let page = Page { items: Vec::new(), unreadable: 0, total: Some(0), more: false, next_offset: None };
        let stale = Settled {
            planned: im_engine::Planned { ticket, call: Call::ListLogEntries { since: now - HOUR, until: now, offset: 700 }, ..late },
            outcome: Outcome::Done(Answer::LogEntries(page)),
            limits: Limits::default(),
        };
        let before = world.run_under_way().unwrap().progress;
        world.write(|tx| settle(tx, &stale, now));
        assert_eq!(world.run_under_way().unwrap().progress, before);
        let user = world.user(2);
        world.way.lose = Some(|_| true);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 2);
        assert_eq!(world.last_run().message, None);
        assert_eq!(world.story(incident).status, Status::Acknowledged);
    }

    fn s27_a_level_that_stays_is_one_edge(world) {
        without_timers(world);
        let (incident, twin) = world.born_there("Watched");
        world.way.lose = Some(|_| true);
        world.tamper = Some(Box::new(|call, mut reply| {
            if matches!(call, Call::ListLogEntries { .. } | Call::IncidentLogEntries { .. }) {
                no_log(&mut reply);
            }
            reply
        }));
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(HOUR * 2);
        assert!(world.called("list_open_incidents") > 20);
        assert_eq!(world.count(incident, Kind::Acknowledged), 1);
        let facts = world.write(|tx| im_store::facts::of_incident(tx, incident));
        assert!(facts.len() < 12, "nothing is stored for what did not change: {}", facts.len());
        let at = world.story(incident).acknowledged_at.unwrap();
        assert!(world.now.duration_since(at) > HOUR, "at PagerDuty's instant, not at the last look");
    }

    fn s28_the_log_repeats_webhooks_and_adds_nothing(world) {
        let (incident, twin) = world.declared("Told twice");
        let (first, second) = (world.user(2), world.user(3));
        world.act(2, incident, &Command::Acknowledge, Some("I have it")).unwrap();
        world.settle_down();
        world.sim.reassign(&first, &twin, &second, world.now).unwrap();
        world.sim.note(&second, &twin, "Rolled back", world.now).unwrap();
        world.settle_down();
        world.sim.resolve(&second, &twin, world.now).unwrap();
        world.settle_down();
        let kinds = [Kind::Triggered, Kind::Acknowledged, Kind::Noted, Kind::Resolved, Kind::Reopened, Kind::Unacknowledged];
        let live = kinds.map(|kind| world.count(incident, kind));
        assert_eq!(live, [1, 1, 2, 1, 0, 0]);
        world.sync();
        assert_eq!(kinds.map(|kind| world.count(incident, kind)), live);
        let after = world.timeline(incident);
        world.sync();
        world.run_for(HOUR);
        assert_eq!(world.timeline(incident), after, "reading it again changes nothing");
    }

    fn s29_six_hours_without_pagerduty(world) {
        without_timers(world);
        let (moved_on, twin) = world.declared("Resolved there meanwhile");
        let (worked, other) = world.declared("Worked on here");
        world.sim.faults().outage = Some(Outage::Unavailable);
        world.way.lose = Some(|_| true);
        world.run_for(HOUR);
        world.act(2, moved_on, &Command::Acknowledge, None).unwrap();
        world.act(2, worked, &Command::Acknowledge, Some("looking")).unwrap();
        world.run_for(HOUR);
        world.act(3, worked, &Command::Resolve, Some("fixed")).unwrap();
        let unsent = world.declare("Began in the dark", Severity::Sev1, Some("db"));
        let over = world.declare("Began and ended in the dark", Severity::Sev1, Some("db"));
        world.run_for(HOUR);
        world.must(over, &Command::Resolve);
        let user = world.user(4);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(HOUR * 3);
        assert_eq!(world.connector().state, im_store::connectors::State::Failing);
        assert!(world.connector().state_reason.is_some());
        assert!(world.outbox().len() >= 4, "what is owed can be seen");
        assert!(world.outbox().iter().all(|row| !row.parked));
        let tried = world.calls.len();
        assert!(tried < 2_000, "an outage is not hammered: {tried}");
        let before = world.writes();
        world.sim.faults().outage = None;
        world.way.lose = None;
        world.run_for(MINUTE * 20);
        assert!(world.outbox().is_empty(), "{:?}", world.outbox());
        assert_eq!(world.there(&twin), "resolved", "the acknowledge was overtaken");
        assert_eq!(world.story(moved_on).status, Status::Resolved);
        assert!(world.timeline(moved_on).contains("PagerDuty had moved on"), "{}", world.timeline(moved_on));
        assert_eq!(world.there(&other), "resolved");
        let notes = world.sim.incident(&other).unwrap().notes;
        assert!(notes[0].starts_with("looking") && notes[1].starts_with("fixed"), "{notes:?}");
        let created = world.twin(unsent);
        assert_eq!(world.there(&created), "triggered");
        assert!(world.story(over).peer.is_none(), "nobody is paged for the past");
        assert_eq!(world.sim.incidents().count(), 3);
        assert!(world.writes() - before <= 4, "create, resolve and two notes: {}", world.writes() - before);
        assert_eq!(world.connector().state, im_store::connectors::State::Active);
    }

    fn s30_what_repair_finds_is_counted_and_shown(world) {
        let (incident, twin) = world.born_there("Unheard");
        world.run_for(MINUTE * 6);
        let healthy = world.last_run();
        assert_eq!(healthy.found.repaired, 0, "a healthy feed needs no repair: {:?}", healthy.found);
        world.way.lose = Some(|_| true);
        let user = world.user(2);
        let begun = world.now;
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.triggered("Never heard of");
        world.run_for(MINUTE * 7);
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        let repaired = world.write(|tx| repair::repaired_since(tx, CONNECTOR, begun));
        assert!(repaired >= 2, "{repaired}");
        world.way.lose = None;
        let later = world.now;
        world.run_for(MINUTE * 20);
        assert_eq!(world.write(|tx| repair::repaired_since(tx, CONNECTOR, later)), 0);
    }

    fn s31_a_clock_of_ours_that_is_wrong_by_ninety_seconds(world) {
        for skew in [90, -90] {
            world.skew = SignedDuration::from_secs(skew);
            let (incident, twin) = world.born_there("Skewed");
            world.act(2, incident, &Command::Acknowledge, None).unwrap();
            world.settle_down();
            assert_eq!(world.there(&twin), "acknowledged", "{skew}");
            world.write_note(incident, "Here");
            world.settle_down();
            let user = world.user(3);
            world.sim.resolve(&user, &twin, world.now).unwrap();
            world.settle_down();
            world.act(2, incident, &Command::Reopen, None).unwrap();
            world.settle_down();
            assert_eq!(world.there(&twin), "triggered", "{skew}");
            assert_eq!(world.story(incident).status, Status::Open, "{skew}");
            world.sim.acknowledge(&user, &twin, world.now).unwrap();
            world.settle_down();
            world.act(2, incident, &Command::Resolve, None).unwrap();
            world.run_for(MINUTE * 10);
            let story = world.story(incident);
            assert_eq!(story.status, Status::Resolved, "{skew}");
            assert_eq!(world.there(&twin), "resolved", "{skew}");
            let acknowledged_at = story.acknowledged_at.unwrap();
            assert!(story.created_at <= acknowledged_at, "{skew}: {}", world.timeline(incident));
            assert!(acknowledged_at <= story.resolved_at.unwrap(), "{skew}");
            let steps = [Kind::Triggered, Kind::Acknowledged, Kind::Noted, Kind::Resolved, Kind::Reopened];
            let told: Vec<Kind> = story.lines.iter().map(|line| line.kind).filter(|kind| steps.contains(kind)).collect();
            let wanted = [
                Kind::Triggered, Kind::Acknowledged, Kind::Noted, Kind::Resolved, Kind::Reopened,
                Kind::Acknowledged, Kind::Resolved,
            ];
            assert_eq!(told, wanted, "{skew}: {}", world.timeline(incident));
            assert!(story.pending.is_empty() && world.outbox().is_empty());
            let measured = world.write(|tx| skew::ahead_s(tx, CONNECTOR)).unwrap();
            assert!((skew - measured).abs() <= 1, "{measured}");
        }
        world.skew = SignedDuration::ZERO;
        world.run_for(MINUTE * 10);
        assert_eq!(world.write(|tx| skew::ahead_s(tx, CONNECTOR)), Some(0));
    }

    fn s31_a_command_right_after_a_webhook_counts_after_it(world) {
        world.skew = SignedDuration::from_secs(-90);
        world.wire_up = false;
        let twin = world.triggered("Skewed");
        world.settle_down();
        let incident = world.number_of(&twin).unwrap();
        // PagerDuty's trigger lies in our future, and nobody can answer.
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        let user = world.user(3);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.act(2, incident, &Command::Reopen, None).unwrap();
        assert_eq!(world.story(incident).status, Status::Open, "{}", world.timeline(incident));
        world.wire_up = true;
        world.run_for(MINUTE * 3);
        assert_eq!(world.there(&twin), "triggered");
    }
}
