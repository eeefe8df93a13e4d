//! Figures as the API writes them. Durations are seconds; a statistic of nothing is null.

use im_core::IncidentNumber;
use im_metrics::{Behind, Figure, Metric, Query, Thing, Worth};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::figures::Known;
use crate::organisation::Target;

/// A metric, computed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    /// Its name; `docs/metrics.md` defines it.
    metric: &'static str,
    /// The first local date.
    #[schema(example = "2026-10-19")]
    from: String,
    /// The last local date.
    #[schema(example = "2026-11-29")]
    to: String,
    /// The zone of these dates.
    time_zone: String,
    /// Facts after this did not count.
    as_of_time: Timestamp,
    /// How long a bucket is.
    bucket: &'static str,
    /// What is grouped by, in the order of `group` below.
    group_by: Vec<&'static str>,
    /// Of times to a response: `events`, the clock of what happened. Impact that people entered moves none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
    /// By which definition it was counted: every parameter of the metric with its value, given or not, and the filters.
    parameters: Vec<Parameter>,
    /// The parts of the range, all of them.
    buckets: Vec<Bucket>,
    /// The groups with at least one item; ungrouped, the one there is.
    series: Vec<Series>,
    /// Items that are in more than one group: the groups add up to more than there is.
    #[serde(skip_serializing_if = "is_zero")]
    in_several_groups: u64,
    /// What the figures leave out.
    left_out: LeftOut,
    /// Since when they may lack what happened at PagerDuty: webhooks are missing, and repair has not read what they would have told.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete_since: Option<Timestamp>,
    /// The published levels that figures were compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    benchmark: Option<Benchmark>,
    /// The organisation's own target for this metric; of `page_disruptions` that of a person in a week, 7 pages unless it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    /// Why there is nothing to count yet, and what brings it; or that nothing was in an environment that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The answer for as many dates before, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    previous: Option<Box<Self>>,
}

/// A parameter of a question.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Parameter {
    /// Which.
    #[schema(example = "recovery")]
    name: &'static str,
    /// What was used; of a filter an id of PagerDuty's or a name.
    #[schema(example = "last")]
    value: String,
    /// What people call it, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_name: Option<String>,
}

/// A part of the range.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Bucket {
    /// Its nominal start: a week that the range cuts still begins on its Monday.
    start: String,
    /// Its first date inside the range.
    from: String,
    /// Its last date inside the range.
    to: String,
    /// Dates of it inside the range.
    days: i64,
    /// Whether the range cuts it short.
    partial: bool,
    /// Whether it holds today.
    incomplete: bool,
    /// Whether failures may still come for its deployments.
    #[serde(skip_serializing_if = "Option::is_none")]
    immature: Option<bool>,
}

/// The figures of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Series {
    /// What it is the group of, one for each thing grouped by.
    group: Vec<Group>,
    /// One for each bucket.
    values: Vec<Value>,
    /// The whole range.
    total: Value,
}

/// A key of a group.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Group {
    /// An id of PagerDuty's or a name; null for none.
    pub(crate) key: Option<String>,
    /// What people call it.
    pub(crate) name: String,
}

/// A figure: only the fields of its metric are there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Value {
    #[serde(flatten)]
    figure: Fields,
    /// Of a metric of DORA, the published level that it meets: null where none is published, asked for or met.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Option<&'static str>>,
    /// Whether it meets the organisation's own target.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_target: Option<bool>,
    /// How many of its items are of incidents whose trigger nobody told when it was: it was rebuilt from PagerDuty's log.
    #[serde(skip_serializing_if = "is_zero")]
    reconstructed: u64,
    /// Of open incidents the one that is open the longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<Oldest>,
}

/// An incident that is open.
#[derive(Debug, Serialize, ToSchema)]
struct Oldest {
    #[schema(example = "INC-42")]
    incident: String,
    /// When it was triggered.
    since: Timestamp,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Fields {
    /// Durations in seconds.
    Durations {
        n: u64,
        mean: Option<f64>,
        median: Option<f64>,
        p90: Option<f64>,
        min: Option<f64>,
        max: Option<f64>,
    },
    /// How many, and how many a day.
    Rate { n: u64, per_day: f64 },
    /// A part of a whole.
    Ratio {
        n: u64,
        numerator: u64,
        denominator: u64,
        ratio: Option<f64>,
    },
    /// Against targets.
    Compliance {
        n: u64,
        ack: Judged,
        resolve: Judged,
    },
    /// What paging costs a person.
    Load {
        n: u64,
        acknowledged: Option<f64>,
        mtta: Option<f64>,
        out_of_hours: Option<f64>,
        escalated_away: u64,
    },
    /// How many.
    Count { n: u64 },
}

/// How incidents stand to one target.
#[derive(Debug, Serialize, ToSchema)]
struct Judged {
    met: u64,
    breached: u64,
    pending: u64,
    compliance: Option<f64>,
}

/// Incidents triggered in the range that do not count, each under the first reason that holds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LeftOut {
    /// Tests: `[test]` in the title.
    test: u64,
    /// Merged into another.
    merged: u64,
    /// Not resolved yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<u64>,
    /// Never acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    unacknowledged: Option<u64>,
    /// Those of them that are still open: the others were over before anybody acknowledged them.
    #[serde(skip_serializing_if = "Option::is_none")]
    unacknowledged_open: Option<u64>,
    /// Marked or ruled to be no failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_failure: Option<u64>,
    /// No deployment is behind them.
    #[serde(skip_serializing_if = "Option::is_none")]
    unlinked: Option<u64>,
    /// Over before their deployment was.
    #[serde(skip_serializing_if = "Option::is_none")]
    negative: Option<u64>,
    /// No target for their severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_target: Option<u64>,
    /// Rebuilt from PagerDuty's log, where `history=live` asks for what was told alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    reconstructed: Option<u64>,
}

impl From<&im_metrics::LeftOut> for LeftOut {
    fn from(out: &im_metrics::LeftOut) -> Self {
        Self {
            test: out.test,
            merged: out.merged,
            open: out.open,
            unacknowledged: out.unacknowledged,
            unacknowledged_open: out.unacknowledged_open,
            not_failure: out.not_failure,
            unlinked: out.unlinked,
            negative: out.negative,
            no_target: out.no_target,
            reconstructed: out.rebuilt,
        }
    }
}

/// Which published levels were used.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Benchmark {
    year: u16,
    /// Whether each bound is at least as strong as the next one, as published.
    monotone: bool,
}

/// What is behind a metric.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the API calls them so")]
pub(super) struct Items {
    /// The zone of the dates that were asked for.
    time_zone: String,
    /// How many there are in all.
    total: usize,
    /// Some of them, oldest first.
    items: Vec<Item>,
}

/// One thing behind a metric.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Item {
    /// The place of its bucket among the metric's, from 0.
    bucket: usize,
    /// The instant that puts it there.
    at: Timestamp,
    /// The incident, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "INC-42")]
    incident: Option<String>,
    /// The deployment, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<String>,
    /// For a deployment: the failures that are blamed on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Link>,
    /// The person, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Group>,
    /// Whether its trigger was rebuilt from PagerDuty's log.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reconstructed: bool,
    /// Whether it was acknowledged the moment it was triggered: by who made it, so nobody was paged.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    self_assigned: bool,
    #[serde(flatten)]
    value: Adds,
}

/// An incident blamed on a deployment.
#[derive(Debug, Serialize, ToSchema)]
struct Link {
    /// Which.
    #[schema(example = "INC-42")]
    incident: String,
    /// `manual`, `explicit` or `same_service_time`.
    method: &'static str,
    /// In words.
    reason: String,
}

/// What an item adds; only the fields of its metric are there.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Adds {
    /// A duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// The hour that is disturbed.
    #[serde(skip_serializing_if = "Option::is_none")]
    hour: Option<Timestamp>,
    /// Whether it is of the part that is set against the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<bool>,
    /// How it stands to its target for the acknowledgement: met, breached or pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    ack: Option<&'static str>,
    /// The same for the resolve.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve: Option<&'static str>,
    /// Whether the person acknowledged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<bool>,
    /// Whether it was outside working hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    out_of_hours: Option<bool>,
    /// Whether nobody took it before it was escalated.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalated_away: Option<bool>,
}

impl Answer {
    pub(crate) fn new(answer: &im_metrics::Answer, query: &Query, known: &Known) -> Self {
        let (from, to) = answer.range;
        let may_be_immature = query.metric == Metric::ChangeFailureRate;
        let buckets = answer.buckets.iter().zip(&answer.immature);
        let buckets = buckets.map(|(bucket, immature)| Bucket {
            start: bucket.label.to_string(),
            from: bucket.first.to_string(),
            to: bucket.last.to_string(),
            days: bucket.days,
            partial: bucket.partial,
            incomplete: bucket.incomplete,
            immature: may_be_immature.then_some(*immature),
        });
        let target = known.target(query);
        let judging = target.as_ref().filter(|_| known.is_of_target(query));
        let value = |value: &im_metrics::Value| Value::new(value, query.metric, judging);
        let series = answer.series.iter().map(|series| Series {
            group: series
                .keys
                .iter()
                .map(|key| Group::new(key.as_deref(), known))
                .collect(),
            values: series.values.iter().map(value).collect(),
            total: Value::of_range(series, query.metric, judging),
        });
        let series = series.collect();
        let previous = answer.previous.as_deref();
        Self {
            metric: query.metric.as_str(),
            from: from.to_string(),
            to: to.to_string(),
            time_zone: zone_of(known),
            as_of_time: answer.as_of_time,
            bucket: query.bucket.as_str(),
            group_by: answer.grouped_by.iter().map(|by| by.as_str()).collect(),
            clock: query.metric.is_response_time().then_some("events"),
            parameters: parameters(query, known),
            buckets: buckets.collect(),
            series,
            left_out: LeftOut::from(&answer.left_out),
            in_several_groups: answer.in_several_groups,
            hint: known.hint(query),
            incomplete_since: known.incomplete_since(to),
            benchmark: answer.benchmark.as_ref().map(|benchmark| Benchmark {
                year: benchmark.year,
                monotone: benchmark.monotone,
            }),
            target,
            previous: previous.map(|previous| Box::new(Self::new(previous, query, known))),
        }
    }
}

/// Every parameter of a question, each once: a user and the person who they are are one.
fn parameters(query: &Query, known: &Known) -> Vec<Parameter> {
    let used = im_metrics::used(query).into_iter();
    let mut all: Vec<Parameter> = used
        .map(|(name, value)| {
            let (called, value) = (known.name(&value), known.shown(&value));
            Parameter {
                name,
                value_name: (called != value).then(|| called.to_owned()),
                value: value.to_owned(),
            }
        })
        .collect();
    all.dedup_by(|a, b| (a.name, &a.value) == (b.name, &b.value));
    all
}

impl Group {
    /// The key with its name.
    pub(in crate::http::api) fn new(key: Option<&str>, known: &Known) -> Self {
        Self {
            key: key.map(|key| known.shown(key).to_owned()),
            name: key.map_or("none", |key| known.name(key)).to_owned(),
        }
    }
}

impl Value {
    /// The figure of the whole range. All weeks of a person are more than one: they meet the target of a week if each does.
    fn of_range(series: &im_metrics::Series, metric: Metric, target: Option<&Target>) -> Self {
        let of_weeks = target.filter(|_| metric == Metric::PageDisruptions);
        let Some(of_week) = of_weeks else {
            return Self::new(&series.total, metric, target);
        };
        let mut pages = series.values.iter();
        let is_met = pages.all(|week| {
            let pages = week.figure.headline(metric);
            pages.is_none_or(|pages| of_week.is_met(pages))
        });
        Self {
            on_target: Some(is_met),
            ..Self::new(&series.total, metric, None)
        }
    }

    fn new(value: &im_metrics::Value, metric: Metric, target: Option<&Target>) -> Self {
        let headline = value.figure.headline(metric);
        Self {
            on_target: target.and_then(|target| Some(target.is_met(headline?))),
            figure: Fields::from(value.figure),
            level: metric.is_dora().then_some(value.level),
            reconstructed: value.rebuilt,
            oldest: value.oldest.map(|oldest| Oldest {
                incident: said(oldest.incident),
                since: oldest.since,
            }),
        }
    }
}

impl From<im_metrics::Judged> for Judged {
    fn from(judged: im_metrics::Judged) -> Self {
        let im_metrics::Judged {
            met,
            breached,
            pending,
            compliance,
        } = judged;
        Self {
            met,
            breached,
            pending,
            compliance,
        }
    }
}

impl From<Figure> for Fields {
    fn from(figure: Figure) -> Self {
        match figure {
            Figure::Durations(durations) => Self::Durations {
                n: durations.n,
                mean: durations.mean,
                median: durations.median,
                p90: durations.p90,
                min: durations.min,
                max: durations.max,
            },
            Figure::Count { n } => Self::Count { n },
            Figure::Rate { n, per_day } => Self::Rate { n, per_day },
            Figure::Ratio {
                numerator,
                denominator,
                ratio,
            } => Self::Ratio {
                n: denominator,
                numerator,
                denominator,
                ratio,
            },
            Figure::Compliance { n, ack, resolve } => Self::Compliance {
                n,
                ack: ack.into(),
                resolve: resolve.into(),
            },
            Figure::Load {
                n,
                acknowledged,
                mtta,
                out_of_hours,
                escalated_away,
            } => Self::Load {
                n,
                acknowledged,
                mtta,
                out_of_hours,
                escalated_away,
            },
        }
    }
}

/// The name of the zone whose dates are asked for.
fn zone_of(known: &Known) -> String {
    let zone = &known.engine.settings().zone;
    zone.iana_name().unwrap_or("UTC").to_owned()
}

impl Items {
    /// Some of so many items; who each is about only for those who may see it.
    pub(super) fn new(some: &[Behind], total: usize, sees_people: bool, known: &Known) -> Self {
        let mut items: Vec<Item> = some.iter().map(|item| Item::new(item, known)).collect();
        if !sees_people {
            for item in &mut items {
                item.user = None;
            }
        }
        Self {
            time_zone: zone_of(known),
            total,
            items,
        }
    }
}

impl Item {
    fn new(item: &Behind, known: &Known) -> Self {
        let (incident, deployment) = match &item.what {
            Thing::Incident(number) => (Some(said(*number)), None),
            Thing::Deployment(id) => (None, Some(id.clone())),
        };
        let failures = item.failures.iter().map(|link| Link {
            incident: said(link.incident),
            method: link.method.as_str(),
            reason: link.reason.clone(),
        });
        Self {
            bucket: item.bucket,
            at: item.at,
            incident,
            deployment,
            failures: failures.collect(),
            reconstructed: item.rebuilt,
            self_assigned: item.self_assigned,
            user: item
                .user
                .as_deref()
                .map(|user| Group::new(Some(user), known)),
            value: Adds::from(item.worth),
        }
    }
}

/// What people call an incident.
pub(in crate::http::api) fn said(number: i64) -> String {
    IncidentNumber::new(number).map_or_else(String::new, |number| number.said().to_string())
}

impl From<Worth> for Adds {
    fn from(worth: Worth) -> Self {
        let nothing = Self::default();
        match worth {
            Worth::One => nothing,
            Worth::Seconds(seconds) => Self {
                seconds: Some(seconds),
                ..nothing
            },
            Worth::Hour(hour) => Self {
                hour: Some(hour),
                ..nothing
            },
            Worth::Part(counts) => Self {
                counts: Some(counts),
                ..nothing
            },
            Worth::Verdicts { ack, resolve } => Self {
                ack: Some(ack.as_str()),
                resolve: Some(resolve.as_str()),
                ..nothing
            },
            Worth::Page {
                answered_after,
                out_of_hours,
                escalated_away,
            } => Self {
                seconds: answered_after,
                acknowledged: Some(answered_after.is_some()),
                out_of_hours: Some(out_of_hours),
                escalated_away: Some(escalated_away),
                ..nothing
            },
        }
    }
}
