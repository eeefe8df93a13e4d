//! The facts of one incident, as each source reported them, the last recorded first: what its page and all figures
//! are made of.
//!
//! What it shows of people is what `GET /api/v1/facts` does. Absent: raw reports, which are no facts.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_core::IncidentNumber;
use im_store::{StoreError, Tx, facts};
use maud::{Markup, html};

use super::guard::Visit;
use super::layout::{Live, Page};
use super::load::{self, Detail, Shell};
use super::metrics::sees_people;
use super::times::Now;
use super::{Pairs, WebState, failed, layout, log, parts, refused, times};
use crate::http::api::facts::{Exported, Seen};
use crate::http::api::settings::hides_emails;

/// Where those of an incident are.
pub(super) fn address(number: IncidentNumber) -> String {
    format!("/incidents/{number}/facts")
}

/// What the page shows.
struct Found {
    detail: Detail,
    facts: Vec<Exported>,
}

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(pairs): Pairs,
) -> Response {
    let moment = state.moment();
    let number: Option<IncidentNumber> = id.parse().ok();
    let name = number.map_or(id, |number| number.to_string());
    let log = log::Asked::read(&format!("/incidents/{name}/facts"), pairs);
    let before = match log.before() {
        Ok(before) => before,
        Err(error) => return refused(&error, moment),
    };
    let sees_people = sees_people(&visit);
    let read = state.db.read(move |tx| {
        let found = number.map(|number| found(tx, number, before, sees_people));
        Ok::<_, StoreError>((load::shell(tx, &visit)?, found.transpose()?.flatten()))
    });
    let (shell, found): (Shell, _) = match read.await {
        Ok(read) => read,
        Err(error) => return failed(&error, moment),
    };
    let Some(Found { detail, mut facts }) = found else {
        let page = layout::not_found(&shell, &name, "", moment);
        return (StatusCode::NOT_FOUND, page).into_response();
    };
    let older = log.page(&mut facts, |fact| fact.seq);
    let number = detail.row.number;
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href="/" { "Incidents" } " / " a href={ "/incidents/" (number) } { (number) } " / "
            span aria-current="page" { "Facts" }
        }
        h1 { "Facts of " (number) }
        p.small {
            (detail.story.title) ". Each line is what one source reported, as it was recorded, the last first. Several may report the same act: the "
            a href={ "/incidents/" (number) } { "timeline" } " has it once, and so has every figure."
            @if !sees_people { " Who acted and who was paged stands in it for those who may see personal load." }
        }
        @if facts.is_empty() {
            (log.nothing("Nothing was reported", None, "Facts stay as long as their incident."))
        } @else { (table(&facts, moment.now)) }
        (older)
        p.small.note-of { "The same as a file: " code { "im data facts --incident " (number) } }
    };
    let head = Page {
        title: &format!("Facts of {number}"),
        entry: "",
        live: Live::Still,
    };
    layout::page(&head, &shell, moment, &body).into_response()
}

/// The facts of an incident and of its parts before one; nothing where there is no such incident.
fn found(
    tx: &mut Tx<'_>,
    number: IncidentNumber,
    before: i64,
    sees_people: bool,
) -> Result<Option<Found>, StoreError> {
    let Some(detail) = load::detail(tx, number)? else {
        return Ok(None);
    };
    let seen = Seen {
        hides_emails: hides_emails(tx)?,
        sees_people,
    };
    let parts = detail.parts.iter().map(|(_, part)| part.row.number);
    let limit = log::Asked::limit();
    let mut all = Vec::new();
    for one in [number].into_iter().chain(parts) {
        all.extend(facts::shown_of(tx, one, before, limit)?);
    }
    all.sort_by_key(|fact| std::cmp::Reverse(fact.seq));
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let facts = all.into_iter().map(|fact| Exported::new(fact, seen));
    Ok(Some(Found {
        facts: facts.collect(),
        detail,
    }))
}

fn table(facts: &[Exported], now: Now) -> Markup {
    html! {
        div.panel {
            table.data.items.audit.reported {
                thead { tr {
                    th scope="col" { "Happened" } th scope="col" { "Recorded" } th.name scope="col" { "What" }
                    th scope="col" { "By" } th scope="col" { "Source" }
                } }
                tbody { @for fact in facts { (row(fact, now)) } }
            }
        }
    }
}

fn row(fact: &Exported, now: Now) -> Markup {
    let shown = [
        ("service", &fact.service),
        ("policy", &fact.escalation_policy),
        ("urgency", &fact.urgency),
        ("priority", &fact.priority),
    ];
    let shown: Vec<String> = shown
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)))
        .collect();
    html! {
        tr {
            td.at data-name="happened" { (times::second(fact.at, now)) }
            td.at data-name="recorded" { @match fact.recorded_at { Some(at) => (times::second(at, now)), None => "not kept" } }
            th.name scope="row" {
                (words(fact.kind))
                @if let Some(value) = &fact.value { " " b.value { (value) } }
                @if let Some(detail) = &fact.detail { span.meta { (detail) } }
                @if !fact.people.is_empty() { span.meta { "about " (fact.people.join(", ")) } }
                @if !shown.is_empty() { span.meta { "at PagerDuty then: " (shown.join(", ")) } }
                @if fact.incident.contains('.') { span.meta { "of its part " (fact.incident) } }
            }
            td data-name="by" { (actor(fact)) }
            td.from {
                (words(fact.source))
                span.meta { (fact.source_id) }
                @if let Some(command) = &fact.answers { span.meta { "answers " (command) } }
            }
        }
    }
}

/// `log_entry` is `Log entry`.
fn words(word: &str) -> String {
    parts::capital(&word.replace('_', " "))
}

fn actor(fact: &Exported) -> Markup {
    let named = fact.actor_name.as_ref().or(fact.actor_id.as_ref());
    html! {
        @match named { Some(name) => (name), None => span.nobody { @if fact.actor_kind == "none" { "not told" } @else { (fact.actor_kind) } } }
        @if let (Some(_), Some(id)) = (&fact.actor_name, &fact.actor_id) { span.meta { (id) } }
    }
}
