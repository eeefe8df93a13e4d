//! The bar above a figure: range, cadence, group, comparison, filters. All of it links and forms that are
//! sent by address, so that each choice is a view with an address of its own.

use im_metrics::{BucketSize, Dimension, Measure, Metric, PageSource, When};
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};

use super::SETTLED;
use super::address::Address;
use super::asked::Asked;
use super::heat::HEAT;
use super::words;
use crate::figures::Known;
use crate::web::parts::{self, icon};

/// What the bar itself sets; every other parameter is shown as one that can be taken away.
const OF_BAR: [&str; 9] = [
    "from", "to", "bucket", "group_by", "compare", "measure", "when", SETTLED.0, HEAT,
];

/// What a metric may be told besides, with its words: the first is what is usual.
type Choice = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// The bar of a metric's page.
pub(super) fn bar(asked: &Asked, range: (Date, Date), today: Date, known: &Known) -> Markup {
    let address = &asked.address;
    html! {
        div.filters {
            @if asked.query.metric == Metric::PageDisruptions {
                (toggle(address, "measure", asked.query.measure.as_str(), &[(Measure::Pages.as_str(), "Pages"), (Measure::Hours.as_str(), "Hours")]))
                (toggle(address, "when", asked.query.when.as_str(), &[
                    (When::All.as_str(), "All"),
                    (When::OutOfHours.as_str(), "Out of hours"),
                    (When::WorkingHours.as_str(), "Working hours"),
                ]))
            }
            (range_menu(address, range, today, Buckets::Some))
            (cadence(address, asked.query.bucket))
            @if !asked.about.is_personal() { (grouping(asked)) }
            (comparison(asked, range))
            (chips(address, known))
            a.chip.add data-hotkey="f" href=(address.and("choose", "filter").link()) { (icon("plus")) "Filter" }
        }
    }
}

/// A few words of which one holds.
fn toggle(address: &Address, name: &str, now: &str, choices: &[(&str, &str)]) -> Markup {
    html! {
        div.toggle role="group" aria-label=(parts::capital(name)) {
            @for (value, words) in choices {
                a href=(address.with(name, *value).link()) aria-current=[(*value == now).then_some("true")] { (words) }
            }
        }
    }
}

/// A button that opens a list of links.
fn menu(label: &str, now: &str, body: &Markup) -> Markup {
    html! {
        details.menu name="menu" {
            summary.chip { @if !label.is_empty() { (label) " " } b { (now) } (icon("down")) }
            div.pop { (body) }
        }
    }
}

/// Whether a page has a figure for each bucket of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buckets {
    Some,
    None,
}

/// The range, its neighbours, and a form for any other.
pub(super) fn range_menu(
    address: &Address,
    (from, to): (Date, Date),
    today: Date,
    buckets: Buckets,
) -> Markup {
    let days = words::days(from, to);
    let shifted = |by: i64| {
        let move_by = |date: Date| date.checked_add(by.days()).unwrap_or(date);
        let range = address.with("from", move_by(from).to_string());
        range.with("to", move_by(to).to_string()).link()
    };
    let since = |days: i64, bucket: Option<BucketSize>| {
        let first = today.checked_sub((days - 1).days()).unwrap_or(today);
        let since = address.without("to").with("from", first.to_string());
        match bucket.filter(|_| buckets == Buckets::Some) {
            Some(bucket) => since.with("bucket", bucket.as_str()).link(),
            None => since.without("bucket").link(),
        }
    };
    let usual = address
        .without("from")
        .without("to")
        .without("bucket")
        .link();
    let now = format!(
        "{}, {}",
        words::dates(from, to, today),
        words::span(from, to)
    );
    let by = |size: BucketSize| match buckets {
        Buckets::Some => format!(", by {}", size.as_str()),
        Buckets::None => String::new(),
    };
    let body = html! {
        ul {
            li { a href=(since(14, Some(BucketSize::Day))) { "Last two weeks" (by(BucketSize::Day)) } }
            li { a href=(usual) { "Last six weeks" (by(BucketSize::Week)) } }
            li { a href=(since(91, None)) { "Last 13 weeks" (by(BucketSize::Week)) } }
            li { a href=(since(365, Some(BucketSize::Month))) { "Last year" (by(BucketSize::Month)) } }
            li { a data-hotkey="[" href=(shifted(-days)) { "The " (words::span(from, to)) " before" } }
            @if to < today { li { a data-hotkey="]" href=(shifted(days)) { "The " (words::span(from, to)) " after" } } }
        }
        form method="get" action=(address.path()) {
            (address.hidden(&["from", "to"]))
            label { "From" input type="date" name="from" value=(from) max=(today); }
            label { "To" input type="date" name="to" value=(to) max=(today); }
            button.button type="submit" { "Show these dates" }
        }
    };
    menu("", &now, &body)
}

fn cadence(address: &Address, now: BucketSize) -> Markup {
    let body = html! {
        ul {
            @for size in BucketSize::ALL.into_iter().filter(|size| *size != BucketSize::All) {
                li {
                    a href=(address.with("bucket", size.as_str()).link()) aria-current=[(size == now).then_some("true")] {
                        "Every " (size.as_str())
                    }
                }
            }
        }
    };
    let word = if now == BucketSize::All {
        "all at once"
    } else {
        now.as_str()
    };
    menu("Every", word, &body)
}

/// What may be grouped by but people.
fn groups(metric: Metric, source: PageSource) -> impl Iterator<Item = Dimension> {
    let all = Dimension::groups_of(metric, source).iter().copied();
    all.filter(|dimension| *dimension != Dimension::User)
}

/// People, where a metric has them, for those alone who may see them.
fn people(asked: &Asked) -> Option<Dimension> {
    let query = &asked.query;
    let all = Dimension::groups_of(query.metric, query.source);
    (asked.sees_people && all.contains(&Dimension::User)).then_some(Dimension::User)
}

fn grouping(asked: &Asked) -> Markup {
    let now = asked.query.group_by;
    let address = &asked.address;
    let body = html! {
        ul {
            li { a href=(address.without("group_by").link()) aria-current=[now.is_none().then_some("true")] { "Not grouped" } }
            @for by in groups(asked.query.metric, asked.query.source).chain(people(asked)) {
                li {
                    a href=(address.with("group_by", by.as_str()).link()) aria-current=[(now == Some(by)).then_some("true")] {
                        "By " (name(by))
                    }
                }
            }
        }
    };
    menu("Group", now.map_or("none", name), &body)
}

fn comparison(asked: &Asked, (from, to): (Date, Date)) -> Markup {
    let address = &asked.address;
    let span = words::span(from, to);
    let (now, other, words) = if asked.query.compare {
        (
            format!("the {span} before"),
            address.with("compare", "none"),
            "Do not compare".to_owned(),
        )
    } else {
        (
            "nothing".to_owned(),
            address.without("compare"),
            format!("Compare with the {span} before"),
        )
    };
    menu(
        "Compare",
        &now,
        &html! { ul { li { a href=(other.link()) { (words) } } } },
    )
}

/// Each filter, and what takes it away.
pub(super) fn chips(address: &Address, known: &Known) -> Markup {
    html! {
        @for (param, value) in address.pairs().filter(|(param, _)| !OF_BAR.contains(param)) {
            @let dimension = Dimension::parse(param);
            @let label = dimension.map_or_else(|| param.replace('_', " "), |dimension| name(dimension).to_owned());
            @let said = match dimension {
                Some(dimension) => key_name(dimension, (value != "null").then_some(value), known),
                None => value.replace('_', " "),
            };
            span.chip.set {
                (parts::capital(&label)) " " b { (said) }
                a href=(address.without_value(param, value).link()) aria-label={ "Take away " (label) " " (said) } { (icon("cross")) }
            }
        }
    }
}

/// What people call a thing that figures are grouped by.
pub(super) fn name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Service => "service",
        Dimension::Team => "team",
        Dimension::Environment => "environment",
        Dimension::EscalationPolicy => "escalation policy",
        Dimension::Urgency => "urgency",
        Dimension::Priority => "priority",
        Dimension::Severity => "severity",
        Dimension::ResolverKind => "kind of resolver",
        Dimension::Origin => "origin",
        Dimension::Title => "title",
        Dimension::User => "person",
    }
}

/// What people call one of the values.
pub(super) fn key_name(dimension: Dimension, key: Option<&str>, known: &Known) -> String {
    match (dimension, key) {
        (Dimension::ResolverKind, Some(kind)) => match kind {
            "human" => "a person".to_owned(),
            "timer" => "a timer".to_owned(),
            "integration" => "an integration".to_owned(),
            "api" => "a program".to_owned(),
            "merge" => "a merge".to_owned(),
            _ => "nobody known".to_owned(),
        },
        (_, Some(key)) => known.name(key).to_owned(),
        (_, None) => format!("no {}", name(dimension)),
    }
}

/// Published levels to compare with.
const BENCHMARK: Choice = (
    "benchmark",
    "Levels of DORA",
    &[
        ("", "the newest"),
        ("none", "none"),
        ("2024", "2024"),
        ("2023", "2023"),
        ("2022", "2022"),
        ("2021", "2021"),
    ],
);

/// The choices besides groups and filters that a metric has.
fn choices(metric: Metric) -> &'static [Choice] {
    const RECOVERY: Choice = (
        "recovery",
        "Over with",
        &[
            ("", "the last resolve"),
            ("first", "the first resolve"),
            ("open_time", "the last, open time only"),
        ],
    );
    const BUCKET_BY: Choice = (
        "bucket_by",
        "Counts when",
        &[("", "triggered"), ("resolved", "resolved")],
    );
    const SOURCE: Choice = (
        "source",
        "A page is",
        &[
            ("", "an incident"),
            ("notifications", "a notification of a person"),
            ("acknowledgements", "an acknowledgement by a person"),
        ],
    );
    const OF_PEOPLE: Choice = (
        "source",
        "A page is",
        &[
            ("", "an acknowledgement by a person"),
            ("notifications", "a notification of a person"),
        ],
    );
    const MODE: Choice = (
        "mode",
        "The rate is of",
        &[
            ("", "deployments with a failure"),
            ("impact", "failures to deployments"),
        ],
    );
    const MAX_LAG: Choice = (
        "max_lag",
        "A failure comes within",
        &[
            ("", "24 hours"),
            ("1h", "1 hour"),
            ("7d", "7 days"),
            ("none", "any time"),
        ],
    );
    match metric {
        Metric::Mttr => &[RECOVERY, BUCKET_BY],
        Metric::Pages => &[SOURCE],
        Metric::PageDisruptions => &[OF_PEOPLE],
        Metric::ChangeFailureRate => &[MODE, MAX_LAG, BENCHMARK],
        Metric::DeploymentFrequency => &[BENCHMARK],
        Metric::Mtta
        | Metric::IncidentFrequency
        | Metric::TimeToRestore
        | Metric::FailedDeploymentRecoveryTime
        | Metric::ChangeLeadTime
        | Metric::DeploymentReworkRate
        | Metric::SlaCompliance
        | Metric::OncallLoad
        | Metric::ReopenRate
        | Metric::OpenIncidents
        | Metric::Escalations => &[],
    }
}

/// The values that a filter may be set to, with their names.
pub(super) type Values = Vec<(Dimension, Vec<(String, String)>)>;

/// The form that sets filters, with the values that there are in the range.
pub(super) fn form(address: &Address, metric: Metric, values: &Values) -> Markup {
    let choices = choices(metric);
    let names: Vec<&str> = choices.iter().map(|(name, _, _)| *name).collect();
    let has_title =
        Dimension::filters_of(metric, PageSource::Incidents).contains(&Dimension::Title);
    html! {
        form.panel.choose method="get" action=(address.path()) aria-label="Filter" {
            (address.hidden(&names))
            div.fields {
                @for (dimension, values) in values {
                    label {
                        (parts::capital(name(*dimension)))
                        select name=(dimension.as_str()) {
                            option value="" { "any" }
                            @for (value, words) in values { option value=(value) { (words) } }
                        }
                    }
                }
                @if has_title { label { "Title has" input type="text" name="title" maxlength="200"; } }
                @for (param, label, options) in choices {
                    label {
                        (label)
                        select name=(param) {
                            @for (value, words) in *options {
                                option value=(value) selected[address.get(param).unwrap_or_default() == *value] { (words) }
                            }
                        }
                    }
                }
            }
            p.small { "A second value of the same thing counts besides the first." }
            p.choices {
                button.button.primary type="submit" { "Apply filters" }
                a.button href=(address.link()) data-hotkey="escape" { "Leave as it is" }
            }
        }
    }
}

/// What the form offers: what there is of each in the range, whatever is filtered now.
pub(super) fn offered(metric: Metric, source: PageSource) -> impl Iterator<Item = Dimension> {
    let filters = Dimension::filters_of(metric, source);
    let by = groups(metric, source);
    by.filter(move |dimension| filters.contains(dimension))
}
