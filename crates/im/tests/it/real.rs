//! Real processes: the program, PagerDuty's stand-ins, and between them proxies that cut, hold and repeat, while the program is killed
//! (T3, T7).
//!
//! `cargo xtask real 100000 1` runs it, in an optimised build; `cargo xtask test` runs a short one. It is no unit test, because it needs
//! real time. Every exchange goes into a history, and when all is quiet the history is checked against what both sides show ([`model`]).
//!
//! `IM_REAL` says how many deliveries, and of which seed: `2000 1`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use im_store::{LocalDb, inbox};
use jiff::Timestamp;
use serde_json::Value;

mod history;
mod model;
mod people;
mod plan;
mod proxy;
mod stand_in;
mod world;

use crate::process::server::program;
use model::{Model, Sides, Wrong};
use people::People;
use stand_in::StandIn;
use world::{World, connector};

/// Deliveries from which on a run is a long one.
const LONG_FROM: u64 = 20_000;
/// Mistakes that are told in full.
const TOLD_MAX: usize = 100;
/// Incidents in one answer of the API.
const PAGE: usize = 1_000;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) deliveries: u64,
    pub(crate) seed: u64,
    /// Accounts at PagerDuty, each with a connector: a door takes ten webhooks a second.
    pub(crate) accounts: usize,
    /// One exchange in so many ends in a kill.
    pub(crate) kill_every: u64,
    pub(crate) lease: &'static str,
}

impl Size {
    fn read(text: &str) -> Option<Self> {
        let (deliveries, seed) = text.split_once(' ')?;
        let (deliveries, seed) = (deliveries.parse().ok()?, seed.parse().ok()?);
        let is_long = deliveries >= LONG_FROM;
        Some(Self {
            deliveries,
            seed,
            accounts: if is_long { 30 } else { 12 },
            kill_every: if is_long { 1_200 } else { 600 },
            lease: if is_long { "30s" } else { "8s" },
        })
    }
}

#[test]
#[ignore = "it needs real time: `cargo xtask real`"]
fn nothing_is_lost_doubled_or_diverges_between_real_processes() {
    let asked = std::env::var("IM_REAL").unwrap_or_else(|_| "2000 1".to_owned());
    let size = Size::read(&asked).unwrap_or_else(|| panic!("IM_REAL={asked:?}: use `2000 1`"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("real");
    std::fs::create_dir_all(&folder).unwrap();
    let begun = im::clock::now();
    let world = World::begin(size, &folder);
    world.be_wild(true);
    std::thread::scope(|scope| {
        for account in 0..size.accounts {
            let people = People::of(&world, account);
            scope.spawn(|| people.act());
        }
    });
    world.be_wild(false);
    let acted = im::clock::now();
    let (model, wrong) = judge(&world);
    println!("{}", figures(&world, &model, &wrong, begun, acted));
    for one in wrong.all().take(TOLD_MAX) {
        println!("{one}");
    }
    if let Some(first) = wrong.first() {
        let log = folder.join("im.log");
        std::fs::write(&log, world.with_server(|server| server.whole_log())).unwrap();
        let (history, log) = (folder.join("history.jsonl"), log.display().to_string());
        panic!(
            "{first}; history: {}; log: {log}; the same plan again: \
             cargo xtask real {} {}",
            history.display(),
            size.deliveries,
            size.seed
        );
    }
}

/// Waits until all is quiet and both sides agree, and says what is wrong for good.
fn judge(world: &World) -> (Model, Wrong) {
    let mut wrong = Wrong::default();
    if let Err(unrest) = world.settled(|| world.unrest()) {
        wrong
            .diverged
            .push(format!("it never came to rest: {unrest}"));
    }
    let model = Model::of(&world.history.read());
    let look = || {
        let mut wrong = Wrong::default();
        for sides in sides(world) {
            model.check(&sides, &mut wrong);
        }
        wrong
    };
    let last = std::cell::RefCell::new(Wrong::default());
    // What takes its time is no mistake; what stays is one.
    let is_agreed = world.settled(|| {
        let now = look();
        let first = now.first();
        last.replace(now);
        first
    });
    if is_agreed.is_err() {
        let last = last.into_inner();
        wrong.lost.extend(last.lost);
        wrong.double.extend(last.double);
        wrong.diverged.extend(last.diverged);
    }
    let model = Model::of(&world.history.read());
    stored(world, &model, &mut wrong);
    (model, wrong)
}

/// Both sides of each account.
fn sides(world: &World) -> Vec<Sides> {
    let mut all = Vec::new();
    let mut before = String::new();
    loop {
        let path = format!("/api/v1/incidents?limit={PAGE}{before}");
        let page = world.get(&path).as_array().unwrap().clone();
        if let Some(last) = page.last() {
            before = format!("&before={}", last["number"]);
        }
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            break;
        }
    }
    for one in &mut all {
        let path = format!("/api/v1/incidents/{}/timeline", one["id"].as_str().unwrap());
        one["timeline"] = world.get(&path);
    }
    let of = |(account, stand_in): (usize, &StandIn)| {
        let name = connector(account);
        let is_of = |one: &&Value| one["pagerduty"]["connector"] == name.as_str();
        Sides {
            account,
            here: all.iter().filter(is_of).cloned().collect(),
            there: stand_in.rows("incidents"),
            writes: stand_in.rows("writes"),
        }
    };
    world.stand_ins.iter().enumerate().map(of).collect()
}

/// Each delivery that was answered with 2xx is stored and was digested, and nothing else is there; the server's own examination finds
/// nothing. The server is ended by that.
fn stored(world: &World, model: &Model, wrong: &mut Wrong) {
    let (database, folder) = world.with_server(|server| {
        server.end();
        (server.database(), server.folder())
    });
    let mut db = LocalDb::open(&database).unwrap();
    for (account, taken) in &model.taken {
        let name = connector(*account);
        for event in taken {
            let state = db.read(|tx| inbox::state(tx, &name, event)).unwrap();
            if state.as_deref() != Some("done") {
                wrong
                    .lost
                    .push(format!("event {event} of {name} is {state:?}"));
            }
        }
        let counts = db.read(|tx| inbox::counts(tx, &name)).unwrap();
        let count: i64 = counts.iter().map(|(_, count)| count).sum();
        if usize::try_from(count) != Ok(taken.len()) {
            let what = format!("{name} took {} events and has {counts:?}", taken.len());
            wrong.double.push(what);
        }
    }
    let doctor = program()
        .args(["--json", "doctor", "--data-dir"])
        .arg(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let found: Value = serde_json::from_str(&said).unwrap_or_default();
    if found["ok"] != true {
        wrong.diverged.push(format!("im doctor: {said}"));
    }
}

fn figures(
    world: &World,
    model: &Model,
    wrong: &Wrong,
    begun: Timestamp,
    acted: Timestamp,
) -> String {
    let counts = &world.counts;
    let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::SeqCst);
    let taken = of(&counts.taken);
    let events: usize = model
        .taken
        .values()
        .map(std::collections::BTreeSet::len)
        .sum();
    let again = taken - u64::try_from(events).unwrap();
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs();
    format!(
        "deliveries answered 2xx: {taken} ({events} events, {again} duplicates, {} copies sent)\n\
         commands: {}, calls: {}, cuts: {}, holds: {}, kills: {}\n\
         lost {}, double {}, diverged {}\n\
         time: {} s with faults, {} s until quiet and checked; seed {}",
        of(&counts.copies),
        of(&counts.commands),
        of(&counts.calls),
        of(&counts.cuts),
        of(&counts.holds),
        of(&counts.kills),
        wrong.lost.len(),
        wrong.double.len(),
        wrong.diverged.len(),
        seconds(begun, acted),
        seconds(acted, im::clock::now()),
        world.size.seed,
    )
}
