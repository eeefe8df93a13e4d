//! The past of an account: M-043, M-044, MW-06, S76, S84.

use std::collections::{BTreeMap, BTreeSet};

use im_core::{Severity, Source};
use im_engine::backfill::{self, SHARE_DEFAULT, State};
use im_engine::connector;
use im_engine::key::{self, Key};
use im_engine::record::{self, Mappings};
use im_metrics::history;
use im_metrics::input::History;
use im_pagerduty::{Call, Reply};
use im_store::{backfill as rows, facts, repair};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::world::{CONNECTOR, Death, World};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// When incidents began, counted from the beginning of the account: each is over soon.
fn spread(count: i64, over: SignedDuration) -> Vec<SignedDuration> {
    let step = over.as_secs() / count;
    (0..count)
        .map(|number| SECOND * i32::try_from(number * step).unwrap())
        .collect()
}

/// Lets an account have a past that nobody told us of, then adds the connector. Returns since when.
fn past(world: &mut World, began: &[SignedDuration]) -> Timestamp {
    world.remove_connector();
    for subscription in world.sim.subscriptions() {
        let path = format!("/webhook_subscriptions/{}", subscription.id);
        world.ask("DELETE", &path, Vec::new());
    }
    let start = world.now + HOUR;
    let mut acts: Vec<(Timestamp, usize, bool)> = Vec::new();
    for (number, after) in began.iter().enumerate() {
        let at = start + *after;
        let end = at + SECOND * i32::try_from(20 + number % 600).unwrap();
        acts.extend([(at, number, false), (end, number, true)]);
    }
    acts.sort_unstable();
    let (service, user) = (world.account.services[1].0.clone(), world.user(2));
    let mut twins: BTreeMap<usize, String> = BTreeMap::new();
    for (at, number, is_over) in acts {
        world.now = at;
        if is_over {
            world.sim.resolve(&user, &twins[&number], at).unwrap();
        } else {
            let twin = world
                .sim
                .trigger(&service, &format!("Incident {number}"), at);
            twins.insert(number, twin.unwrap());
        }
    }
    // The first repair looks back for a day.
    world.now += DAY * 2;
    world.sim.due(world.now);
    world.add_connector_again();
    world.run_for(MINUTE);
    assert!(world.everything().is_empty(), "nothing of it is known yet");
    world.forget_calls();
    start
}

fn begin(world: &mut World, since: Timestamp) {
    let now = world.our_now();
    let begun = world.write(|tx| {
        let connector = connector::load(tx, CONNECTOR)?.unwrap();
        backfill::start(tx, &connector, since, SHARE_DEFAULT, now)
    });
    assert!(begun);
}

fn state(world: &mut World) -> State {
    let now = world.now;
    world
        .write(move |tx| backfill::seen(tx, CONNECTOR, now))
        .unwrap()
}

/// Lets it come to its end, whatever happens meanwhile.
fn finish(world: &mut World) -> State {
    for _ in 0..600 {
        if state(world).finished_at.is_some() {
            break;
        }
        world.run_for(MINUTE);
    }
    let state = state(world);
    assert!(state.finished_at.is_some(), "it does not end: {state:?}");
    state
}

/// What metrics know of each of PagerDuty's incidents.
fn histories(world: &mut World) -> BTreeMap<String, History> {
    let mut all = BTreeMap::new();
    for row in world.everything() {
        let told = world
            .write(|tx| record::told(tx, row.number, &mut Mappings::default()))
            .unwrap();
        let mut history = history(row.number, &told.facts, &told.story).unwrap();
        // Numbers are given in the order in which they are met.
        history.number = 0;
        let twin = row.pd_id.expect("each has a twin");
        assert!(all.insert(twin, history).is_none(), "each is here once");
    }
    all
}

/// PagerDuty's log entries that we lack.
fn lacking(world: &mut World) -> Vec<(String, Timestamp)> {
    let mut known = BTreeSet::new();
    for row in world.everything() {
        let told = world.write(|tx| facts::of_incident(tx, row.number));
        let entries = told.iter().filter(|fact| fact.source == Source::LogEntry);
        known.extend(entries.map(|fact| fact.source_id.clone()));
    }
    let entries = world.sim.log_entries();
    let lacking = entries.filter(|entry| !known.contains(&entry.id));
    lacking.map(|entry| (entry.incident, entry.at)).collect()
}

/// The least number of calls by which everything can be read that PagerDuty shows.
fn least(world: &World, hidden: usize) -> u64 {
    let (incidents, entries) = (
        world.sim.incidents().count(),
        world.sim.log_entries().count(),
    );
    let pages = incidents.div_ceil(100) + (entries - hidden).div_ceil(100);
    u64::try_from(pages).unwrap()
}

/// The most calls in any minute that may be for the past, which ended then.
fn most_in_a_minute(world: &World, ended: Timestamp) -> usize {
    let is_past = |call: &Call| match call {
        Call::ListIncidents { since, .. } | Call::ListLogEntries { since, .. } => *since < ended,
        Call::ReadIncident { .. } | Call::IncidentLogEntries { .. } => true,
        _ => false,
    };
    let asked = world.asked.iter().filter(|asked| is_past(&asked.call));
    let at: Vec<Timestamp> = asked.map(|asked| asked.at).collect();
    let until = |from: &Timestamp| {
        at.iter()
            .filter(|at| *from <= **at && **at < *from + MINUTE)
            .count()
    };
    at.iter().map(until).max().unwrap_or_default()
}

/// With a day and a second of more than PagerDuty shows.
fn crowded(world: &mut World, cap: usize) -> Timestamp {
    world.sim.change_options(|options| options.rows_reach = cap);
    let cap = i64::try_from(cap).unwrap();
    let mut began = spread(cap * 2, DAY * 40);
    began.extend(
        spread(cap * 7 / 4, DAY)
            .into_iter()
            .map(|after| DAY * 45 + after),
    );
    began.extend((0..=cap).map(|_| DAY * 50 + HOUR));
    began.extend(
        spread(cap / 2, DAY * 10)
            .into_iter()
            .map(|after| DAY * 50 + HOUR * 2 + after),
    );
    past(world, &began)
}

story! {
    fn m043_m044_mw06_the_past_is_read_with_all_that_happened(world) {
        let since = past(world, &spread(40, DAY * 60));
        begin(world, since);
        let state = finish(world);
        assert_eq!((state.found.created, state.message.clone()), (40, None));
        assert_eq!(lacking(world), []);
        assert_eq!(histories(world).len(), 40);
        assert!(world.unfaithful().is_empty());
        // It is over: nothing is owed, nothing was written there, and no repair has work of it.
        assert!(world.outbox().is_empty());
        assert_eq!(world.writes(), 0);
        assert_eq!(world.called("read_incident") + world.called("incident_log_entries"), 0);
        world.forget_calls();
        world.run_for(HOUR);
        let repairs = world.last_run();
        assert_eq!((repairs.found, repairs.message), (repair::Found::default(), None));
        assert_eq!(world.called("read_incident"), 0);
        let rows = 40 + u64::try_from(world.sim.log_entries().count()).unwrap();
        assert_eq!((state.rows, state.total), (rows, Some(rows)));
    }

    fn mw06_a_thousand_incidents_with_all_their_log_take_few_requests(world) {
        let since = past(world, &spread(1_000, DAY * 120));
        let entries = world.sim.log_entries().count();
        assert!(entries >= 3_000, "each was triggered, told of and resolved: {entries}");
        let asked = world.sim.requests();
        begin(world, since);
        let state = finish(world);
        assert_eq!((state.found.created, state.message.clone(), lacking(world).len()), (1_000, None, 0));
        // What comparisons ask meanwhile is in it.
        let asked = world.sim.requests() - asked;
        assert!(asked <= 320, "{asked} requests");
        assert!(state.requests <= asked, "{state:?}");
        let most = least(world, 0) * 115 / 100;
        assert!(state.requests <= most, "{} of {most}", state.requests);
    }

    fn m044_over_live_data_it_changes_no_figure(world) {
        let began = world.now;
        let (ours, twin) = world.declared("Known on both sides");
        let (_, theirs) = world.born_there("Born there");
        let (_, open) = world.born_there("Still open");
        world.run_for(MINUTE * 3);
        let user = world.user(2);
        for twin in [&twin, &theirs] {
            world.sim.acknowledge(&user, twin, world.now).unwrap();
        }
        world.run_for(MINUTE * 4);
        world.sim.note(&user, &open, "Looking", world.now).unwrap();
        world.sim.resolve(&user, &theirs, world.now).unwrap();
        world.must(ours, &im_core::Command::Resolve);
        world.run_for(MINUTE * 10);
        world.sync();
        let (before, lines) = (histories(world), world.timeline(ours));
        let writes = world.writes();
        begin(world, began - DAY * 100);
        let state = finish(world);
        assert_eq!((state.found.created, state.found.unchanged, state.message), (0, 3, None));
        assert_eq!(histories(world), before);
        assert_eq!(world.timeline(ours), lines);
        assert_eq!((world.outbox().len(), world.writes()), (0, writes));
        assert!(world.unfaithful().is_empty());
    }

    fn mw06_who_was_there_before_and_ended_within_is_read_by_itself(world) {
        let since = past(world, &[SignedDuration::ZERO, DAY, DAY * 3]);
        // The first began before; its end is in the range.
        begin(world, since + SECOND * 10);
        let state = finish(world);
        assert_eq!((state.found.created, state.message), (3, None));
        assert_eq!((world.called("read_incident"), world.called("incident_log_entries")), (1, 1));
        assert_eq!(lacking(world), [], "with what happened before, too");
    }

    fn m044_it_stops_and_goes_on(world) {
        let since = past(world, &spread(400, DAY * 20));
        begin(world, since);
        world.run_for(SECOND);
        let now = world.our_now();
        assert!(world.write(|tx| rows::stop(tx, CONNECTOR, now)));
        world.run_for(SECOND);
        let stopped = state(world);
        assert!(stopped.stopped_at.is_some() && stopped.rows > 0 && stopped.rows < 2_000, "{stopped:?}");
        world.forget_calls();
        world.run_for(MINUTE * 4);
        assert_eq!(world.called("list_incidents"), 0);
        let now = world.our_now();
        assert!(world.write(|tx| rows::resume(tx, CONNECTOR, now)));
        let ended = finish(world);
        assert_eq!((ended.found.created, lacking(world).len()), (400, 0));
        // What was read before is not read again.
        assert!(ended.requests <= least(world, 0) + 3, "{ended:?}");
    }

    fn m028_a_key_is_needed_for_as_long_as_the_past_is_read(world) {
        world.configure(|config| config["sync_direction"] = json!("inbound"));
        world.run_for(HOUR);
        world.born_there("Told by a webhook");
        world.run_for(HOUR);
        let key = |world: &mut World| {
            let now = world.our_now();
            world.write(|tx| {
                let connector = connector::load(tx, CONNECTOR)?.unwrap();
                key::state(tx, &connector, now)
            })
        };
        assert_eq!(key(world), Key::SafeToRevoke);
        begin(world, world.now - DAY * 180);
        let needed = Key::Needed {
            why: "the past is still being read",
            next: Some("`im connector backfill pd --stop`".to_owned()),
        };
        assert_eq!(key(world), needed);
        let now = world.our_now();
        let refused = world.write(|tx| {
            let connector = connector::load(tx, CONNECTOR)?.unwrap();
            key::discard(tx, &connector, now)
        });
        assert!(matches!(refused, Key::Needed { .. }), "and it is not forgotten");
        // Whoever stops the reading does not want the rest.
        assert!(world.write(|tx| rows::stop(tx, CONNECTOR, now)));
        assert_eq!(key(world), Key::SafeToRevoke);
        assert!(world.write(|tx| rows::resume(tx, CONNECTOR, now)));
        finish(world);
        world.run_for(MINUTE);
        assert_eq!(key(world), Key::SafeToRevoke);
    }

    fn s84_it_takes_its_share_and_people_come_first(world) {
        let since = past(world, &spread(300, DAY * 20));
        // PagerDuty takes 19 calls a minute.
        world.sim.change_options(|options| options.limits = Some(0.02));
        begin(world, since);
        world.run_for(SECOND * 5);
        let asked = world.now;
        let incident = world.declare("Somebody waits", Severity::Sev1, Some("web"));
        world.run_for(SECOND * 2);
        let sent = world.asked.iter().find(|asked| matches!(asked.call, Call::CreateIncident { .. })).unwrap();
        assert!(sent.at.duration_since(asked) <= SECOND, "{}", sent.at);
        assert!(world.story(incident).peer.is_some());
        let ended = finish(world);
        assert_eq!(ended.message, None);
        let most = most_in_a_minute(world, ended.until);
        // Nine of them, and what a repair reads of the last day beside it.
        assert!(most <= 11, "{most} in a minute");
        assert!(ended.rate.is_none() && ended.left.is_none(), "it is over");
    }

    fn m044_how_far_it_is_is_known_while_it_runs(world) {
        let since = past(world, &spread(600, DAY * 20));
        world.sim.change_options(|options| options.limits = Some(0.02));
        begin(world, since);
        // All that PagerDuty gives for the first minute comes at once, and tells nothing of the next.
        world.run_for(SECOND * 50);
        let early = self::state(world);
        assert!(early.rows > 0 && early.rate.is_none() && early.left.is_none(), "{early:?}");
        world.run_for(MINUTE * 2 + SECOND * 10);
        let state = self::state(world);
        let total = state.total.expect("both lists are counted");
        assert_eq!(total, 600 + u64::try_from(world.sim.log_entries().count()).unwrap());
        assert!(state.rows > 600 && state.rows < total, "{state:?}");
        let (rate, left) = (state.rate.unwrap(), state.left.unwrap());
        assert!((400..=1_000).contains(&rate), "nine calls a minute: {rate}");
        assert!(left >= SECOND && left <= MINUTE * 10, "{left}");
    }

    fn g07_what_a_key_does_not_give_is_said_and_the_rest_is_read(world) {
        let since = past(world, &spread(5, DAY * 5));
        world.instead = Some(Box::new(move |call| match call {
            Call::ListLogEntries { .. } => Some(Reply {
                status: 403,
                headers: Vec::new(),
                body: json!({"error": {"code": 2010, "message": "Access Denied", "errors": []}}).to_string().into_bytes(),
            }),
            _ => None,
        }));
        begin(world, since);
        let state = finish(world);
        let message = state.message.unwrap();
        assert!(message.starts_with("the log: Access Denied"), "{message}");
        assert_eq!(state.found.created, 5);
    }

    fn mw06_a_window_that_pagerduty_struggles_with_is_read_in_parts(world) {
        let since = past(world, &spread(30, DAY * 60));
        world.instead = Some(Box::new(move |call| match call {
            Call::ListIncidents { since, until, .. } | Call::ListLogEntries { since, until, .. }
                if since.duration_until(*until) > DAY * 20 => Some(Reply {
                status: 504,
                headers: Vec::new(),
                body: Vec::new(),
            }),
            _ => None,
        }));
        begin(world, since);
        let state = finish(world);
        assert_eq!((state.found.created, state.message), (30, None));
        assert_eq!(lacking(world), []);
    }

    fn mw39_the_past_of_a_service_that_is_not_chosen_is_left_alone(world) {
        let since = past(world, &spread(20, DAY));
        let other = world.account.services[0].0.clone();
        world.configure(move |config| {
            config["custom"]["service_id"] = json!(other);
            config["custom"]["service_mappings"] = json!({});
            config["custom"]["synced_services"] = json!([other]);
        });
        begin(world, since);
        let state = finish(world);
        assert_eq!((state.found.created, state.message), (0, None));
        assert!(world.everything().is_empty());
        assert_eq!(world.called("read_incident"), 0, "nor is any read by itself");
    }

    fn m044_a_connector_that_takes_nothing_has_no_past_and_one_that_goes_takes_it_along(world) {
        let since = past(world, &spread(3, DAY));
        world.configure(|config| config["sync_direction"] = json!("outbound"));
        let now = world.our_now();
        let begun = world.write(|tx| {
            let connector = connector::load(tx, CONNECTOR)?.unwrap();
            backfill::start_first(tx, &connector, now)
        });
        assert!(!begun);
        world.configure(|config| config["sync_direction"] = json!("inbound"));
        begin(world, since);
        world.remove_connector();
        world.run_for(MINUTE * 5);
        assert_eq!(world.write(|tx| rows::find(tx, CONNECTOR)), None);
        assert_eq!(world.called("list_incidents"), 0);
    }
}

/// The seconds in which more than `cap` log entries were written, of which PagerDuty does not show all.
fn crowded_seconds(world: &World, cap: usize) -> BTreeSet<Timestamp> {
    let mut counts: BTreeMap<Timestamp, usize> = BTreeMap::new();
    for entry in world.sim.log_entries() {
        let second = Timestamp::from_second(entry.at.as_second()).unwrap();
        *counts.entry(second).or_default() += 1;
    }
    counts.retain(|_, count| *count > cap);
    counts.into_keys().collect()
}

#[test]
fn s76_mw06_a_day_and_a_second_of_more_than_pagerduty_shows_are_read_and_said() {
    let mut world = World::sqlite();
    let since = crowded(&mut world, 200);
    begin(&mut world, since);
    let state = finish(&mut world);
    let seconds = crowded_seconds(&world, 200);
    let began = since + DAY * 50 + HOUR;
    assert!(seconds.contains(&began));
    let said = |what: &str, at: Timestamp| {
        let until = at + SECOND;
        format!("{what} from {at} to {until} are more than PagerDuty shows")
    };
    let mut expected: BTreeSet<String> =
        seconds.iter().map(|at| said("log entries", *at)).collect();
    expected.insert(said("incidents", began));
    let message = state.message.unwrap();
    let told: BTreeSet<String> = message.split("; ").map(str::to_owned).collect();
    assert_eq!(told, expected);
    let all = world.sim.incidents().count();
    assert_eq!(
        histories(&mut world).len(),
        all,
        "the log tells of the one that no list shows"
    );
    let lacking = lacking(&mut world);
    let is_crowded =
        |at: &Timestamp| seconds.contains(&Timestamp::from_second(at.as_second()).unwrap());
    assert!(lacking.iter().all(|(_, at)| is_crowded(at)), "{lacking:?}");
    let hidden = lacking.len();
    assert!(hidden > 0 && hidden < 201 * 4, "{hidden}");
    // Besides: the count, what is learned of the cap, the crowded second met twice, one incident alone.
    let most = least(&world, hidden) * 115 / 100 + 12;
    assert!(state.requests <= most, "{} of {most}", state.requests);
}

#[test]
fn m044_killed_and_resumed_twenty_times_it_has_the_same_result() {
    let mut quiet = World::sqlite();
    let since = crowded(&mut quiet, 200);
    begin(&mut quiet, since);
    let state = finish(&mut quiet);
    let mut world = World::sqlite();
    assert_eq!(crowded(&mut world, 200), since);
    begin(&mut world, since);
    for kill in 0..20 {
        // Not while it waits for the lease of the step at which it died before.
        let asked = world.asked.len();
        while world.asked.len() == asked {
            world.run_for(SignedDuration::from_millis(40));
        }
        let step = world.steps + 1 + world.rng.usize(..6);
        let how = if kill % 2 == 0 {
            Death::Before
        } else {
            Death::After
        };
        world.dies_at = Some((step, how));
        while world.dies_at.is_some() {
            world.run_for(SignedDuration::from_millis(40));
        }
    }
    assert_eq!(world.deaths, 20);
    assert!(
        self::state(&mut world).finished_at.is_none(),
        "each death was on the way"
    );
    let ended = finish(&mut world);
    assert_eq!(ended.message, state.message);
    assert_eq!(ended.found, state.found);
    assert_eq!(histories(&mut world), histories(&mut quiet));
    assert_eq!(lacking(&mut world), lacking(&mut quiet));
    assert!(world.unfaithful().is_empty());
}

/// Minutes in a build with optimisation, an hour without.
#[test]
#[ignore = "minutes: 100,000 incidents, a day of 17,495, a second with 10,001; `cargo xtask truth`"]
fn mw06_the_past_of_a_hundred_thousand_incidents() {
    let mut quiet = World::sqlite();
    let since = hundred_thousand(&mut quiet);
    begin(&mut quiet, since);
    let undisturbed = finish(&mut quiet);
    let mut world = World::sqlite();
    assert_eq!(hundred_thousand(&mut world), since);
    begin(&mut world, since);
    for kill in 0..20 {
        let how = if kill % 2 == 0 {
            Death::Before
        } else {
            Death::After
        };
        world.dies_at = Some((world.steps + 1 + world.rng.usize(..600), how));
        while world.dies_at.is_some() {
            world.run_for(SECOND);
        }
    }
    let on_the_way = state(&mut world);
    assert!(
        on_the_way.finished_at.is_none(),
        "each death was on the way"
    );
    assert_eq!(world.deaths, 20);
    let ended = finish(&mut world);

    // Complete, but for the one second.
    let second = since + DAY * 150 + HOUR;
    let of_second = world.sim.log_entries().filter(|entry| entry.at == second);
    let of_second = of_second.count();
    let hidden = lacking(&mut world);
    assert!(hidden.iter().all(|(_, at)| *at == second));
    assert_eq!(hidden.len(), of_second - 10_000, "PagerDuty shows 10,000");
    let more = |what| {
        let until = second + SECOND;
        format!("{what} from {second} to {until} are more than PagerDuty shows")
    };
    let named = [more("incidents"), more("log entries")].join("; ");
    assert_eq!(ended.message, Some(named));
    assert_eq!(world.sim.incidents().count(), 100_000);
    assert_eq!(world.everything().len(), 100_000);

    // The same as without a death.
    assert_eq!(ended.found, undisturbed.found);
    assert_eq!(ended.message, undisturbed.message);
    assert!(histories(&mut world) == histories(&mut quiet));

    let most = least(&world, hidden.len()) * 115 / 100;
    for requests in [ended.requests, undisturbed.requests] {
        assert!(requests <= most, "{requests} of {most}");
    }
    let in_a_minute = most_in_a_minute(&world, ended.until);
    assert!(in_a_minute <= 480, "half of 960: {in_a_minute}");
    println!(
        "{} requests of {most}, {in_a_minute} in a minute",
        ended.requests
    );
}

/// The account of the acceptance.
fn hundred_thousand(world: &mut World) -> Timestamp {
    let mut began = spread(72_504, DAY * 140);
    let day = spread(17_495, DAY).into_iter();
    began.extend(day.map(|after| DAY * 141 + after));
    began.extend((0..10_001).map(|_| DAY * 150 + HOUR));
    past(world, &began)
}
