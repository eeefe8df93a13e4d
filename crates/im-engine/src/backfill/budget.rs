//! A share of PagerDuty's allowance.
//!
//! Two things are looked at: what answers tell of the whole allowance, by which everybody else's
//! calls count too, and how many calls were made in this minute, for where answers tell nothing.

use im_pagerduty::Limits;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Hundredths of the allowance, unless somebody says otherwise.
pub const SHARE_DEFAULT: u32 = 50;
/// PagerDuty's allowance where answers do not tell it: so many calls a minute.
const LIMIT: u32 = 960;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What may be taken, and what was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Budget {
    /// Hundredths of the allowance.
    pub(super) share: u32,
    /// Calls in a minute, as answers told it last.
    limit: u32,
    /// When the minute began that is counted.
    minute: Timestamp,
    /// Calls in it.
    calls: u32,
    /// No call before.
    until: Option<Timestamp>,
}

impl Budget {
    pub(super) fn new(share: u32) -> Self {
        Self {
            share: share.clamp(1, 100),
            limit: LIMIT,
            minute: Timestamp::UNIX_EPOCH,
            calls: 0,
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
        let next_minute = self.minute + MINUTE;
        let is_used_up = self.calls >= self.most() && now < next_minute;
        let own = is_used_up.then_some(next_minute);
        let told = self.until.filter(|until| *until > now);
        own.max(told)
    }

    /// Takes a call out of it, or tells when there is one to take.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Timestamp> {
        let free_at = self.free_at(now);
        if free_at.is_none() {
            if now >= self.minute + MINUTE || now < self.minute {
                (self.minute, self.calls) = (now, 0);
            }
            self.calls += 1;
        }
        free_at
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
    fn a_minute_has_its_share_where_nothing_is_told() {
        let mut budget = Budget::new(50);
        for _ in 0..480 {
            assert_eq!(budget.take(at(3)), None);
        }
        assert_eq!(budget.take(at(40)), Some(at(63)));
        assert_eq!(budget.take(at(62)), Some(at(63)));
        assert_eq!(budget.take(at(63)), None);
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
        assert_eq!(budget.take(at(1)), Some(at(60)));
    }
}
