//! The order of what happened within one second.
//!
//! PagerDuty's log and its answers tell whole seconds, its webhooks milliseconds. Where webhooks have told of
//! every step of a second, the steps are played in that order. Where one is missing nothing is known of the
//! others' order either, and the rule for equal instants decides (`docs/metrics.md`, "Order"). What people are
//! told keeps the log's time.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::Kind;

/// Something that happened: what, when by the log or an answer, and when by a webhook of that second.
#[derive(Clone, Copy)]
pub(crate) struct Dated {
    pub(crate) kind: Kind,
    pub(crate) at: Timestamp,
    pub(crate) heard: Option<Timestamp>,
}

impl Dated {
    fn heard(&self) -> Option<Timestamp> {
        self.heard
            .filter(|heard| heard.as_second() == self.at.as_second())
    }
}

/// The seconds of whose every step a webhook told, each with its last reopening.
pub(crate) struct Seconds(HashMap<i64, Option<Timestamp>>);

impl Seconds {
    pub(crate) fn new(all: impl Iterator<Item = Dated>) -> Self {
        let mut seconds: HashMap<i64, (bool, Option<Timestamp>)> = HashMap::new();
        for step in all.filter(|dated| dated.kind.is_step()) {
            let (is_known, reopened) = seconds.entry(step.at.as_second()).or_insert((true, None));
            *is_known &= step.heard().is_some();
            if step.kind == Kind::Reopened {
                *reopened = (*reopened).max(step.heard());
            }
        }
        let known = seconds.into_iter().filter(|(_, (is_known, _))| *is_known);
        Self(
            known
                .map(|(second, (_, reopened))| (second, reopened))
                .collect(),
        )
    }

    /// Where it belongs. No webhook tells whom a reopening gave the incident back to.
    pub(crate) fn place(&self, dated: Dated) -> Timestamp {
        let Some(reopened) = self.0.get(&dated.at.as_second()) else {
            return dated.at;
        };
        let given_back = reopened.filter(|_| !dated.kind.is_step() && dated.kind.needs_open());
        dated.heard().or(given_back).unwrap_or(dated.at)
    }
}
