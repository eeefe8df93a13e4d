//! The sentence above a figure: how it stands, against what, where that lies, what to do, and the link to that.
//!
//! It follows from the figures by rules that do not guess: where there is too little to compare, it says
//! so, and it names a place only with its share.

use im_metrics::{Answer, BadQuery, Dimension, Figure, Metric, Query};
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
use crate::web::integrations::ADDRESS as CARDS;
use crate::web::parts::{self, icon};

/// A part of the whole that is worth a word.
const LARGE_SHARE: f64 = 0.3;

/// The sentence of a metric's page.
pub(super) fn sentence(
    asked: &Asked,
    answer: &Answer,
    (groups, by): (&[Group<'_>], Dimension),
    (heat, moved): (&Heat, Option<&Moved>),
    (aim, is_alone): (Option<&Aim>, bool),
) -> Markup {
    let (from, to) = answer.range;
    let (span, this) = (words::span(from, to), words::this(from, to));
    let about = asked.about;
    let total = answer.series.first().map(|series| &series.total.figure);
    let n = total.map_or(0, size);
    let Some(total) = total.filter(|_| n > 0) else {
        return say(
            &html! { strong { "Nothing to measure in " (this) "." } " " (why_nothing(asked, is_alone)) },
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
        @if let Some(aim) = aim { " " (aim.sentence()) }
        @if n >= FEW { (place(asked, groups, by)) (time(asked, heat, n)) }
        @if asked.query.compare { " " (next(asked, &change, moved, aim)) }
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

/// How a figure stands to the organisation's own target.
pub(super) struct Aim {
    /// `at most 30 min`.
    said: String,
    pub(super) is_met: bool,
}

impl Aim {
    pub(super) fn of(query: &Query, figure: &Figure, known: &Known) -> Option<Self> {
        let (target, is_met) = known.aim(query, figure)?;
        let (word, bound) = target.bound();
        Some(Self {
            said: format!("{word} {}", Unit::of(figure).say(bound)),
            is_met,
        })
    }

    fn sentence(&self) -> Markup {
        let verb = if self.is_met { "meets" } else { "misses" };
        html! { strong { "It " (verb) " its target of " (self.said) "." } }
    }

    /// `target missed: at most 30 min`, beside a number.
    pub(super) fn mark(&self) -> Markup {
        let (tone, word, icon) = if self.is_met {
            ("green", "met", "check")
        } else {
            ("orange", "missed", "warn")
        };
        html! { span class={ "aim " (tone) } title={ "Target: " (self.said) } { (parts::icon(icon)) "target " (word) ": " (self.said) } }
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
pub(super) fn next(
    asked: &Asked,
    change: &Change,
    moved: Option<&Moved>,
    aim: Option<&Aim>,
) -> Markup {
    let (metric, trend) = (asked.query.metric, change.trend());
    let is_met = aim.map(|aim| aim.is_met);
    let is_bad = is_met == Some(false) || trend == Trend::Worse;
    // What made a figure better is no place to look for why it is not good.
    let moved = moved.filter(|_| change.worse.is_some() && is_bad == (trend == Trend::Worse));
    let items = match moved {
        Some(moved) => asked.items().with(moved.by.as_str(), moved.key.as_str()),
        None => asked.items(),
    };
    let is_of_findings =
        |name: &str| FILTERS.contains(&name) || ["from", "to", SETTLED.0].contains(&name);
    let (link, label) = match (metric, is_bad) {
        (Metric::Pages | Metric::IncidentFrequency, true) => (
            items.to(FINDINGS).only(|name, _| is_of_findings(name)),
            "See the findings",
        ),
        (Metric::ChangeFailureRate, true) => (items.with(FAILED, "yes"), "Open what failed"),
        (Metric::Mttr | Metric::Mtta, _) => {
            (items.with(ORDER, "longest"), "Open the slowest first")
        }
        _ => (items, "Open what is behind it"),
    };
    let words = advice(metric, trend, is_met);
    html! {
        @match moved {
            Some(moved) if link.path() == FINDINGS => { (moved.name) " moved it most: " (words) ". " a href=(link.link()) { (label) } },
            Some(moved) => { a href=(link.link()) { (moved.name) } " moved it most: " (words) "." },
            None => { (parts::capital(words)) ". " a href=(link.link()) { (label) } },
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
    let top = share(&largest);
    let is_as_large = |group: &&Group<'_>| (share(group) - top).abs() < f64::EPSILON;
    let equal: Vec<&Group<'_>> = groups.iter().filter(is_as_large).collect();
    if equal.len() > 1 {
        return html! {
            " "
            @for (index, group) in equal.iter().enumerate() {
                @if index > 0 { @if index + 1 < equal.len() { ", " } @else { " and " } }
                @match groups::link(asked, by, group.key) { Some(link) => a href=(link) { (group.name) }, None => (group.name) }
            }
            " have " (words::percent(top * 100.0)) " " (of) " each."
        };
    }
    let n = size(&largest.series.total.figure);
    html! {
        " " (largest.name) " has " (words::percent(share(&largest) * 100.0)) " " (of) "."
        @if let Some(link) = groups::link(asked, by, largest.key) { " " a href=(link) { "Open " (open(asked, n)) } "." }
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
fn why_nothing(asked: &Asked, is_alone: bool) -> Markup {
    let is_filtered = asked.address.pairs().next().is_some();
    let of_deployments =
        asked.query.metric.is_of_deployments() || asked.query.metric == Metric::ChangeFailureRate;
    html! {
        @if of_deployments {
            "Figures appear as soon as deployments are told: "
            code { "im deployment record --service payments" }
        } @else if is_alone {
            "Figures appear as soon as incidents are declared here or read from PagerDuty. "
            a href=(CARDS) { "Connect PagerDuty" } " to have its past, too."
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
