//! Rate limits: so many requests per minute and bucket (docs/sim.md).
//!
//! A bucket's minute starts with its first request. Which requests share a bucket, and the
//! published limits, are the caller's; nothing here knows a credential or a header.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// The length of a window.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// Above this many buckets, those whose minute is over are forgotten.
const BUCKETS_MAX: usize = 1024;

/// What the `ratelimit-*` headers of an answer say, and whether to answer at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// `false`: answer 429, code 2020.
    pub(crate) allowed: bool,
    /// `ratelimit-limit`.
    pub(crate) limit: u32,
    /// `ratelimit-remaining`.
    pub(crate) remaining: u32,
    /// `ratelimit-reset`: seconds until then, not a point in time.
    pub(crate) reset_s: u32,
}

#[derive(Debug, Clone)]
struct Window {
    ends_at: Timestamp,
    used: u32,
}

/// The windows of all buckets.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    scale: Option<f64>,
    windows: BTreeMap<String, Window>,
}

impl Limits {
    /// `scale` multiplies each limit, e.g. 0.01 to meet 429 soon; `None` refuses nothing.
    pub(crate) fn new(scale: Option<f64>) -> Self {
        Self {
            scale,
            windows: BTreeMap::new(),
        }
    }

    /// Counts one request. A refused one does not use up anything.
    pub(crate) fn check(&mut self, bucket: &str, limit_per_minute: u32, now: Timestamp) -> Verdict {
        let limit = self
            .scale
            .map_or(limit_per_minute, |scale| scaled(limit_per_minute, scale));
        if self.windows.len() > BUCKETS_MAX {
            self.windows.retain(|_, window| now < window.ends_at);
        }
        let fresh = Window {
            ends_at: now.saturating_add(WINDOW).unwrap_or(Timestamp::MAX),
            used: 0,
        };
        let window = self
            .windows
            .entry(bucket.to_owned())
            .or_insert_with(|| fresh.clone());
        if now >= window.ends_at {
            *window = fresh;
        }
        let allowed = self.scale.is_none() || window.used < limit;
        if allowed {
            window.used = window.used.saturating_add(1);
        }
        Verdict {
            allowed,
            limit,
            remaining: limit.saturating_sub(window.used),
            reset_s: whole_seconds(window.ends_at.duration_since(now)),
        }
    }
}

/// A scaled limit, rounded; at least one request a minute, so that a client can go on.
fn scaled(limit: u32, scale: f64) -> u32 {
    let product = (f64::from(limit) * scale)
        .round()
        .clamp(1.0, f64::from(u32::MAX));
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of u32; there is no checked conversion from f64"
    )]
    let whole = product as u32;
    whole.max(1)
}

/// Rounded up: at that second the window is over.
fn whole_seconds(left: SignedDuration) -> u32 {
    let partial = i64::from(left.subsec_nanos() > 0);
    u32::try_from(left.as_secs() + partial).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Limits, Verdict};

    fn at(ms: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH
            .checked_add(SignedDuration::from_millis(ms))
            .unwrap()
    }

    fn verdict(allowed: bool, limit: u32, remaining: u32, reset_s: u32) -> Verdict {
        Verdict {
            allowed,
            limit,
            remaining,
            reset_s,
        }
    }

    #[test]
    fn a_bucket_takes_its_limit_and_starts_again_after_a_minute() {
        let mut limits = Limits::new(Some(1.0));
        assert_eq!(limits.check("a", 2, at(0)), verdict(true, 2, 1, 60));
        assert_eq!(limits.check("a", 2, at(10_500)), verdict(true, 2, 0, 50));
        assert_eq!(limits.check("a", 2, at(59_999)), verdict(false, 2, 0, 1));
        assert_eq!(
            limits.check("b", 2, at(59_999)),
            verdict(true, 2, 1, 60),
            "buckets are apart"
        );
        assert_eq!(limits.check("a", 2, at(60_000)), verdict(true, 2, 1, 60));
    }

    #[test]
    fn a_scale_multiplies_limits_but_never_locks_out() {
        assert_eq!(Limits::new(Some(0.01)).check("a", 960, at(0)).limit, 10);
        assert_eq!(Limits::new(Some(2.0)).check("a", 960, at(0)).limit, 1920);
        for odd in [0.0, -1.0, f64::NAN] {
            assert_eq!(
                Limits::new(Some(odd)).check("a", 960, at(0)),
                verdict(true, 1, 0, 60)
            );
        }
    }

    #[test]
    fn limits_that_are_off_refuse_nothing() {
        let mut limits = Limits::new(None);
        for _ in 0..5 {
            assert!(limits.check("a", 2, at(0)).allowed);
        }
    }

    #[test]
    fn buckets_that_are_over_are_forgotten() {
        let mut limits = Limits::new(Some(1.0));
        for bucket in 0..5_000 {
            limits.check(&bucket.to_string(), 2, at(bucket * 100));
        }
        assert!(limits.windows.len() < 2_000);
    }
}
