//! Working hours: when a person is at work, on the wall clock of the person.
//!
//! Versions are dated; the one with the latest start holds, and supplies all intervals. It starts at
//! the first instant of its date in its own zone, which is the person's where it names none. Those of
//! a person go before those of the person's teams then, and these before the organisation's. Without
//! any: Monday to Friday, 08:00 to 18:00. The person's zone is the one at PagerDuty then, else the
//! organisation's.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::calendar::{end_instant, first_instant};
use crate::input::{HoursVersion, Membership, Person, Settings};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
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
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    /// When each begins, earliest first; the first begins before all time.
    versions: Vec<(i64, TimeZone, Week)>,
}

/// How near to a person working hours are: the nearest hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Near {
    Usual,
    Organisation,
    Team,
    Person,
}

/// A version, and when it may hold.
struct Candidate<'a> {
    near: Near,
    start: i64,
    /// The team, so that of two with one start the same is always taken.
    team: &'a str,
    /// As long as the person is in the team.
    within: (i64, i64),
    zone: TimeZone,
    week: Week,
}

/// What an instant is to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds by which hours begin earlier on the wall clock, less than an hour.
    pub(crate) hours_early: u16,
    /// Whether it is outside working hours.
    pub(crate) out_of_hours: bool,
}

impl Hours {
    /// Those of a person who is in these teams.
    pub(crate) fn of(
        person: Option<&Person>,
        memberships: &[Membership],
        settings: &Settings,
    ) -> Self {
        let candidates = candidates(person, memberships, settings);
        let mut bounds = BTreeSet::new();
        for one in &candidates {
            bounds.extend([one.start.max(one.within.0), one.within.1]);
        }
        let nearest = |at: i64| {
            let then = candidates.iter();
            let then =
                then.filter(|one| one.start <= at && one.within.0 <= at && at < one.within.1);
            then.max_by_key(|one| (one.near, one.start, one.team))
        };
        let bounds = bounds.into_iter();
        let versions = bounds
            .filter_map(|at| Some((at, nearest(at)?.zone.clone(), nearest(at)?.week.clone())));
        Self {
            versions: versions.collect(),
        }
    }

    /// What `at` is to the person.
    pub(crate) fn at(&self, at: i64) -> Moment {
        let mut newest_first = self.versions.iter().rev();
        let in_force = newest_first.find(|(start, _, _)| *start <= at);
        let (_, zone, week) = in_force.expect("the default begins before all time");
        let in_week = in_week(at, zone);
        Moment {
            hours_early: u16::try_from((in_week - at).rem_euclid(HOUR) / SECOND)
                .expect("an hour has 3,600 s"),
            out_of_hours: !week.holds(in_week),
        }
    }
}

/// Microseconds since the last Monday began, on the clock of a zone.
pub(crate) fn in_week(at: i64, zone: &TimeZone) -> i64 {
    let instant = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = at + i64::from(zone.to_offset(instant).seconds()) * 1_000_000;
    // 1 January 1970 was a Thursday.
    (local + 3 * DAY).rem_euclid(WEEK)
}

/// Everything that was set and may concern a person, and what holds without it.
fn candidates<'a>(
    person: Option<&'a Person>,
    memberships: &'a [Membership],
    settings: &'a Settings,
) -> Vec<Candidate<'a>> {
    const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);
    let zones = zones(person, settings);
    let versions = |near, version: &'a HoursVersion, team, within| {
        let set = version.zone.as_ref().map(|zone| (ALWAYS, zone));
        let own = zones.iter().map(|(then, zone)| (*then, *zone));
        let holds = set.into_iter().chain(own.filter(move |_| set.is_none()));
        holds.map(move |(then, zone)| Candidate {
            near,
            start: first_instant(version.from, zone),
            team,
            within: common(within, then),
            zone: zone.clone(),
            week: version.week.clone(),
        })
    };
    let mut all = Vec::new();
    all.extend(zones.iter().map(|(then, zone)| Candidate {
        near: Near::Usual,
        start: i64::MIN,
        team: "",
        within: *then,
        zone: (*zone).clone(),
        week: Week::usual(),
    }));
    let organisation = settings.hours.iter();
    all.extend(organisation.flat_map(|version| versions(Near::Organisation, version, "", ALWAYS)));
    for membership in memberships {
        let from = membership.from;
        let from = from.map_or(i64::MIN, |date| first_instant(date, &settings.zone));
        let to = membership.to;
        let end = to.map_or(i64::MAX, |date| end_instant(date, &settings.zone));
        let mut teams = settings.teams.iter();
        let Some(team) = teams.find(|team| team.id == membership.team) else {
            continue;
        };
        let hours = team.hours.iter();
        all.extend(hours.flat_map(|version| versions(Near::Team, version, &team.id, (from, end))));
    }
    let own = person.map_or(&[][..], |person| &person.hours);
    all.extend(
        own.iter()
            .flat_map(|version| versions(Near::Person, version, "", ALWAYS)),
    );
    all
}

/// The zones of a person, and from when to when each holds.
fn zones<'a>(
    person: Option<&'a Person>,
    settings: &'a Settings,
) -> Vec<((i64, i64), &'a TimeZone)> {
    let known = |zone: &'a Option<TimeZone>| zone.as_ref().unwrap_or(&settings.zone);
    let first = person.map_or(&settings.zone, |person| known(&person.zone));
    let moves = person.map_or(&[][..], |person| &person.moves);
    let moves = moves
        .iter()
        .map(|to| (first_instant(to.from, known(&to.zone)), known(&to.zone)));
    let mut starts: Vec<(i64, &TimeZone)> =
        std::iter::once((i64::MIN, first)).chain(moves).collect();
    starts.sort_by_key(|(start, _)| *start);
    let ends = starts.iter().skip(1).map(|(start, _)| *start);
    let ends: Vec<i64> = ends.chain([i64::MAX]).collect();
    let spans = starts.into_iter().zip(ends);
    spans
        .map(|((start, zone), end)| ((start, end), zone))
        .collect()
}

/// What two half-open spans share.
fn common(one: (i64, i64), other: (i64, i64)) -> (i64, i64) {
    (one.0.max(other.0), one.1.min(other.1))
}
