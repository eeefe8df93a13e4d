//! SIGKILL at every numbered step loses nothing and does nothing twice (S01, G14).
//!
//! The program is the real one. A [`script`] is run once undisturbed, which numbers its exchanges:
//! commands, webhooks, calls to PagerDuty. Then it is run again for each exchange and each
//! [`Point`] of it, with a kill there and a new process on the same data. What both sides show in
//! the end must be what they show after the undisturbed run.
//!
//! `cargo xtask kills 20` goes round more often (`IM_KILL_ROUNDS`), with further kills thrown in. PostgreSQL takes part when
//! `IM_TEST_POSTGRES_URL` is set.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

mod picture;
mod world;

use crate::process::place::{Kind, Place};
use crate::process::server::{LONG, Server};
use picture::picture;
use world::{Blow, Blows, Point, Running, Step, Times, What, begin, begin_with};

/// Worlds at the same time: most of their time passes in waiting for a lease.
const WORLDS: usize = 8;
/// How many kills a life has beside the one it is about, in later rounds.
const KILLS_MORE: usize = 2;
/// A little after an answer, what it set off is under way …
const LATER: Duration = Duration::from_millis(8);
/// … or over.
const LATER_MS_MAX: u64 = 60;

const OURS: &str = "The queue stands still";
const THEIRS: &str = "Certificates expire tonight";
const NOTES: [&str; 3] = [
    "looking at the queue",
    "restarted the consumer",
    "it was the disk",
];

/// Two incidents, one from each side, with everything that travels.
fn script(world: &Running) {
    let declared = || {
        let all = world.get("/api/v1/incidents");
        let found = all
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["title"] == OURS);
        found.map(|found| found["id"].as_str().unwrap().to_owned())
    };
    let new = json!({"title": OURS, "severity": "SEV-2", "service": "db"});
    world.command("/api/v1/incidents", &new, || declared().is_some());
    world.quiet();
    let ours = format!("/api/v1/incidents/{}", declared().unwrap());
    let says = |note: &str| {
        let lines = world.get(&format!("{ours}/timeline"));
        lines
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["note"] == note)
    };
    let act = |verb: &str, note: &str| {
        world.command(&format!("{ours}/{verb}"), &json!({ "note": note }), || {
            says(note)
        });
    };
    let person = world.account.users[2].0.as_str();
    let service = world.account.services[3].0.as_str();
    let theirs = world.at_pagerduty(|sim, now| sim.trigger(service, THEIRS, now).unwrap());
    world.quiet();
    act("acknowledge", NOTES[0]);
    world.quiet();
    world.at_pagerduty(|sim, now| {
        let twin = sim.incidents().find(|twin| twin.title == OURS).unwrap().id;
        sim.note(person, &twin, NOTES[1], now).unwrap();
        sim.acknowledge(person, &theirs, now).unwrap();
    });
    world.quiet();
    act("resolve", NOTES[2]);
    world.quiet();
    world.at_pagerduty(|sim, now| sim.resolve(person, &theirs, now).unwrap());
    world.quiet();
}

/// A run of the script: the picture in the end, and how many exchanges there were.
fn run(kind: &Kind, life: &Life) -> (String, BTreeMap<What, usize>) {
    let world = begin(kind.clone());
    let blows = life.kills.iter().map(|step| (*step, Blow::Kill)).collect();
    world.let_fall(blows, life.times);
    script(&world);
    let seen = world.seen();
    let left = world.pending_blows();
    assert!(left.is_empty(), "never reached: {left:?} of {seen:?}");
    (picture(&world), seen)
}

/// When a server is killed.
#[derive(Debug, Clone, Default)]
struct Life {
    kills: Vec<Step>,
    times: Times,
}

/// Every step of a sort, `rounds` times. The next process comes at once, or so late that nobody believes any more in a call that was
/// under way: at each step of a call both, elsewhere in turns. From the second round on further kills, at earlier steps of the same
/// sort, come before it: a later step may not be reached any more.
fn lives(what: What, count: usize, rounds: usize) -> Vec<Life> {
    let mut lives = Vec::new();
    for round in 0..rounds {
        let mut rng = Rng::with_seed(u64::try_from(round).unwrap());
        let extra = round.min(KILLS_MORE);
        let steps = (1..=count).flat_map(|number| Point::ALL.map(|point| (number, point)));
        for (at, (number, point)) in steps.enumerate() {
            let more = (0..extra).filter(|_| number > 1).map(|_| {
                (
                    what,
                    rng.usize(1..number),
                    *rng.choice(&Point::ALL).unwrap(),
                )
            });
            let mut kills: Vec<Step> = more.collect();
            kills.push((what, number, point));
            let later = match round {
                0 => LATER,
                _ => Duration::from_millis(rng.u64(1..LATER_MS_MAX)),
            };
            let rests: &[Duration] = match (what, (at + number + round) % 2) {
                (What::Call, _) => &[Duration::ZERO, LONG],
                (What::Command | What::Webhook, 0) => &[Duration::ZERO],
                (What::Command | What::Webhook, _) => &[LONG],
            };
            for rest in rests.iter().copied() {
                let times = Times { later, rest };
                let kills = kills.clone();
                lives.push(Life { kills, times });
            }
        }
    }
    lives
}

/// Kills at each point of each exchange of a sort.
fn kill_at_each(what: What, kind: Option<Kind>) {
    let Some(kind) = kind else { return };
    let rounds = std::env::var("IM_KILL_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    let (undisturbed, seen) = run(&kind, &Life::default());
    each(&lives(what, seen[&what], rounds), |life| {
        let (disturbed, _) = run(&kind, life);
        assert_eq!(undisturbed, disturbed, "undisturbed, and {life:?}");
    });
}

/// Runs all lives, several at a time, and says which ended badly.
fn each(lives: &[Life], test: impl Fn(&Life) + Sync) {
    let next = Mutex::new(lives.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORLDS {
            scope.spawn(|| {
                loop {
                    let Some(life) = next.lock().unwrap().next() else {
                        return;
                    };
                    // The panic has said why; the others go on.
                    if catch_unwind(AssertUnwindSafe(|| test(life))).is_err() {
                        failed.lock().unwrap().push(life.clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let (bad, all) = (failed.len(), lives.len());
    assert!(bad == 0, "{bad} of {all} lives ended badly: {failed:?}");
}

#[test]
fn a_kill_at_any_step_of_a_command_loses_and_doubles_nothing() {
    kill_at_each(What::Command, Some(Kind::Sqlite));
}

#[test]
fn a_kill_at_any_step_of_a_command_on_postgres_loses_and_doubles_nothing() {
    kill_at_each(What::Command, Kind::postgres());
}

#[test]
fn a_kill_at_any_step_of_ingest_loses_and_doubles_nothing() {
    kill_at_each(What::Webhook, Some(Kind::Sqlite));
}

#[test]
fn a_kill_at_any_step_of_ingest_on_postgres_loses_and_doubles_nothing() {
    kill_at_each(What::Webhook, Kind::postgres());
}

#[test]
fn a_kill_at_any_step_of_delivery_loses_and_doubles_nothing() {
    kill_at_each(What::Call, Some(Kind::Sqlite));
}

#[test]
fn a_kill_at_any_step_of_delivery_on_postgres_loses_and_doubles_nothing() {
    kill_at_each(What::Call, Kind::postgres());
}

/// How many incidents a storm brings from PagerDuty for each that is declared here.
const STORM_THEIRS: usize = 4;
const STORM_OURS: usize = 8;

/// Upgrades and power failures in the middle of a storm (G14).
#[test]
fn restarts_in_a_storm_lose_and_double_nothing() {
    for kind in Kind::all() {
        let world = begin(kind);
        let (later, rest) = (LATER, Duration::ZERO);
        let times = Times { later, rest };
        let blows = Blows::from([
            ((What::Webhook, 6, Point::Answered), Blow::Kill),
            ((What::Webhook, 13, Point::Later), Blow::Stop),
            ((What::Webhook, 21, Point::During), Blow::Kill),
            ((What::Webhook, 28, Point::Before), Blow::Stop),
            ((What::Call, 3, Point::During), Blow::Kill),
            ((What::Call, 6, Point::Answered), Blow::Stop),
            ((What::Command, 5, Point::During), Blow::Kill),
        ]);
        world.let_fall(blows, times);
        let mut titles = Vec::new();
        for ours in 0..STORM_OURS {
            for theirs in 0..STORM_THEIRS {
                let service = world.account.services[theirs].0.clone();
                let title = format!("Theirs {ours}.{theirs}");
                world.at_pagerduty(|sim, now| sim.trigger(&service, &title, now).unwrap());
                titles.push(title);
            }
            let title = format!("Ours {ours}");
            let new = json!({"title": title, "severity": "SEV-3", "service": "db"});
            world.command("/api/v1/incidents", &new, || {
                let all = world.get("/api/v1/incidents?limit=1000");
                all.as_array()
                    .unwrap()
                    .iter()
                    .any(|one| one["title"] == title)
            });
            titles.push(title);
        }
        let is_here = || {
            world
                .get("/api/v1/incidents?limit=1000")
                .as_array()
                .unwrap()
                .len()
        };
        world.until("every incident", || is_here() >= titles.len());
        world.quiet();
        assert!(
            world.pending_blows().is_empty(),
            "{:?}",
            world.pending_blows()
        );
        titles.sort();
        assert_eq!(picture::titles_here(&world), titles);
        assert_eq!(picture::titles_there(&world), titles);
        picture(&world);
    }
}

/// How many processes die before one lives, and how much later each dies than the one before.
const FALSE_STARTS: u64 = 12;
const FALSE_START_MS: u64 = 9;

#[test]
fn a_server_killed_while_it_starts_starts_again() {
    for kind in Kind::all() {
        let lives: Vec<Duration> = (1..=FALSE_STARTS)
            .map(|start| Duration::from_millis(start * FALSE_START_MS))
            .collect();
        let world = begin_with(Server::after_false_starts(Place::new(kind), &lives));
        let new = json!({"title": OURS, "severity": "SEV-2"});
        world.command("/api/v1/incidents", &new, || false);
        world.quiet();
        assert_eq!(picture::titles_there(&world), [OURS]);
        picture(&world);
    }
}
