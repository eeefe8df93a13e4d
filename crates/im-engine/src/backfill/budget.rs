//! A share of PagerDuty's allowance.
//!
//! Two things are looked at: what answers tell of the whole allowance, by which everybody else's
//! calls count too, and how many calls were made within a minute, for where answers tell nothing.

use im_pagerduty::Limits;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Hundredths of the allowance, unless somebody says otherwise.
pub const SHARE_DEFAULT: u32 = 50;
/// PagerDuty's allowance where answers do not tell it: so many calls a minute.
const LIMIT: u32 = 960;
/// A call made at the end of its second is a minute ago after this.
const MINUTE: i64 = 61;

/// What may be taken, and what was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Budget {
    /// Hundredths of the allowance.
    pub(super) share: u32,
    /// Calls in a minute, as answers told it last.
    limit: u32,
    /// Seconds of the last minute in which calls were made, oldest first, and how many.
    #[serde(default)]
    made: Vec<(i64, u32)>,
    /// No call before.
    until: Option<Timestamp>,
}

impl Budget {
    pub(super) fn new(share: u32) -> Self {
        Self {
            share: share.clamp(1, 100),
            limit: LIMIT,
            made: Vec::new(),
            until: None,
        }
    }

    /// Calls that may be made in a minute: one at least, or it would never end.
    fn most(&self) -> u32 {
        (u64::from(self.limit) * u64::from(self.share) / 100)
            .try_into()
            .map_or(u32::MAX, |most: u32| most.max(1))
    }

    /// When the next call may be made, if not now.
    pub(super) fn free_at(&self, now: Timestamp) -> Option<Timestamp> {
        let mut counted = self.within(now.as_second()).peekable();
        let oldest = counted.peek().map(|(second, _)| second + MINUTE);
        let is_used_up = counted.map(|(_, calls)| calls).sum::<u32>() >= self.most();
        let own = oldest
            .filter(|_| is_used_up)
            .and_then(|second| Timestamp::from_second(second).ok());
        let told = self.until.filter(|until| *until > now);
        own.max(told)
    }

    /// Takes a call out of it, or tells when there is one to take.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Timestamp> {
        let free_at = self.free_at(now);
        if free_at.is_none() {
            let second = now.as_second();
            self.made = self.within(second).collect();
            match self.made.last_mut().filter(|(last, _)| *last == second) {
                Some((_, calls)) => *calls += 1,
                None => self.made.push((second, 1)),
            }
        }
        free_at
    }

    /// What was called less than a minute ago. What is to come is of a clock that was set back.
    fn within(&self, now: i64) -> impl Iterator<Item = (i64, u32)> {
        let made = self.made.iter().copied();
        made.filter(move |(second, _)| (0..MINUTE).contains(&(now - second)))
    }

    /// Notes what an answer told of the allowance: what is left of it is for others.
    pub(super) fn spent(&mut self, limits: &Limits, now: Timestamp) {
        let (Some(limit), Some(remaining), Some(reset)) =
            (limits.limit, limits.remaining, limits.reset_s)
        else {
            return;
        };
        self.limit = limit;
        let used = limit.saturating_sub(remaining);
        let is_used_up = used >= self.most();
        self.until = is_used_up.then(|| now + SignedDuration::from_secs(i64::from(reset)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn told(limit: u32, remaining: u32, reset_s: u32) -> Limits {
        Limits {
            limit: Some(limit),
            remaining: Some(remaining),
            reset_s: Some(reset_s),
            date: None,
        }
    }

    #[test]
    fn no_minute_has_more_than_its_share_where_nothing_is_told() {
        let mut budget = Budget::new(50);
        // Slow for most of a minute, then quick: the quick ones find little left.
        for second in 0..50 {
            assert_eq!(budget.take(at(second)), None);
        }
        for _ in 50..480 {
            assert_eq!(budget.take(at(55)), None);
        }
        assert_eq!(budget.take(at(55)), Some(at(61)));
        assert_eq!(budget.take(at(60)), Some(at(61)));
        assert_eq!(budget.take(at(61)), None, "the first is a minute ago");
        assert_eq!(budget.take(at(61)), Some(at(62)));
        assert_eq!(budget.take(at(116)), None);
        // A clock that was set back does not stop it.
        assert_eq!(budget.take(at(-500)), None);
    }

    #[test]
    fn what_others_take_is_not_there_for_us() {
        let mut budget = Budget::new(25);
        budget.spent(&told(960, 721, 30), at(0));
        assert_eq!(budget.free_at(at(0)), None, "one call is left of the share");
        budget.spent(&told(960, 720, 30), at(0));
        assert_eq!(budget.free_at(at(0)), Some(at(30)));
        assert_eq!(budget.take(at(29)), Some(at(30)));
        assert_eq!(budget.take(at(30)), None);
    }

    #[test]
    fn the_smallest_share_still_comes_to_an_end() {
        let mut budget = Budget::new(0);
        budget.spent(&told(10, 10, 60), at(0));
        assert_eq!(budget.take(at(0)), None);
        assert_eq!(budget.take(at(1)), Some(at(61)));
    }
}
