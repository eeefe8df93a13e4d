//! Working hours: when a person is at work, on the wall clock of the person.
//!
//! Versions are dated; the one with the latest start holds, and supplies all intervals. It starts at
//! the first instant of its date in its own zone. Without one: Monday to Friday, 08:00 to 18:00, in
//! the person's zone at PagerDuty, else in the organisation's.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::calendar::first_instant;
use crate::input::{HoursVersion, Person};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Half-open intervals of a week.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Week {
    /// Start since Monday, 00:00, and length, both in microseconds.
    intervals: Vec<(i64, i64)>,
}

/// Why intervals are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    /// Not a time of day.
    #[error("`{0}` is not a time of day: write 08:00, and 24:00 for the end of a day")]
    Time(String),
    /// Neither none nor all of a day.
    #[error("working hours from {0} to {0} are empty: for a whole day write 00:00 to 24:00")]
    Empty(String),
}

impl Week {
    /// The same with an interval that belongs to `day`, and may end on the next.
    pub fn with(mut self, day: Weekday, start: &str, end: &str) -> Result<Self, BadHours> {
        let from = time_of_day(start)?;
        let to = time_of_day(end)?;
        if from == to {
            return Err(BadHours::Empty(start.to_owned()));
        }
        if from == DAY {
            return Err(BadHours::Time(start.to_owned()));
        }
        let length = if to > from {
            to - from
        } else {
            to + DAY - from
        };
        let day = i64::from(day.to_monday_zero_offset());
        self.intervals.push((day * DAY + from, length));
        Ok(self)
    }

    /// Monday to Friday, 08:00 to 18:00.
    pub fn usual() -> Self {
        let intervals = (0..5).map(|day| (day * DAY + 8 * HOUR, 10 * HOUR));
        Self {
            intervals: intervals.collect(),
        }
    }

    /// Whether a place in the week lies in an interval.
    fn holds(&self, at: i64) -> bool {
        let mut all = self.intervals.iter();
        all.any(|(start, length)| (at - start).rem_euclid(WEEK) < *length)
    }
}

fn time_of_day(text: &str) -> Result<i64, BadHours> {
    let parse = || {
        let (hours, minutes) = text.split_once(':')?;
        let two = |text: &str| {
            let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<i64>().ok()).flatten()
        };
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let fits = minutes < 60 && (hours < 24 || (hours, minutes) == (24, 0));
        fits.then_some(hours * HOUR + minutes * MINUTE)
    };
    parse().ok_or_else(|| BadHours::Time(text.to_owned()))
}

/// The working hours of one person, ready to be asked.
#[derive(Debug)]
pub(crate) struct Hours {
    /// When each begins, earliest first; the default begins before all time.
    versions: Vec<(i64, TimeZone, Week)>,
}

/// What an instant is to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Microseconds past the hour on the wall clock.
    pub(crate) past_hour: u32,
    /// Whether it is outside working hours.
    pub(crate) out_of_hours: bool,
}

impl Hours {
    /// Those of a person.
    pub(crate) fn of(person: Option<&Person>, organisation: &TimeZone) -> Self {
        let zone = person.and_then(|person| person.zone.as_ref());
        let zone = zone.unwrap_or(organisation).clone();
        let mut versions = vec![(i64::MIN, zone, Week::usual())];
        let own = person.map_or(&[][..], |person| &person.hours);
        versions.extend(own.iter().map(|version| {
            let HoursVersion { from, zone, week } = version;
            (first_instant(*from, zone), zone.clone(), week.clone())
        }));
        versions.sort_by_key(|(start, _, _)| *start);
        Self { versions }
    }

    /// What `at` is to the person.
    pub(crate) fn at(&self, at: i64) -> Moment {
        let mut newest_first = self.versions.iter().rev();
        let in_force = newest_first.find(|(start, _, _)| *start <= at);
        let (_, zone, week) = in_force.expect("the default begins before all time");
        let instant = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = at + i64::from(zone.to_offset(instant).seconds()) * 1_000_000;
        // 1 January 1970 was a Thursday.
        let in_week = (local + 3 * DAY).rem_euclid(WEEK);
        Moment {
            past_hour: u32::try_from(local.rem_euclid(HOUR)).expect("an hour has 3.6e9 µs"),
            out_of_hours: !week.holds(in_week),
        }
    }
}
