//! The titles that PagerDuty showed, oldest first.
//!
//! PagerDuty has no event for a new title; every look and every webhook shows the whole incident. REST dates by the second and webhooks by the
//! millisecond, so within one second it is not told whether a webhook or a call of ours was first.

use crate::{Fact, Kind, Snapshot, Source};

/// Each title with the look that showed it.
///
/// What we changed is newer than a webhook of the same second that shows the title from before: whoever sent that did not know ours yet.
pub(crate) fn titles<'a>(
    facts: &[&'a Fact],
    snapshots: &[&'a Snapshot],
) -> Vec<(&'a Snapshot, &'a str)> {
    let set_by_us: Vec<&Snapshot> = facts
        .iter()
        .filter(|fact| fact.source == Source::Answer && fact.kind == Kind::Titled)
        .filter_map(|fact| fact.snapshot.as_ref())
        .collect();
    let mut titles: Vec<(&Snapshot, &str)> = Vec::new();
    for snapshot in snapshots {
        let Some(title) = snapshot.title.as_deref() else {
            continue;
        };
        let is_old_news = match titles.as_slice() {
            [.., (_, before), (ours, _)] => {
                let is_ours = set_by_us.iter().any(|set| std::ptr::eq(*set, *ours));
                let is_webhook = snapshot.read_at.is_none();
                let second = (snapshot.version.as_second(), ours.version.as_second());
                is_ours && is_webhook && second.0 == second.1 && title == *before
            }
            _ => false,
        };
        if !is_old_news {
            titles.push((snapshot, title));
        }
    }
    titles
}
