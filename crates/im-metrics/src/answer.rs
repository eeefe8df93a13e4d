//! Answers: figures by bucket and group, and the items behind them.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::benchmarks::{self, Level};
use crate::calendar::{Bucket, before, days_between};
use crate::cells::{Cell, Figure};
use crate::columns::{Method, NEVER, Row, Share};
use crate::engine::Engine;
use crate::gather::{Counted, Gathered, gather, in_threads, threads};
use crate::left_out::LeftOut;
use crate::metrics::scan;
use crate::names::NONE;
use crate::num;
use crate::params::{BadQuery, parse};
use crate::plan::{Item, Measured, Of, Plan, Sink, Verdict};
use crate::query::{Dimension, Metric, Mode, Query, Sort};
use crate::sample::Sample;

/// An answer has at most this many figures beside totals; some groups or buckets of more are refused.
pub const CELLS_MAX: usize = 200_000;

/// What a query gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The first and the last local date.
    pub range: (Date, Date),
    /// Facts after this did not count.
    pub as_of_time: Timestamp,
    /// What is grouped by, in the order of the keys.
    pub grouped_by: Vec<Dimension>,
    /// The parts of the range, all of them.
    pub buckets: Vec<Bucket>,
    /// Whether failures may still come for the deployments of each bucket.
    pub immature: Vec<bool>,
    /// The groups with at least one item; ungrouped, the one there is.
    pub series: Vec<Series>,
    /// Items that are in more than one group: the groups add up to more than there is.
    pub in_several_groups: u64,
    /// What does not count.
    pub left_out: LeftOut,
    /// The published levels that figures were compared with.
    pub benchmark: Option<Benchmark>,
    /// The answer for as many dates before.
    pub previous: Option<Box<Self>>,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its keys, one for each thing grouped by; `None` is no value.
    pub keys: Vec<Option<String>>,
    /// One for each bucket.
    pub values: Vec<Value>,
    /// The whole range.
    pub total: Value,
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// The figure.
    pub figure: Figure,
    /// The published level that it meets.
    pub level: Option<&'static str>,
    /// How many of its items are of incidents that nobody told of when they were triggered.
    pub rebuilt: u64,
    /// Of open incidents the one that is open the longest.
    pub oldest: Option<Oldest>,
}

/// The incident that is open the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oldest {
    /// Our number of it.
    pub incident: i64,
    /// When it was triggered.
    pub since: Timestamp,
}

/// Which published levels were used.
#[derive(Debug, Clone, PartialEq)]
pub struct Benchmark {
    /// The year.
    pub year: u16,
    /// Whether each bound is at least as strong as the next one.
    pub monotone: bool,
    /// Where each level is met, in the order of the scale. One that nothing meets is not there.
    pub zones: Vec<Zone>,
}

/// The values of a statistic that meet a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zone {
    /// The level.
    pub level: Level,
    /// From here on.
    pub from: f64,
    /// Up to here; none for any more.
    pub to: Option<f64>,
}

/// One thing behind a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Behind {
    /// The place of its bucket.
    pub bucket: usize,
    /// The instant that puts it there.
    pub at: Timestamp,
    /// What it is.
    pub what: Thing,
    /// The person, where it is about one.
    pub user: Option<String>,
    /// What it adds.
    pub worth: Worth,
    /// Whether nobody told of its incident when it was triggered.
    pub rebuilt: bool,
    /// Whether it was acknowledged the moment it was triggered: by who made it, so nobody was paged.
    pub self_assigned: bool,
    /// For a deployment: the failures that are blamed on it, once [`Engine::blame`] told them.
    pub failures: Vec<Link>,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// An incident, by our number.
    Incident(i64),
    /// A deployment, by its id.
    Deployment(String),
}

/// What an item adds to its figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Worth {
    /// Itself.
    One,
    /// A duration in seconds.
    Seconds(f64),
    /// The hour that it disturbs.
    Hour(Timestamp),
    /// Whether it is of the part that is set against the whole.
    Part(bool),
    /// How it stands to its targets.
    Verdicts {
        /// To the acknowledgement.
        ack: Verdict,
        /// To the resolve.
        resolve: Verdict,
    },
    /// A page of a person.
    Page {
        /// Seconds to the person's acknowledgement, if there was one.
        answered_after: Option<f64>,
        /// Outside working hours.
        out_of_hours: bool,
        /// Nobody took it before it was escalated.
        escalated_away: bool,
    },
}

/// An incident blamed on a deployment, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The incident.
    pub incident: i64,
    /// How the deployment was found.
    pub method: Method,
    /// In words.
    pub reason: String,
}

impl Engine {
    /// Answers a query as of `now`, unless the query names another instant: by several threads where there
    /// is enough to scan.
    pub fn answer(&self, query: &Query, now: Timestamp) -> Result<Answer, BadQuery> {
        let ask = |plan: &Plan<'_>| {
            let threads = threads(plan.rows_covered());
            told(plan, gather(plan, threads), threads)
        };
        let (answer, previous) = self.of_ranges(query, now, ask)?;
        Ok(answer.after(previous))
    }

    /// The same by so many threads.
    pub fn answer_in(
        &self,
        query: &Query,
        now: Timestamp,
        threads: usize,
    ) -> Result<Answer, BadQuery> {
        let ask = |plan: &Plan<'_>| told(plan, gather(plan, threads), threads);
        let (answer, previous) = self.of_ranges(query, now, ask)?;
        Ok(answer.after(previous))
    }

    /// Answers a query that is not grouped, and the same by `by`: of one scan, unless an item may be in several
    /// groups.
    pub fn answer_and_parts(
        &self,
        query: &Query,
        by: Dimension,
        now: Timestamp,
    ) -> Result<(Answer, Answer), BadQuery> {
        let grouped = Query {
            group_by: Some(by),
            ..query.clone()
        };
        if by == Dimension::Team || query.metric == Metric::OncallLoad {
            return Ok((self.answer(query, now)?, self.answer(&grouped, now)?));
        }
        let ask = |plan: &Plan<'_>| {
            let threads = threads(plan.rows_covered());
            let parts = gather(plan, threads);
            let whole = parts.together(plan.buckets.len());
            Ok((told(plan, whole, threads)?, told(plan, parts, threads)?))
        };
        let ((whole, parts), previous) = self.of_ranges(&grouped, now, ask)?;
        let (whole_before, parts_before) = previous.unzip();
        Ok((whole.after(whole_before), parts.after(parts_before)))
    }

    /// Asks for the range of a query and, where it compares, for as many dates before.
    fn of_ranges<T>(
        &self,
        query: &Query,
        now: Timestamp,
        ask: impl Fn(&Plan<'_>) -> Result<T, BadQuery>,
    ) -> Result<(T, Option<T>), BadQuery> {
        let plan = Plan::new(self, query, now)?;
        let answer = ask(&plan)?;
        if !query.compare {
            return Ok((answer, None));
        }
        let (from, _) = plan.range;
        let range = before(plan.range).ok_or(BadQuery::Before { from })?;
        let as_of = query.as_of_time.unwrap_or(now);
        let before = Plan::of_range(self, query, range, as_of)?;
        Ok((answer, Some(ask(&before)?)))
    }

    /// The deployment behind an incident, as `change_failure_rate` sees it unless it is asked otherwise,
    /// and why; a person may have decided that there is none. `None` where nothing links it.
    pub fn link(&self, number: i64, now: Timestamp) -> Option<(Option<String>, Link)> {
        let query = parse(Metric::ChangeFailureRate.as_str(), []).ok()?;
        let plan = Plan::new(self, &query, now).ok()?;
        let row = self.row(number)?;
        let found = plan.linked(row);
        let id = found.and_then(|found| self.names.text(found.id));
        let is_linked = id.is_some() || row.method() == Method::Manual;
        is_linked.then(|| (id.map(str::to_owned), link(&plan, row)))
    }

    /// What is behind the figures of a query, oldest first. The caller narrows a query to a cell by
    /// its range and filters.
    pub fn items(&self, query: &Query, now: Timestamp) -> Result<Vec<Behind>, BadQuery> {
        let plan = Plan::new(self, query, now)?;
        let mut listing = Listing {
            counted: Counted::new(&plan),
            items: Vec::new(),
        };
        scan(&plan, Share::WHOLE, &mut listing);
        let Listing { mut items, .. } = listing;
        items.sort_by(|a: &Behind, b| {
            (a.bucket, a.at, &a.what, &a.user).cmp(&(b.bucket, b.at, &b.what, &b.user))
        });
        Ok(items)
    }

    /// Tells the failures that are blamed on each deployment among some items of a query.
    pub fn blame(
        &self,
        query: &Query,
        items: &mut [Behind],
        now: Timestamp,
    ) -> Result<(), BadQuery> {
        if query.metric == Metric::ChangeFailureRate && query.mode == Mode::Attributed {
            blame(&Plan::new(self, query, now)?, items);
        }
        Ok(())
    }
}

/// Lists what is behind the figures.
struct Listing<'p> {
    counted: Counted<'p>,
    items: Vec<Behind>,
}

impl<'p> Sink<'p> for Listing<'p> {
    fn take(&mut self, item: Item<'p>) {
        if let Some(bucket) = self.counted.bucket(&item) {
            self.items.push(behind(self.counted.plan, bucket, &item));
        }
    }
}

impl Answer {
    /// With the answer for the time before.
    fn after(self, previous: Option<Self>) -> Self {
        Self {
            previous: previous.map(Box::new),
            ..self
        }
    }
}

/// The figures of what was gathered, by so many threads where there are samples to look through.
fn told(plan: &Plan<'_>, gathered: Gathered, threads: usize) -> Result<Answer, BadQuery> {
    let width = plan.buckets.len();
    let Gathered {
        groups,
        mut cells,
        hours,
        in_several,
        left_out,
    } = gathered;
    if groups.len() * width > CELLS_MAX {
        let groups = groups.len();
        return Err(BadQuery::Cells { groups, width });
    }
    hours.count(&mut cells, width);
    let has_samples = cells.iter().any(|cell| cell.samples().next().is_some());
    let threads = if has_samples { threads.max(1) } else { 1 };
    let mut of_groups = cells.chunks(width.max(1));
    let keyed = groups.keys(plan).into_iter();
    let keyed = keyed.map(|keys| (keys, of_groups.next().unwrap_or_default()));
    let keyed: Vec<(Vec<Option<String>>, &[Cell])> = keyed.collect();
    let size = keyed.len().div_ceil(threads).max(1);
    let in_shares = in_threads(keyed.chunks(size), |some| -> Vec<Series> {
        let some = some.iter();
        some.map(|(keys, cells)| series(plan, keys.clone(), cells))
            .collect()
    });
    let mut series: Vec<Series> = in_shares.into_iter().flatten().collect();
    // No value comes last.
    series.sort_by(|a, b| order(&a.keys).cmp(&order(&b.keys)));
    if plan.query.sort == Sort::Value {
        let value = |one: &Series| one.total.figure.headline(plan.query.metric);
        let value = |one: &Series| value(one).unwrap_or(f64::NEG_INFINITY);
        series.sort_by(|a, b| value(b).total_cmp(&value(a)));
    }
    let year = plan.query.benchmark;
    Ok(Answer {
        range: plan.range,
        as_of_time: Timestamp::from_microsecond(plan.as_of).unwrap_or(Timestamp::MAX),
        grouped_by: groups.dimensions(),
        immature: plan
            .buckets
            .iter()
            .map(|bucket| plan.is_immature(bucket))
            .collect(),
        buckets: plan.buckets.clone(),
        series,
        in_several_groups: in_several,
        left_out,
        benchmark: year.map(|year| Benchmark {
            year,
            monotone: benchmarks::is_monotone(plan.query.metric, year),
            zones: benchmarks::zones(plan.query.metric, year),
        }),
        previous: None,
    })
}

fn order(keys: &[Option<String>]) -> Vec<(bool, Option<&str>)> {
    let keys = keys.iter();
    keys.map(|key| (key.is_none(), key.as_deref())).collect()
}

fn series(plan: &Plan<'_>, keys: Vec<Option<String>>, cells: &[Cell]) -> Series {
    let mut whole = Cell::default();
    let mut samples = Vec::with_capacity(cells.len());
    let mut values = Vec::with_capacity(cells.len());
    let mut last = Sample::of_all(&[]);
    let is_state = plan.query.metric == Metric::OpenIncidents;
    for (cell, bucket) in cells.iter().zip(&plan.buckets) {
        if is_state {
            whole = Cell::default();
        }
        whole.merge(cell);
        let before = samples.len();
        samples.extend(cell.samples());
        let of_cell = samples.get(before..).unwrap_or_default();
        last = Sample::of_all(of_cell);
        values.push(value(plan, cell, bucket.days, last));
    }
    // One bucket is the whole.
    let all = match cells {
        [_] => last,
        _ => Sample::of_all(&samples),
    };
    let (from, to) = plan.range;
    let days = days_between(from, to) + 1;
    Series {
        keys,
        values,
        total: value(plan, &whole, days, all),
    }
}

fn value(plan: &Plan<'_>, cell: &Cell, days: i64, sample: Sample) -> Value {
    let (rebuilt, oldest) = (cell.rebuilt(), cell.oldest());
    let figure = cell.figure(plan.query, days, sample.durations());
    // Of deployments that nobody tells of, no frequency is low.
    let is_told = plan.query.metric != Metric::DeploymentFrequency || plan.engine.has_deployments();
    let benchmark = plan.query.benchmark.filter(|_| is_told);
    let level: Option<Level> =
        benchmark.and_then(|year| benchmarks::level(plan.query.metric, year, &figure));
    Value {
        figure,
        level,
        rebuilt,
        oldest: oldest.map(|(since, incident)| Oldest {
            incident,
            since: instant(since),
        }),
    }
}

fn behind(plan: &Plan<'_>, bucket: usize, item: &Item<'_>) -> Behind {
    let text = |id: u32| plan.engine.names.text(id).map(str::to_owned);
    Behind {
        bucket,
        at: instant(item.at),
        what: match item.of {
            Of::Incident(row) => Thing::Incident(row.number()),
            Of::Deployment(deployment) => {
                Thing::Deployment(text(deployment.id).unwrap_or_default())
            }
        },
        user: (item.user != NONE).then(|| text(item.user)).flatten(),
        worth: worth(item.measured),
        rebuilt: item.is_rebuilt(),
        self_assigned: plan.query.metric == Metric::Mtta
            && matches!(item.measured, Measured::Duration(0)),
        failures: Vec::new(),
    }
}

fn worth(measured: Measured) -> Worth {
    match measured {
        Measured::Duration(micros) => Worth::Seconds(num::seconds(micros)),
        Measured::One | Measured::Many(_) | Measured::Open { .. } => Worth::One,
        Measured::Hour { hour, .. } => Worth::Hour(instant(hour.start())),
        Measured::Share(is_part) => Worth::Part(is_part),
        Measured::Failure => Worth::Part(true),
        Measured::Targets { ack, resolve } => Worth::Verdicts { ack, resolve },
        Measured::Page {
            answered_after,
            out_of_hours,
            escalated_away,
        } => Worth::Page {
            answered_after: (answered_after != NEVER).then(|| num::seconds(answered_after)),
            out_of_hours,
            escalated_away,
        },
    }
}

fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

/// Tells each deployment's failures, with the method and the reason of each link.
fn blame<'a>(plan: &'a Plan<'a>, items: &mut [Behind]) {
    let names = &plan.engine.names;
    let id = |item: &Behind| match &item.what {
        Thing::Deployment(id) => names.find(id),
        Thing::Incident(_) => None,
    };
    let asked: HashSet<u32> = items.iter().filter_map(id).collect();
    let mut failures: Vec<(u32, Row<'a>)> = Vec::new();
    plan.rows(Share::WHOLE, |row| {
        if row.is_failure() && plan.passes_as_failure(row) {
            let found = plan.linked(row).filter(|found| asked.contains(&found.id));
            failures.extend(found.map(|found| (found.id, row)));
        }
    });
    failures.sort_by_key(|(of, row)| (*of, row.number()));
    for item in items {
        let Some(id) = id(item) else {
            continue;
        };
        let first = failures.partition_point(|(of, _)| *of < id);
        let of_it = failures.iter().skip(first).take_while(|(of, _)| *of == id);
        item.failures = of_it.map(|(_, row)| link(plan, *row)).collect();
    }
}

fn link(plan: &Plan<'_>, row: Row<'_>) -> Link {
    let finished = plan.linked(row).and_then(|found| found.finished);
    let lag = finished.map(|at| (row.trigger() - at) / 1_000_000);
    let ago = lag.map_or(String::new(), |lag| {
        let (hours, minutes) = (lag / 3_600, lag / 60 % 60);
        format!(", finished {hours}h{minutes:02}m before the trigger")
    });
    Link {
        incident: row.number(),
        method: row.method(),
        reason: match row.method() {
            Method::Manual if row.deployment() == NONE => {
                "a person decided that no deployment caused it".to_owned()
            }
            Method::Manual => "a person linked it".to_owned(),
            Method::Explicit => "the incident's `deployment` field names it".to_owned(),
            Method::SameServiceTime => {
                format!("the newest successful deployment of its service{ago}")
            }
            Method::None => "nothing links it".to_owned(),
        },
    }
}
