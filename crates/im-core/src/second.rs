//! The order of what happened within one second.
//!
//! PagerDuty's log and its answers tell whole seconds, its webhooks milliseconds. Where webhooks have told of
//! every step of a second, the steps are played in that order. Where one is missing nothing is known of the
//! others' order either, and the rule for equal instants decides (`docs/metrics.md`, "Order"): of a resolve and a
//! reopen, what the incident was before tells which came first, so the one that a webhook told is taken by its second,
//! too, until the other is told as well. What people are told keeps the log's time.

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

/// The seconds of whose steps, two or more, webhooks told each; and those of a resolve and a reopen of which they told
/// one.
pub(crate) struct Seconds(HashMap<i64, Second>);

#[derive(Default)]
struct Second {
    steps: usize,
    heard: usize,
    resolves: usize,
    reopens: usize,
    began: Option<Timestamp>,
    reopened: Option<Timestamp>,
}

impl Second {
    fn is_told(&self) -> bool {
        self.steps > 1 && self.heard == self.steps
    }

    fn is_half_told(&self) -> bool {
        (self.steps, self.heard, self.resolves, self.reopens) == (2, 1, 1, 1)
    }
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
            second.resolves += usize::from(step.kind == Kind::Resolved);
            if step.kind == Kind::Reopened {
                second.reopens += 1;
                second.reopened = second.reopened.max(step.heard());
            }
        }
        seconds.retain(|_, second| second.is_told() || second.is_half_told());
        Self(seconds)
    }

    /// Where it belongs. What no webhook tells, such as who was paged or whom a reopening gave the
    /// incident back to, comes after the beginning and the reopening of its second.
    pub(crate) fn place(&self, dated: Dated) -> Timestamp {
        let Some(second) = self.0.get(&dated.at.as_second()) else {
            return dated.at;
        };
        if second.is_half_told() {
            let start = Timestamp::from_second(dated.at.as_second());
            return start
                .ok()
                .filter(|_| dated.kind.is_step())
                .unwrap_or(dated.at);
        }
        let reopened = second.reopened.filter(|_| dated.kind.needs_open());
        let after = reopened.max(second.began).filter(|_| !dated.kind.is_step());
        dated.heard().or(after).unwrap_or(dated.at)
    }
}
