//! Times as the pages say them: exact in the organisation's zone, which each page names once, relative beside it, at
//! most two units. What programs read is in UTC.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use maud::{Markup, html};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An instant as an input of a form has it.
const INPUT: &str = "%Y-%m-%dT%H:%M:%S";

/// The instant at which a page is made, and the zone that it speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) at: Timestamp,
    zone: &'static TimeZone,
}

impl Now {
    pub(super) fn new(at: Timestamp, zone: &TimeZone) -> Self {
        Self {
            at,
            zone: kept(zone),
        }
    }

    /// The zone's name.
    pub(super) fn zone(self) -> &'static str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// What an input of a form has for `at`.
    pub(super) fn input(self, at: Timestamp) -> String {
        self.say(at, INPUT)
    }

    /// The instant that was typed into one; none where it is empty.
    pub(super) fn typed(self, text: &str) -> Result<Option<Timestamp>, jiff::Error> {
        if text.is_empty() {
            return Ok(None);
        }
        let local: DateTime = text.parse()?;
        Ok(Some(local.to_zoned(self.zone.clone())?.timestamp()))
    }

    /// The date of `at`.
    pub(super) fn date(self, at: Timestamp) -> jiff::civil::Date {
        self.local(at).date()
    }

    fn local(self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    fn say(self, at: Timestamp, format: &str) -> String {
        self.local(at).strftime(format).to_string()
    }

    fn marked(self, at: Timestamp, format: &str) -> Markup {
        html! { time datetime=(machine(at)) title=(full(at)) { (self.say(at, format)) } }
    }
}

/// A zone for as long as the program runs, so that whatever draws a page can copy it: there are some 600, and an
/// organisation has one.
fn kept(zone: &TimeZone) -> &'static TimeZone {
    static KEPT: Mutex<BTreeMap<String, &'static TimeZone>> = Mutex::new(BTreeMap::new());
    let name = zone.iana_name().unwrap_or("UTC");
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(zone) = kept.get(name) {
        return zone;
    }
    let zone: &'static TimeZone = Box::leak(Box::new(zone.clone()));
    kept.insert(name.to_owned(), zone);
    zone
}

/// `14:02` today, `13 Nov 14:02` this year, else with the year.
pub(super) fn exact(at: Timestamp, now: Now) -> Markup {
    let (day, today) = (now.date(at), now.date(now.at));
    let format = if day == today {
        "%H:%M"
    } else if day.year() == today.year() {
        "%-d %b %H:%M"
    } else {
        "%-d %b %Y %H:%M"
    };
    now.marked(at, format)
}

/// `14:02:03`; where there is little room the seconds are hidden.
pub(super) fn clock(at: Timestamp, now: Now) -> Markup {
    html! {
        time datetime=(machine(at)) title=(full(at)) {
            (now.say(at, "%H:%M")) span.sec { (now.say(at, ":%S")) }
        }
    }
}

/// `2026-11-20 14:02:03`, where lines are compared.
pub(super) fn second(at: Timestamp, now: Now) -> Markup {
    now.marked(at, "%Y-%m-%d %H:%M:%S")
}

/// `14:02`.
pub(super) fn minute(at: Timestamp, now: Now) -> String {
    now.say(at, "%H:%M")
}

/// What programs read, in UTC.
pub(super) fn machine(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn full(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `Friday 20 November 2026`, with "Today, " before it where it is.
pub(super) fn day(at: Timestamp, now: Now) -> String {
    let day = now.say(at, "%A %-d %B %Y");
    if now.date(at) == now.date(now.at) {
        format!("Today, {day}")
    } else {
        day
    }
}

/// `38 min ago`, `1 h 51 min ago`. A clock that runs ahead of ours is not news.
pub(super) fn ago(at: Timestamp, now: Now) -> String {
    let seconds = seconds(at, now.at);
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

    #[track_caller]
    fn said(zone: &str, now: &str, at: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let now = Now::new(now.parse().unwrap(), &zone);
        exact(at.parse().unwrap(), now).into_string()
    }

    #[test]
    fn a_time_says_its_day_only_when_it_is_another() {
        let said = |at: &str| said("UTC", "2026-11-20T14:42:03Z", at);
        assert!(said("2026-11-20T14:02:03Z").contains(">14:02</time>"));
        assert!(said("2026-11-13T14:02:03Z").contains(">13 Nov 14:02</time>"));
        assert!(said("2025-11-03T14:02:03Z").contains(">3 Nov 2025 14:02</time>"));
    }

    #[test]
    fn a_day_and_a_year_begin_where_the_organisation_is_and_programs_read_utc() {
        let said = |at: &str| said("Asia/Tokyo", "2026-12-01T01:00:00Z", at);
        let yesterday_elsewhere = said("2026-11-30T20:38:00Z");
        assert!(
            yesterday_elsewhere.contains(">05:38</time>"),
            "{yesterday_elsewhere}"
        );
        assert!(yesterday_elsewhere.contains("datetime=\"2026-11-30T20:38:00Z\""));
        assert!(yesterday_elsewhere.contains("title=\"2026-11-30 20:38:00 UTC\""));
        assert!(said("2026-11-30T14:59:00Z").contains(">30 Nov 23:59</time>"));
        assert!(said("2025-12-31T15:00:00Z").contains(">1 Jan 00:00</time>"));
        assert!(said("2025-12-31T14:59:00Z").contains(">31 Dec 2025 23:59</time>"));
    }

    #[test]
    fn what_an_input_has_is_read_as_the_same_instant() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = Now::new("2026-11-20T14:42:03Z".parse().unwrap(), &zone);
        let at: Timestamp = "2026-07-01T08:00:00Z".parse().unwrap();
        assert_eq!(now.input(at), "2026-07-01T10:00:00");
        assert_eq!(now.typed("2026-07-01T10:00:00").unwrap(), Some(at));
        // Browsers leave out seconds that are zero.
        assert_eq!(now.typed("2026-07-01T10:00").unwrap(), Some(at));
        assert_eq!(now.typed("").unwrap(), None);
        assert!(now.typed("yesterday").is_err());
    }
}
