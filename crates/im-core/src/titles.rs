//! What PagerDuty showed of a field, oldest first: titles, urgencies and priorities.
//!
//! Every look and every webhook shows the whole incident. REST dates by the second and webhooks by the millisecond, so within one second it
//! is not told whether a webhook or a call of ours was first.

use jiff::Timestamp;

use crate::{Fact, Kind, Named, Snapshot, Source, Urgency};

/// Each title with the look that showed it.
pub(crate) fn titles<'a>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
) -> Vec<(&'a Snapshot, &'a str)> {
    let title = |shown: &'a Snapshot| shown.title.as_deref();
    values(facts, snapshots, &[Kind::Titled], title)
}

/// Each urgency with the look that showed it.
pub(crate) fn urgencies<'a>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
) -> Vec<(&'a Snapshot, Urgency)> {
    let urgency = |shown: &'a Snapshot| shown.urgency;
    values(facts, snapshots, &[Kind::UrgencyChanged], urgency)
}

/// Each priority with the look that showed it; none is a value, too.
pub(crate) fn priorities<'a>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
) -> Vec<(&'a Snapshot, Option<&'a Named>)> {
    let priority = |shown: &'a Snapshot| shown.priority.as_ref().map(Option::as_ref);
    let set = [Kind::UrgencyChanged, Kind::PriorityChanged];
    values(facts, snapshots, &set, priority)
}

/// The priority that is shown now, and since when, on PagerDuty's clock: of a read, the second.
pub(crate) fn priority_since<'a>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
) -> Option<(Timestamp, &'a Named)> {
    let all = priorities(facts, snapshots);
    let (_, now) = all.last()?;
    let now = (*now)?;
    let same = |shown: &&(&Snapshot, Option<&Named>)| shown.1.is_some_and(|one| one.id == now.id);
    let (first, _) = all.iter().rev().take_while(same).last()?;
    Some((first.version, now))
}

/// What we changed is newer than a webhook of the same second that shows the value from before: whoever sent that did not know ours yet.
fn values<'a, T: PartialEq + Copy>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
    changes: &[Kind],
    value: impl Fn(&'a Snapshot) -> Option<T>,
) -> Vec<(&'a Snapshot, T)> {
    let set_by_us: Vec<&Snapshot> = facts
        .iter()
        .filter(|fact| fact.source == Source::Answer && changes.contains(&fact.kind))
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
