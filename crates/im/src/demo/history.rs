//! Three weeks of the stand-in's past: an account that has nothing to show explains nothing.

use jiff::{SignedDuration, Timestamp};
use pd_sim::{Account, Options, Sim, account};

/// How far the past goes back.
pub(super) const PAST: SignedDuration = SignedDuration::from_hours(21 * 24);

/// One incident of the past.
struct Past {
    /// How long ago it began, in minutes.
    minutes_ago: i64,
    /// Which service, in the account's order.
    service: usize,
    title: &'static str,
    /// Who took it, in the account's order, and after how many minutes.
    taken: Option<(usize, i64)>,
    /// After how many minutes it was over.
    over: Option<i64>,
    note: Option<&'static str>,
}

const fn past(minutes_ago: i64, service: usize, title: &'static str) -> Past {
    Past {
        minutes_ago,
        service,
        title,
        taken: None,
        over: None,
        note: None,
    }
}

impl Past {
    const fn taken(mut self, by: usize, after: i64) -> Self {
        self.taken = Some((by, after));
        self
    }

    const fn over(mut self, after: i64) -> Self {
        self.over = Some(after);
        self
    }

    const fn note(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// Oldest first; the last ones are open.
const HISTORY: [Past; 14] = [
    past(20 * DAY, 0, "Card payments: error rate above 5 %")
        .taken(0, 3)
        .over(25),
    past(18 * DAY + 7 * HOUR, 2, "Replica lag above 60 s")
        .taken(3, 6)
        .over(18),
    past(16 * DAY, 3, "Search: p99 latency above 2 s")
        .taken(4, 11)
        .over(28),
    past(13 * DAY + 3 * HOUR, 1, "Checkout: 502 from the gateway")
        .taken(1, 2)
        .over(14),
    past(12 * DAY, 4, "Mail queue older than 10 min")
        .taken(5, 4)
        .over(21),
    past(9 * DAY + 11 * HOUR, 2, "Disk 90 % full on db-2")
        .taken(3, 8)
        .over(27),
    past(7 * DAY, 0, "Card payments: provider times out")
        .taken(0, 1)
        .over(19),
    past(5 * DAY + 5 * HOUR, 3, "Index older than an hour")
        .taken(4, 9)
        .over(26),
    past(2 * DAY, 1, "Checkout: p95 above 3 s")
        .taken(2, 5)
        .over(17),
    past(19 * HOUR, 4, "Push messages are late")
        .taken(5, 3)
        .over(22),
    past(6 * HOUR, 2, "Connections exhausted on db-1")
        .taken(3, 2)
        .over(24)
        .note("A batch job held its connections; it is throttled now."),
    past(3 * HOUR, 0, "Refunds fail for one bank")
        .taken(1, 4)
        .over(20),
    past(22, 3, "Search: error rate above 2 %")
        .taken(4, 5)
        .note("One shard is rebuilding."),
    past(4, 1, "Checkout: payment page is blank for some"),
];

/// An account with people, services and three weeks behind it.
pub(super) fn account(options: Options, now: Timestamp) -> (Sim, Account) {
    let start = now - PAST;
    let mut sim = Sim::new(options, start);
    let account = account::lively(&mut sim, start);
    for past in &HISTORY {
        live(&mut sim, &account, past, now);
    }
    (sim, account)
}

fn live(sim: &mut Sim, account: &Account, past: &Past, now: Timestamp) {
    let began = now - SignedDuration::from_mins(past.minutes_ago);
    let after = |minutes: i64| began + SignedDuration::from_mins(minutes);
    let Some((service, ..)) = account.services.get(past.service) else {
        return;
    };
    let Some(incident) = sim.trigger(service, past.title, began) else {
        return;
    };
    let Some((user, minutes)) = past.taken else {
        return;
    };
    let Some((user, ..)) = account.users.get(user) else {
        return;
    };
    let mut done = sim.acknowledge(user, &incident, after(minutes));
    if let Some(note) = past.note {
        done = done.and_then(|()| sim.note(user, &incident, note, after(minutes + 2)));
    }
    if let Some(minutes) = past.over {
        done = done.and_then(|()| sim.resolve(user, &incident, after(minutes)));
    }
    if let Err(why) = done {
        tracing::warn!("the past of `{}` is incomplete: {why}", past.title);
    }
}
