//! Random scripts on both sides, with faults: in the end both sides agree and go quiet.
//!
//! `cargo xtask seeds 1000` plays more of them, in an optimised build and on all cores, goes on after
//! a failure, and prints the end of the script of each that failed; `cargo xtask seeds 17-17`
//! replays one.
//!
//! A script is a list of what people and fate do. Everything it draws comes from its seed: the
//! direction of the connector as well.

mod agreement;
mod every;
mod fate;
mod people;
mod settings;

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use im_core::{Direction, IncidentNumber};
use jiff::SignedDuration;
use serde_json::json;

use crate::world::World;

/// Seeds that every test run plays; `cargo xtask test` plays more in an optimised build.
const SEEDS: RangeInclusive<u64> = 1..=40;
/// How much of a script that failed is told.
const TOLD: usize = 40;
/// What people and fate do in one script.
const ACTIONS: usize = 40;
/// After so many of them somebody reads all timelines.
const LOOK_EACH: usize = 20;
/// After this time without faults both sides agree …
const HEALED_AFTER: SignedDuration = SignedDuration::from_mins(70);
/// … and most of them after a few of these.
const HEALING: SignedDuration = SignedDuration::from_mins(7);
/// After they agree nothing is written for this long: three repairs.
const QUIET: SignedDuration = SignedDuration::from_mins(16);

#[test]
fn both_sides_agree_after_any_script() {
    play(Direction::Bidirectional);
}

#[test]
fn outbound_takes_nothing_over() {
    play(Direction::Outbound);
}

#[test]
fn inbound_writes_nothing() {
    play(Direction::Inbound);
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

/// Most seeds are about a connector that carries changes both ways.
fn direction_of(seed: u64) -> Direction {
    match seed % 8 {
        0 => Direction::Outbound,
        4 => Direction::Inbound,
        _ => Direction::Bidirectional,
    }
}

/// The seeds that `IM_SEEDS` asks for: `1000`, or `17-20`.
fn seeds() -> RangeInclusive<u64> {
    let Ok(asked) = std::env::var("IM_SEEDS") else {
        return SEEDS;
    };
    let number = |text: &str| text.parse().expect("IM_SEEDS is `1000` or `17-20`");
    match asked.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => 1..=number(&asked),
    }
}

/// Plays the seeds of a direction on all cores.
fn play(direction: Direction) {
    let seeds: Vec<u64> = seeds()
        .filter(|seed| direction_of(*seed) == direction)
        .collect();
    let played = on_all_cores(&seeds, |seed| {
        let mut script = Script::new(*seed, direction);
        let played = tell(&format!("seed {seed}"), &mut script, Script::play);
        (played, script.world.way.attempts.len())
    });
    let deliveries: usize = played.iter().map(|(_, deliveries)| deliveries).sum();
    println!("deliveries: {deliveries}");
    let failed = seeds.iter().zip(&played).filter_map(|(seed, (played, _))| {
        let what = first_line(played.as_ref().err()?);
        Some(format!("  cargo xtask seeds {seed}-{seed}   {what}"))
    });
    all_passed(seeds.len(), &failed.collect::<Vec<_>>());
}

fn all_passed(count: usize, failed: &[String]) {
    assert!(
        failed.is_empty(),
        "{} of {count} scripts failed; what replays each:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Works on each item; a world is of one thread, so they share nothing.
fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = work(item);
                    done.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Plays a script, and tells its end if it fails.
fn tell<T>(
    name: &str,
    script: &mut Script,
    play: impl FnOnce(&mut Script) -> Result<T, String>,
) -> Result<T, String> {
    let what = match catch_unwind(AssertUnwindSafe(|| play(script))) {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(what)) => what,
        Err(_) => "it panicked".to_owned(),
    };
    let told = script.said.len().saturating_sub(TOLD);
    eprintln!("{name}:\n{}\n{what}\n", script.said[told..].join("\n"));
    Err(what)
}

/// How the database fails.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// The statement of this number.
    Statement(u64, im_store::fault::Fault),
    /// The commit after so many others, which keeps nothing.
    Commit(u64, im_store::fault::Fault),
    /// The commit after so many others, which is kept, but nobody hears of it.
    UnheardCommit(u64),
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
    trouble: Option<Trouble>,
    /// The signing secret that somebody made and we do not know.
    new_secret: Option<String>,
    /// Whether somebody changed our webhook subscription.
    is_subscription_changed: bool,
    /// Whether the end of one of several PagerDuty incidents ends all.
    any_ends_all: bool,
}

impl Script {
    fn new(seed: u64, direction: Direction) -> Self {
        let mut world = World::seeded(seed);
        if direction != Direction::Bidirectional {
            world.configure(|config| config["sync_direction"] = direction.as_str().into());
        }
        let any_ends_all = seed.is_multiple_of(3);
        if any_ends_all {
            world.configure(|config| config["custom"]["resolve_rule"] = "any".into());
        }
        // Whose value counts where both sides change a field; a review would wait for a person.
        match seed % 5 {
            3 => world.configure(|config| {
                config["custom"]["field_ownership"] = json!({
                    "title": {"owner": "external"},
                    "service": {"owner": "external"},
                    "assigned_to": {"owner": "platform"},
                });
            }),
            4 => world.configure(|config| {
                config["custom"]["conflict_strategy"] = "last-write-wins".into();
            }),
            _ => {}
        }
        Self {
            world,
            direction,
            said: Vec::new(),
            notes: 0,
            allowed: HashMap::new(),
            urgency_there: HashSet::new(),
            trouble: None,
            new_secret: None,
            is_subscription_changed: false,
            any_ends_all,
        }
    }

    fn play(&mut self) -> Result<(), String> {
        self.clocks();
        for number in 0..ACTIONS {
            self.act();
            self.pause();
            if number % LOOK_EACH == LOOK_EACH - 1
                && let Some(what) = self.told_twice()
            {
                return Err(what);
            }
        }
        self.end()
    }

    /// What must be true once nothing goes wrong any more.
    fn end(&mut self) -> Result<(), String> {
        self.all_is_well();
        self.say("the faults are over");
        let end = self.world.now + HEALED_AFTER;
        while self.world.now < end {
            self.world.run_for(HEALING);
            if self.disagreement().is_none() {
                break;
            }
        }
        // A timer of PagerDuty's may fire at this very moment: let its news arrive, at the
        // latest with the next repair if an older webhook still holds back the others.
        for wait_s in [7, 7, 60, 60, 60, 60, 60] {
            if self.disagreement().is_none() {
                break;
            }
            self.world.run_for(SignedDuration::from_secs(wait_s));
        }
        self.disagreement().map_or(Ok(()), Err)?;
        let (written, ended) = (self.world.writes(), self.ended());
        self.world.run_for(QUIET);
        // Under `any`, the end of one part by a timer ends the others.
        if self.world.writes() != written && self.ended() == ended {
            return Err(format!("not quiet: {:?}", self.world.sim.writes().last()));
        }
        self.lasting().map_or(Ok(()), Err)
    }

    /// How many resolves PagerDuty's log tells.
    fn ended(&self) -> usize {
        let log = self.world.sim.log_entries();
        log.filter(|entry| entry.kind == "resolve").count()
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
        let pause = match rng.u8(0..80) {
            0..=39 => SignedDuration::from_millis(rng.i64(0..1_500)),
            40..=63 => SignedDuration::from_secs(rng.i64(1..40)),
            64..=78 => SignedDuration::from_secs(rng.i64(40..900)),
            // Long enough for time-outs, and for the subscription to be given up.
            _ => SignedDuration::from_secs(rng.i64(900..16_000)),
        };
        self.with_trouble(|script| script.world.run_for(pause));
    }
}
