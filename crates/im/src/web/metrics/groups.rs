//! Groups side by side: a table of them, and what is drawn of the largest.

use im_metrics::{Answer, Dimension, Figure, Series, Value};
use maud::{Markup, html};

use super::about::About;
use super::asked::Asked;
use super::bar;
use super::chart::{Drawing, Line, Stack};
use super::slots::{State, rows};
use super::spark::{Kind, spark};
use super::words::{self, Change, Unit, float, size, value};
use crate::figures::Known;
use crate::organisation::Target;
use crate::web::parts;

/// Rows of a table; the export has them all.
pub(super) const ROWS_MAX: usize = 50;
/// More lines or colours are not told apart.
const DRAWN_MAX: usize = 5;
/// The column of weeks that missed their target.
const OVER: &str = "Weeks off target";
const CLASSES: [&str; DRAWN_MAX] = ["c1", "c2", "c3", "c4", "c5"];

/// A group as the table shows it.
pub(super) struct Group<'a> {
    pub(super) name: String,
    pub(super) key: Option<&'a str>,
    pub(super) series: &'a Series,
    pub(super) change: Change,
    /// How much of the whole it is: of the time for durations, else of the things counted.
    pub(super) share: Option<f64>,
}

/// The groups of an answer, those of the highest figure first.
pub(super) fn groups<'a>(
    asked: &Asked,
    answer: &'a Answer,
    by: Dimension,
    known: &'a Known,
) -> Vec<Group<'a>> {
    let whole: f64 = answer
        .series
        .iter()
        .map(|series| weight(&series.total.figure))
        .sum();
    let mut groups: Vec<Group<'a>> = answer
        .series
        .iter()
        .map(|series| {
            let key = series.keys.first().and_then(Option::as_deref);
            let then = then(answer, series).map(|series| &series.total.figure);
            Group {
                name: bar::key_name(by, key, known),
                key: key.map(|key| known.shown(key)),
                series,
                change: words::change(asked.about, &series.total.figure, then),
                share: (whole > 0.0).then(|| weight(&series.total.figure) / whole),
            }
        })
        .collect();
    let sort = |group: &Group<'_>| value(&group.series.total.figure).unwrap_or(-1.0);
    groups.sort_by(|a, b| {
        sort(b)
            .total_cmp(&sort(a))
            .then_with(|| a.name.cmp(&b.name))
    });
    groups
}

/// The same group in the time before.
fn then<'a>(answer: &'a Answer, series: &Series) -> Option<&'a Series> {
    let previous = answer.previous.as_deref()?;
    previous.series.iter().find(|then| then.keys == series.keys)
}

/// What a share is a share of.
fn weight(figure: &Figure) -> f64 {
    match figure {
        Figure::Durations(durations) => durations.mean.unwrap_or_default() * float(durations.n),
        Figure::Ratio { numerator, .. } => float(*numerator),
        Figure::Count { n }
        | Figure::Rate { n, .. }
        | Figure::Compliance { n, .. }
        | Figure::Load { n, .. } => float(*n),
    }
}

/// What the column of shares is called.
fn share_of(figure: &Figure) -> &'static str {
    match figure {
        Figure::Durations(_) => "Share of time",
        Figure::Ratio { .. } => "Share of failures",
        Figure::Count { .. }
        | Figure::Rate { .. }
        | Figure::Compliance { .. }
        | Figure::Load { .. } => "Share",
    }
}

/// Where the things behind a group are listed. How it was resolved cannot be filtered by.
pub(super) fn link(asked: &Asked, by: Dimension, key: Option<&str>) -> Option<String> {
    let key = key.unwrap_or("null");
    let filters = Dimension::filters_of(asked.query.metric, asked.query.source);
    let items = asked.items();
    filters
        .contains(&by)
        .then(|| items.with(by.as_str(), key).link())
}

/// The table.
pub(super) fn table(
    asked: &Asked,
    groups: &[Group<'_>],
    by: Dimension,
    (states, of_weeks): (&[State], Option<&Target>),
) -> Markup {
    let Some(first) = groups.first() else {
        return html! {};
    };
    let names: Vec<String> = rows(asked.about, &first.series.total.figure)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let most = groups
        .iter()
        .flat_map(|group| numbers(&group.series.values))
        .flatten()
        .fold(0.0, f64::max);
    html! {
        section aria-labelledby="by" {
            h2 #by { "By " (bar::name(by)) span.number { "highest first; a row opens what is behind it" } }
            div.panel.scroll {
                table.data {
                    thead {
                        tr {
                            th.name scope="col" { (parts::capital(bar::name(by))) }
                            @for name in &names { th.num scope="col" { (name) } }
                            @if of_weeks.is_some() { th.num scope="col" { (OVER) } }
                            @if asked.query.compare { th.num scope="col" { "Change" } }
                            th.course scope="col" { "Course" }
                            th.share scope="col" { (share_of(&first.series.total.figure)) }
                        }
                    }
                    tbody {
                        @for group in groups.iter().take(ROWS_MAX) { (row(asked, group, by, (states, of_weeks), most)) }
                    }
                }
            }
            @if groups.len() > ROWS_MAX {
                p.older { "The " (ROWS_MAX) " highest of " (groups.len()) " are here; the export has them all." }
            }
        }
    }
}

fn row(
    asked: &Asked,
    group: &Group<'_>,
    by: Dimension,
    (states, of_weeks): (&[State], Option<&Target>),
    most: f64,
) -> Markup {
    let figure = &group.series.total.figure;
    let kind = kind(figure);
    html! {
        tr {
            th.name scope="row" {
                @match link(asked, by, group.key) {
                    Some(link) => a.title href=(link) { (group.name) },
                    None => span.title { (group.name) },
                }
            }
            @for (name, said) in rows(asked.about, figure) { td.num data-name=(name) { (said) } }
            @if let Some(target) = of_weeks { td.num data-name=(OVER) { (over(target, &group.series.values)) } }
            @if asked.query.compare {
                td.num data-name="Change" { span class=(group.change.tone) { (group.change.words) } }
            }
            td.course { (spark(kind, &numbers(&group.series.values), states, most, 26.0)) }
            td.share data-name=(share_of(figure)) {
                @if let Some(share) = group.share {
                    (words::percent(share * 100.0))
                    meter min="0" max="100" value=(format!("{:.1}", share * 100.0)) { }
                }
            }
        }
    }
}

/// In how many weeks a target was missed.
fn over(target: &Target, weeks: &[Value]) -> usize {
    let weeks = numbers(weeks);
    let missed = weeks
        .iter()
        .flatten()
        .filter(|pages| !target.is_met(**pages));
    missed.count()
}

/// Whether figures of this sort are drawn as a line or as bars.
pub(super) fn kind(figure: &Figure) -> Kind {
    match figure {
        Figure::Durations(_) | Figure::Ratio { .. } | Figure::Compliance { .. } => Kind::Line,
        Figure::Count { .. } | Figure::Rate { .. } | Figure::Load { .. } => Kind::Bars,
    }
}

/// The number of each bucket that is drawn: a rate is drawn as what it counts.
pub(super) fn numbers(values: &[Value]) -> Vec<Option<f64>> {
    let number = |figure: &Figure| match figure {
        Figure::Rate { n, .. } => Some(float(*n)),
        other => value(other),
    };
    values.iter().map(|value| number(&value.figure)).collect()
}

/// The largest groups as one drawing, and what is not on it.
pub(super) fn drawing(
    groups: &[Group<'_>],
    by: Dimension,
    whole: &[Value],
) -> (Drawing, Option<String>) {
    let mut largest: Vec<&Group<'_>> = groups.iter().collect();
    largest.sort_by_key(|group| std::cmp::Reverse(size(&group.series.total.figure)));
    let drawn = largest.iter().take(DRAWN_MAX).zip(CLASSES);
    let others = largest.len().saturating_sub(DRAWN_MAX);
    let is_line = groups
        .first()
        .is_none_or(|group| kind(&group.series.total.figure) == Kind::Line);
    if is_line {
        let lines = drawn.map(|(group, class)| Line {
            name: group.name.clone(),
            class,
            values: numbers(&group.series.values),
        });
        let note =
            (others > 0).then(|| format!("the {DRAWN_MAX} with most; {others} more in the table"));
        let drawing = Drawing::Lines {
            lines: lines.collect(),
            band: vec![None; whole.len()],
            counts: whole.iter().map(|value| size(&value.figure)).collect(),
        };
        return (drawing, note);
    }
    let counts = |values: &[Value]| {
        numbers(values)
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect()
    };
    let mut stacks: Vec<Stack> = drawn
        .map(|(group, class)| Stack {
            name: group.name.clone(),
            class,
            values: counts(&group.series.values),
        })
        .collect();
    if others > 0 {
        let rest = largest.iter().skip(DRAWN_MAX);
        let rest: Vec<Vec<f64>> = rest.map(|group| counts(&group.series.values)).collect();
        let sum = |index: usize| rest.iter().filter_map(|values| values.get(index)).sum();
        stacks.push(Stack {
            name: "other".to_owned(),
            class: "rest",
            values: (0..whole.len()).map(sum).collect(),
        });
    }
    // An incident of two teams stands in both bars.
    let note = (by == Dimension::Team).then(|| "what is of several teams is in each".to_owned());
    (Drawing::Bars { stacks }, note)
}

/// What the one number of a group's figure says, with the unit.
pub(super) fn said(about: &About, figure: &Figure) -> String {
    match (Unit::of(figure), words::say(figure)) {
        (Unit::Count, _) => about.count(size(figure)),
        (_, Some(said)) => said,
        (_, None) => "none".to_owned(),
    }
}
