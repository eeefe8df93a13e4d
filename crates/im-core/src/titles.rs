//! What PagerDuty showed of a field for which it has no event, oldest first: titles and urgencies.
//!
//! Every look and every webhook shows the whole incident. REST dates by the second and webhooks by the millisecond, so within one second it
//! is not told whether a webhook or a call of ours was first.

use crate::{Fact, Kind, Snapshot, Source, Urgency};

/// Each title with the look that showed it.
pub(crate) fn titles<'a>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
) -> Vec<(&'a Snapshot, &'a str)> {
    let title = |shown: &'a Snapshot| shown.title.as_deref();
    values(facts, snapshots, Kind::Titled, title)
}

/// Each urgency with the look that showed it.
pub(crate) fn urgencies<'a>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
) -> Vec<(&'a Snapshot, Urgency)> {
    let urgency = |shown: &'a Snapshot| shown.urgency;
    values(facts, snapshots, Kind::UrgencyChanged, urgency)
}

/// What we changed is newer than a webhook of the same second that shows the value from before: whoever sent that did not know ours yet.
fn values<'a, T: PartialEq + Copy>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
    change: Kind,
    value: impl Fn(&'a Snapshot) -> Option<T>,
) -> Vec<(&'a Snapshot, T)> {
    let set_by_us: Vec<&Snapshot> = facts
        .iter()
        .filter(|fact| fact.source == Source::Answer && fact.kind == change)
        .filter_map(|fact| fact.snapshot.as_ref())
        .collect();
    let mut values: Vec<(&Snapshot, T)> = Vec::new();
    for snapshot in snapshots {
        let Some(value) = value(snapshot) else {
            continue;
        };
        let is_old_news = match values.as_slice() {
            [.., (_, before), (ours, _)] => {
                let is_ours = set_by_us.iter().any(|set| std::ptr::eq(*set, *ours));
                let is_webhook = snapshot.read_at.is_none();
                let second = (snapshot.version.as_second(), ours.version.as_second());
                is_ours && is_webhook && second.0 == second.1 && value == *before
            }
            _ => false,
        };
        if !is_old_news {
            values.push((snapshot, value));
        }
    }
    values
}
