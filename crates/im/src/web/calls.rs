//! Every call that was made to PagerDuty with a key, the last first.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use im_store::calls::{Asked, CallEntry, CallRow};
use maud::{Markup, html};
use reqwest::Url;

use super::guard::Visit;
use super::layout::{Live, Page};
use super::{Pairs, WebState, audit, failed, layout, load, parts, refused, times};
use crate::http::api::calls::newest;
use crate::run::calls::KEPT;

/// Where it is.
pub(super) const ADDRESS: &str = "/audit/calls";
/// Rows of a page.
const ROWS_MAX: usize = 100;

/// The calls of a connector.
pub(super) fn address(connector: &str) -> String {
    link(Some(connector), false, None)
}

fn link(connector: Option<&str>, failed: bool, before: Option<i64>) -> String {
    let mut url = Url::parse("http://localhost").ok();
    if let Some(url) = &mut url {
        let mut pairs = url.query_pairs_mut();
        if let Some(connector) = connector {
            pairs.append_pair("connector", connector);
        }
        if failed {
            pairs.append_pair("failed", "true");
        }
        if let Some(before) = before {
            pairs.append_pair("before", &before.to_string());
        }
    }
    match url.as_ref().and_then(Url::query) {
        Some(query) if !query.is_empty() => format!("{ADDRESS}?{query}"),
        _ => ADDRESS.to_owned(),
    }
}

pub(super) async fn show(State(state): State<WebState>, visit: Visit, pairs: Pairs) -> Response {
    let moment = state.moment();
    let get = |name: &str| {
        let pair = pairs.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    };
    let connector = get("connector").map(str::to_owned);
    let is_failed = get("failed") == Some("true");
    let before: Option<i64> = get("before").and_then(|before| before.parse().ok());
    let asked = Asked {
        connector: connector.clone(),
        since: moment.now - KEPT,
        failed: is_failed,
        before: before.unwrap_or(i64::MAX),
        limit: u32::try_from(ROWS_MAX + 1).unwrap_or(u32::MAX),
    };
    let mut rows = match newest(&state, asked).await {
        Ok(rows) => rows,
        Err(error) => return refused(&error, moment),
    };
    let shell = match state.db.read(move |tx| load::shell(tx, &visit)).await {
        Ok(shell) => shell,
        Err(error) => return failed(&error, moment),
    };
    let has_more = rows.len() > ROWS_MAX;
    rows.truncate(ROWS_MAX);
    let older = rows.last().filter(|_| has_more).map(|row| row.id);
    let of = connector.as_deref();
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(audit::ADDRESS) { "Audit log" } " / " span aria-current="page" { "Calls to PagerDuty" } }
        h1 { "Calls to PagerDuty" }
        (asking(of, is_failed))
        @if rows.is_empty() {
            div.panel.quiet {
                p {
                    @if is_failed { "No call failed" } @else { "Nothing was called" }
                    @if let Some(name) = of { " by " (name) }
                    @if before.is_some() { " before that" }
                    ". Every call is here for 90 days, at most 500,000 of them."
                }
            }
        } @else { (table(&rows)) }
        @if let Some(older) = older {
            p.choices { a.button href=(link(of, is_failed, Some(older))) { "Older" } }
        }
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

fn table(rows: &[CallRow]) -> Markup {
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
                            td.at { (times::second(entry.at)) }
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
