//! What is stored becomes figures: from the stand-in's webhooks and log to an answer.

use std::collections::BTreeMap;

use im_core::{Command, IncidentNumber};
use im_engine::record::{self, Mappings};
use im_metrics::input::{History, Settings};
use im_metrics::{Durations, Engine, Figure, history, parse};
use im_store::facts::{self, News};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::world::World;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Facts that are read at once: few, so that an incident is met more than once.
const FEW: u32 = 3;

/// Every incident, read as its facts are met; what comes later takes the place of what was known.
fn histories(world: &mut World) -> BTreeMap<IncidentNumber, Option<History>> {
    let mut all = BTreeMap::new();
    let mut seq = 0;
    while let Some(News {
        incidents, last, ..
    }) = world.write(|tx| facts::after(tx, seq, FEW))
    {
        assert!(last > seq);
        seq = last;
        for number in incidents {
            let told = world.write(|tx| record::told(tx, number, &mut Mappings::default()));
            let told = told.and_then(|told| history(number, &told.facts, &told.story));
            all.insert(number, told);
        }
    }
    assert_eq!(world.write(facts::last), seq, "every fact was met");
    all
}

/// The figure of the whole day.
fn figure(world: &mut World, metric: &str, params: &[(&str, &str)]) -> Figure {
    let mut engine = Engine::new(Settings::new(TimeZone::UTC));
    for history in histories(world).values().flatten() {
        engine.put(history);
    }
    let query = parse(metric, params.iter().copied()).unwrap();
    let answer = engine.answer(&query, world.now).unwrap();
    answer.series[0].total.figure
}

fn durations(world: &mut World, metric: &str) -> Durations {
    let found = match figure(world, metric, &[]) {
        Figure::Durations(durations) => Some(durations),
        _ => None,
    };
    found.expect("times are durations")
}

story! {
    fn times_are_those_of_pagerdutys_log(world) {
        let (_, twin) = world.born_there("db down");
        world.run_for(MINUTE * 4);
        let user = world.user(3);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        // A comparison over live data changes nothing.
        let before = histories(world);
        world.sync();
        assert_eq!(histories(world), before);
        let (ack, end) = (durations(world, "mtta"), durations(world, "mttr"));
        assert_eq!((ack.n, end.n), (1, 1));
        let near = |value: Option<f64>, seconds: f64| (value.unwrap() - seconds).abs() <= 60.0;
        assert!(near(ack.mean, 240.0), "{ack:?}");
        assert!(near(end.mean, 600.0), "{end:?}");
        let paged = figure(world, "pages", &[("source", "notifications")]);
        assert_ne!(paged, Figure::Count { n: 0 }, "the log tells who was paged");
        let acks = figure(world, "page_disruptions", &[]);
        assert_eq!(acks, Figure::Count { n: 1 });
    }

    fn mw_01_without_webhooks_and_without_anybody_an_interval_brings_it_all(world) {
        world.way.lose = Some(|_| true);
        let user = world.user(3);
        let twin = world.triggered("db down");
        let began = world.now;
        world.run_for(MINUTE);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        let taken = world.now;
        world.run_for(MINUTE);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        let over = world.now;
        // The default interval, and the time of the run itself.
        world.run_for(MINUTE * 6);
        let row = world.list()[0].number;
        let story = world.story(row);
        let near = |at: jiff::Timestamp, want: jiff::Timestamp| at.duration_since(want).abs() < SignedDuration::from_secs(1);
        assert!(near(story.created_at, began));
        assert!(near(story.acknowledged_at.unwrap(), taken));
        assert!(near(story.resolved_at.unwrap(), over));
    }

    fn mw_05_after_a_restart_and_with_pagerduty_away_all_is_there(world) {
        let (incident, twin) = world.born_there("db down");
        world.run_for(MINUTE * 4);
        let user = world.user(3);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        let (story, figure) = (world.story(incident), durations(world, "mttr"));
        assert_eq!(figure.n, 1);
        world.wire_up = false;
        world.crash();
        world.run_for(MINUTE * 30);
        assert_eq!(world.story(incident), story);
        assert_eq!(durations(world, "mttr"), figure);
    }

    fn what_was_done_here_counts_with_what_was_done_there(world) {
        let (incident, _) = world.declared("Nobody looks");
        world.run_for(MINUTE * 2);
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.run_for(MINUTE * 3);
        world.act(2, incident, &Command::Resolve, None).unwrap();
        world.run_for(MINUTE);
        assert_eq!(durations(world, "mtta").n, 1);
        assert_eq!(durations(world, "mttr").n, 1);
        let acks = figure(world, "pages", &[("source", "acknowledgements")]);
        assert_eq!(acks, Figure::Count { n: 1 }, "one act, though three sources report it");
        let open = figure(world, "open_incidents", &[]);
        assert_eq!(open, Figure::Count { n: 0 });
        world.must(incident, &Command::Delete);
        world.settle_down();
        assert_eq!(figure(world, "incident_frequency", &[("bucket", "all")]),
            Figure::Rate { n: 0, per_day: 0.0 }, "what was deleted here is in no figure");
    }
}
