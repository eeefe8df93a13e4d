//! Every call that was made to PagerDuty with a key, the last first.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use im_store::calls::{Asked, CallEntry, CallRow};
use maud::{Markup, html};

use super::address::Address;
use super::guard::Visit;
use super::layout::{Live, Page};
use super::times::Now;
use super::{Pairs, WebState, audit, failed, layout, load, log, parts, refused, times};
use crate::http::api::calls::newest;
use crate::run::calls::KEPT;

/// Where it is.
pub(super) const ADDRESS: &str = "/audit/calls";

/// The calls of a connector.
pub(super) fn address(connector: &str) -> String {
    let all = Address::new(ADDRESS, Vec::new());
    all.with("connector", connector).link()
}

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    let moment = state.moment();
    let log = log::Asked::read(ADDRESS, pairs);
    let connector = log.get("connector");
    let is_failed = log.get("failed").as_deref() == Some("true");
    let before = match log.before() {
        Ok(before) => before,
        Err(error) => return refused(&error, moment),
    };
    let asked = Asked {
        connector: connector.clone(),
        since: moment.now.at - KEPT,
        failed: is_failed,
        before,
        limit: log::Asked::limit(),
    };
    let mut rows = match newest(&state, asked).await {
        Ok(rows) => rows,
        Err(error) => return refused(&error, moment),
    };
    let shell = match state.db.read(move |tx| load::shell(tx, &visit)).await {
        Ok(shell) => shell,
        Err(error) => return failed(&error, moment),
    };
    let older = log.page(&mut rows, |row| row.id);
    let nothing = if is_failed {
        "No call failed"
    } else {
        "Nothing was called"
    };
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(audit::ADDRESS) { "Audit log" } " / " span aria-current="page" { "Calls to PagerDuty" } }
        h1 { "Calls to PagerDuty" }
        (asking(connector.as_deref(), is_failed))
        @if rows.is_empty() {
            (log.nothing(nothing, connector.as_deref(), "Every call is here for 90 days, at most 500,000 of them."))
        } @else { (table(&rows, moment.now)) }
        (older)
    };
    let head = Page {
        title: "Calls to PagerDuty",
        entry: audit::ADDRESS,
        live: Live::Still,
    };
    layout::page(&head, &shell, moment, &body).into_response()
}

fn asking(connector: Option<&str>, is_failed: bool) -> Markup {
    html! {
        form.ask method="get" action=(ADDRESS) {
            label { "Connector" input type="search" name="connector" value=[connector] placeholder="its name"; }
            label.tick { input type="checkbox" name="failed" value="true" checked[is_failed]; "Failed only" }
            button.button type="submit" { "Show" }
            @if connector.is_some() || is_failed { a.button href=(ADDRESS) { "Show all" } }
        }
    }
}

fn table(rows: &[CallRow], now: Now) -> Markup {
    html! {
        div.panel {
            table.data.items.audit.calls {
                thead { tr {
                    th scope="col" { "When" } th.name scope="col" { "Connector" } th scope="col" { "Call" }
                    th scope="col" { "Key" } th scope="col" { "Answer" }
                } }
                tbody {
                    @for CallRow { entry, .. } in rows {
                        tr {
                            td.at { (times::second(entry.at, now)) }
                            th.name scope="row" { (entry.connector) span.meta { (entry.why.as_str()) } }
                            td.act { (entry.method) " " b { (entry.path) } }
                            td.from data-name="key" { (entry.key) }
                            td { (answer(entry)) }
                        }
                    }
                }
            }
        }
    }
}

fn answer(entry: &CallEntry) -> Markup {
    let tone = match entry.status {
        _ if entry.outcome == "done" => "green",
        Some(_) => "amber",
        None => "red",
    };
    html! {
        span class={ "pill " (tone) } { (parts::capital(&entry.outcome)) }
        span.meta { @match entry.status { Some(status) => { "HTTP " (status) }, None => "no answer" } ", " (entry.ms) " ms" }
    }
}
