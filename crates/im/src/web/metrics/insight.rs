//! The sentence above a figure: how it stands, against what, where that lies, and one link.
//!
//! It follows from the figures by rules that do not guess: where there is too little to compare, it says
//! so, and it names a place only with its share.

use im_metrics::{Answer, Dimension, Metric};
use maud::{Markup, html};

use super::asked::Asked;
use super::groups::{self, Group};
use super::heat::Heat;
use super::words::{self, FEW, size};
use crate::web::parts::icon;

/// A part of the whole that is worth a word.
const LARGE_SHARE: f64 = 0.3;

/// The sentence of a metric's page.
pub(super) fn sentence(
    asked: &Asked,
    answer: &Answer,
    grouped: Option<(&[Group<'_>], Dimension)>,
    heat: &Heat,
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
        html! { strong { "Only " (about.count(n)) " in " (this) ": too few to tell a trend." } }
    } else if change.worse.is_none() {
        html! { strong { (about.subject) ": " (value) } ", " (change.words) @if let Some(was) = &was { " (" (was) " in the " (span) " before)" } "." }
    } else {
        html! {
            strong { (comparison(asked, &change.words)) " than in the " (span) " before:" }
            " " (value) @if let Some(was) = &was { ", was " (was) } "."
        }
    };
    say(&html! {
        (lead)
        @if n >= FEW { (place(asked, grouped)) (time(asked, heat, n)) }
    })
}

/// `Recovery is 27 % quicker`, `There are 6 % more pages`.
fn comparison(asked: &Asked, change: &str) -> String {
    match asked.query.metric {
        Metric::Pages
        | Metric::PageDisruptions
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
        | Metric::OncallLoad
        | Metric::ReopenRate
        | Metric::OpenIncidents
        | Metric::Escalations => format!("{} is {change}", asked.about.subject),
    }
}

/// Where most of it is.
fn place(asked: &Asked, grouped: Option<(&[Group<'_>], Dimension)>) -> Markup {
    let Some((groups, by)) = grouped.filter(|(groups, _)| groups.len() > 1) else {
        return html! {};
    };
    let share = |group: &&Group<'_>| group.share.unwrap_or_default();
    let largest = groups.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    let Some(largest) = largest.filter(|largest| share(largest) >= LARGE_SHARE) else {
        return html! {};
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
    let is_about_people = matches!(asked.query.metric, Metric::PageDisruptions | Metric::Pages);
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
