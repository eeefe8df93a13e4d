//! How the connection to PagerDuty does, in figures: calls, failures, how long changes take, how
//! much of the allowance is used.
//!
//! All of it is counted by the minute as it happens (`im_store::tallies`), so a figure of the last
//! 24 hours is a sum of minutes. How long changes took is counted by classes: the mean is exact,
//! the 95th percentile is the upper end of its class.

use im_pagerduty::Limits;
use im_store::{StoreError, Tx, incidents, tallies};
use jiff::{SignedDuration, Timestamp};

/// Upper ends of the classes, in milliseconds; what took longer is in a class without an end.
const CLASSES_MS: [i64; 20] = [
    100, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000, 15_000, 30_000,
    60_000, 120_000, 300_000, 600_000, 3_600_000, 86_400_000,
];
const TOOK: &str = "took_ms";
const TOOK_CLASS: &str = "took_le_";
const ALLOWANCE: &str = "allowance_permille";
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Days that tell what is usual.
const USUAL_DAYS: i64 = 7;
/// Fewer calls a day than this are never unusual: whoever reads the past of a small account, or
/// changes `sync_interval`, makes three times as many calls as before and surprises nobody.
const CALLS_MIN: i64 = 500;
/// More than so many times the usual is unusual.
const CALLS_TIMES: i64 = 3;

/// The figures of one connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Incidents that have a twin at PagerDuty, ever.
    pub incidents: i64,
    /// Calls in the last 24 hours.
    pub calls: i64,
    /// Those of them that failed.
    pub errors: i64,
    /// Calls a day in the week before that; `None` while there is no such week.
    pub usual_calls: Option<i64>,
    /// How long changes took on average from here to PagerDuty's answer, in the last 24 hours.
    pub mean_ms: Option<i64>,
    /// 95 of 100 changes took no longer than this.
    pub p95_ms: Option<i64>,
    /// The most of PagerDuty's allowance that was used in the last minute, in thousandths.
    pub allowance_permille: i64,
    /// Webhooks in the last 24 hours.
    pub webhooks: i64,
}

impl Figures {
    /// How many of a thousand calls succeeded; `None` without calls.
    pub fn success_permille(&self) -> Option<i64> {
        let good = (self.calls - self.errors).max(0);
        (self.calls > 0).then(|| (good * 1000 + self.calls / 2) / self.calls)
    }

    /// Whether far more calls were made in the last 24 hours than a day in the week before.
    pub fn is_unusual(&self) -> bool {
        // Where nothing was called for a week, nothing is known of what is usual.
        let is_more = |usual| usual > 0 && self.calls > usual * CALLS_TIMES;
        self.calls > CALLS_MIN && self.usual_calls.is_some_and(is_more)
    }
}

/// The figures of a connector that was added at `since`.
pub fn of(
    tx: &mut Tx<'_>,
    connector: &str,
    since: Timestamp,
    now: Timestamp,
) -> Result<Figures, StoreError> {
    let day = now - DAY;
    let counts = tallies::all_since(tx, connector, day)?;
    let count = |what: &str| {
        let found = counts.iter().find(|(known, _)| known == what);
        found.map_or(0, |(_, n)| *n)
    };
    let classes = classes(&counts);
    let changes: i64 = classes.iter().map(|(_, n)| n).sum();
    let week_ago = day - SignedDuration::from_hours(24 * USUAL_DAYS);
    let calls = count("calls");
    let has_week = since <= week_ago;
    let usual_calls = if has_week {
        let with_today = tallies::since(tx, connector, "calls", week_ago)?;
        Some((with_today - calls) / USUAL_DAYS)
    } else {
        None
    };
    let minute = now - SignedDuration::from_mins(1);
    Ok(Figures {
        incidents: incidents::linked(tx, connector)?,
        calls,
        errors: count("errors"),
        usual_calls,
        mean_ms: (changes > 0).then(|| count(TOOK) / changes),
        p95_ms: percentile(&classes, changes),
        allowance_permille: tallies::peak_since(tx, connector, ALLOWANCE, minute)?,
        webhooks: count("webhooks"),
    })
}

/// The classes that have something, the shortest first.
fn classes(counts: &[(String, i64)]) -> Vec<(i64, i64)> {
    let mut classes: Vec<(i64, i64)> = counts
        .iter()
        .filter_map(|(what, n)| Some((what.strip_prefix(TOOK_CLASS)?.parse().ok()?, *n)))
        .collect();
    classes.sort_unstable();
    classes
}

/// The end of the class that the 95th of 100 is in.
fn percentile(classes: &[(i64, i64)], changes: i64) -> Option<i64> {
    let rank = (changes * 95 + 99) / 100;
    let mut seen = 0;
    let found = classes.iter().find(|(_, n)| {
        seen += n;
        seen >= rank
    });
    found.map(|(end, _)| *end)
}

/// Counts a call that is made outside of the run loop, and whether it failed.
pub fn called(
    tx: &mut Tx<'_>,
    connector: &str,
    limits: &Limits,
    failed: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    tallies::add(tx, connector, "calls", 1, now)?;
    if failed {
        tallies::add(tx, connector, "errors", 1, now)?;
    }
    allowance(tx, connector, limits, now)
}

/// Notes how much of the allowance an answer says is used.
pub(crate) fn allowance(
    tx: &mut Tx<'_>,
    connector: &str,
    limits: &Limits,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Some(limit), Some(left)) = (limits.limit, limits.remaining) else {
        return Ok(());
    };
    let used = i64::from(limit.saturating_sub(left)) * 1000;
    let permille = used.checked_div(i64::from(limit)).unwrap_or_default();
    tallies::peak(tx, connector, ALLOWANCE, permille, now)
}

/// Counts a change that PagerDuty has taken, owed since `since`.
pub(crate) fn took(
    tx: &mut Tx<'_>,
    connector: &str,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ms = i64::try_from(now.duration_since(since).as_millis()).unwrap_or(i64::MAX);
    let ms = ms.max(0);
    let class = CLASSES_MS.into_iter().find(|end| ms <= *end);
    let class = format!("{TOOK_CLASS}{}", class.unwrap_or(i64::MAX));
    tallies::add(tx, connector, TOOK, ms, now)?;
    tallies::add(tx, connector, &class, 1, now)
}
