//! What happened, against what is counted once it went through reports.
//!
//! Here lives are made up first: acts of which each happened once ([`lives`]). Each act is then reported as
//! PagerDuty does it: by its log to the second, by a webhook within that second, by both, twice, in any order
//! ([`reports`]). The engine gets what `im_core::fold` and `im_metrics::history` make of the reports; the second
//! implementation gets the lives themselves. So what merges reports, orders them and reads an incident out of
//! them is checked by something that shares none of it.

use im_core::{Fact, IncidentNumber, fold};
use im_metrics::input::History;
use im_metrics::{Engine, Metric, history};

use crate::given::World;
use crate::oracle::Oracle;
use crate::random::{Dice, question, world};
use crate::same_as_oracle::compare;

mod lives;
mod reports;

use lives::life;

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
        let lives: Vec<(History, Vec<Fact>)> = world
            .histories
            .iter()
            .map(|plain| life(&mut dice, plain))
            .collect();
        world.histories = lives.iter().map(|(life, _)| life.clone()).collect();
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
fn told(world: &World, lives: &[(History, Vec<Fact>)], seed: u64) -> Engine {
    let mut engine = Engine::new(world.settings());
    for (life, reports) in lives {
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
    }
    engine.put_deployments(&world.deployments);
    engine
}
