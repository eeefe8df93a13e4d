//! One sentence for each figure: what it is, how it stands to its target and to the time before, what moved
//! it most, and what to do.

use im_metrics::{Dimension, Figure, Insight, Metric, Query};
use serde::Serialize;
use utoipa::ToSchema;

use super::types::Group;
use crate::figures::Known;
use crate::organisation::Target;

/// Less than this is no trend: 1 %.
const SAME: f64 = 0.01;

/// A figure explained.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Explained {
    /// What it is the figure of, one for each thing grouped by.
    group: Vec<Group>,
    /// The figure of the whole range: seconds, a share, a number or a number a day; null for nothing.
    value: Option<f64>,
    /// The same of as many dates before.
    before: Option<f64>,
    /// `better`, `worse`, `same` or, where there is nothing to compare, `unknown`.
    trend: &'static str,
    /// Whether it meets the organisation's own target; null where it has none.
    on_target: Option<bool>,
    /// What moved it most, where anything did.
    moved_by: Option<Moved>,
    /// All of it in a sentence.
    #[schema(
        example = "mttr is 24m 00s (12 incidents), worse than 20m 00s before; Checkout moved it most (+3m 10s): read its slowest incidents for what they waited for."
    )]
    text: String,
}

/// A part that moved a figure.
#[derive(Debug, Serialize, ToSchema)]
struct Moved {
    /// `service` or `urgency`.
    by: &'static str,
    #[serde(flatten)]
    what: Group,
    /// How much of the change it brought, so that all parts add up to the change; null where the value is a
    /// median: then it moved the mean most.
    change: Option<f64>,
}

/// Each figure explained. Where there is no data yet there is no group either, and that is said once.
pub(super) fn explained(insights: &[Insight], query: &Query, known: &Known) -> Vec<Explained> {
    match known.nothing_to_count(query.metric) {
        Some(nothing) => vec![Explained::of_nothing(query.metric, nothing)],
        None => insights
            .iter()
            .map(|insight| Explained::new(insight, query, known))
            .collect(),
    }
}

impl Explained {
    fn new(insight: &Insight, query: &Query, known: &Known) -> Self {
        let group = insight.keys.iter();
        let group: Vec<Group> = group.map(|key| Group::new(key.as_deref(), known)).collect();
        let value = insight.figure.headline(query.metric);
        let before = insight.before;
        let before = before.and_then(|before| before.headline(query.metric));
        let trend = Trend::of(query.metric, value, before);
        let moved_by = insight.mover.as_ref().map(|mover| Moved {
            by: mover.by.as_str(),
            what: Group::new(Some(&mover.key), known),
            change: mover.change,
        });
        let aim = known.aim(query, &insight.figure);
        let stands = (trend, aim.as_ref());
        let text = text(query.metric, &group, (insight, stands), moved_by.as_ref());
        Self {
            group,
            value,
            before,
            trend: trend.as_str(),
            on_target: aim.map(|(_, is_met)| is_met),
            moved_by,
            text,
        }
    }

    /// There is no data yet, and what brings it: nothing is not the same as before.
    fn of_nothing(metric: Metric, nothing: &str) -> Self {
        Self {
            group: Vec::new(),
            value: None,
            before: None,
            trend: Trend::Unknown.as_str(),
            on_target: None,
            moved_by: None,
            text: format!("{} has no data: {nothing}.", metric.as_str()),
        }
    }
}

/// How a figure stands to the time before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    Better,
    Worse,
    Same,
    /// There is nothing, or too little, to compare.
    Unknown,
}

impl Trend {
    fn of(metric: Metric, value: Option<f64>, before: Option<f64>) -> Self {
        let Some((value, before)) = value.zip(before) else {
            return Self::Unknown;
        };
        if (value - before).abs() <= SAME * before.abs() {
            Self::Same
        } else if (value > before) == metric.is_better_if_more() {
            Self::Better
        } else {
            Self::Worse
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same",
            Self::Unknown => "unknown",
        }
    }
}

/// How a figure stands to the time before and, where there is one, to its target: whether it is met.
type Standing<'a> = (Trend, Option<&'a (Target, bool)>);

fn text(
    metric: Metric,
    group: &[Group],
    (insight, (trend, aim)): (&Insight, Standing<'_>),
    moved_by: Option<&Moved>,
) -> String {
    let names: Vec<&str> = group.iter().map(|group| &*group.name).collect();
    let of = match &*names {
        [] => String::new(),
        names => format!(" of {}", names.join(", ")),
    };
    let name = metric.as_str();
    let Some(value) = insight.figure.headline(metric) else {
        return format!("{name}{of}: nothing happened in this range, so there is nothing to say.");
    };
    let said = |value: f64| said(&insight.figure, value);
    let count = insight.figure.count();
    let things = things(metric, count);
    let before = insight.before.and_then(|before| before.headline(metric));
    let then = match (trend, before) {
        (Trend::Same, _) => ", the same as before".to_owned(),
        (trend, Some(before)) => format!(", {} than {} before", trend.as_str(), said(before)),
        (_, None) => ", with nothing before to compare".to_owned(),
    };
    let moved = moved_by.filter(|_| trend != Trend::Same);
    let moved = moved.map_or(String::new(), |moved| {
        let amount = moved.change.map_or(String::new(), |change| {
            let sign = if change < 0.0 { "-" } else { "+" };
            format!(" ({sign}{})", said_change(&insight.figure, change.abs()))
        });
        format!("; {} moved it most{amount}", moved.what.name)
    });
    let aimed = aim.map_or(String::new(), |(target, is_met)| {
        let (word, bound) = target.bound();
        let verb = if *is_met { "meets" } else { "misses" };
        format!(", which {verb} its target of {word} {}", said(bound))
    });
    let advice = advice(metric, trend, aim.map(|(_, is_met)| *is_met));
    let command = if advice == RECURS {
        " (`im findings`)"
    } else {
        ""
    };
    format!(
        "{name}{of} is {}{things}{aimed}{then}{moved}: {advice}{command}.",
        said(value)
    )
}

/// What its count is of; nothing where the value is the count.
fn things(metric: Metric, count: u64) -> String {
    let (one, many) = match metric {
        Metric::Mttr
        | Metric::Mtta
        | Metric::TimeToRestore
        | Metric::FailedDeploymentRecoveryTime
        | Metric::SlaCompliance
        | Metric::ReopenRate
        | Metric::IncidentFrequency => ("incident", "incidents"),
        Metric::ChangeFailureRate | Metric::DeploymentReworkRate | Metric::DeploymentFrequency => {
            ("deployment", "deployments")
        }
        Metric::ChangeLeadTime => ("commit", "commits"),
        Metric::Pages
        | Metric::PageDisruptions
        | Metric::OncallLoad
        | Metric::OpenIncidents
        | Metric::Escalations => return String::new(),
    };
    format!(" ({count} {})", if count == 1 { one } else { many })
}

/// What to do about a figure: one that misses its target is not left as it is, whichever way it goes.
pub(crate) fn advice(metric: Metric, trend: Trend, is_met: Option<bool>) -> &'static str {
    match (is_met, trend) {
        (Some(false), _) | (_, Trend::Worse) => against(metric),
        (_, Trend::Better) => "keep what was changed, and say it in the next review",
        (_, Trend::Same) | (Some(true), Trend::Unknown) => "nothing to do; look again in a week",
        (None, Trend::Unknown) => "there is too little to say what to do; a longer time would tell",
    }
}

/// What is said with the command, or on a page with a link, that shows what recurs.
const RECURS: &str = "mend what recurs";

/// What to do where a figure is not as it should be.
fn against(metric: Metric) -> &'static str {
    match metric {
        Metric::Mttr | Metric::TimeToRestore => {
            "read its slowest incidents for what they waited for"
        }
        Metric::Mtta => "look at who is paged first, and by which channel",
        Metric::Pages | Metric::IncidentFrequency => RECURS,
        Metric::PageDisruptions | Metric::OncallLoad => {
            "share the pages among more people, or make fewer alerts page"
        }
        Metric::DeploymentFrequency => "ask what keeps changes waiting",
        Metric::ChangeFailureRate => "look at what the failed deployments have in common",
        Metric::FailedDeploymentRecoveryTime => "make going back to the version before quicker",
        Metric::ChangeLeadTime => "make changes smaller, and look where they wait",
        Metric::DeploymentReworkRate => "look at what the unplanned fixes repaired",
        Metric::SlaCompliance => "begin with the incidents that were late",
        Metric::ReopenRate => "check that it holds before an incident is resolved",
        Metric::OpenIncidents => "close or hand on what nobody works on",
        Metric::Escalations => "look why the first level does not answer",
    }
}

/// A value as people say it.
fn said(figure: &Figure, value: f64) -> String {
    match figure {
        Figure::Durations(_) => length(value),
        Figure::Ratio { .. } | Figure::Compliance { .. } => format!("{:.1} %", value * 100.0),
        Figure::Rate { .. } => format!("{value:.2} a day"),
        Figure::Count { .. } | Figure::Load { .. } => format!("{value:.0}"),
    }
}

/// A change as people say it: that of a share is of points, since a share of a share would be in % too.
fn said_change(figure: &Figure, change: f64) -> String {
    match figure {
        Figure::Ratio { .. } | Figure::Compliance { .. } => {
            format!("{:.1} points", change * 100.0)
        }
        Figure::Durations(_) | Figure::Rate { .. } | Figure::Count { .. } | Figure::Load { .. } => {
            said(figure, change)
        }
    }
}

/// `24m 10s`, `3h 05m`, `2d 04h`.
pub(in crate::http::api) fn length(seconds: f64) -> String {
    let total = seconds.abs().round();
    let parts = |small: f64| ((total / small).floor(), total % small);
    let sign = if seconds < 0.0 { "-" } else { "" };
    if total < 60.0 {
        return format!("{sign}{total:.0}s");
    }
    if total < 3_600.0 {
        let (minutes, rest) = parts(60.0);
        return format!("{sign}{minutes:.0}m {rest:02.0}s");
    }
    if total < 86_400.0 {
        let (hours, rest) = parts(3_600.0);
        return format!("{sign}{hours:.0}h {:02.0}m", (rest / 60.0).floor());
    }
    let (days, rest) = parts(86_400.0);
    format!("{sign}{days:.0}d {:02.0}h", (rest / 3_600.0).floor())
}

/// What a dimension's part is called.
pub(in crate::http::api) fn of_what(
    dimension: Dimension,
    key: Option<&str>,
    known: &Known,
) -> String {
    let name = key.map_or("none", |key| known.name(key));
    format!("{} {name}", dimension.as_str())
}
