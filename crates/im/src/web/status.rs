//! How the system does: what is checked, what waits, what went wrong lately, by connector.
//!
//! Nothing is asked of PagerDuty: it is told by what is stored, as `im doctor` and `/metrics` tell it.
//!
//! Absent: the comparison of each incident with its facts, which takes long; `im doctor` makes it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_engine::connector;
use im_engine::figures::{self, Figures};
use im_store::{StoreError, Tx, inbox};
use jiff::Timestamp;
use maud::{Markup, html};

use super::guard::Visit;
use super::layout::{Live, Page};
use super::load::{self, Shell};
use super::times::Now;
use super::{WebState, failed, layout, parts, refused, times};
use crate::http::api::connectors::{ConnectorView, view};
use crate::http::api::doctor::quickly;
use crate::http::api::types::{Check, Checks};

/// Where it is.
pub(super) const ADDRESS: &str = "/status";

/// What is stored of how things go.
struct Seen {
    shell: Shell,
    connectors: Vec<(ConnectorView, Figures)>,
    /// Webhooks that were taken and not understood yet.
    inbox: i64,
}

fn seen(tx: &mut Tx<'_>, visit: &Visit, now: Timestamp) -> Result<Seen, StoreError> {
    let mut connectors = Vec::new();
    for connector in connector::all(tx)? {
        let figures = figures::of(tx, connector.name(), connector.row.created_at, now)?;
        connectors.push((view(tx, &connector, now)?, figures));
    }
    Ok(Seen {
        shell: load::shell(tx, visit)?,
        connectors,
        inbox: inbox::waiting(tx)?,
    })
}

pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Response {
    let moment = state.moment();
    let found = state
        .db
        .read(move |tx| seen(tx, &visit, moment.now.at))
        .await;
    let seen = match found {
        Ok(seen) => seen,
        Err(error) => return failed(&error, moment),
    };
    let checks = match quickly(&state.app).await {
        Ok(lines) => Checks::of(lines),
        Err(error) => return refused(&error, moment),
    };
    let body = html! {
        h1 { "Status" }
        (verdict(&checks))
        (figures_of(&seen))
        @if !seen.connectors.is_empty() { (connectors(&seen, moment.now)) }
        section aria-labelledby="checks" {
            h2 #checks { "Checks" }
            div.panel { ul.checks { @for line in &checks.lines { (check(line)) } } }
            p.small.below {
                "What is stored was looked at, and PagerDuty was not asked. "
                code { "im doctor" } " also compares each incident with its facts; "
                code { "/metrics" } " has the numbers for a monitor, which asks with a token."
            }
        }
        p.small.below { "im " (env!("CARGO_PKG_VERSION")) }
    };
    let head = Page {
        title: "Status",
        entry: ADDRESS,
        live: Live::Timeline,
    };
    (
        StatusCode::OK,
        layout::page(&head, &seen.shell, moment, &body),
    )
        .into_response()
}

fn verdict(checks: &Checks) -> Markup {
    let wrong = checks
        .lines
        .iter()
        .filter(|line| line.state == "failed")
        .count();
    html! {
        div.panel.quiet {
            p {
                @match wrong {
                    0 => { span.tone.green { (parts::icon("check")) } "Everything that was looked at is as it should be." },
                    1 => { span.tone.red { (parts::icon("warn")) } "1 thing needs a person." },
                    many => { span.tone.red { (parts::icon("warn")) } (many) " things need a person." },
                }
            }
        }
    }
}

/// What waits, and what went wrong lately, of all connectors.
fn figures_of(seen: &Seen) -> Markup {
    let sum = |of: fn(&ConnectorView) -> i64| -> i64 {
        seen.connectors.iter().map(|(view, _)| of(view)).sum()
    };
    let refused = sum(|view| view.parked) + sum(|view| view.conflicts);
    let errors = sum(|view| view.sync_errors);
    let cell = |name: &str, value: i64, help: &str, is_bad: bool| {
        html! {
            div {
                dt { (name) }
                dd.tone.orange[is_bad] { (value) }
                dd.small { (help) }
            }
        }
    };
    html! {
        dl.figures {
            (cell("Webhooks waiting", seen.inbox, "taken, not understood yet", false))
            (cell("Changes waiting", sum(|view| view.pending), "to be sent to PagerDuty", false))
            (cell("Need a decision", refused, "refused, or changed on both sides", refused > 0))
            (cell("Failed calls", errors, "to PagerDuty in 24 h", errors > 0))
        }
    }
}

fn connectors(seen: &Seen, now: Now) -> Markup {
    let when = |at: Option<Timestamp>| {
        html! {
            @match at { Some(at) => { (times::ago(at, now)) }, None => span.nobody { "never" } }
        }
    };
    html! {
        section aria-labelledby="connectors" {
            h2 #connectors { "Connectors" }
            div.panel {
                table.data.items.lags {
                    thead { tr {
                        th.name scope="col" { "Connector" } th scope="col" { "State" } th.num scope="col" { "Waiting" }
                        th scope="col" { "To PagerDuty" } th scope="col" { "Last webhook" } th scope="col" { "Last sync" }
                    } }
                    tbody {
                        @for (view, figures) in &seen.connectors {
                            tr {
                                th.name scope="row" {
                                    a href={ "/connectors/" (view.name) } { (view.name) }
                                    @if let Some(reason) = &view.status_reason { span.meta { (reason) } }
                                }
                                td data-name="state" { (state_pill(view.status)) }
                                td.num data-name="waiting" { (view.pending) }
                                td data-name="to PagerDuty" { @match figures.mean_ms { Some(ms) => { (seconds(ms)) }, None => span.nobody { "nothing sent" } } }
                                td data-name="last webhook" { (when(view.webhook.last_delivery)) }
                                td data-name="last sync" { (when(view.last_sync)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The mean of a day, as people say it.
fn seconds(ms: i64) -> String {
    if ms < 1_000 {
        return format!("{ms} ms");
    }
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

fn state_pill(status: &str) -> Markup {
    let tone = match status {
        "active" => "green",
        "failing" | "auth_failed" => "red",
        "limited" => "amber",
        _ => "grey",
    };
    html! { span class={ "pill " (tone) } { (parts::capital(&status.replace('_', " "))) } }
}

fn check(line: &Check) -> Markup {
    let (tone, icon, word) = match line.state {
        "ok" => ("green", "check", "As it should be"),
        "failed" => ("red", "warn", "Wrong"),
        _ => ("grey", "dash", "Not looked at"),
    };
    html! {
        li {
            span class={ "tone " (tone) } { (parts::icon(icon)) span.hidden { (word) ": " } }
            span { (line.text) }
            @if let Some(cause) = &line.cause { p { (parts::capital(cause)) "." } }
            @if let Some(next) = &line.next { p.small { (parts::commands(&parts::capital(next))) "." } }
        }
    }
}
