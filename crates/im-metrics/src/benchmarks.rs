//! Published DORA levels, by year: bounds read from the best level down.
//!
//! The first bound that the statistic meets is the level, none met is the last level. A table is used
//! as published, even where a bound is weaker than the next one. Seconds, shares, deployments a day; a
//! month is 30 days, six months are 180. "< 1 day" is strict, "5 %" and "0-15 %" include the bound, "on
//! demand" and "multiple per day" are more than one a day. Of 2019 the change failure rate alone is
//! known.

use crate::answer::Zone;
use crate::cells::Figure;
use crate::query::Metric;

/// The word of a level.
pub(crate) type Level = &'static str;

/// How a statistic meets a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    Below(f64),
    AtMost(f64),
    Above(f64),
    AtLeast(f64),
}
use Bound::{Above, AtLeast, AtMost, Below};

/// Bounds from the best level down, and the last level.
struct Levels {
    bounds: &'static [(Level, Bound)],
    last: Level,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Frequency,
    LeadTime,
    FailureRate,
    Recovery,
}

const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;
const WEEK: f64 = 7.0 * DAY;
const MONTH: f64 = 30.0 * DAY;
const HALF_YEAR: f64 = 180.0 * DAY;

const fn low(bounds: &'static [(Level, Bound)]) -> Levels {
    Levels {
        bounds,
        last: "low",
    }
}

const TABLE: [(u16, Kind, Levels); 17] = [
    (
        2019,
        Kind::FailureRate,
        low(&[
            ("elite", AtMost(0.15)),
            ("high", AtMost(0.15)),
            ("medium", AtMost(0.15)),
        ]),
    ),
    (
        2021,
        Kind::Frequency,
        low(&[
            ("elite", Above(1.0)),
            ("high", AtLeast(1.0 / 30.0)),
            ("medium", AtLeast(1.0 / 180.0)),
        ]),
    ),
    (
        2021,
        Kind::LeadTime,
        low(&[
            ("elite", Below(HOUR)),
            ("high", Below(WEEK)),
            ("medium", Below(HALF_YEAR)),
        ]),
    ),
    (
        2021,
        Kind::FailureRate,
        low(&[
            ("elite", AtMost(0.15)),
            ("high", AtMost(0.3)),
            ("medium", AtMost(0.3)),
        ]),
    ),
    (
        2021,
        Kind::Recovery,
        low(&[
            ("elite", Below(HOUR)),
            ("high", Below(DAY)),
            ("medium", Below(WEEK)),
        ]),
    ),
    (
        2022,
        Kind::Frequency,
        low(&[("high", Above(1.0)), ("medium", AtLeast(1.0 / 30.0))]),
    ),
    (
        2022,
        Kind::LeadTime,
        low(&[("high", Below(WEEK)), ("medium", Below(MONTH))]),
    ),
    (
        2022,
        Kind::FailureRate,
        low(&[("high", AtMost(0.15)), ("medium", AtMost(0.3))]),
    ),
    (
        2022,
        Kind::Recovery,
        low(&[("high", Below(DAY)), ("medium", Below(WEEK))]),
    ),
    (
        2023,
        Kind::Frequency,
        low(&[
            ("elite", Above(1.0)),
            ("high", AtLeast(1.0 / 7.0)),
            ("medium", AtLeast(1.0 / 30.0)),
        ]),
    ),
    (
        2023,
        Kind::LeadTime,
        low(&[
            ("elite", Below(DAY)),
            ("high", Below(WEEK)),
            ("medium", Below(MONTH)),
        ]),
    ),
    (
        2023,
        Kind::FailureRate,
        low(&[
            ("elite", AtMost(0.05)),
            ("high", AtMost(0.1)),
            ("medium", AtMost(0.15)),
        ]),
    ),
    (
        2023,
        Kind::Recovery,
        low(&[
            ("elite", Below(HOUR)),
            ("high", Below(DAY)),
            ("medium", Below(WEEK)),
        ]),
    ),
    (
        2024,
        Kind::Frequency,
        low(&[
            ("elite", Above(1.0)),
            ("high", AtLeast(1.0 / 7.0)),
            ("medium", AtLeast(1.0 / 30.0)),
        ]),
    ),
    (
        2024,
        Kind::LeadTime,
        low(&[
            ("elite", Below(DAY)),
            ("high", Below(WEEK)),
            ("medium", Below(MONTH)),
        ]),
    ),
    (
        2024,
        Kind::FailureRate,
        low(&[
            ("elite", AtMost(0.05)),
            ("high", AtMost(0.2)),
            ("medium", AtMost(0.1)),
        ]),
    ),
    (
        2024,
        Kind::Recovery,
        low(&[
            ("elite", Below(HOUR)),
            ("high", Below(DAY)),
            ("medium", Below(DAY)),
        ]),
    ),
];

/// The years with published levels, oldest first.
pub(crate) fn years() -> Vec<u16> {
    let mut years: Vec<u16> = TABLE.iter().map(|(year, _, _)| *year).collect();
    years.dedup();
    years
}

/// The level that a figure meets; none where there is no statistic, or nothing was published.
pub(crate) fn level(metric: Metric, year: u16, figure: &Figure) -> Option<Level> {
    let levels = levels(metric, year)?;
    let statistic = match figure {
        Figure::Durations(durations) => durations.median?,
        Figure::Rate { per_day, .. } => *per_day,
        Figure::Ratio { ratio, .. } => (*ratio)?,
        Figure::Count { .. } | Figure::Compliance { .. } | Figure::Load { .. } => return None,
    };
    let mut bounds = levels.bounds.iter();
    let met = bounds.find(|(_, bound)| match *bound {
        Below(bound) => statistic < bound,
        AtMost(bound) => statistic <= bound,
        Above(bound) => statistic > bound,
        AtLeast(bound) => statistic >= bound,
    });
    Some(met.map_or(levels.last, |(level, _)| level))
}

/// Whether no bound is weaker than the next one.
pub(crate) fn is_monotone(metric: Metric, year: u16) -> bool {
    let bounds = levels(metric, year).map_or(&[][..], |levels| levels.bounds);
    bounds.windows(2).all(|pair| match pair {
        [(_, Below(a) | AtMost(a)), (_, Below(b) | AtMost(b))] => a <= b,
        [(_, Above(a) | AtLeast(a)), (_, Above(b) | AtLeast(b))] => a >= b,
        _ => true,
    })
}

/// Where each level is met, lowest values first: the first bound that a value meets is its level.
pub(crate) fn zones(metric: Metric, year: u16) -> Vec<Zone> {
    let Some(levels) = levels(metric, year) else {
        return Vec::new();
    };
    let is_low_good = matches!(levels.bounds.first(), Some((_, Below(_) | AtMost(_))));
    let mut zones = Vec::new();
    // What is met by no level yet: from here up, or up to here.
    let (mut from, mut to) = (0.0, None);
    for (level, bound) in levels.bounds {
        match *bound {
            Below(bound) | AtMost(bound) if bound > from => {
                zones.push(zone(level, from, Some(bound)));
                from = bound;
            }
            Above(bound) | AtLeast(bound) if to.is_none_or(|to| bound < to) => {
                zones.push(zone(level, bound, to));
                to = Some(bound);
            }
            // Whatever meets it has met a better one.
            Below(_) | AtMost(_) | Above(_) | AtLeast(_) => {}
        }
    }
    zones.push(zone(levels.last, from, to));
    if !is_low_good {
        zones.reverse();
    }
    zones
}

fn zone(level: Level, from: f64, to: Option<f64>) -> Zone {
    Zone { level, from, to }
}

fn levels(metric: Metric, year: u16) -> Option<&'static Levels> {
    let kind = match metric {
        Metric::DeploymentFrequency => Kind::Frequency,
        Metric::ChangeLeadTime => Kind::LeadTime,
        Metric::ChangeFailureRate => Kind::FailureRate,
        Metric::TimeToRestore | Metric::FailedDeploymentRecoveryTime => Kind::Recovery,
        Metric::Mttr
        | Metric::Mtta
        | Metric::Pages
        | Metric::PageDisruptions
        | Metric::IncidentFrequency
        | Metric::DeploymentReworkRate
        | Metric::SlaCompliance
        | Metric::OncallLoad
        | Metric::ReopenRate
        | Metric::OpenIncidents
        | Metric::Escalations => return None,
    };
    let mut table = TABLE.iter();
    let found = table.find(|(of, what, _)| (*of, *what) == (year, kind));
    found.map(|(_, _, levels)| levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(metric: Metric, year: u16) -> Vec<(Level, f64, Option<f64>)> {
        let zones = zones(metric, year).into_iter();
        zones.map(|zone| (zone.level, zone.from, zone.to)).collect()
    }

    #[test]
    fn zones_are_where_the_first_bound_that_is_met_says() {
        assert_eq!(
            told(Metric::ChangeFailureRate, 2023),
            [
                ("elite", 0.0, Some(0.05)),
                ("high", 0.05, Some(0.1)),
                ("medium", 0.1, Some(0.15)),
                ("low", 0.15, None),
            ]
        );
        // As published: what is medium is high before.
        assert_eq!(
            told(Metric::ChangeFailureRate, 2024),
            [
                ("elite", 0.0, Some(0.05)),
                ("high", 0.05, Some(0.2)),
                ("low", 0.2, None),
            ]
        );
        assert_eq!(
            told(Metric::DeploymentFrequency, 2022),
            [
                ("low", 0.0, Some(1.0 / 30.0)),
                ("medium", 1.0 / 30.0, Some(1.0)),
                ("high", 1.0, None),
            ]
        );
        assert!(told(Metric::Mttr, 2024).is_empty());
    }
}
