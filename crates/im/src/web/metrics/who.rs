//! Who was paged: on the page of disruptions, for whoever may see single people. Nobody else has any of it.

use im_metrics::{Answer, BadQuery, BucketSize, Dimension, Measure, Metric, When};
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

use super::asked::Asked;
use super::bar;
use super::groups::ROWS_MAX;
use super::words::size;
use crate::figures::Known;

/// What one person had in the range.
struct Row {
    key: Option<String>,
    name: String,
    teams: String,
    pages: u64,
    out_of_hours: u64,
    /// Hours that pages disturbed.
    hours: u64,
}

/// The people, those with most pages out of hours first; nothing where others look, where people stand above already,
/// and of what has no people.
pub(super) fn section(
    asked: &Asked,
    (by, last): (Dimension, Date),
    known: &Known,
    now: Timestamp,
) -> Result<Markup, BadQuery> {
    let query = &asked.query;
    let has_people = Dimension::groups_of(query.metric, query.source).contains(&Dimension::User);
    let is_asked = query.metric == Metric::PageDisruptions && by != Dimension::User;
    if !asked.sees_people || !is_asked || !has_people {
        return Ok(html! {});
    }
    let rows = rows(asked, last, known, now)?;
    let items = asked.items().without("when").without("measure");
    let of = |row: &Row| items.with("user", row.key.as_deref().unwrap_or("null"));
    Ok(html! {
        @if !rows.is_empty() {
            section aria-labelledby="who" {
                h2 #who { "Who" span.number { "most pages out of hours first" } }
                div.panel.scroll {
                    table.data {
                        thead {
                            tr {
                                th.name scope="col" { "Person" }
                                th scope="col" { "Team" }
                                th.num scope="col" { "Pages" }
                                th.num scope="col" { "Out of hours" }
                                th.num scope="col" { "Hours disturbed" }
                            }
                        }
                        tbody {
                            @for row in rows.iter().take(ROWS_MAX) {
                                tr {
                                    th.name scope="row" { a.title href=(of(row).link()) { (row.name) } }
                                    td data-name="Team" { @if row.teams.is_empty() { "none" } @else { (row.teams) } }
                                    td.num data-name="Pages" { (row.pages) }
                                    td.num data-name="Out of hours" { a href=(of(row).with("when", When::OutOfHours.as_str()).link()) { (row.out_of_hours) } }
                                    td.num data-name="Hours disturbed" { a href=(of(row).with("measure", Measure::Hours.as_str()).link()) { (row.hours) } }
                                }
                            }
                        }
                    }
                }
                @if rows.len() > ROWS_MAX { p.older { "The first " (ROWS_MAX) " of " (rows.len()) " people are here." } }
                p.small.note-of { "Shown by name because you may see personal load. Others see teams and services only." }
            }
        }
    })
}

fn rows(asked: &Asked, last: Date, known: &Known, now: Timestamp) -> Result<Vec<Row>, BadQuery> {
    let ask = |measure: Measure, when: When| {
        let query = asked.asking(|query| {
            (query.group_by, query.bucket) = (Some(Dimension::User), BucketSize::All);
            (query.measure, query.when, query.compare) = (measure, when, false);
        });
        known.engine.answer(&query, now)
    };
    let pages = ask(Measure::Pages, When::All)?;
    let out_of_hours = ask(Measure::Pages, When::OutOfHours)?;
    let hours = ask(Measure::Hours, When::All)?;
    let mut rows: Vec<Row> = pages
        .series
        .iter()
        .map(|series| Row {
            name: bar::key_name(Dimension::User, key(&series.keys), known),
            teams: teams(key(&series.keys), last, known),
            pages: size(&series.total.figure),
            out_of_hours: count(&out_of_hours, &series.keys),
            hours: count(&hours, &series.keys),
            key: key(&series.keys).map(|key| known.shown(key).to_owned()),
        })
        .collect();
    rows.sort_by(|a, b| {
        let most_first = (b.out_of_hours, b.pages).cmp(&(a.out_of_hours, a.pages));
        most_first.then_with(|| a.name.cmp(&b.name))
    });
    Ok(rows)
}

fn key(keys: &[Option<String>]) -> Option<&str> {
    keys.first().and_then(Option::as_deref)
}

/// How many an answer has of a group.
fn count(answer: &Answer, keys: &[Option<String>]) -> u64 {
    let found = answer.series.iter().find(|series| series.keys == keys);
    found.map_or(0, |series| size(&series.total.figure))
}

/// The teams that somebody is in on a date.
fn teams(user: Option<&str>, on: Date, known: &Known) -> String {
    let people = &known.engine.settings().people;
    let person = people
        .iter()
        .find(|person| Some(person.id.as_str()) == user);
    let places = person.into_iter().flat_map(|person| &person.memberships);
    let held = places.filter(|place| {
        place.from.is_none_or(|from| from <= on) && place.to.is_none_or(|to| on <= to)
    });
    let names: Vec<&str> = held.map(|place| known.name(&place.team)).collect();
    names.join(", ")
}
