//! What others published, written out here a second time: DORA's levels of each year, and the zones of Ruby on Rails.

use im_metrics::input::{Deployment, History, ManualLink};
use im_metrics::{Metric, iana};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::given::{World, deployment, incident, march};

/// A bound, read from the best level down: its level, its sign, and the bound as a fraction. Seconds, shares, deployments a day.
type Bound = (&'static str, &'static str, (i64, i64));

const HOUR: (i64, i64) = (3_600, 1);
const DAY: (i64, i64) = (86_400, 1);
const WEEK: (i64, i64) = (604_800, 1);
const MONTH: (i64, i64) = (2_592_000, 1);
const HALF_YEAR: (i64, i64) = (15_552_000, 1);

/// What meets no bound is `low`.
const PUBLISHED: &[(u16, &str, &[Bound])] = &[
    (
        2019,
        "failures",
        &[
            ("elite", "<=", (15, 100)),
            ("high", "<=", (15, 100)),
            ("medium", "<=", (15, 100)),
        ],
    ),
    (
        2021,
        "frequency",
        &[
            ("elite", ">", (1, 1)),
            ("high", ">=", (1, 30)),
            ("medium", ">=", (1, 180)),
        ],
    ),
    (
        2021,
        "lead",
        &[
            ("elite", "<", HOUR),
            ("high", "<", WEEK),
            ("medium", "<", HALF_YEAR),
        ],
    ),
    (
        2021,
        "failures",
        &[
            ("elite", "<=", (15, 100)),
            ("high", "<=", (30, 100)),
            ("medium", "<=", (30, 100)),
        ],
    ),
    (
        2021,
        "recovery",
        &[
            ("elite", "<", HOUR),
            ("high", "<", DAY),
            ("medium", "<", WEEK),
        ],
    ),
    (
        2022,
        "frequency",
        &[("high", ">", (1, 1)), ("medium", ">=", (1, 30))],
    ),
    (2022, "lead", &[("high", "<", WEEK), ("medium", "<", MONTH)]),
    (
        2022,
        "failures",
        &[("high", "<=", (15, 100)), ("medium", "<=", (30, 100))],
    ),
    (
        2022,
        "recovery",
        &[("high", "<", DAY), ("medium", "<", WEEK)],
    ),
    (
        2023,
        "frequency",
        &[
            ("elite", ">", (1, 1)),
            ("high", ">=", (1, 7)),
            ("medium", ">=", (1, 30)),
        ],
    ),
    (
        2023,
        "lead",
        &[
            ("elite", "<", DAY),
            ("high", "<", WEEK),
            ("medium", "<", MONTH),
        ],
    ),
    (
        2023,
        "failures",
        &[
            ("elite", "<=", (5, 100)),
            ("high", "<=", (10, 100)),
            ("medium", "<=", (15, 100)),
        ],
    ),
    (
        2023,
        "recovery",
        &[
            ("elite", "<", HOUR),
            ("high", "<", DAY),
            ("medium", "<", WEEK),
        ],
    ),
    (
        2024,
        "frequency",
        &[
            ("elite", ">", (1, 1)),
            ("high", ">=", (1, 7)),
            ("medium", ">=", (1, 30)),
        ],
    ),
    (
        2024,
        "lead",
        &[
            ("elite", "<", DAY),
            ("high", "<", WEEK),
            ("medium", "<", MONTH),
        ],
    ),
    (
        2024,
        "failures",
        &[
            ("elite", "<=", (5, 100)),
            ("high", "<=", (20, 100)),
            ("medium", "<=", (10, 100)),
        ],
    ),
    (
        2024,
        "recovery",
        &[
            ("elite", "<", HOUR),
            ("high", "<", DAY),
            ("medium", "<", DAY),
        ],
    ),
];

const YEARS: [u16; 5] = [2019, 2021, 2022, 2023, 2024];
const METRICS: [(&str, &str); 5] = [
    ("deployment_frequency", "frequency"),
    ("change_lead_time", "lead"),
    ("change_failure_rate", "failures"),
    ("time_to_restore", "recovery"),
    ("failed_deployment_recovery_time", "recovery"),
];

fn bounds(year: u16, kind: &str) -> Option<&'static [Bound]> {
    let mut published = PUBLISHED.iter();
    let found = published.find(|(of, what, _)| (*of, *what) == (year, kind));
    found.map(|(_, _, bounds)| *bounds)
}

/// The level of a statistic of a metric, for those who computed one; none where nothing was published.
pub(crate) fn level_of(metric: &str, year: u16, statistic: f64) -> Option<&'static str> {
    let (_, kind) = METRICS.iter().find(|(name, _)| *name == metric)?;
    let number = |number: i64| f64::from(i32::try_from(number).unwrap());
    let mut bounds = bounds(year, kind)?.iter();
    let met = bounds.find(|(_, sign, (bound, of))| {
        let bound = number(*bound) / number(*of);
        match *sign {
            "<" => statistic < bound,
            "<=" => statistic <= bound,
            ">" => statistic > bound,
            _ => statistic >= bound,
        }
    });
    Some(met.map_or("low", |(level, _, _)| level))
}

/// The level of a value, a fraction.
fn expected(bounds: &[Bound], (value, whole): (i64, i64)) -> &'static str {
    let met = bounds.iter().find(|(_, sign, (bound, of))| {
        let (value, bound) = (value * of, bound * whole);
        match *sign {
            "<" => value < bound,
            "<=" => value <= bound,
            ">" => value > bound,
            ">=" => value >= bound,
            other => panic!("{other}?"),
        }
    });
    met.map_or("low", |(level, _, _)| level)
}

/// Values at a bound and at either side of it.
fn around(kind: &str, (bound, of): (i64, i64)) -> [(i64, i64); 3] {
    match kind {
        "frequency" => [(bound, of + 1), (bound, of), (bound + 1, of)],
        "failures" => [(bound - 1, of), (bound, of), (bound + 1, of)],
        // Seconds, as so many microseconds.
        _ => [-1, 0, 1].map(|more| (bound * 1_000_000 + more, 1_000_000)),
    }
}

/// A world whose figure is that value, and the dates that it is asked of.
fn world(metric: &str, (value, whole): (i64, i64)) -> (World, String) {
    let mut world = march(&[]);
    let whole_month = "from=2026-03-01 to=2026-03-31".to_owned();
    let dated = |number: i64| deployment(&format!("d{number:03}"), "SDB", "03-02 08:00");
    let lasted = |number: i64, length: SignedDuration| {
        let mut history = incident(number, "03-02 08:00 trigger\n03-02 08:00 resolve UANN");
        history.link = Some(ManualLink::Deployment("d001".to_owned()));
        // Over on 2 March, however long it was.
        history.events[0].at -= length;
        history
    };
    match metric {
        "deployment_frequency" => {
            world.deployments = (1..=value).map(dated).collect();
            let first = jiff::civil::date(2026, 3, 2);
            let last = first
                .checked_add(jiff::Span::new().days(whole - 1))
                .unwrap();
            return (world, format!("from={first} to={last}"));
        }
        "change_failure_rate" => {
            world.deployments = (1..=whole).map(dated).collect();
            let blamed = |number: i64| History {
                link: Some(ManualLink::Deployment(format!("d{number:03}"))),
                ..incident(number, "03-02 09:00 trigger")
            };
            world.histories = (1..=value).map(blamed).collect();
        }
        "change_lead_time" => {
            let finished = dated(1);
            let commits = vec![finished.started_at - SignedDuration::from_micros(value)];
            world.deployments = vec![Deployment {
                commits,
                ..finished
            }];
        }
        "time_to_restore" => world.histories = vec![lasted(1, SignedDuration::from_micros(value))],
        _ => {
            // From the deployment's finish.
            let mut history = lasted(1, SignedDuration::ZERO);
            let mut caused = dated(1);
            history.events[0].at -= SignedDuration::from_micros(value);
            caused.finished_at = Some(history.events[0].at);
            world.histories = vec![history];
            world.deployments = vec![caused];
        }
    }
    (world, whole_month)
}

fn level(metric: &str, year: u16, value: (i64, i64)) -> Option<&'static str> {
    let (world, range) = world(metric, value);
    let answer = world.ask(metric, &format!("{range} benchmark={year}"));
    assert_eq!(answer.benchmark.as_ref().unwrap().year, year);
    answer.series[0].total.level
}

#[test]
fn each_published_bound_is_the_one_that_is_used() {
    for year in YEARS {
        for (metric, kind) in METRICS {
            let Some(bounds) = bounds(year, kind) else {
                assert_eq!(level(metric, year, (1, 1)), None, "{metric} {year}");
                continue;
            };
            for (_, _, bound) in bounds {
                for value in around(kind, *bound) {
                    let want = expected(bounds, value);
                    let found = level(metric, year, value);
                    assert_eq!(found, Some(want), "{metric} {year}: {value:?}");
                }
            }
        }
    }
}

#[test]
fn the_failure_rate_of_2024_alone_is_not_monotone() {
    for year in YEARS {
        for (metric, kind) in METRICS {
            let (world, range) = world(metric, (1, 1));
            let answer = world.ask(metric, &format!("{range} benchmark={year}"));
            let found = answer.benchmark.unwrap().monotone;
            assert_eq!(found, (year, kind) != (2024, "failures"), "{metric} {year}");
        }
    }
}

#[test]
fn levels_are_those_of_doras_metrics_and_of_the_newest_year_unless_one_is_named() {
    for metric in Metric::ALL {
        let asked = crate::given::ask(metric.as_str(), "benchmark=2023");
        let names = METRICS.map(|(name, _)| name);
        let is_dora =
            names.contains(&metric.as_str()) || metric.as_str() == "deployment_rework_rate";
        assert_eq!(asked.is_ok(), is_dora, "{}", metric.as_str());
        let unnamed = crate::given::query(metric.as_str(), "").benchmark;
        assert_eq!(unnamed, is_dora.then_some(2024), "{}", metric.as_str());
    }
}

/// Ruby on Rails' name and the IANA name of each zone.
const RAILS: &str = include_str!("../data/rails_zones.tsv");

#[test]
fn each_zone_of_rails_has_its_iana_name() {
    let zones: Vec<_> = RAILS
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    assert_eq!(zones.len(), 151);
    for (rails, name) in zones {
        assert_eq!(iana(rails), name);
        assert!(TimeZone::get(name).is_ok(), "{name}");
    }
    for name in ["Europe/Berlin", "Europe/Kiev", "Asia/Rangoon", "Nowhere"] {
        assert_eq!(iana(name), name);
    }
}
