//! The audit log: who did what, the last first.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use im_store::audit::{self, Asked, AuditRow, Kind};
use im_store::{StoreError, Tx};
use maud::{Markup, html};

use super::guard::Visit;
use super::layout::{Live, Page};
use super::times::Now;
use super::{Pairs, WebState, calls, failed, layout, load, log, parts, refused, times};
use crate::access::audit::KEPT;

/// Where it is.
pub(super) const ADDRESS: &str = "/audit";

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    let moment = state.moment();
    let log = log::Asked::read(ADDRESS, pairs);
    let who = log.get("who");
    let before = match log.before() {
        Ok(before) => before,
        Err(error) => return refused(&error, moment),
    };
    let asked = Asked {
        since: moment.now.at - KEPT,
        who: who.clone(),
        before,
        limit: log::Asked::limit(),
    };
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        Ok::<_, StoreError>((load::shell(tx, &visit)?, audit::newest(tx, &asked)?))
    });
    let (shell, mut rows) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let older = log.page(&mut rows, |row| row.id);
    let kept = "What people, tokens and this machine change is here for 400 days.";
    let body = html! {
        div.top {
            h1 { "Audit log" }
            a.button href=(calls::ADDRESS) { "Calls to PagerDuty" }
        }
        (asking(who.as_deref()))
        @if rows.is_empty() { (log.nothing("Nothing was done", who.as_deref(), kept)) } @else { (table(&rows, moment.now)) }
        (older)
    };
    let head = Page {
        title: "Audit log",
        entry: ADDRESS,
        live: Live::Still,
    };
    layout::page(&head, &shell, moment, &body).into_response()
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

fn table(rows: &[AuditRow], now: Now) -> Markup {
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
                            td.at { (times::second(row.at, now)) }
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
