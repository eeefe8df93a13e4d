//! Times as people say them: how long ago, and by the clock on their wall.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::error::Failure;
use crate::length;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a flag such as `--since` means: a length of time before now, or an instant.
pub(crate) fn since(flag: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let days = || {
        let days: u32 = text.strip_suffix('d')?.parse().ok()?;
        Some(Duration::from_secs(u64::from(days) * DAY.unsigned_abs()))
    };
    let length = length::read(text).or_else(days);
    let since = match length {
        Some(length) => now.checked_sub(length).ok(),
        None => text.parse().ok(),
    };
    since.ok_or_else(|| {
        Failure::usage(format!("`{flag}` cannot be `{text}`"))
            .hint("write a length like 15m, 2h or 7d, or a time like 2026-11-20T09:00:00Z")
    })
}

/// The value of a flag that is an instant.
pub(crate) fn instant(text: &str) -> Result<Timestamp, &'static str> {
    text.parse()
        .map_err(|_not_one| "write a time like 2026-11-20T09:00:00Z")
}

/// The value of a flag that is a day.
pub(crate) fn date(text: &str) -> Result<Date, &'static str> {
    text.parse()
        .map_err(|_not_one| "write a date like 2026-11-20")
}

/// The largest unit that fits, rounded down: `(4, "m", "min")`. The future counts as now.
fn largest(from: Timestamp, to: Timestamp) -> (i64, &'static str, &'static str) {
    let seconds = (to.as_second() - from.as_second()).max(0);
    match seconds {
        0..MINUTE => (seconds, "s", "s"),
        MINUTE..HOUR => (seconds / MINUTE, "m", "min"),
        HOUR..DAY => (seconds / HOUR, "h", "h"),
        _ if seconds < 2 * DAY => (1, "d", "day"),
        _ => (seconds / DAY, "d", "days"),
    }
}

/// `4m`, for a column.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    let (count, unit, _) = largest(at, now);
    format!("{count}{unit}")
}

/// `2m ago`, for a column.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", age(at, now))
}

/// `in 30 s`, or `now` when it is due.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> String {
    let (count, _, word) = largest(now, at);
    if count == 0 {
        "now".to_owned()
    } else {
        format!("in {count} {word}")
    }
}

/// `4 min ago (09:14)`; with the date when it was not today.
pub(crate) fn both(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let (count, _, word) = largest(at, now);
    let format = if same_day(at, zone, now) {
        "%H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    let clock = at.to_zoned(zone.clone()).strftime(format).to_string();
    format!("{count} {word} ago ({clock})")
}

/// The zone that an answer names; one that nobody here knows is read as UTC, which it is named as, too.
pub(crate) fn named(zone: &str) -> (TimeZone, &str) {
    TimeZone::get(zone).map_or((TimeZone::UTC, "UTC"), |found| (found, zone))
}

/// `2025-08-23 15:30:00`.
pub(crate) fn full(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// `2025-08-24 09:00 +02:00`: for times that people in several zones go by.
pub(crate) fn offset(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M %:z")
        .to_string()
}

/// `15:30:00`.
pub(crate) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Whether both are on one page of the calendar.
pub(crate) fn same_day(a: Timestamp, zone: &TimeZone, b: Timestamp) -> bool {
    a.to_zoned(zone.clone()).date() == b.to_zoned(zone.clone()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: &str, expect: [&str; 2]) {
        let now = "2026-11-20T09:18:30Z".parse().unwrap();
        let at = at.parse().unwrap();
        let said = [ago(at, now), both(at, &TimeZone::UTC, now)];
        assert_eq!(said, expect);
    }

    #[test]
    fn a_flag_takes_a_length_in_days_too_and_none_before_the_beginning_of_time() {
        let now: Timestamp = "2026-11-20T09:18:30Z".parse().unwrap();
        let read = |text| since("--since", text, now).ok().map(|at| at.to_string());
        for (text, at) in [
            ("90s", Some("2026-11-20T09:17:00Z")),
            ("7d", Some("2026-11-13T09:18:30Z")),
            ("2026-11-20T09:00:00Z", Some("2026-11-20T09:00:00Z")),
            ("9999999999h", None),
            ("4294967295d", None),
            ("-1d", None),
            ("d", None),
            ("yesterday", None),
        ] {
            assert_eq!(read(text).as_deref(), at, "{text}");
        }
    }

    #[test]
    fn times_are_said_both_ways() {
        check("2026-11-20T09:18:30Z", ["0s ago", "0 s ago (09:18)"]);
        check("2026-11-20T09:14:05Z", ["4m ago", "4 min ago (09:14)"]);
        check("2026-11-20T00:00:00Z", ["9h ago", "9 h ago (00:00)"]);
        check(
            "2026-11-19T08:00:00Z",
            ["1d ago", "1 day ago (2026-11-19 08:00)"],
        );
        check(
            "2026-11-01T08:00:00Z",
            ["19d ago", "19 days ago (2026-11-01 08:00)"],
        );
        // A clock that runs ahead of ours is not news.
        check("2026-11-20T09:18:45Z", ["0s ago", "0 s ago (09:18)"]);
    }
}
