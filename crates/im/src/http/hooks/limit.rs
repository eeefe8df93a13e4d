//! How many webhooks a door takes: a bucket of tokens over the time that is passed in.

use jiff::Timestamp;

/// In the long run.
pub(super) const PER_MINUTE: i64 = 600;

const MINUTE_MICROS: i64 = 60_000_000;
/// A full bucket holds what a fifth of a minute brings.
const FULL_MICROS: i64 = MINUTE_MICROS / 5;

/// Full at first; each delivery takes one token, and time brings them back.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// The instant at which the bucket will be full again, in microseconds.
    full_at: i64,
}

impl Bucket {
    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, per_minute: i64, now: Timestamp) -> bool {
        let now = now.as_microsecond();
        let full_at = self.full_at.max(now) + MINUTE_MICROS / per_minute.max(1);
        let fits = full_at - now <= FULL_MICROS;
        if fits {
            self.full_at = full_at;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &mut Bucket, second: i64, tries: usize) -> usize {
        let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
        (0..tries).filter(|_| bucket.take(PER_MINUTE, now)).count()
    }

    #[test]
    fn a_burst_is_taken_and_then_ten_a_second() {
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, 0, 500), 120);
        assert_eq!(taken(&mut bucket, 1, 500), 10);
        assert_eq!(taken(&mut bucket, 61, 500), 120);
    }
}
