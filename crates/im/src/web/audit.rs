//! The audit log: who did what, the last first.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use im_store::audit::{self, Asked, AuditRow, Kind};
use im_store::{StoreError, Tx};
use maud::{Markup, html};

use super::guard::Visit;
use super::layout::{Live, Page};
use super::{WebState, calls, failed, layout, load, parts, times};
use crate::access::audit::KEPT;

/// Where it is.
pub(super) const ADDRESS: &str = "/audit";
/// Rows of a page.
const ROWS_MAX: u32 = 100;

type Pairs = Query<Vec<(String, String)>>;

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    let moment = state.moment();
    let get = |name: &str| {
        let pair = pairs.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    };
    let who = get("who").map(str::to_owned);
    let before = get("before").and_then(|before| before.parse().ok());
    let asked = Asked {
        since: moment.now - KEPT,
        who: who.clone(),
        before: before.unwrap_or(i64::MAX),
        limit: ROWS_MAX + 1,
    };
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        Ok::<_, StoreError>((load::shell(tx, &visit)?, audit::newest(tx, &asked)?))
    });
    let (shell, mut rows) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let has_more = u32::try_from(rows.len()).is_ok_and(|rows| rows > ROWS_MAX);
    rows.truncate(usize::try_from(ROWS_MAX).unwrap_or(usize::MAX));
    let older = rows.last().filter(|_| has_more).map(|row| row.id);
    let body = html! {
        div.top {
            h1 { "Audit log" }
            a.button href=(calls::ADDRESS) { "Calls to PagerDuty" }
        }
        (asking(who.as_deref()))
        @if rows.is_empty() {
            div.panel.quiet {
                p {
                    "Nothing was done"
                    @if let Some(who) = &who { " by " (who) }
                    @if before.is_some() { " before that" }
                    ". What people, tokens and this machine change is here for 400 days."
                }
            }
        } @else { (table(&rows)) }
        @if let Some(older) = older {
            p.choices { a.button href=(address(who.as_deref(), older)) { "Older" } }
        }
    };
    let head = Page {
        title: "Audit log",
        entry: ADDRESS,
        live: Live::Still,
    };
    layout::page(&head, &shell, moment, &body).into_response()
}

fn address(who: Option<&str>, before: i64) -> String {
    let mut url = reqwest::Url::parse("http://localhost").ok();
    if let Some(url) = &mut url {
        let mut pairs = url.query_pairs_mut();
        if let Some(who) = who {
            pairs.append_pair("who", who);
        }
        pairs.append_pair("before", &before.to_string());
    }
    let query = url.as_ref().and_then(reqwest::Url::query);
    format!("{ADDRESS}?{}", query.unwrap_or_default())
}

fn asking(who: Option<&str>) -> Markup {
    html! {
        form.ask method="get" action=(ADDRESS) {
            label { "Who" input type="search" name="who" value=[who] placeholder="ann@example.com, or the name of a token"; }
            button.button type="submit" { "Show" }
            @if who.is_some() { a.button href=(ADDRESS) { "Show all" } }
        }
    }
}

fn table(rows: &[AuditRow]) -> Markup {
    html! {
        div.panel {
            table.data.items.audit {
                thead { tr {
                    th scope="col" { "When" } th.name scope="col" { "Who" } th scope="col" { "What" }
                    th scope="col" { "From" } th scope="col" { "Outcome" }
                } }
                tbody {
                    @for row in rows {
                        @let entry = &row.entry;
                        tr {
                            td.at { (times::second(row.at)) }
                            th.name scope="row" {
                                (who(entry.kind, &entry.who))
                                @if let Some(other) = &entry.acts_as { span.meta { "for " (other) } }
                            }
                            td.act { (parts::capital(&entry.act)) @if !entry.thing.is_empty() { " " b { (entry.thing) } } }
                            td.from data-name="from" { (super::account::address(&entry.address)) }
                            td { (outcome(entry.status)) }
                        }
                    }
                }
            }
        }
    }
}

fn who(kind: Kind, name: &str) -> Markup {
    match kind {
        Kind::Account => html! { (name) },
        Kind::Token => html! { "token " (name) },
        Kind::Local => html! { "the administrator" },
        Kind::Nobody if name.is_empty() => html! { "nobody known" },
        Kind::Nobody => html! { "nobody" span.meta { "as " (name) } },
    }
}

fn outcome(status: u16) -> Markup {
    let (tone, word) = match status {
        0..400 => ("green", "Done"),
        401 | 403 | 429 => ("amber", "Refused"),
        400..500 => ("grey", "Not done"),
        500.. => ("red", "Failed"),
    };
    html! { span class={ "pill " (tone) } { (word) } @if status >= 400 { span.meta { "HTTP " (status) } } }
}
