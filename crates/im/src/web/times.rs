//! Times as the pages say them: exact in UTC, relative beside it, at most two units.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `14:02` today, `13 Nov 14:02` this year, else with the year.
pub(super) fn exact(at: Timestamp, now: Timestamp) -> Markup {
    let (day, today) = (utc(at, "%Y-%m-%d"), utc(now, "%Y-%m-%d"));
    let format = if day == today {
        "%H:%M"
    } else if utc(at, "%Y") == utc(now, "%Y") {
        "%-d %b %H:%M"
    } else {
        "%-d %b %Y %H:%M"
    };
    marked(at, format)
}

/// `14:02:03`; where there is little room the seconds are hidden.
pub(super) fn clock(at: Timestamp) -> Markup {
    html! {
        time datetime=(machine(at)) title=(full(at)) {
            (utc(at, "%H:%M")) span.sec { (utc(at, ":%S")) }
        }
    }
}

/// `2026-11-20 14:02:03`, where lines are compared.
pub(super) fn second(at: Timestamp) -> Markup {
    marked(at, "%Y-%m-%d %H:%M:%S")
}

fn marked(at: Timestamp, format: &str) -> Markup {
    html! {
        time datetime=(machine(at)) title=(full(at)) {
            (utc(at, format))
        }
    }
}

fn machine(at: Timestamp) -> String {
    utc(at, "%Y-%m-%dT%H:%M:%SZ")
}

fn full(at: Timestamp) -> String {
    utc(at, "%Y-%m-%d %H:%M:%S UTC")
}

/// `Friday 20 November 2026`, with "Today, " before it where it is.
pub(super) fn day(at: Timestamp, now: Timestamp) -> String {
    let day = utc(at, "%A %-d %B %Y");
    if day == utc(now, "%A %-d %B %Y") {
        format!("Today, {day}")
    } else {
        day
    }
}

/// `at` in UTC.
pub(super) fn utc(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

/// `38 min ago`, `1 h 51 min ago`. A clock that runs ahead of ours is not news.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = seconds(at, now);
    match seconds {
        ..MINUTE => format!("{seconds} s ago"),
        MINUTE..HOUR => format!("{} min ago", seconds / MINUTE),
        _ => format!("{} ago", say(seconds)),
    }
}

/// `2 min 34 s`.
pub(super) fn duration(from: Timestamp, to: Timestamp) -> String {
    say(seconds(from, to))
}

/// The same to the minute, for what still goes on.
pub(super) fn running(from: Timestamp, to: Timestamp) -> String {
    let seconds = seconds(from, to);
    match seconds {
        ..MINUTE => say(seconds),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        _ => say(seconds),
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(0)
}

pub(super) fn say(seconds: i64) -> String {
    let two = |large: i64, name: &str, small: i64, small_name: &str| {
        if small == 0 {
            format!("{large} {name}")
        } else {
            format!("{large} {name} {small} {small_name}")
        }
    };
    match seconds {
        ..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => two(seconds / MINUTE, "min", seconds % MINUTE, "s"),
        HOUR..DAY => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min"),
        _ => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_two_units_at_most() {
        let said: Vec<String> = [0, 47, 60, 154, 3_600, 6_180, 86_400, 273_600]
            .into_iter()
            .map(say)
            .collect();
        let expect = [
            "0 s",
            "47 s",
            "1 min",
            "2 min 34 s",
            "1 h",
            "1 h 43 min",
            "1 d",
            "3 d 4 h",
        ];
        assert_eq!(said, expect);
    }

    #[test]
    fn a_time_says_its_day_only_when_it_is_another() {
        let now = "2026-11-20T14:42:03Z".parse().unwrap();
        let said = |at: &str| exact(at.parse().unwrap(), now).into_string();
        assert!(said("2026-11-20T14:02:03Z").contains(">14:02</time>"));
        assert!(said("2026-11-13T14:02:03Z").contains(">13 Nov 14:02</time>"));
        assert!(said("2025-11-03T14:02:03Z").contains(">3 Nov 2025 14:02</time>"));
    }
}
