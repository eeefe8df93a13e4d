//! Twelve weeks of an account: people, services and what happened to them, the same in each run.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use pd_sim::{Account, Options, Sim, account};

/// What happens to each service, in the account's order.
const TITLES: [[&str; 3]; 5] = [
    [
        "Card payments: error rate above 5 %",
        "Refunds fail for one bank",
        "Card payments: provider times out",
    ],
    [
        "Checkout: p95 above 3 s",
        "Checkout: 502 from the gateway",
        "Payment page is blank for some",
    ],
    [
        "Replica lag above 60 s",
        "Disk 90 % full on db-2",
        "Connections exhausted on db-1",
    ],
    [
        "Search: p99 latency above 2 s",
        "Index older than an hour",
        "Search: error rate above 2 %",
    ],
    [
        "Mail queue older than 10 min",
        "Push messages are late",
        "Mail provider refuses us",
    ],
];
const DAYS: i64 = 84;

fn after(from: Timestamp, minutes: i64) -> Timestamp {
    from + SignedDuration::from_mins(minutes)
}

/// An account in which nothing has happened.
pub(super) fn quiet(options: Options, now: Timestamp) -> (Sim, Account) {
    let mut sim = Sim::new(options, now);
    let account = account::lively(&mut sim, now);
    (sim, account)
}

/// An account with much behind it, some of it still open.
pub(super) fn busy(options: Options, now: Timestamp) -> (Sim, Account) {
    let start = now - SignedDuration::from_hours(24 * (DAYS + 1));
    let (mut sim, account) = quiet(options, start);
    let mut rng = Rng::with_seed(4);
    for days in (1..=DAYS).rev() {
        // Fewer in the last weeks.
        let count = if days > DAYS / 2 {
            1 + days % 3 / 2
        } else {
            1 - days % 4 / 3
        };
        for part in 0..count {
            let begun = now - SignedDuration::from_hours(24 * days - 11 * part);
            let begun = after(begun, rng.i64(0..540));
            one(&mut sim, &account, begun, &mut rng);
        }
        if days == 20 {
            // At night, when nothing else happens.
            storm(&mut sim, &account, after(now, (12 - 24 * days) * 60));
        }
    }
    still_open(&mut sim, &account, now);
    (sim, account)
}

/// Hours with so much that the heat map has all its shades, and the same over again.
fn storm(sim: &mut Sim, account: &Account, begun: Timestamp) {
    for (hour, count) in [(0, 5), (1, 4), (2, 3), (3, 2)] {
        for part in 0..count {
            let at = after(begun, 60 * hour + 4 * part);
            let twin = sim
                .trigger(&account.services[2].0, TITLES[2][1], at)
                .unwrap();
            let user = &account.users[3].0;
            sim.acknowledge(user, &twin, after(at, 5)).unwrap();
            sim.resolve(user, &twin, after(at, 31)).unwrap();
        }
    }
}

/// One that was over within two hours.
fn one(sim: &mut Sim, account: &Account, begun: Timestamp, rng: &mut Rng) {
    let service = rng.usize(0..TITLES.len());
    let title = TITLES[service][rng.usize(0..3)];
    let twin = sim
        .trigger(&account.services[service].0, title, begun)
        .unwrap();
    let user = &account.users[(service + rng.usize(0..2)) % account.users.len()].0;
    let taken = after(begun, rng.i64(1..14));
    if rng.u8(0..10) > 0 {
        sim.acknowledge(user, &twin, taken).unwrap();
    }
    if rng.u8(0..3) == 0 {
        let priority = &account.priorities[rng.usize(0..4)].0;
        sim.set_priority(user, &twin, Some(priority), after(taken, 1))
            .unwrap();
    }
    sim.resolve(user, &twin, after(taken, rng.i64(6..70)))
        .unwrap();
}

/// What people are at.
fn still_open(sim: &mut Sim, account: &Account, now: Timestamp) {
    let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
    let trigger = |sim: &mut Sim, service: usize, title: &str, at: Timestamp| {
        sim.trigger(&account.services[service].0, title, at)
            .unwrap()
    };
    let user = |index: usize| &account.users[index].0;
    let slow = trigger(
        sim,
        3,
        "Search results are stale for sellers in ES",
        ago(26),
    );
    sim.acknowledge(user(4), &slow, ago(23)).unwrap();
    sim.set_priority(user(4), &slow, Some(&account.priorities[2].0), ago(22))
        .unwrap();
    sim.note(
        user(4),
        &slow,
        "One shard is rebuilding; about 40 minutes left.",
        ago(20),
    )
    .unwrap();
    let cards = trigger(
        sim,
        0,
        "Checkout returns 502 for card payments in the EU",
        ago(19),
    );
    sim.acknowledge(user(1), &cards, ago(16)).unwrap();
    sim.set_priority(user(1), &cards, Some(&account.priorities[0].0), ago(15))
        .unwrap();
    sim.request_help(
        user(1),
        &cards,
        user(2),
        "Do you know the new gateway?",
        ago(12),
    )
    .unwrap();
    let note = "Rolled payments-api back to 2026.11.20-3. The 502 rate fell from 31 % to 2 %. Watching it for ten minutes before I resolve.";
    sim.note(user(1), &cards, note, ago(4)).unwrap();
    trigger(sim, 4, "Mail queue older than 10 min", ago(3));
}
