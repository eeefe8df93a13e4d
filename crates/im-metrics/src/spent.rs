//! How the time of an incident was spent: open, without an owner, put off.

use crate::derive::{Code, Fact};

/// How the time of an incident was spent by an instant, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Spent {
    /// Open.
    pub(crate) open: i64,
    /// Open, and nobody had acknowledged it.
    pub(crate) unowned: i64,
    /// Acknowledged and put off.
    pub(crate) snoozed: i64,
}

impl Spent {
    pub(crate) fn of(facts: &[Fact], as_of: i64) -> Self {
        let mut spent = Self::default();
        let mut opened: Option<i64> = None;
        let mut alone: Option<i64> = None;
        // Since when it is put off, and until when.
        let mut off: Option<(i64, i64)> = None;
        for fact in facts {
            match fact.what {
                Code::Triggered | Code::Reopened if opened.is_none() => {
                    opened = Some(fact.at);
                    alone = Some(fact.at);
                }
                Code::Acknowledged => spent.unowned += since(alone.take(), fact.at),
                Code::Unacknowledged if opened.is_some() && alone.is_none() => {
                    alone = Some(fact.at);
                    spent.snoozed += off_until(off.take(), fact.at);
                }
                Code::Snoozed if opened.is_some() => {
                    // PagerDuty acknowledges what is put off.
                    spent.unowned += since(alone.take(), fact.at);
                    spent.snoozed += off_until(off.take(), fact.at);
                    off = Some((fact.at, fact.at + i64::from(fact.who) * 1_000_000));
                }
                Code::Resolved(_) => {
                    spent.open += since(opened.take(), fact.at);
                    spent.unowned += since(alone.take(), fact.at);
                    spent.snoozed += off_until(off.take(), fact.at);
                }
                Code::Triggered
                | Code::Reopened
                | Code::Unacknowledged
                | Code::Snoozed
                | Code::Given { .. }
                | Code::Notified { .. } => {}
            }
        }
        spent.open += since(opened, as_of);
        spent.unowned += since(alone, as_of);
        spent.snoozed += off_until(off, as_of);
        spent
    }
}

fn since(start: Option<i64>, at: i64) -> i64 {
    start.map_or(0, |start| at - start)
}

fn off_until(off: Option<(i64, i64)>, at: i64) -> i64 {
    off.map_or(0, |(start, end)| end.min(at) - start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NONE;

    #[test]
    fn s32_s49_time_without_an_owner_is_counted_until_somebody_has_it() {
        let fact = |at: i64, what| Fact {
            at,
            who: NONE,
            what,
        };
        let facts = [
            fact(0, Code::Triggered),
            fact(10, Code::Acknowledged),
            fact(40, Code::Unacknowledged),
            fact(70, Code::Acknowledged),
            fact(100, Code::Resolved(crate::input::ResolverKind::Human)),
            fact(200, Code::Reopened),
        ];
        let spent = |facts: &[Fact], as_of| {
            let spent = Spent::of(facts, as_of);
            (spent.unowned, spent.open)
        };
        assert_eq!(spent(&facts, 250), (10 + 30 + 50, 100 + 50));
        assert_eq!(spent(&facts[..1], 25), (25, 25));
        assert_eq!(spent(&facts[..5], 250), (40, 100));
    }

    #[test]
    fn what_repeats_or_comes_while_it_is_over_takes_no_time() {
        let fact = |at: i64, what| Fact {
            at: at * 1_000_000,
            who: 1_000,
            what,
        };
        let resolved = Code::Resolved(crate::input::ResolverKind::Human);
        let facts = [
            fact(0, Code::Triggered),
            fact(5, Code::Reopened),
            fact(10, Code::Acknowledged),
            fact(15, Code::Reopened),
            fact(20, resolved),
            fact(30, Code::Unacknowledged),
            fact(40, Code::Snoozed),
            fact(50, resolved),
        ];
        let spent = Spent::of(&facts, 100_000_000);
        let seconds = [spent.open, spent.unowned, spent.snoozed].map(|micros| micros / 1_000_000);
        assert_eq!(seconds, [20, 10, 0]);
    }

    #[test]
    fn s36_a_snooze_lasts_until_it_wakes_is_resolved_or_is_put_off_again() {
        let fact = |at: i64, what, who| Fact {
            at: at * 1_000_000,
            who,
            what,
        };
        let facts = [
            fact(0, Code::Triggered, NONE),
            fact(10, Code::Acknowledged, NONE),
            fact(20, Code::Snoozed, 100),
            fact(120, Code::Unacknowledged, NONE),
            fact(130, Code::Snoozed, 100),
            fact(150, Code::Snoozed, 1_000),
            fact(200, Code::Resolved(crate::input::ResolverKind::Human), NONE),
        ];
        let spent = |facts: &[Fact], as_of: i64| {
            let Spent {
                open,
                unowned,
                snoozed,
            } = Spent::of(facts, as_of * 1_000_000);
            [open, unowned, snoozed].map(|micros| micros / 1_000_000)
        };
        assert_eq!(spent(&facts, 300), [200, 10 + 10, 100 + 20 + 50]);
        assert_eq!(spent(&facts[..3], 60), [60, 10, 40]);
        // It is late to wake: what lies behind its end is no part of it.
        assert_eq!(spent(&facts[..3], 180), [180, 10, 100]);
    }
}
