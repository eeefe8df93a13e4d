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

/// The seconds of whose steps, two or more, webhooks told each.
pub(crate) struct Seconds(HashMap<i64, Second>);

#[derive(Default)]
struct Second {
    steps: usize,
    heard: usize,
    began: Option<Timestamp>,
    reopened: Option<Timestamp>,
}

impl Seconds {
    pub(crate) fn new(all: impl Iterator<Item = Dated>) -> Self {
        let mut seconds: HashMap<i64, Second> = HashMap::new();
        for step in all.filter(|dated| dated.kind.is_step()) {
            let second = seconds.entry(step.at.as_second()).or_default();
            second.steps += 1;
            second.heard += usize::from(step.heard().is_some());
            if step.kind == Kind::Triggered {
                second.began = second.began.max(step.heard());
            }
            if step.kind == Kind::Reopened {
                second.reopened = second.reopened.max(step.heard());
            }
        }
        seconds.retain(|_, second| second.steps > 1 && second.heard == second.steps);
        Self(seconds)
    }

    /// Where it belongs. What no webhook tells, such as who was paged or whom a reopening gave the
    /// incident back to, comes after the beginning and the reopening of its second.
    pub(crate) fn place(&self, dated: Dated) -> Timestamp {
        let Some(second) = self.0.get(&dated.at.as_second()) else {
            return dated.at;
        };
        let reopened = second.reopened.filter(|_| dated.kind.needs_open());
        let after = reopened.max(second.began).filter(|_| !dated.kind.is_step());
        dated.heard().or(after).unwrap_or(dated.at)
    }
}
