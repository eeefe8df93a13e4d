//! Lengths of time as people write them: `5s`, `500ms`, `1m30s`.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Units and their milliseconds, long ones first.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `5s`, `500ms`, `1m30s` or `0`.
pub fn read(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total_ms = 0_u64;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let unit_len = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(unit_len)?;
        let (_, unit_ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let ms = digits.parse::<u64>().ok()?.checked_mul(*unit_ms)?;
        total_ms = total_ms.checked_add(ms)?;
        rest = next;
    }
    (!text.is_empty()).then_some(Duration::from_millis(total_ms))
}

/// Writes what [`read`] reads, to the millisecond.
pub fn write(length: Duration) -> String {
    let mut left = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let parts = UNITS.map(|(unit, unit_ms)| {
        let count = left / unit_ms;
        left %= unit_ms;
        (count, unit)
    });
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if parts.is_empty() {
        "0".to_owned()
    } else {
        parts.concat()
    }
}

/// Reads seconds, or units with blanks and days as in `1h 30m` or `2d`.
pub fn read_loosely(text: &str) -> Option<Duration> {
    let seconds = text.parse().ok().map(SignedDuration::from_secs);
    let length = seconds.or_else(|| {
        let span: Span = text.parse().ok()?;
        span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
    })?;
    Duration::try_from(length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, ms) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("5s", Some(5_000)),
            ("1m30s", Some(90_000)),
            ("2h", Some(7_200_000)),
            ("", None),
            ("5", None),
            ("s", None),
            ("5 s", None),
            ("-5s", None),
            ("5d", None),
            ("99999999999999999999s", None),
            ("9999999999999999999ms9999999999999999999ms", None),
        ] {
            assert_eq!(read(text), ms.map(Duration::from_millis), "{text}");
        }
        assert_eq!(write(Duration::from_millis(5_400_500)), "1h30m500ms");
        assert_eq!(write(Duration::ZERO), "0");
    }

    #[test]
    fn the_controls_of_the_stand_in_take_days_and_plain_seconds() {
        for (text, seconds) in [
            ("90", Some(90)),
            ("1h 30m", Some(5_400)),
            ("2d", Some(172_800)),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(
                read_loosely(text),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
