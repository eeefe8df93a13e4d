//! How an incident stands to the target of its severity.

use std::collections::BTreeMap;

use im_core::Status;
use im_metrics::input::{Settings, Target};
use im_store::incidents::IncidentRow;
use im_store::{StoreError, Tx, arrangements};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::times;
use crate::organisation::{Target as Settled, Thing as _};

/// Targets by severity.
pub(super) type Targets = BTreeMap<String, Target>;

/// Those that hold: what was set, else the usual ones.
pub(super) fn targets(tx: &mut Tx<'_>) -> Result<Targets, StoreError> {
    let mut targets = Settings::new(TimeZone::UTC).targets;
    for settled in arrangements::all::<Settled>(tx, Settled::SORT)? {
        if let (Some(ack), Some(resolve)) = (settled.ack, settled.resolve) {
            let (ack_s, resolve_s) = (ack.seconds(), resolve.seconds());
            targets.insert(settled.name, Target { ack_s, resolve_s });
        }
    }
    Ok(targets)
}

/// The target of an incident.
pub(super) fn of<'a>(row: &IncidentRow, targets: &'a Targets) -> Option<&'a Target> {
    let (severity, _) = row.severity?;
    targets.get(severity.as_str())
}

/// How an open incident stands to its next target; `None` where it has none.
pub(super) fn next(row: &IncidentRow, targets: &Targets, now: Timestamp) -> Option<Markup> {
    let target = of(row, targets)?;
    let (seconds, act) = match row.acknowledged_at {
        Some(_) => (target.resolve_s, "to resolve"),
        None => (target.ack_s, "to acknowledge"),
    };
    let left = left(seconds, row.created_at, now);
    Some(html! { (left) " " (act) })
}

/// Whether an incident that was resolved kept its target; `None` of what ended otherwise, and where it has none.
pub(super) fn kept(row: &IncidentRow, targets: &Targets) -> Option<Markup> {
    let is_judged = matches!(row.status, Status::Resolved | Status::Closed);
    let ended = row.resolved_at.filter(|_| is_judged)?;
    Some(verdict(
        of(row, targets)?.resolve_s,
        (row.created_at, ended),
    ))
}

/// How an act that takes at most so many seconds stands: it is done, or time is left for it.
pub(super) fn judged(
    seconds: i64,
    (since, done): (Timestamp, Option<Timestamp>),
    now: Timestamp,
) -> Markup {
    let limit = times::say(seconds);
    html! {
        @match done {
            Some(done) => { (verdict(seconds, (since, done))) ", " (limit) },
            None => { (left(seconds, since, now)) ", target " (limit) },
        }
    }
}

/// Whether something was done within so many seconds.
fn verdict(seconds: i64, (since, done): (Timestamp, Timestamp)) -> Markup {
    html! {
        @if done.as_second() - since.as_second() <= seconds { span.green { "target met" } }
        @else { span.orange { "target missed" } }
    }
}

/// `20 min left`, `5 min late`.
fn left(seconds: i64, since: Timestamp, now: Timestamp) -> Markup {
    let left = since.as_second() + seconds - now.as_second();
    let tone = if left * 4 < seconds { "orange" } else { "grey" };
    let length = times::running(now, now + SignedDuration::from_secs(left.abs()));
    html! {
        @if left >= 0 { span class=(tone) { (length) " left" } } @else { span.orange { (length) " late" } }
    }
}
