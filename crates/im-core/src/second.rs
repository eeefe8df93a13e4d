//! The order of what happened within one second, as people are told it.
//!
//! PagerDuty's log and its answers tell whole seconds, its webhooks milliseconds. Where webhooks have told of
//! every step of a second, all of it is played as they tell it; what no webhook tells, such as who was paged or whom a
//! reopening gave the incident back to, comes with the last of its second that a webhook tells and that has a rank
//! (`Kind::is_ranked`), and there the rule for equal instants decides (`docs/metrics.md`, "Order").
//!
//! Where a step is missing nothing is known of the others' order either, and the rule decides alone: of a resolve and a
//! reopen, what the incident was before tells which came first, so the one that a webhook told is taken by its second,
//! too, until the other is told as well. Fields change as webhooks tell it, whatever the steps are. What people are
//! told keeps the log's time, and figures ask for none of this ([`crate::Story::counted`]).

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

/// Each second in which something happened.
pub(crate) struct Seconds(HashMap<i64, Second>);

#[derive(Default)]
struct Second {
    steps: usize,
    heard: usize,
    resolves: usize,
    reopens: usize,
    /// The last that a webhook tells and that has a rank.
    last: Option<Timestamp>,
}

impl Second {
    fn is_told(&self) -> bool {
        self.heard == self.steps
    }

    fn is_half_told(&self) -> bool {
        (self.steps, self.heard, self.resolves, self.reopens) == (2, 1, 1, 1)
    }
}

impl Seconds {
    pub(crate) fn new(all: impl Iterator<Item = Dated>) -> Self {
        let mut seconds: HashMap<i64, Second> = HashMap::new();
        for dated in all.filter(|dated| dated.kind.is_ranked()) {
            let second = seconds.entry(dated.at.as_second()).or_default();
            second.last = second.last.max(dated.heard());
            if dated.kind.is_step() {
                second.steps += 1;
                second.heard += usize::from(dated.heard().is_some());
                second.resolves += usize::from(dated.kind == Kind::Resolved);
                second.reopens += usize::from(dated.kind == Kind::Reopened);
            }
        }
        Self(seconds)
    }

    /// Where it belongs.
    pub(crate) fn place(&self, dated: Dated) -> Timestamp {
        let heard = dated.heard();
        let Some(second) = self.0.get(&dated.at.as_second()) else {
            return heard.unwrap_or(dated.at);
        };
        if second.is_told() {
            return heard.or(second.last).unwrap_or(dated.at);
        }
        if second.is_half_told() && dated.kind.is_step() {
            let start = Timestamp::from_second(dated.at.as_second());
            return start.unwrap_or(dated.at);
        }
        heard
            .filter(|_| !dated.kind.is_ranked())
            .unwrap_or(dated.at)
    }
}
