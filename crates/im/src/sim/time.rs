//! The hands of the stand-in's clock: they go with the machine, faster, or only when pushed.
//!
//! Invariants
//! - The time that is shown never goes back.
//! - Changing the pace does not move the hands.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// The fastest pace: a day in less than half a minute.
pub const FACTOR_MAX: f64 = 3_600.0;
/// While something is to come, it is looked for at least so often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A clock whose pace can be changed.
#[derive(Debug)]
pub struct Hands {
    base: Clock,
    pace: Mutex<Pace>,
}

/// From when on, and how fast.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pace {
    from: Timestamp,
    shown: Timestamp,
    factor: f64,
}

impl Hands {
    /// Hands that go as `base` does.
    pub fn of(base: Clock) -> Self {
        let shown = base.now();
        Self::starting(base, shown, 1.0)
    }

    /// Hands that show `shown` now, whatever the machine thinks, and go `factor` times as fast.
    pub fn starting(base: Clock, shown: Timestamp, factor: f64) -> Self {
        let from = base.now();
        let pace = Mutex::new(Pace {
            from,
            shown,
            factor,
        });
        Self { base, pace }
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instant that is shown.
    pub fn now(&self) -> Timestamp {
        self.lock().at(self.base.now())
    }

    /// How many seconds pass here in one of the machine's; 0 when only pushes move the hands.
    pub fn factor(&self) -> f64 {
        self.lock().factor
    }

    /// Changes the pace from now on.
    pub fn set_factor(&self, factor: f64) {
        let (mut pace, now) = (self.lock(), self.base.now());
        *pace = Pace {
            from: now,
            shown: pace.at(now),
            factor,
        };
    }

    /// Pushes the hands forward to `at`; `false`: they are past it already.
    pub fn push_to(&self, at: Timestamp) -> bool {
        let (mut pace, now) = (self.lock(), self.base.now());
        let may = at >= pace.at(now);
        if may {
            pace.from = now;
            pace.shown = at;
        }
        may
    }

    /// How long the machine waits until it is `at` here.
    pub(super) fn wait_until(&self, at: Option<Timestamp>) -> Duration {
        let factor = self.factor();
        let Some(at) = at.filter(|_| factor > 0.0) else {
            return LOOK_AGAIN;
        };
        let left = at.duration_since(self.now()).as_secs_f64() / factor;
        let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::ZERO);
        // A little later rather than a little earlier: the hands show whole microseconds.
        left.saturating_add(Duration::from_micros(1))
            .min(LOOK_AGAIN)
    }
}

impl Pace {
    fn at(self, now: Timestamp) -> Timestamp {
        let passed = now.duration_since(self.from).max(SignedDuration::ZERO);
        let usual = (self.factor - 1.0).abs() < f64::EPSILON;
        let passed = if usual {
            passed
        } else {
            SignedDuration::try_from_secs_f64(passed.as_secs_f64() * self.factor).unwrap_or(passed)
        };
        let shown = self.shown.saturating_add(passed).unwrap_or(self.shown);
        Timestamp::from_microsecond(shown.as_microsecond()).unwrap_or(shown)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Hands;
    use crate::clock::Clock;

    #[test]
    fn hands_go_as_told_and_never_back() {
        let start: Timestamp = "2026-03-10T08:00:00Z".parse().unwrap();
        let base = Clock::manual(start);
        let hands = Hands::of(base.clone());
        let minute = SignedDuration::from_mins(1);
        base.advance(minute);
        assert_eq!(hands.now(), start + minute);
        hands.set_factor(60.0);
        base.advance(minute);
        assert_eq!(hands.now(), start + minute * 61);
        hands.set_factor(0.0);
        base.advance(minute);
        assert_eq!(hands.now(), start + minute * 61);
        assert!(hands.push_to(start + minute * 62));
        assert!(!hands.push_to(start + minute * 61));
        assert_eq!(hands.now(), start + minute * 62);
        hands.set_factor(1.0);
        base.advance(minute);
        assert_eq!(hands.now(), start + minute * 63);
    }
}
