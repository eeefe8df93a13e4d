//! Conversions between the number types that columns and statistics need.

/// A place in a table as the 32 bits that are kept of it.
pub(crate) fn id(index: usize) -> u32 {
    u32::try_from(index).expect("tables in memory have fewer than 2^32 rows")
}

/// The place that 32 bits stand for.
pub(crate) fn at(id: u32) -> usize {
    usize::try_from(id).expect("places have at least 32 bits here")
}

/// A whole number for statistics.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "sums of durations pass 2^53 µs (285 years) only where 1e-9 of them is allowed to go"
)]
pub(crate) fn float(n: i128) -> f64 {
    n as f64
}

/// Seconds of microseconds.
pub(crate) fn seconds(micros: i64) -> f64 {
    float(i128::from(micros)) / 1e6
}
