//! PagerDuty's lists, windows and limits: the scenarios S76–S92.

use std::collections::BTreeSet;

use im_core::{Command, Kind, PeerStatus, Severity, Status};
use im_engine::request_reread;
use im_pagerduty::{Call, Listing, Reply};
use im_store::people;
use jiff::SignedDuration;
use pd_sim::Fault;
use serde_json::{Value, json};

use crate::world::{CONNECTOR, World};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Changes the JSON of an answer.
fn edit(reply: &mut Reply, change: impl FnOnce(&mut Value)) {
    let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
    change(&mut body);
    reply.body = body.to_string().into_bytes();
}

/// PagerDuty shows no more of a list.
fn too_far() -> Reply {
    let body = br#"{"error":{"message":"Arguments Caused Error","code":2002,"errors":["Offset must be less than or equal to 9900."]}}"#;
    Reply {
        status: 400,
        headers: Vec::new(),
        body: body.to_vec(),
    }
}

/// The words of a request's query.
fn query(world: &World, call: &str) -> Vec<String> {
    let asked = world.asked.iter().filter(|asked| asked.call.name() == call);
    asked.map(|asked| asked.path_and_query.clone()).collect()
}

/// Many incidents at PagerDuty that no webhook told of.
fn unheard(world: &mut World, count: usize) -> Vec<String> {
    world.way.lose = Some(|_| true);
    let twins = (0..count).map(|number| world.triggered(&format!("Unheard {number}")));
    twins.collect()
}

story! {
    fn s76_a_list_that_is_cut_is_split_until_it_is_whole(world) {
        let (incident, twin) = world.born_there("Busy account");
        world.way.lose = Some(|_| true);
        let user = world.user(2);
        for number in 0..5 {
            world.sim.note(&user, &twin, &format!("note {number}"), world.now).unwrap();
            world.run_for(SignedDuration::from_secs(30));
        }
        // Windows above two minutes have more rows than PagerDuty shows.
        world.tamper = Some(Box::new(|call, mut reply| {
            if let Call::ListLogEntries { since, until, offset } = call
                && until.duration_since(*since) > MINUTE * 2
            {
                if *offset == 0 {
                    edit(&mut reply, |body| {
                        body["log_entries"] = json!([]);
                        body["more"] = json!(true);
                        body["total"] = json!(17_495);
                    });
                } else {
                    reply.status = 400;
                    reply.body = br#"{"error":{"message":"Arguments Caused Error","code":2002,"errors":["Offset must be less than or equal to 9900."]}}"#.to_vec();
                }
            }
            reply
        }));
        world.sync();
        assert_eq!(world.notes(incident).len(), 5);
        assert_eq!(world.last_run().message, None, "it is complete");
        assert!(world.called("list_log_entries") >= 8);
    }

    fn s76_what_cannot_be_split_is_said_to_be_incomplete(world) {
        let (incident, twin) = world.born_there("Busy account");
        let user = world.user(2);
        world.way.lose = Some(|_| true);
        world.run_for(MINUTE);
        let flood = world.now;
        world.run_for(MINUTE);
        world.sim.note(&user, &twin, "after the flood", world.now).unwrap();
        world.tamper = Some(Box::new(move |call, mut reply| {
            if let Call::ListLogEntries { since, until, .. } = call
                && *since <= flood
                && flood < *until
            {
                reply.status = 400;
                reply.body = br#"{"error":{"message":"Arguments Caused Error","code":2002,"errors":["Offset must be less than or equal to 9900."]}}"#.to_vec();
            }
            reply
        }));
        world.sync();
        let message = world.last_run().message.unwrap();
        assert!(message.contains("could not all be read"), "{message}");
        assert_eq!(world.notes(incident), ["after the flood"], "the rest is read");
        assert!(world.called("list_log_entries") < 60, "{}", world.called("list_log_entries"));
    }

    fn s77_every_list_by_time_names_both_ends(world) {
        world.asleep = true;
        world.run_for(HOUR * 24 * 5);
        world.asleep = false;
        world.run_for(MINUTE * 6);
        let lists = query(world, "list_log_entries");
        assert!(lists.len() >= 5);
        for words in &lists {
            assert!(words.contains("since=2026-") && words.contains("until=2026-"), "{words}");
            assert!(words.contains("limit=100"), "{words}");
        }
        let open = query(world, "list_open_incidents");
        assert!(open.iter().all(|words| words.contains("date_range=all")), "{open:?}");
    }

    fn s86_every_instant_that_is_sent_is_in_utc(world) {
        let (incident, twin) = world.born_there("In whatever zone the account is");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.must(incident, &Command::Resolve);
        world.run_for(HOUR);
        let mut windows = 0;
        for asked in &world.asked {
            let (_, words) = asked.path_and_query.split_once('?').unwrap_or_default();
            let instants: Vec<&str> = words.split('&')
                .filter_map(|word| word.strip_prefix("since=").or(word.strip_prefix("until=")))
                .collect();
            assert!(instants.iter().all(|instant| instant.ends_with('Z')), "{words}");
            assert!(instants.is_empty() || words.contains("time_zone=UTC"), "{words}");
            windows += instants.len() / 2;
        }
        assert!(windows >= 12, "one an interval: {windows}");
    }

    fn s87_no_window_is_longer_than_its_list_allows(world) {
        world.asleep = true;
        world.run_for(HOUR * 24 * 5);
        world.asleep = false;
        world.run_for(MINUTE * 6);
        let windows: Vec<_> = world.asked.iter().filter_map(|asked| match asked.call {
            Call::ListLogEntries { since, until, .. } => Some((since, until)),
            _ => None,
        }).collect();
        assert!(windows.iter().all(|(since, until)| until.duration_since(*since) <= Listing::LogEntries.longest()));
        assert!(windows.len() >= 5, "{windows:?}");
    }

    fn s78_many_pages_are_read_whole(world) {
        let twins: BTreeSet<String> = unheard(world, 250).into_iter().collect();
        world.forget_calls();
        world.sync();
        let pages = query(world, "list_open_incidents");
        assert_eq!(pages.len(), 3, "{pages:?}");
        assert!(pages.iter().all(|words| words.contains("limit=100")), "{pages:?}");
        for twin in &twins {
            assert!(world.number_of(twin).is_some(), "{twin}");
        }
        assert_eq!(world.list().len(), 250, "each once");
    }

    fn s79_a_list_that_changes_while_it_is_read_loses_nothing(world) {
        let mut twins: BTreeSet<String> = unheard(world, 250).into_iter().collect();
        world.latency = SignedDuration::from_secs(1);
        world.forget_calls();
        let now = world.our_now();
        world.write(|tx| im_engine::request_sync(tx, CONNECTOR, "asked", now));
        while world.called("list_open_incidents") < 2 {
            world.run_for(SignedDuration::from_millis(500));
        }
        // New ones come at the end, and the end of old ones moves the rows that follow them.
        twins.extend(unheard(world, 3));
        let user = world.user(2);
        for twin in twins.iter().take(5) {
            world.sim.resolve(&user, twin, world.now).unwrap();
        }
        world.run_for(MINUTE * 20);
        let pages = query(world, "list_open_incidents");
        assert!(pages.len() >= 3 && pages.iter().all(|words| words.contains("sort_by=created_at%3Aasc")), "{pages:?}");
        for twin in &twins {
            let incident = world.number_of(twin).expect("it is known");
            let ended = world.there(twin) == "resolved";
            assert_eq!(world.story(incident).status == Status::Resolved, ended, "{twin}");
        }
        assert_eq!(world.list().len(), 253, "each once");
    }

    fn s79_an_entry_that_appears_late_is_read_all_the_same(world) {
        let (incident, twin) = world.born_there("Late entry");
        // Past the looks at the log of a new incident.
        world.run_for(MINUTE);
        world.way.lose = Some(|_| true);
        let user = world.user(2);
        world.sim.note(&user, &twin, "shown late", world.now).unwrap();
        world.run_for(MINUTE);
        world.tamper = Some(Box::new(|call, mut reply| {
            if matches!(call, Call::ListLogEntries { .. }) {
                edit(&mut reply, |body| {
                    let entries = body["log_entries"].as_array_mut().unwrap();
                    entries.retain(|entry| entry["type"] != "annotate_log_entry");
                    body["total"] = json!(entries.len());
                });
            }
            reply
        }));
        world.sync();
        assert_eq!(world.notes(incident), Vec::<String>::new(), "PagerDuty does not show it yet");
        world.tamper = None;
        world.sync();
        assert_eq!(world.notes(incident), ["shown late"], "the windows of two runs overlap");
    }

    fn s80_more_than_a_hundred_users_are_all_known(world) {
        for number in 0..130 {
            world.sim.add_user(&format!("User {number}"), &format!("user{number}@lighthouse-works.example"));
        }
        world.forget_calls();
        world.run_for(HOUR + MINUTE * 10);
        assert_eq!(world.write(|tx| people::count(tx, CONNECTOR)), 136);
        let pages = world.called("list_users");
        assert_eq!(pages, 2, "and the list ends");
        let found = world.write(|tx| people::by_email(tx, CONNECTOR, "user129@lighthouse-works.example"));
        assert!(found.is_some());
    }

    fn s81_more_than_a_step_asks_for_is_read_in_the_same_run(world) {
        let twins: Vec<String> = (0..600).map(|number| world.triggered(&format!("Many {number}"))).collect();
        world.run_for(MINUTE * 2);
        world.way.lose = Some(|_| true);
        let user = world.user(2);
        for twin in &twins {
            world.sim.resolve(&user, twin, world.now).unwrap();
        }
        // The log does not tell either.
        world.tamper = Some(Box::new(|call, mut reply| {
            if matches!(call, Call::ListLogEntries { .. }) {
                edit(&mut reply, |body| {
                    body["log_entries"] = json!([]);
                    body["more"] = json!(false);
                    body["total"] = json!(0);
                });
            }
            reply
        }));
        world.forget_calls();
        let now = world.our_now();
        world.write(|tx| im_engine::request_sync(tx, CONNECTOR, "asked", now));
        while world.run_under_way().is_none() {
            world.run_for(SignedDuration::from_millis(100));
        }
        let run = world.run_under_way().unwrap().id;
        world.run_for(MINUTE * 4);
        let last = world.last_run();
        assert_eq!((last.id, last.message), (run, None), "it is complete");
        for twin in &twins {
            let incident = world.number_of(twin).unwrap();
            assert_eq!(world.story(incident).status, Status::Resolved, "{incident}");
        }
        let read: BTreeSet<_> = world.asked.iter().filter_map(|asked| match &asked.call {
            Call::ReadIncident { id } => Some(id.clone()),
            _ => None,
        }).collect();
        assert_eq!((read.len(), world.called("read_incident")), (600, 600), "each once");
    }

    fn s81_more_open_incidents_than_pagerduty_lists_are_said(world) {
        let (_, twin) = world.born_there("One of many");
        world.tamper = Some(Box::new(|call, mut reply| {
            if matches!(call, Call::ListOpenIncidents { .. }) {
                edit(&mut reply, |body| {
                    let one = body["incidents"][0].clone();
                    body["incidents"] = Value::Array(vec![one; 100]);
                    body["more"] = json!(true);
                });
            }
            reply
        }));
        world.sync();
        let message = world.last_run().message.unwrap();
        assert!(message.contains("more than 10,000 incidents are open"), "{message}");
        assert_eq!(world.called("list_open_incidents"), 100, "and the list ends");
        assert!(world.number_of(&twin).is_some());
        world.tamper = None;
        world.sync();
        assert_eq!(world.last_run().message, None, "the next run reads what was cut");
    }

    fn s81_more_users_than_pagerduty_lists_are_said(world) {
        world.instead = Some(Box::new(|call| match call {
            Call::ListUsers { .. } => Some(too_far()),
            _ => None,
        }));
        world.run_for(HOUR * 25);
        let message = world.last_run().message.unwrap();
        assert!(message.contains("the users: "), "{message}");
        world.instead = None;
        world.sync();
        assert_eq!(world.last_run().message, None, "the next run reads what was cut");
    }

    fn s82_each_list_has_its_own_offset(world) {
        let (long, first) = world.born_there("Long log");
        let (short, second) = world.born_there("Short log");
        world.way.lose = Some(|_| true);
        let user = world.user(2);
        for number in 0..150 {
            world.sim.note(&user, &first, &format!("long {number}"), world.now).unwrap();
        }
        for number in 0..5 {
            world.sim.note(&user, &second, &format!("short {number}"), world.now).unwrap();
        }
        let now = world.our_now();
        for incident in [long, short] {
            world.write(|tx| request_reread(tx, CONNECTOR, incident, now));
        }
        world.run_for(SignedDuration::from_secs(5));
        assert_eq!(world.notes(long).len(), 150);
        assert_eq!(world.notes(short).len(), 5);
    }

    fn s83_a_429_paces_everything_and_loses_nothing(world) {
        for with_headers in [true, false] {
            let before = world.sim.incidents().count();
            world.sim.faults().next_n_matching(3, "", "", Fault::RateLimited { with_headers });
            let incidents: Vec<_> = (0..20).map(|n| world.declare(&format!("Burst {n}"), Severity::Sev2, None)).collect();
            world.forget_calls();
            let begun = world.now;
            world.run_for(MINUTE * 10);
            assert!(world.outbox().is_empty(), "{:?}", world.outbox());
            assert_eq!(world.sim.incidents().count(), before + 20);
            for incident in incidents {
                assert!(world.story(incident).peer.is_some());
            }
            // Nothing goes out between the refusal and the reset that it named.
            let pause = SignedDuration::from_secs(if with_headers { 6 } else { 1 });
            let early = world.asked.iter().filter(|asked| {
                let after = asked.at.duration_since(begun);
                after > SignedDuration::from_millis(10) && after < pause
            });
            assert_eq!(early.count(), 0, "{with_headers}");
            assert_eq!(world.connector().state, im_store::connectors::State::Active);
        }
    }

    fn s83_what_is_used_up_is_not_asked_for_more(world) {
        world.tamper = Some(Box::new(|_, mut reply| {
            reply.headers.retain(|(name, _)| !name.to_lowercase().starts_with("ratelimit"));
            for (name, value) in [("ratelimit-limit", "960"), ("ratelimit-remaining", "3"), ("ratelimit-reset", "25")] {
                reply.headers.push((name.to_owned(), value.to_owned()));
            }
            reply
        }));
        world.forget_calls();
        let begun = world.now;
        for number in 0..40 {
            world.declare(&format!("Burst {number}"), Severity::Sev2, None);
        }
        world.run_for(SignedDuration::from_secs(20));
        assert!(world.asked.iter().all(|asked| asked.at.duration_since(begun) < SignedDuration::from_millis(80)));
        assert!(!world.asked.is_empty() && world.outbox().len() >= 24);
        world.run_for(MINUTE * 2);
        assert!(world.outbox().is_empty(), "{} left", world.outbox().len());
        assert_eq!(world.sim.incidents().count(), 40);
    }

    fn s84_half_of_the_allowance_is_for_people(world) {
        world.tamper = Some(Box::new(|_, mut reply| {
            reply.headers.retain(|(name, _)| !name.to_lowercase().starts_with("ratelimit"));
            for (name, value) in [("ratelimit-limit", "960"), ("ratelimit-remaining", "400"), ("ratelimit-reset", "30")] {
                reply.headers.push((name.to_owned(), value.to_owned()));
            }
            reply
        }));
        world.forget_calls();
        let now = world.our_now();
        world.write(|tx| im_engine::request_sync(tx, CONNECTOR, "asked", now));
        world.run_for(SignedDuration::from_secs(20));
        let repair = world.calls.len();
        assert!(repair <= 1, "repair waits for the next window: {:?}", world.calls);
        let incident = world.declare("People do not wait", Severity::Sev1, None);
        world.run_for(SignedDuration::from_secs(2));
        assert!(world.story(incident).peer.is_some());
        world.run_for(MINUTE * 5);
        assert!(world.connector().last_sync_at.unwrap() > now, "and still ends");
    }

    fn s85_repair_does_not_ask_for_each_incident(world) {
        let user = world.user(2);
        let twins: Vec<String> = (0..80).map(|n| world.triggered(&format!("Open {n}"))).collect();
        world.run_for(MINUTE);
        world.sync();
        world.way.lose = Some(|_| true);
        for twin in &twins {
            world.sim.acknowledge(&user, twin, world.now).unwrap();
        }
        world.forget_calls();
        world.sync();
        for twin in &twins {
            let incident = world.number_of(twin).unwrap();
            assert_eq!(world.story(incident).status, Status::Acknowledged);
        }
        assert!(world.calls.len() < 20, "{:?}", world.calls);
    }

    fn s88_an_error_on_the_way_is_not_the_end_of_the_list(world) {
        let twins = unheard(world, 120);
        for fault in [Fault::ServerError(500), Fault::BadGateway, Fault::LoseAnswer, Fault::Unreachable] {
            world.sim.faults().next_matching("GET", "/incidents", fault);
            world.sim.faults().next_matching("GET", "/log_entries", fault);
        }
        world.forget_calls();
        let synced = world.connector().last_sync_at;
        let now = world.our_now();
        world.write(|tx| im_engine::request_sync(tx, CONNECTOR, "asked", now));
        world.run_for(SignedDuration::from_secs(3));
        assert_eq!(world.connector().last_sync_at, synced, "a part is not reported as the whole");
        world.run_for(MINUTE * 10);
        for twin in &twins {
            assert!(world.number_of(twin).is_some());
        }
        assert!(world.connector().last_sync_at > synced);
        assert_eq!(world.last_run().message, None);
    }

    fn s89_each_account_is_asked_on_its_own_host(world) {
        world.add_account("eu", "https://api.eu.pagerduty.com");
        world.born_there("In the first account");
        let now = world.now;
        let (sim, account) = world.other();
        let service = account.services[1].0.clone();
        sim.trigger(&service, "In the second account", now).unwrap();
        world.run_for(MINUTE * 7);
        let hosts: BTreeSet<_> = world.asked.iter().map(|asked| (asked.connector.clone(), asked.base_url.clone())).collect();
        let wanted = [("eu", "https://api.eu.pagerduty.com"), (CONNECTOR, "http://pagerduty.test")];
        assert_eq!(hosts, wanted.map(|(name, host)| (name.to_owned(), host.to_owned())).into());
    }

    fn a_busy_account_does_not_keep_another_from_being_called(world) {
        world.add_account("eu", "https://api.eu.pagerduty.com");
        world.run_for(MINUTE);
        world.latency = SignedDuration::from_secs(1);
        for (connector, count) in [(CONNECTOR, 100), ("eu", 20)] {
            for number in 0..count {
                let title = format!("{connector} {number}");
                let severity = Severity::Sev2;
                let declare = Command::Declare { title, severity, description: None, services: Vec::new() };
                world.declare_by(Some(connector), &declare);
            }
        }
        world.run_for(SignedDuration::from_secs(5));
        let made = |world: &World, connector: &str| {
            let calls = world.asked.iter().filter(|asked| asked.connector == connector);
            calls.filter(|asked| asked.call.name() == "create_incident").count()
        };
        assert!(made(world, CONNECTOR) < 100, "the storm is over too early to say anything");
        assert!(made(world, "eu") > 0, "nobody in the other account was paged");
        world.run_for(MINUTE);
        assert_eq!((made(world, CONNECTOR), made(world, "eu")), (100, 20));
    }

    fn s91_one_number_in_two_accounts_is_two_incidents(world) {
        world.add_account("eu", "https://api.eu.pagerduty.com");
        world.run_for(MINUTE);
        let (ours, twin) = world.born_there("In the first account");
        let number = world.sim.incident(&twin).unwrap().number;
        let now = world.now;
        let (sim, account) = world.other();
        let service = account.services[1].0.clone();
        let user = account.users[2].0.clone();
        let other = sim.trigger(&service, "In the second account", now).unwrap();
        assert_eq!(sim.incident(&other).unwrap().number, number, "PagerDuty counts each account for itself");
        world.run_for(MINUTE);
        assert_eq!(world.list().len(), 2);
        let theirs = world.write(|tx| im_store::incidents::by_twin(tx, "eu", &other)).unwrap();
        assert_ne!(theirs, ours);
        let now = world.now;
        world.other().0.resolve(&user, &other, now).unwrap();
        world.run_for(MINUTE * 7);
        assert_eq!(world.story(ours).status, Status::Open);
        let row = world.list().into_iter().find(|row| row.number == theirs).unwrap();
        assert_eq!((row.status, row.title.as_str()), (Status::Resolved, "In the second account"));
        assert_eq!(row.connector.as_deref(), Some("eu"));
    }

    fn s90_every_request_names_the_version(world) {
        let (incident, _) = world.declared("Versioned");
        world.write_note(incident, "hello");
        world.must(incident, &Command::Resolve);
        world.sync();
        assert!(world.asked.len() > 5);
        for asked in &world.asked {
            let accept = asked.headers.iter().find(|(name, _)| *name == "Accept");
            assert_eq!(accept.unwrap().1, "application/vnd.pagerduty+json;version=2");
        }
    }

    fn s92_whatever_is_null_does_not_end_the_sync(world) {
        let nulls = |incident: &mut Value| {
            for field in [
                "priority", "incident_key", "service", "escalation_policy", "assignments", "acknowledgements",
                "teams", "urgency", "title", "last_status_change_by", "html_url", "number", "incident_number",
                "resolve_reason", "body", "assignees", "updated_at", "last_status_change_at", "resolved_at",
            ] {
                incident[field] = Value::Null;
            }
        };
        world.tamper = Some(Box::new(move |_, mut reply| {
            if reply.body.is_empty() {
                return reply;
            }
            edit(&mut reply, |body| {
                if body["incident"].is_object() {
                    nulls(&mut body["incident"]);
                }
                for incident in body["incidents"].as_array_mut().into_iter().flatten() {
                    nulls(incident);
                }
                for entry in body["log_entries"].as_array_mut().into_iter().flatten() {
                    for field in ["agent", "channel", "service", "teams", "contexts", "summary"] {
                        entry[field] = Value::Null;
                    }
                }
            });
            reply
        }));
        world.way.edit = Some(Box::new(move |body| {
            body["event"]["agent"] = Value::Null;
            nulls(&mut body["event"]["data"]);
        }));
        let (incident, twin) = world.born_there("Nothing but holes");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.sync();
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sync();
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved);
        assert_eq!(story.peer.unwrap().status, PeerStatus::Resolved);
        assert_eq!(world.count(incident, Kind::Triggered), 1, "{}", world.timeline(incident));
        assert_eq!(world.last_run().found.failed, 0);
        assert_eq!(world.events("unreadable"), 0);
    }
}
