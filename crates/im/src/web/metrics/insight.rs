//! The sentence above a figure: how it stands, against what, where that lies, what to do, and the link to that.
//!
//! It follows from the figures by rules that do not guess: where there is too little to compare, it says
//! so, and it names a place only with its share.

use im_metrics::{Answer, BadQuery, Dimension, Metric, Query};
use jiff::Timestamp;
use maud::{Markup, html};

use super::asked::Asked;
use super::groups::{self, Group};
use super::heat::Heat;
use super::part::{FAILED, ORDER};
use super::words::{self, Change, FEW, Unit, size};
use super::{FINDINGS, SETTLED, bar};
use crate::figures::Known;
use crate::http::api::metrics::{FILTERS, Trend, advice};
use crate::web::parts::{self, icon};

/// A part of the whole that is worth a word.
const LARGE_SHARE: f64 = 0.3;

/// The sentence of a metric's page.
pub(super) fn sentence(
    asked: &Asked,
    answer: &Answer,
    (groups, by): (&[Group<'_>], Dimension),
    (heat, moved): (&Heat, Option<&Moved>),
) -> Markup {
    let (from, to) = answer.range;
    let (span, this) = (words::span(from, to), words::this(from, to));
    let about = asked.about;
    let total = answer.series.first().map(|series| &series.total.figure);
    let n = total.map_or(0, size);
    let Some(total) = total.filter(|_| n > 0) else {
        return say(
            &html! { strong { "Nothing to measure in " (this) "." } " " (why_nothing(asked)) },
        );
    };
    let value = groups::said(about, total);
    let then = answer
        .previous
        .as_deref()
        .and_then(|previous| previous.series.first());
    let then = then.map(|series| &series.total.figure);
    let change = words::change(about, total, then);
    let was = then
        .filter(|then| size(then) > 0)
        .map(|then| groups::said(about, then));
    let lead = if !asked.query.compare {
        html! { strong { (about.subject) ": " (value) } " in " (this) "." }
    } else if n < FEW {
        html! {
            strong { "Only " (about.count(n)) " in " (this) ": too few to tell a trend." }
            @if Unit::of(total) != Unit::Count { " " (about.subject) ": " (value) "." }
        }
    } else if change.worse.is_none() {
        html! { strong { (about.subject) ": " (value) } (against(&change, was.as_deref(), &span)) "." }
    } else {
        html! {
            strong { (comparison(asked, &change.words)) " than in the " (span) " before:" }
            " " (value) @if let Some(was) = &was { ", was " (was) } "."
        }
    };
    say(&html! {
        (lead)
        @if n >= FEW { (place(asked, groups, by)) (time(asked, heat, n)) }
        @if asked.query.compare { " " (next(asked, &change, moved)) }
        @else { " " a href=(asked.address.without("compare").link()) { "Compare with the " (span) " before" } " to see a trend." }
    })
}

/// How a figure that cannot be told from the time before stands to it.
fn against(change: &Change, was: Option<&str>, span: &str) -> String {
    match was {
        Some(was) => format!(", {} ({was} in the {span} before)", change.words),
        None => format!("; nothing in the {span} before to compare with"),
    }
}

/// A part that moved a figure, by the name that people have for it.
pub(super) struct Moved {
    name: String,
    by: Dimension,
    key: String,
}

impl Moved {
    /// The part that moved an answer's figure most; the answer is not grouped, the other is the same by service.
    pub(super) fn of(
        (query, answer): (&Query, &Answer),
        by_service: Option<&Answer>,
        known: &Known,
        now: Timestamp,
    ) -> Result<Option<Self>, BadQuery> {
        let mover = known.engine.mover_of(query, answer, by_service, now)?;
        Ok(mover.map(|mover| Self {
            name: bar::key_name(mover.by, Some(&mover.key), known),
            by: mover.by,
            key: mover.key,
        }))
    }
}

/// What to do, where to look first, and the link to it: the API's advice.
pub(super) fn next(asked: &Asked, change: &Change, moved: Option<&Moved>) -> Markup {
    let (metric, trend) = (asked.query.metric, change.trend());
    let moved = moved.filter(|_| change.worse.is_some());
    let items = match moved {
        Some(moved) => asked.items().with(moved.by.as_str(), moved.key.as_str()),
        None => asked.items(),
    };
    let is_of_findings =
        |name: &str| FILTERS.contains(&name) || ["from", "to", SETTLED.0].contains(&name);
    let (link, label) = match (metric, trend) {
        (Metric::Pages | Metric::IncidentFrequency, Trend::Worse) => (
            items.to(FINDINGS).only(|name, _| is_of_findings(name)),
            "See the findings",
        ),
        (Metric::ChangeFailureRate, Trend::Worse) => {
            (items.with(FAILED, "yes"), "Open what failed")
        }
        (Metric::Mttr | Metric::Mtta, _) => {
            (items.with(ORDER, "longest"), "Open the slowest first")
        }
        _ => (items, "Open what is behind it"),
    };
    let words = advice(metric, trend);
    html! {
        @match moved {
            Some(moved) => { a href=(link.link()) { (moved.name) } " moved it most: " (parts::commands(words)) "." },
            None => { (parts::commands(&parts::capital(words))) ". " a href=(link.link()) { (label) } },
        }
    }
}

/// `Recovery is 27 % quicker`, `There are 6 % more pages`.
fn comparison(asked: &Asked, change: &str) -> String {
    match asked.query.metric {
        Metric::Pages
        | Metric::PageDisruptions
        | Metric::OncallLoad
        | Metric::IncidentFrequency
        | Metric::DeploymentFrequency => {
            format!("There are {change} {}", asked.about.of.1)
        }
        Metric::Mttr
        | Metric::Mtta
        | Metric::ChangeFailureRate
        | Metric::TimeToRestore
        | Metric::FailedDeploymentRecoveryTime
        | Metric::ChangeLeadTime
        | Metric::DeploymentReworkRate
        | Metric::SlaCompliance
        | Metric::ReopenRate
        | Metric::OpenIncidents
        | Metric::Escalations => format!("{} is {change}", asked.about.subject),
    }
}

/// Where most of it is.
fn place(asked: &Asked, groups: &[Group<'_>], by: Dimension) -> Markup {
    if groups.len() < 2 {
        return html! {};
    }
    let share = |group: &&Group<'_>| group.share.unwrap_or_default();
    let largest = groups.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    let Some(largest) = largest.filter(|largest| share(largest) >= LARGE_SHARE) else {
        return html! { " It is spread: no " (bar::name(by)) " has " (words::percent(LARGE_SHARE * 100.0)) " of it." };
    };
    let of = match asked.query.metric {
        Metric::Mttr => "of the time to recovery",
        Metric::Mtta => "of the time to acknowledge",
        Metric::ChangeFailureRate => "of the failures",
        Metric::Pages
        | Metric::PageDisruptions
        | Metric::IncidentFrequency
        | Metric::DeploymentFrequency
        | Metric::TimeToRestore
        | Metric::FailedDeploymentRecoveryTime
        | Metric::ChangeLeadTime
        | Metric::DeploymentReworkRate
        | Metric::SlaCompliance
        | Metric::OncallLoad
        | Metric::ReopenRate
        | Metric::OpenIncidents
        | Metric::Escalations => "of them",
    };
    let n = size(&largest.series.total.figure);
    html! {
        " " (largest.name) " has " (words::percent(share(&largest) * 100.0)) " " (of) "."
        @if let Some(link) = groups::link(asked, by, largest.key) { " " a href=(link) { "Open " (open(asked, n)) } }
    }
}

fn open(asked: &Asked, n: u64) -> String {
    if n == 1 {
        "that one".to_owned()
    } else {
        format!("those {}", asked.about.count(n))
    }
}

/// When most of it is, for what disturbs people.
fn time(asked: &Asked, heat: &Heat, n: u64) -> Markup {
    let (at, count) = heat.worst();
    let is_about_people = matches!(
        asked.query.metric,
        Metric::PageDisruptions | Metric::Pages | Metric::OncallLoad
    );
    if !is_about_people || count < FEW || words::float(count) < words::float(n) * 0.1 {
        return html! {};
    }
    html! { " The worst time is " (at.three()) ", with " (count) "." }
}

/// Why there may be nothing, and what to do.
fn why_nothing(asked: &Asked) -> Markup {
    let is_filtered = asked.address.pairs().next().is_some();
    let of_deployments =
        asked.query.metric.is_of_deployments() || asked.query.metric == Metric::ChangeFailureRate;
    html! {
        @if of_deployments {
            "Figures appear as soon as deployments are told: "
            code { "im deployment record --service payments" }
        } @else {
            "Figures appear as soon as incidents are declared here or read from PagerDuty."
        }
        @if is_filtered { " " a href=(asked.about.address()) { "Show the last six weeks without filters" } }
    }
}

/// A sentence in its place.
pub(super) fn say(words: &Markup) -> Markup {
    html! { div.insight { span.bulb { (icon("bulb")) } p { (words) } } }
}
