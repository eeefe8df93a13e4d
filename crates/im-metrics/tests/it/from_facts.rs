//! What happened, against what is counted once it went through reports.
//!
//! Here lives are made up first: acts of which each happened once ([`lives`]). Each act is then reported as
//! PagerDuty does it: by its log to the second, by a webhook within that second, by both, twice, in any order
//! ([`reports`]). The engine gets what `im_core::fold` and `im_metrics::history` make of the reports; the second
//! implementation gets the lives themselves. So what merges reports, orders them and reads an incident out of
//! them is checked by something that shares none of it.
//!
//! Much happens in one second, and who read nothing but the whole log must count the same as who heard the webhooks.

use im_core::{IncidentNumber, Kind, Story, fold};
use im_metrics::input::{History, Values};
use im_metrics::{Engine, Metric, history};

use crate::given::World;
use crate::oracle::Oracle;
use crate::random::{Dice, question, world};
use crate::same_as_oracle::compare;

mod lives;
mod reports;

use lives::{Lived, life};

#[test]
fn what_is_counted_is_what_happened_however_it_was_reported() {
    play(150);
}

#[test]
#[ignore = "minutes: 50,000 histories; `cargo xtask truth`"]
fn what_is_counted_is_what_happened_in_fifty_thousand_histories() {
    play(5_000);
}

fn play(worlds: u64) {
    for seed in 0..worlds {
        let mut dice = Dice::seeded(seed);
        let mut world = world(&mut dice);
        let plain = world.histories.iter();
        let lives: Vec<Lived> = plain.map(|plain| life(&mut dice, plain)).collect();
        world.histories = lives.iter().map(|life| life.history.clone()).collect();
        let engine = told(&world, &lives, seed);
        for metric in Metric::ALL {
            let Some((query, asked)) = question(&mut dice, *metric) else {
                continue;
            };
            let Ok(answer) = engine.answer(&query, world.now) else {
                continue;
            };
            let place = format!("seed {seed}: {asked}");
            compare(&answer, &Oracle::new(&world, &query), &place);
        }
    }
}

/// An engine that was told of the lives by reports.
fn told(world: &World, lives: &[Lived], seed: u64) -> Engine {
    let mut engine = Engine::new(world.settings());
    for lived in lives {
        let (life, reports) = (&lived.history, &lived.reports);
        let number = IncidentNumber::new(life.number).unwrap();
        let story = fold(reports, None).unwrap();
        let mut read = history(number, reports, &story).unwrap();
        assert_eq!(read.events, life.events, "seed {seed}: {reports:#?}");
        // What people say of an incident is no report.
        read.link.clone_from(&life.link);
        read.not_change_related = life.not_change_related;
        read.deployment.clone_from(&life.deployment);
        read.environment.clone_from(&life.environment);
        read.severity.clone_from(&life.severity);
        assert_eq!(&read, life, "seed {seed}");
        engine.put(&read);
        if let Some(state) = lived.state {
            assert_eq!(story.status, state, "seed {seed}: {reports:#?}");
        }
        as_if_only_read(lived, seed);
    }
    engine.put_deployments(&world.deployments);
    engine
}

/// Who reads the whole log after the webhooks counts as who read nothing else, and both are told last of each field
/// what it says now.
fn as_if_only_read(lived: &Lived, seed: u64) {
    let number = IncidentNumber::new(lived.history.number).unwrap();
    let [live, rebuilt] = [&lived.reports, &Vec::new()].map(|heard| {
        let reports = [heard.as_slice(), &lived.log].concat();
        let story = fold(&reports, None).unwrap();
        assert_eq!(
            last_priority(&story),
            lived.priority,
            "seed {seed}: {reports:#?}"
        );
        history(number, &reports, &story).unwrap()
    });
    let known = History {
        rebuilt: live.rebuilt,
        policy_untold: live.policy_untold,
        at_trigger: Values {
            // Only a webhook tells from which policy one was delegated.
            policy: live.at_trigger.policy.clone(),
            ..rebuilt.at_trigger
        },
        ..rebuilt
    };
    assert_eq!(live, known, "seed {seed}: {:#?}", lived.reports);
}

/// What a timeline ends on: the last change of the priority, if there was one.
fn last_priority(story: &Story) -> Option<Option<String>> {
    let mut lines = story.lines.iter().rev();
    let last = lines.find(|line| line.kind == Kind::PriorityChanged)?;
    Some(last.value.clone())
}
