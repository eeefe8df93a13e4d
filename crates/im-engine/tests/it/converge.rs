//! Random scripts on both sides, with faults: in the end both sides agree and go quiet.
//!
//! `IM_SEED=17 cargo nextest run -p im-engine converge` replays one seed; `IM_SEEDS=1000` runs
//! more of them, goes on after a failure, and prints the script of the first that failed.
//!
//! A script is a list of what people and fate do. Everything it draws comes from its seed.

mod agreement;
mod fate;
mod people;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use im_core::{Direction, IncidentNumber};
use jiff::SignedDuration;

use crate::world::World;

/// Seeds that every test run plays.
const SEEDS: u64 = 40;
/// What people and fate do in one script.
const ACTIONS: usize = 40;
/// After this time without faults both sides agree.
const HEALED_AFTER: SignedDuration = SignedDuration::from_mins(70);
/// After they agree nothing is written for this long.
const QUIET: SignedDuration = SignedDuration::from_mins(30);

#[test]
fn both_sides_agree_after_any_script() {
    play(Direction::Bidirectional, 1);
}

#[test]
fn outbound_takes_nothing_over() {
    play(Direction::Outbound, 4);
}

#[test]
fn inbound_writes_nothing() {
    play(Direction::Inbound, 4);
}

#[test]
fn a_quiet_program_wakes_for_its_repairs_alone() {
    let mut world = World::sqlite();
    world.declared("Quiet");
    world.run_for(SignedDuration::from_mins(5));
    let (steps, calls) = (world.steps, world.calls.len());
    world.run_for(SignedDuration::from_hours(1));
    let (steps, calls) = (world.steps - steps, world.calls.len() - calls);
    // A repair each five minutes; a call costs two rounds, each of them a few transactions.
    assert!(calls <= 12 * 5, "{calls} calls");
    assert!(steps <= calls * 7, "{steps} steps for {calls} calls");
}

/// Plays the seeds that are asked for, or one in `rarer` of [`SEEDS`].
fn play(direction: Direction, rarer: u64) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match number("IM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("IM_SEEDS").unwrap_or(SEEDS / rarer) + 1,
    };
    let mut failed: Vec<(u64, String)> = Vec::new();
    for seed in seeds {
        let mut script = Script::new(seed, direction);
        let played = catch_unwind(AssertUnwindSafe(|| script.play()));
        let what = match played {
            Ok(Ok(())) => continue,
            Ok(Err(what)) => what,
            Err(_) => "it panicked".to_owned(),
        };
        if failed.is_empty() {
            eprintln!("seed {seed}:\n{}\n{what}", script.said.join("\n"));
        }
        let first = what.lines().next().unwrap_or_default().to_owned();
        failed.push((seed, first));
    }
    assert!(
        failed.is_empty(),
        "{} seeds failed; replay one with IM_SEED:\n{}",
        failed.len(),
        failed
            .iter()
            .map(|(seed, what)| format!("{seed}: {what}"))
            .collect::<Vec<_>>()
            .join("\n")
    );
}

struct Script {
    world: World,
    direction: Direction,
    said: Vec<String>,
    notes: usize,
    /// How many writes each incident's commands may cause.
    allowed: HashMap<IncidentNumber, usize>,
    /// Twins whose urgency somebody changed there.
    urgency_there: HashSet<String>,
    /// What the database will refuse while time passes next.
    trouble: Option<(u64, im_store::fault::Fault)>,
}

impl Script {
    fn new(seed: u64, direction: Direction) -> Self {
        let mut world = World::seeded(seed);
        if direction != Direction::Bidirectional {
            world.configure(|config| config["sync_direction"] = direction.as_str().into());
        }
        Self {
            world,
            direction,
            said: Vec::new(),
            notes: 0,
            allowed: HashMap::new(),
            urgency_there: HashSet::new(),
            trouble: None,
        }
    }

    fn play(&mut self) -> Result<(), String> {
        self.clocks();
        for _ in 0..ACTIONS {
            self.act();
            self.pause();
        }
        self.all_is_well();
        self.say("the faults are over");
        self.world.run_for(HEALED_AFTER);
        // A timer of PagerDuty's may fire at this very moment: let its news arrive, at the
        // latest with the next repair if an older webhook still holds back the others.
        for wait_s in [7, 7, 60, 60, 60, 60, 60] {
            if self.disagreement().is_none() {
                break;
            }
            self.world.run_for(SignedDuration::from_secs(wait_s));
        }
        self.disagreement().map_or(Ok(()), Err)?;
        let written = self.world.writes();
        self.world.run_for(QUIET);
        if self.world.writes() != written {
            return Err(format!("not quiet: {:?}", self.world.sim.writes().last()));
        }
        self.lasting().map_or(Ok(()), Err)
    }

    fn say(&mut self, what: impl Into<String>) {
        let at = self.world.now.strftime("%d %H:%M:%S%.3f");
        self.said.push(format!("{at} {}", what.into()));
    }

    fn act(&mut self) {
        match self.world.rng.u8(0..100) {
            0..=9 => self.declare(),
            10..=14 => self.trigger(),
            15..=50 => self.act_here(),
            51..=82 => self.act_there(),
            _ => self.fault(),
        }
    }

    fn pause(&mut self) {
        let rng = &mut self.world.rng;
        let pause = match rng.u8(0..40) {
            0..=19 => SignedDuration::from_millis(rng.i64(0..1_500)),
            20..=31 => SignedDuration::from_secs(rng.i64(1..40)),
            32..=38 => SignedDuration::from_secs(rng.i64(40..900)),
            // Long enough for time-outs, and for the subscription to be given up.
            _ => SignedDuration::from_secs(rng.i64(900..16_000)),
        };
        self.with_trouble(|script| script.world.run_for(pause));
    }
}
