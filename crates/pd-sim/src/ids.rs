//! Ids and chance from one seed: a run with the same seed names everything the same.
//!
//! Invariants
//! - Everything random in the stand-in is drawn here, in the order of the calls.
//! - A chance of 0 or 100 percent draws nothing, so switching a fault off does not move the ids.
//!
//! The shapes follow what PagerDuty shows; clients are told not to parse them. Uniqueness is
//! left to the width of the alphabet. Nothing here is fit for real secrets.

use jiff::Timestamp;

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Crockford's base 32: ascending in ASCII too, so that text order is number order.
const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The source of ids and of chance.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    rng: fastrand::Rng,
}

impl Ids {
    /// Starts the sequence of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// An ordinary object, e.g. `PAB12CD`.
    pub(crate) fn object(&mut self, prefix: char) -> String {
        format!("{prefix}{}", self.text(UPPER, 6))
    }

    /// An incident: `Q` and 13 more.
    pub(crate) fn incident(&mut self) -> String {
        format!("Q{}", self.text(UPPER, 13))
    }

    /// A log entry: `R` and 13 more.
    pub(crate) fn log_entry(&mut self) -> String {
        format!("R{}", self.text(UPPER, 13))
    }

    /// A webhook event: 26 characters, of which the first 10 are the time and sort by it.
    pub(crate) fn event(&mut self, now: Timestamp) -> String {
        let time = clock_digits(now);
        format!("{time}{}", self.text(CROCKFORD, 16))
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let [low, mid, high, clock, node] = [8, 4, 3, 3, 12].map(|length| self.text(HEX, length));
        let variant = self.text(b"89ab", 1);
        format!("{low}-{mid}-4{high}-{variant}{clock}-{node}")
    }

    /// An integration key: 32 hex digits.
    pub(crate) fn key32(&mut self) -> String {
        self.text(HEX, 32)
    }

    /// A webhook secret: 64 characters that look like base64 but are used as text.
    pub(crate) fn secret(&mut self) -> String {
        self.text(BASE64, 64)
    }

    /// A REST key: 20 characters.
    pub(crate) fn token20(&mut self) -> String {
        self.text(LETTERS, 20)
    }

    /// A number from 0 to `n - 1`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.rng.u64(0..n.max(1))
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: u8) -> bool {
        match percent {
            0 => false,
            100.. => true,
            1..100 => self.rng.u8(0..100) < percent,
        }
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let letters = (0..length).filter_map(|_| self.rng.choice(alphabet));
        letters.map(|letter| char::from(*letter)).collect()
    }
}

/// Milliseconds since 1970 as 10 digits of base 32.
fn clock_digits(now: Timestamp) -> String {
    let mut left = u64::try_from(now.as_millisecond()).unwrap_or_default();
    let mut digits = ['0'; 10];
    for digit in digits.iter_mut().rev() {
        let at = usize::try_from(left % 32).unwrap_or_default();
        *digit = CROCKFORD.get(at).map_or('0', |letter| char::from(*letter));
        left /= 32;
    }
    digits.iter().collect()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Ids;

    fn some_of_each(seed: u64) -> Vec<String> {
        let mut ids = Ids::new(seed);
        let now = Timestamp::UNIX_EPOCH;
        vec![
            ids.object('P'),
            ids.incident(),
            ids.log_entry(),
            ids.event(now),
            ids.uuid(),
            ids.key32(),
            ids.secret(),
            ids.token20(),
        ]
    }

    #[test]
    fn a_seed_names_everything_the_same() {
        assert_eq!(some_of_each(7), some_of_each(7));
        assert_ne!(some_of_each(7), some_of_each(8));
    }

    #[test]
    fn ids_have_the_lengths_that_pagerduty_shows() {
        let lengths: Vec<usize> = some_of_each(1).iter().map(String::len).collect();
        assert_eq!(lengths, [7, 14, 14, 26, 36, 32, 64, 20]);
    }

    #[test]
    fn event_ids_sort_by_time() {
        let mut ids = Ids::new(3);
        let start: Timestamp = "2026-03-10T08:00:00Z".parse().unwrap();
        let times = [0, 1, 31, 32, 1_000, 86_400_000];
        let made: Vec<String> = times
            .iter()
            .map(|ms| ids.event(start.checked_add(SignedDuration::from_millis(*ms)).unwrap()))
            .collect();
        assert!(made.is_sorted(), "{made:?}");
    }

    #[test]
    fn a_certain_chance_draws_nothing() {
        let mut touched = Ids::new(5);
        assert!(!touched.chance(0));
        assert!(touched.chance(100));
        assert_eq!(touched.key32(), Ids::new(5).key32());
    }
}
