//! Findings: what in the incidents of a range is worth a look, and why.
//!
//! Over the incidents triggered in the range that pass the filters, without tests and merge sources.
//! Nothing is guessed: two incidents recur if their titles or keys say so, and a cause is one that was
//! named. What is compared with the time before is compared by the metrics' own figures.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hashbrown::HashMap;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::answer::Answer;
use crate::columns::{NEVER, Row, Share};
use crate::derive::Code;
use crate::engine::Engine;
use crate::gather::{Counted, in_threads, threads};
use crate::metrics::scan;
use crate::names::{NONE, NOTHING};
use crate::num;
use crate::params::{BadQuery, parse};
use crate::plan::{Item, Measured, Of, Plan, Sink};
use crate::query::{Dimension, Filter, Metric, Query};
use crate::recurring::{normal, recurring};
use crate::spent::Spent;
use crate::weekly::of_micros;

/// Occurrences that are further apart are not the same matter.
pub const RECURS_WITHIN_DAYS: i64 = 30;
/// Fewer items than this in a range make no trend.
const TREND_MIN: u64 = 3;
/// Changes told at most.
const CHANGES_MAX: usize = 10;

pub(crate) const DAY: i64 = 24 * 3_600_000_000;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// The first and the last local date.
    pub range: (Date, Date),
    /// Incidents of the range.
    pub incidents: u64,
    /// Matters that came again, the most frequent first.
    pub recurring: Vec<Recurring>,
    /// Where time goes, by service; the slowest first.
    pub bottlenecks: Vec<Bottleneck>,
    /// The incidents triggered by weekday from Monday and by hour, on the organisation's clock; oldest first.
    pub heat: Vec<[Vec<i64>; 24]>,
    /// Figures that became worse, the worst first.
    pub changes: Vec<Change>,
    /// Weeks in which a person had more pages than the target allows, the most first.
    pub overloaded: Vec<Overloaded>,
    /// The causes that were named, the most frequent first.
    pub causes: Vec<Cause>,
}

/// A cause that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Which; `None` where none was.
    pub cause: Option<String>,
    /// The incidents, oldest first.
    pub incidents: Vec<i64>,
}

/// A matter that came again on one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurring {
    /// The service.
    pub service: Option<String>,
    /// The title without numbers, ids and hosts.
    pub title: String,
    /// The incidents, oldest first.
    pub incidents: Vec<i64>,
    /// When the first began.
    pub first: Timestamp,
    /// When the last began.
    pub last: Timestamp,
}

/// A part of the time from the trigger to the resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Until somebody acknowledges.
    Acknowledge,
    /// From then on until it is over.
    Resolve,
}

impl Stage {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }
}

/// Where the time of a service's incidents goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Bottleneck {
    /// The service.
    pub service: Option<String>,
    /// Its incidents, oldest first.
    pub incidents: Vec<i64>,
    /// Mean seconds from the trigger to the first acknowledgement.
    pub to_acknowledge: Option<f64>,
    /// Mean seconds from there to the last resolve.
    pub to_resolve: Option<f64>,
    /// The longer of the two.
    pub longest: Option<Stage>,
    /// Escalations.
    pub escalations: u64,
    /// Assignments and delegations after the first.
    pub reassignments: u64,
    /// Seconds in which incidents were open and nobody had acknowledged them.
    pub unowned: f64,
    /// The share of that in the time that they were open.
    pub unowned_share: Option<f64>,
    /// Seconds in which incidents were open and somebody had acknowledged them.
    pub engaged: f64,
    /// Those of them in which they were put off.
    pub snoozed: f64,
}

/// A figure that became worse.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub metric: Metric,
    /// Of a service or a team.
    pub of: Dimension,
    /// Which one; `None` is no value.
    pub key: Option<String>,
    /// The figure before, over as many dates.
    pub before: f64,
    /// The figure now.
    pub now: f64,
    /// How many times more it is; `None` where it was 0 before.
    pub times: Option<f64>,
    /// The incidents behind the figure now, oldest first; of a share those in its part: reopened, failures.
    pub incidents: Vec<i64>,
}

/// A week in which a person had too many pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overloaded {
    /// The person.
    pub user: String,
    /// The nominal start of the week.
    pub week: Date,
    /// Pages in it.
    pub pages: u64,
    /// The incidents of these pages, oldest first.
    pub incidents: Vec<i64>,
}

/// Everything about a service, being added up.
#[derive(Default)]
struct Sums {
    incidents: Vec<i64>,
    to_acknowledge: (u64, i128),
    to_resolve: (u64, i128),
    escalations: u64,
    reassignments: u64,
    unowned: i128,
    open: i128,
    snoozed: i128,
}

impl Engine {
    /// What is to be found. Of the query, the dates, the filters, `as_of` and `as_of_time` count; a
    /// person's week may have `pages_max` pages.
    pub fn findings(
        &self,
        query: &Query,
        pages_max: f64,
        now: Timestamp,
    ) -> Result<Findings, BadQuery> {
        let plan = Plan::new(self, query, now)?;
        let rows = looked_at(&plan);
        Ok(Findings {
            range: plan.range,
            incidents: rows.len().try_into().unwrap_or(u64::MAX),
            recurring: recurring(&plan, &rows),
            bottlenecks: bottlenecks(&plan, &rows),
            heat: heat(&plan, &rows),
            changes: self.changes(query, &plan, now)?,
            overloaded: self.overloaded(query, &plan, pages_max, now)?,
            causes: causes(self, &rows),
        })
    }

    /// The matters alone that came again, as [`Engine::findings`] tells them.
    pub fn recurring(&self, query: &Query, now: Timestamp) -> Result<Vec<Recurring>, BadQuery> {
        let plan = Plan::new(self, query, now)?;
        Ok(recurring(&plan, &looked_at(&plan)))
    }

    /// The cause that was named of an incident.
    pub fn cause(&self, number: i64) -> Option<&str> {
        self.names.text(self.labels(self.row(number)?).cause)
    }

    /// The last incident before one of the same matter.
    pub fn recurs_from(&self, number: i64) -> Option<i64> {
        self.seen_before(number).first().copied()
    }

    /// The incidents before one of the same matter, the newest first: of its service at trigger, with its key or its
    /// title, at most 30 days earlier; tests and merge sources are none.
    pub fn seen_before(&self, number: i64) -> Vec<i64> {
        let Some(row) = self.row(number) else {
            return Vec::new();
        };
        let title = normal(self.title(row));
        let place = |row: Row<'_>| (row.trigger(), row.number());
        let since = row.trigger() - RECURS_WITHIN_DAYS * DAY;
        let is_before = |other: &Row<'_>| {
            let has_key = row.key() != NONE && other.key() == row.key();
            place(*other) < place(row)
                && other.trigger() >= since
                && self.labels(*other).service == self.labels(row).service
                && !other.is_left_out()
                && (has_key || normal(self.title(*other)) == title)
        };
        // Of others than that time nothing is looked at.
        let blocks = self.main.blocks((since, row.trigger() + 1), Share::WHOLE);
        let mut before: Vec<Row<'_>> = blocks
            .flat_map(|rows| rows.each().filter(&is_before))
            .collect();
        before.sort_by_key(|row| Reverse(place(*row)));
        before.into_iter().map(Row::number).collect()
    }

    /// What became worse, by service and by team.
    fn changes(
        &self,
        query: &Query,
        plan: &Plan<'_>,
        now: Timestamp,
    ) -> Result<Vec<Change>, BadQuery> {
        const WORSE_IF_MORE: [Metric; 5] = [
            Metric::Mttr,
            Metric::Mtta,
            Metric::IncidentFrequency,
            Metric::ReopenRate,
            Metric::ChangeFailureRate,
        ];
        let mut asked = Vec::new();
        for metric in WORSE_IF_MORE {
            for of in [Dimension::Service, Dimension::Team] {
                let query = like(metric, query, plan.range, "all", of.as_str())?;
                asked.push(Query {
                    compare: true,
                    ..query
                });
            }
        }
        let answered = in_threads(
            self.shares(&asked),
            |some| -> Result<Vec<Change>, BadQuery> {
                let mut changes = Vec::new();
                for asked in some {
                    let answer = self.answer_in(asked, now, 1)?;
                    changes.extend(became_worse(asked, &answer));
                }
                Ok(changes)
            },
        );
        let mut changes = Vec::new();
        for some in answered {
            changes.extend(some?);
        }
        // What was nothing before comes first.
        let worse = |change: &Change| change.times.unwrap_or(f64::INFINITY);
        changes.sort_by(|a, b| worse(b).total_cmp(&worse(a)));
        changes.truncate(CHANGES_MAX);
        let size = self.share_of(changes.len());
        let told = in_threads(changes.chunks_mut(size), |some| {
            some.iter_mut()
                .try_for_each(|change| -> Result<(), BadQuery> {
                    let asked = like(change.metric, query, plan.range, "all", "none")?;
                    let asked = only(asked, change.of, change.key.clone());
                    change.incidents = if change.metric == Metric::ChangeFailureRate {
                        self.failures(&asked, now)?
                    } else {
                        let behind = self.behind(&asked, now)?.into_iter();
                        oldest_first(behind.map(|(_, incident)| incident))
                    };
                    Ok(())
                })
        });
        told.into_iter().collect::<Result<(), BadQuery>>()?;
        Ok(changes)
    }

    /// How many of so many each thread has.
    fn share_of(&self, count: usize) -> usize {
        count.div_ceil(threads(self.len()).max(1)).max(1)
    }

    /// What each thread has, in order.
    pub(crate) fn shares<'a, T>(&self, all: &'a [T]) -> std::slice::Chunks<'a, T> {
        all.chunks(self.share_of(all.len()))
    }

    /// The weeks of people with too many pages.
    fn overloaded(
        &self,
        query: &Query,
        plan: &Plan<'_>,
        pages_max: f64,
        now: Timestamp,
    ) -> Result<Vec<Overloaded>, BadQuery> {
        let asked = like(Metric::PageDisruptions, query, plan.range, "week", "user")?;
        let answer = self.answer(&asked, now)?;
        let mut over: BTreeMap<(u32, usize), u64> = BTreeMap::new();
        for series in &answer.series {
            let user = series.keys.first().and_then(Option::as_deref);
            let Some(user) = user.and_then(|user| self.names.find(user)) else {
                continue;
            };
            for (place, value) in series.values.iter().enumerate() {
                let pages = value.figure.count();
                if num::float(pages.into()) > pages_max {
                    over.insert((user, place), pages);
                }
            }
        }
        if over.is_empty() {
            return Ok(Vec::new());
        }
        let mut behind: HashMap<Week, Vec<Began>> = HashMap::new();
        for (week, incident) in self.behind(&asked, now)? {
            if over.contains_key(&week) {
                behind.entry(week).or_default().push(incident);
            }
        }
        let mut told = |(week, pages): (Week, u64)| {
            Some(Overloaded {
                incidents: oldest_first(behind.remove(&week).into_iter().flatten()),
                user: self.names.text(week.0)?.to_owned(),
                week: answer.buckets.get(week.1)?.label,
                pages,
            })
        };
        let mut found: Vec<Overloaded> = over.into_iter().filter_map(&mut told).collect();
        found.sort_by(|a, b| (b.pages, a.week, &a.user).cmp(&(a.pages, b.week, &b.user)));
        Ok(found)
    }

    /// Each incident behind a figure (of a share: in its part), as often as it is, with the person and the bucket.
    fn behind(&self, query: &Query, now: Timestamp) -> Result<Vec<(Week, Began)>, BadQuery> {
        let plan = Plan::new(self, query, now)?;
        let mut incidents = Incidents {
            counted: Counted::new(&plan),
            found: Vec::new(),
        };
        scan(&plan, Share::WHOLE, &mut incidents);
        let Incidents { found, .. } = incidents;
        Ok(found)
    }

    /// The failures that are blamed on the deployments of a question.
    fn failures(&self, query: &Query, now: Timestamp) -> Result<Vec<i64>, BadQuery> {
        let mut items = self.items(query, now)?;
        self.blame(query, &mut items, now)?;
        let links = items.iter().flat_map(|item| &item.failures);
        let rows = links.filter_map(|link| self.row(link.incident));
        Ok(oldest_first(rows.map(|row| (row.trigger(), row.number()))))
    }
}

/// A person and a bucket.
type Week = (u32, usize);

/// When an incident began, and its number.
type Began = (i64, i64);

/// Finds the incidents behind a figure; of a share those that are in the part.
struct Incidents<'p> {
    counted: Counted<'p>,
    found: Vec<(Week, Began)>,
}

impl<'p> Sink<'p> for Incidents<'p> {
    fn take(&mut self, item: Item<'p>) {
        if matches!(item.measured, Measured::Share(false)) {
            return;
        }
        if let (Some(bucket), Of::Incident(row)) = (self.counted.bucket(&item), item.of) {
            let began = (row.trigger(), row.number());
            self.found.push(((item.user, bucket), began));
        }
    }
}

/// Incidents, each once.
fn oldest_first(incidents: impl Iterator<Item = Began>) -> Vec<i64> {
    let mut incidents: Vec<Began> = incidents.collect();
    incidents.sort_unstable();
    incidents.dedup();
    incidents.into_iter().map(|(_, number)| number).collect()
}

/// The groups of an answer whose figure is more than it was, where there are many of both.
fn became_worse(asked: &Query, answer: &Answer) -> Vec<Change> {
    let Some(of) = asked.group_by else {
        return Vec::new();
    };
    let metric = asked.metric;
    let before = answer.previous.as_deref();
    let changes = answer.series.iter().filter_map(|series| {
        let key = series.keys.first().cloned().flatten();
        if of == Dimension::Team && key.is_none() {
            // Without teams it would say once more what services say.
            return None;
        }
        let mut earlier = before.into_iter().flat_map(|before| &before.series);
        let earlier = earlier.find(|one| one.keys == series.keys)?;
        let (then, now) = (&earlier.total.figure, &series.total.figure);
        if then.count().min(now.count()) < TREND_MIN {
            return None;
        }
        let (then, now) = (then.headline(metric)?, now.headline(metric)?);
        (now > then).then(|| Change {
            metric,
            of,
            key,
            incidents: Vec::new(),
            before: then,
            now,
            times: (then > 0.0).then(|| now / then),
        })
    });
    changes.collect()
}

/// The incidents of a question, oldest first.
fn looked_at<'a>(plan: &'a Plan<'a>) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    plan.rows_in_range(Share::WHOLE, |row| {
        let counts = !row.is_left_out() && plan.cuts.hold(row.trigger());
        if counts && plan.passes(row) && plan.passes_own_teams(row) {
            rows.push(row);
        }
    });
    rows.sort_by_key(|row| (row.trigger(), row.number()));
    rows
}

/// The question for a metric, with the dates, the filters and the time of another.
pub(crate) fn like(
    metric: Metric,
    query: &Query,
    (from, to): (Date, Date),
    bucket: &str,
    group_by: &str,
) -> Result<Query, BadQuery> {
    let params = [("bucket", bucket), ("group_by", group_by)];
    let plain = parse(metric.as_str(), params)?;
    let allowed = Dimension::filters_of(metric, plain.source);
    let filters = query.filters.iter();
    let filters = filters.filter(|(by, _)| allowed.contains(by)).cloned();
    Ok(Query {
        from: Some(from),
        to: Some(to),
        filters: filters.collect::<Vec<Filter>>(),
        as_of: query.as_of,
        as_of_time: query.as_of_time,
        ..plain
    })
}

/// The same question about one part alone.
fn only(query: Query, by: Dimension, key: Option<String>) -> Query {
    let mut query = query;
    query.filters.retain(|(other, _)| *other != by);
    query.filters.push((by, vec![key]));
    query
}

/// What a person's link to a deployment says where no cause is named.
const BY_DEPLOYMENT: &str = "deployment";

fn causes(engine: &Engine, rows: &[Row<'_>]) -> Vec<Cause> {
    let mut causes: HashMap<Option<&str>, Vec<i64>> = HashMap::new();
    for row in rows {
        let labels = engine.labels(*row);
        let is_linked = ![NONE, NOTHING].contains(&labels.manual) && !labels.not_change_related;
        let cause = engine.names.text(labels.cause);
        let cause = cause.or(is_linked.then_some(BY_DEPLOYMENT));
        causes.entry(cause).or_default().push(row.number());
    }
    let causes = causes.into_iter();
    let mut causes: Vec<Cause> = causes
        .map(|(cause, incidents)| Cause {
            cause: cause.map(str::to_owned),
            incidents,
        })
        .collect();
    let order = |one: &Cause| {
        (
            Reverse(one.incidents.len()),
            one.cause.is_none(),
            one.cause.clone(),
        )
    };
    causes.sort_by_key(order);
    causes
}

fn heat(plan: &Plan<'_>, rows: &[Row<'_>]) -> Vec<[Vec<i64>; 24]> {
    let mut heat: Vec<[Vec<i64>; 24]> = Vec::new();
    heat.resize_with(7, Default::default);
    for row in rows {
        let (day, hour) = of_micros(row.trigger(), &plan.engine.settings.zone);
        if let Some(cell) = heat.get_mut(day).and_then(|day| day.get_mut(hour)) {
            cell.push(row.number());
        }
    }
    heat
}

fn bottlenecks(plan: &Plan<'_>, rows: &[Row<'_>]) -> Vec<Bottleneck> {
    let mut services: HashMap<u32, Sums> = HashMap::new();
    for share in in_threads(plan.engine.shares(rows), |rows| sums(plan, rows)) {
        for (service, more) in share {
            services.entry(service).or_default().take(more);
        }
    }
    let services = services.into_iter();
    let mut found: Vec<Bottleneck> = services
        .map(|(service, sums)| sums.told(plan.engine.names.text(service)))
        .collect();
    let length = |one: &Bottleneck| {
        let parts = [one.to_acknowledge, one.to_resolve];
        parts.into_iter().flatten().sum::<f64>()
    };
    found.sort_by(|a, b| {
        let slower = length(b).total_cmp(&length(a));
        slower.then_with(|| a.service.cmp(&b.service))
    });
    found
}

/// What the incidents of each service add up to.
fn sums(plan: &Plan<'_>, rows: &[Row<'_>]) -> HashMap<u32, Sums> {
    let mut services: HashMap<u32, Sums> = HashMap::new();
    for row in rows {
        let service = plan.field(*row, Dimension::Service);
        services.entry(service).or_default().add(plan, *row);
    }
    services
}

impl Sums {
    /// Takes in what later incidents add up to.
    fn take(&mut self, later: Self) {
        self.incidents.extend(later.incidents);
        for (mean, more) in [
            (&mut self.to_acknowledge, later.to_acknowledge),
            (&mut self.to_resolve, later.to_resolve),
        ] {
            mean.0 += more.0;
            mean.1 += more.1;
        }
        self.escalations += later.escalations;
        self.reassignments += later.reassignments;
        self.unowned += later.unowned;
        self.open += later.open;
        self.snoozed += later.snoozed;
    }

    fn add(&mut self, plan: &Plan<'_>, row: Row<'_>) {
        let facts = plan.engine.facts_of(row);
        let until = facts.partition_point(|fact| fact.at <= plan.as_of);
        let facts = facts.get(..until).unwrap_or_default();
        self.incidents.push(row.number());
        if row.first_ack() != NEVER {
            self.to_acknowledge.0 += 1;
            self.to_acknowledge.1 += i128::from(row.first_ack() - row.trigger());
            let end = row.last_resolve();
            if !row.is_open() && end >= row.first_ack() {
                self.to_resolve.0 += 1;
                self.to_resolve.1 += i128::from(end - row.first_ack());
            }
        }
        let given = |escalated: bool| {
            let facts = facts.iter();
            let count = facts.filter(|fact| fact.what == Code::Given { escalated });
            u64::try_from(count.count()).unwrap_or(u64::MAX)
        };
        self.escalations += given(true);
        self.reassignments += given(false).saturating_sub(1);
        let spent = Spent::of(facts, plan.as_of);
        self.unowned += i128::from(spent.unowned);
        self.open += i128::from(spent.open);
        self.snoozed += i128::from(spent.snoozed);
    }

    fn told(self, service: Option<&str>) -> Bottleneck {
        let seconds = |micros: i128| num::float(micros) / 1e6;
        let mean = |(count, sum): (u64, i128)| {
            (count > 0).then(|| seconds(sum) / num::float(count.into()))
        };
        let (to_acknowledge, to_resolve) = (mean(self.to_acknowledge), mean(self.to_resolve));
        Bottleneck {
            service: service.map(str::to_owned),
            incidents: self.incidents,
            to_acknowledge,
            to_resolve,
            longest: match (to_acknowledge, to_resolve) {
                (Some(ack), Some(resolve)) if resolve > ack => Some(Stage::Resolve),
                (Some(_), _) => Some(Stage::Acknowledge),
                (None, Some(_)) => Some(Stage::Resolve),
                (None, None) => None,
            },
            escalations: self.escalations,
            reassignments: self.reassignments,
            unowned: seconds(self.unowned),
            unowned_share: (self.open > 0)
                .then(|| num::float(self.unowned) / num::float(self.open)),
            engaged: seconds(self.open - self.unowned),
            snoozed: seconds(self.snoozed),
        }
    }
}
