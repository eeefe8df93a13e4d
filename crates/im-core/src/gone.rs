//! The end that the deletion of a service is for its incidents.
//!
//! PagerDuty tells of the service alone, so such an end is reported to each incident that was
//! ever seen on it. Whether the incident was there at that instant is decided here, where all
//! that was told of it is known: a move may be told after the deletion.

use jiff::Timestamp;

use crate::{Fact, Kind, Snapshot};

/// The `value` of a resolve that says so; its `detail` is the service.
pub const GONE: &str = "gone";

/// Whether a fact is the end by a deleted service.
pub(crate) fn is_gone(fact: &Fact) -> bool {
    fact.kind == Kind::Resolved && fact.value.as_deref() == Some(GONE)
}

/// Leaves out what ended by the deletion of a service that was not this incident's then.
pub(crate) fn without_others<'a>(
    facts: &mut Vec<&'a Fact>,
    snapshots: impl Fn(&[&'a Fact]) -> Vec<&'a Snapshot>,
) {
    if !facts.iter().any(|fact| is_gone(fact)) {
        return;
    }
    let snapshots = snapshots(facts);
    let told = facts
        .iter()
        .filter(|fact| !is_gone(fact))
        .map(|fact| fact.at);
    let shown = snapshots.iter().filter_map(|shown| shown.created_at);
    let Some(began) = told.chain(shown).min() else {
        return;
    };
    facts.retain(|fact| {
        let was_there =
            || began <= fact.at && service_at(&snapshots, fact.at) == fact.detail.as_deref();
        !is_gone(fact) || was_there()
    });
}

/// The service at an instant: the last that was shown before, else the first that ever was.
fn service_at<'a>(snapshots: &[&'a Snapshot], at: Timestamp) -> Option<&'a str> {
    let mut shown = snapshots
        .iter()
        .filter_map(|shown| Some((shown.shown_at(), shown.service.as_ref()?.id.as_str())));
    let first = shown.next()?;
    let last = shown.take_while(|(since, _)| *since <= at).last();
    Some(last.unwrap_or(first).1)
}
