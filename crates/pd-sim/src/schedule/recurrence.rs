//! When something happens again: the rules of RFC 5545 that shifts use, by day and by week.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// More than anybody schedules; it bounds the work for one rule.
const TIMES_MAX: usize = 20_000;
const DAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

/// One rule with its exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recurrence {
    weekly: bool,
    interval: i32,
    days: Vec<Weekday>,
    count: Option<usize>,
    until: Option<Timestamp>,
    except: BTreeSet<Timestamp>,
}

impl Recurrence {
    /// Reads `RRULE:…` and `EXDATE:…`; the reason says what is not understood.
    pub(crate) fn read(lines: &[&str], zone: &TimeZone) -> Result<Self, String> {
        let mut rules = lines.iter().filter_map(|line| line.strip_prefix("RRULE:"));
        let (Some(rule), None) = (rules.next(), rules.next()) else {
            return Err("must have exactly one RRULE".to_owned());
        };
        let mut read = Self {
            weekly: false,
            interval: 1,
            days: Vec::new(),
            count: None,
            until: None,
            except: BTreeSet::new(),
        };
        let mut frequency = None;
        for part in rule.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let number = value.parse::<i32>().ok().filter(|number| *number > 0);
            let bad = || format!("cannot use {part}");
            match name {
                "FREQ" => frequency = Some(value),
                "INTERVAL" => read.interval = number.ok_or_else(bad)?,
                "COUNT" => {
                    let count = number.and_then(|count| usize::try_from(count).ok());
                    read.count = Some(count.ok_or_else(bad)?);
                }
                "UNTIL" => read.until = Some(instant(value, zone).ok_or_else(bad)?),
                "WKST" if value == "MO" => {}
                "BYDAY" => {
                    for day in value.split(',') {
                        let known = DAYS.iter().find(|(name, _)| *name == day);
                        read.days.push(known.ok_or_else(bad)?.1);
                    }
                }
                _ => return Err(bad()),
            }
        }
        read.weekly = match frequency {
            Some("DAILY") => false,
            Some("WEEKLY") => true,
            _ => return Err("FREQ must be DAILY or WEEKLY".to_owned()),
        };
        for line in lines.iter().filter(|line| line.starts_with("EXDATE")) {
            let (_, dates) = line.split_once(':').unwrap_or_default();
            for date in dates.split(',') {
                let at = instant(date, zone).ok_or_else(|| format!("cannot use {line}"))?;
                read.except.insert(at);
            }
        }
        Ok(read)
    }

    /// Starts before `until`, numbered from the first; exceptions keep their number to themselves.
    pub(crate) fn starts(
        &self,
        first: DateTime,
        zone: &TimeZone,
        until: Timestamp,
    ) -> Vec<(usize, Timestamp)> {
        let end = self.until.map_or(until, |own| own.min(until));
        let mut starts = Vec::new();
        for (number, date) in self.dates(first.date()).enumerate() {
            let Ok(at) = zone.to_timestamp(date.to_datetime(first.time())) else {
                break;
            };
            let last = number >= TIMES_MAX || self.count.is_some_and(|count| number >= count);
            if at > end || at >= until || last {
                break;
            }
            if !self.except.contains(&at) {
                starts.push((number, at));
            }
        }
        starts
    }

    /// The days on which it may happen, from the first on.
    fn dates(&self, first: Date) -> impl Iterator<Item = Date> {
        let weekly = self.weekly;
        let base = if weekly {
            first.saturating_sub(Span::new().days(first.weekday().to_monday_zero_offset()))
        } else {
            first
        };
        let mut days = self.days.clone();
        if weekly && days.is_empty() {
            days.push(first.weekday());
        }
        days.sort_by_key(|day| day.to_monday_zero_offset());
        let interval = self.interval;
        let steps = (0..).map_while(move |step: i32| {
            let step = step.checked_mul(interval)?;
            let span = if weekly {
                Span::new().try_weeks(step)
            } else {
                Span::new().try_days(step)
            };
            base.checked_add(span.ok()?).ok()
        });
        let dates = steps.flat_map(move |start| -> Vec<Date> {
            if weekly {
                let days = days
                    .iter()
                    .map(|day| i64::from(day.to_monday_zero_offset()));
                days.filter_map(|offset| start.checked_add(Span::new().days(offset)).ok())
                    .collect()
            } else if days.is_empty() || days.contains(&start.weekday()) {
                vec![start]
            } else {
                Vec::new()
            }
        });
        dates.filter(move |date| *date >= first)
    }
}

/// `20260310T090000Z`, `20260310T090000` in the zone, or `20260310`.
fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local = DateTime::strptime("%Y%m%dT%H%M%S", text.trim_end_matches('Z'));
    let local = local.or_else(|_| DateTime::strptime("%Y%m%d", text)).ok()?;
    let zone = if text.ends_with('Z') {
        &TimeZone::UTC
    } else {
        zone
    };
    zone.to_timestamp(local).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::DateTime;

    use super::Recurrence;
    use crate::schedule::zone;

    #[track_caller]
    fn check(lines: &[&str], first: &str, count: usize, expected: &[&str]) {
        let zone = zone("Europe/Berlin").unwrap();
        let rule = Recurrence::read(lines, &zone).unwrap();
        let first: DateTime = first.parse().unwrap();
        let until: Timestamp = "2026-12-31T00:00:00Z".parse().unwrap();
        let starts = rule.starts(first, &zone, until);
        let starts: Vec<String> = starts
            .iter()
            .take(count)
            .map(|(number, at)| format!("{number} {}", zone.to_datetime(*at)))
            .collect();
        assert_eq!(starts, expected);
    }

    #[test]
    fn days_and_weeks_come_again_at_the_same_hour() {
        // The clocks change on 29 March.
        check(
            &["RRULE:FREQ=DAILY;INTERVAL=2"],
            "2026-03-27T09:00:00",
            2,
            &["0 2026-03-27T09:00:00", "1 2026-03-29T09:00:00"],
        );
        check(
            &["RRULE:FREQ=WEEKLY"],
            "2026-03-23T09:00:00",
            2,
            &["0 2026-03-23T09:00:00", "1 2026-03-30T09:00:00"],
        );
        let working = [
            "RRULE:FREQ=WEEKLY;BYDAY=FR,MO;COUNT=3",
            "EXDATE:20260327T090000",
        ];
        check(
            &working,
            "2026-03-25T09:00:00",
            9,
            &["1 2026-03-30T09:00:00", "2 2026-04-03T09:00:00"],
        );
        check(
            &["RRULE:FREQ=DAILY;BYDAY=SA,SU;UNTIL=20260329T000000Z"],
            "2026-03-27T09:00:00",
            9,
            &["0 2026-03-28T09:00:00"],
        );
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let zone = zone("UTC").unwrap();
        for (line, reason) in [
            ("RRULE:FREQ=HOURLY", "FREQ must be DAILY or WEEKLY"),
            ("RRULE:FREQ=DAILY;BYHOUR=9", "cannot use BYHOUR=9"),
            ("RRULE:FREQ=WEEKLY;BYDAY=1MO", "cannot use BYDAY=1MO"),
            ("EXDATE:20260310", "must have exactly one RRULE"),
        ] {
            assert_eq!(Recurrence::read(&[line], &zone).unwrap_err(), reason);
        }
    }
}
