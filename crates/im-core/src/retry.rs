//! When to try again: pure, with the jitter drawn from a given seed.

/// The first wait.
pub const RETRY_WAIT_MS_MIN: u64 = 1_000;
/// The longest wait: PagerDuty's advice is a minute (`docs/pagerduty/rest.md`).
pub const RETRY_WAIT_MS_MAX: u64 = 60_000;

/// The wait before attempt `attempt` + 1: doubling, capped, and spread over the upper half so that
/// many rows that failed together do not come back together.
pub fn wait_ms(attempt: u32, seed: u64) -> u64 {
    let full = RETRY_WAIT_MS_MIN
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(RETRY_WAIT_MS_MAX);
    full / 2 + mix(seed) % (full / 2 + 1)
}

/// A well-mixed number of a poor one (the finaliser of splitmix64).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_never_vanish() {
        for attempt in 1..40 {
            for seed in 0..50 {
                let full = (1_000_u64 << (attempt - 1).min(10)).min(60_000);
                let wait = wait_ms(attempt, seed);
                assert!(
                    (full / 2..=full).contains(&wait),
                    "attempt {attempt}: {wait} ms"
                );
            }
        }
    }
}
