//! One connector: whether both sides stay the same, its figures, its webhook, what waits, what came.

use im_engine::connector;
use im_engine::figures::{self, Figures};
use im_store::conflicts::{self, ConflictRow};
use im_store::outbox::{self, OutboxRow};
use im_store::{StoreError, Tx};
use jiff::Timestamp;
use maud::{Markup, html};

use super::guard::Visit;
use super::layout::{Live, Page};
use super::load::{self, Shell};
use super::{Moment, layout, pagerduty, parts, times};
use crate::http::api::connectors::{ConnectorView, DeliveryView, WebhookView, deliveries_of, view};

/// Rows of each list. The command line has them all.
const ROWS_MAX: u32 = 10;

/// What the page shows.
pub(super) struct Seen {
    view: ConnectorView,
    figures: Figures,
    owed: Vec<OutboxRow>,
    held: Vec<ConflictRow>,
    deliveries: Vec<DeliveryView>,
    /// What this key or plan does not give.
    notices: Vec<String>,
}

/// Where the page of a connector is.
pub(super) fn address(name: &str) -> String {
    format!("/connectors/{name}")
}

/// Reads the page; `None` if there is no such connector.
pub(super) fn seen(
    tx: &mut Tx<'_>,
    visit: &Visit,
    name: &str,
    now: Timestamp,
) -> Result<(Shell, Option<Seen>), StoreError> {
    let shell = load::shell(tx, visit)?;
    let Some(connector) = connector::load(tx, name)? else {
        return Ok((shell, None));
    };
    let pending = Some(conflicts::State::Pending);
    let mut held = conflicts::newest(tx, name, (pending, None), ROWS_MAX)?;
    held.retain(|row| row.conflict.verdict.is_none());
    let seen = Seen {
        view: view(tx, &connector, now)?,
        figures: figures::of(tx, name, connector.row.created_at, now)?,
        owed: outbox::of_connector(tx, name, ROWS_MAX)?,
        held,
        deliveries: deliveries_of(tx, name, None, ROWS_MAX)?,
        notices: im_engine::directory::reading(tx, name)?.notices,
    };
    Ok((shell, Some(seen)))
}

/// The page.
pub(super) fn page(shell: &Shell, seen: &Seen, moment: Moment) -> Markup {
    let now = moment.now;
    let name = &seen.view.name;
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { "PagerDuty / " span aria-current="page" { (name) } }
        h1 { (name) }
        (pagerduty::verdict(&shell.health, name, now))
        @if let Some(reason) = &seen.view.status_reason { p.reason { (parts::capital(reason)) "." } }
        (figures_row(&seen.figures))
        div.columns {
            div {
                (waiting(seen, now))
                (deliveries(seen, now))
            }
            aside aria-label="About it" {
                (webhook(&seen.view.webhook, name, now))
                (connection(&seen.view, now))
                (notices(&seen.notices))
            }
        }
    };
    let head = Page {
        title: name,
        entry: &address(name),
        live: Live::Timeline,
    };
    layout::page(&head, shell, moment, &body)
}

/// How the connection did in the last 24 hours.
fn figures_row(figures: &Figures) -> Markup {
    let permille = |value: i64| format!("{}.{} %", value / 10, value % 10);
    let seconds = |ms: i64| format!("{}.{} s", ms / 1000, ms % 1000 / 100);
    let cell = |name: &str, value: &str, more: &str| {
        html! { div { dt { (name) } dd { (value) } dd.small { (more) } } }
    };
    let errors = match figures.errors {
        0 => "no error in 24 h".to_owned(),
        1 => "1 error in 24 h".to_owned(),
        more => format!("{more} errors in 24 h"),
    };
    let usual = match figures.usual_calls {
        Some(usual) => format!("in 24 h, usually {usual}"),
        None => "in 24 h".to_owned(),
    };
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "None yet".to_owned());
    html! {
        dl.figures.six {
            (cell("Success rate", &or_none(figures.success_permille().map(permille)), &errors))
            (cell("Time to PagerDuty", &or_none(figures.mean_ms.map(seconds)), &match figures.p95_ms {
                Some(p95) => format!("on average, 95 of 100 within {}", seconds(p95)),
                None => "no change was sent in 24 h".to_owned(),
            }))
            (cell("Webhooks", &figures.webhooks.to_string(), "in 24 h"))
            (cell("API calls", &figures.calls.to_string(), &usual))
            (cell("Rate limit", &format!("{} %", (figures.allowance_permille + 5) / 10), "used in the last minute"))
            (cell("Incidents", &figures.incidents.to_string(), "linked to PagerDuty, ever"))
        }
    }
}

/// What PagerDuty has not taken, and what a person has to decide.
fn waiting(seen: &Seen, now: Timestamp) -> Markup {
    let view = &seen.view;
    let count = view.pending + view.parked + view.conflicts;
    html! {
        section aria-labelledby="waiting" {
            h2 #waiting { "Waiting" span.number { (count) } }
            @if count == 0 {
                div.panel.quiet {
                    p { span.tone.green { (parts::icon("check")) } "PagerDuty has taken every change." }
                }
            } @else {
                div.panel {
                    table.data.plain {
                        thead { tr { @for head in ["Incident", "What", "Since", "Why it waits"] { th scope="col" { (head) } } } }
                        tbody {
                            @for row in &seen.held {
                                tr {
                                    (incident(row.incident))
                                    td { (parts::capital(row.conflict.field.as_str())) " was changed on both sides" }
                                    td { (times::exact(row.found_at, now)) }
                                    td { "a person decides: " code { "im connector conflicts show " (view.name) " " (row.id) } }
                                }
                            }
                            @for row in &seen.owed {
                                tr {
                                    (incident(row.incident))
                                    td { (parts::capital(pagerduty::effect(&row.effect))) }
                                    td { (times::exact(row.since, now)) }
                                    td {
                                        @match (&row.reason, row.parked) {
                                            (Some(reason), true) => { "refused: " (reason) },
                                            (Some(reason), false) => { "tried again: " (reason) },
                                            (None, _) => { "to be sent" },
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                @if view.parked > 0 {
                    p.older { "To send a refused change again or drop it: " code { "im connector outbox list " (view.name) } }
                }
            }
        }
    }
}

fn incident(number: im_core::IncidentNumber) -> Markup {
    let said = number.said();
    html! { th scope="row" { a href={ "/incidents/" (said) } { (said) } } }
}

/// What PagerDuty delivered last.
fn deliveries(seen: &Seen, now: Timestamp) -> Markup {
    html! {
        section aria-labelledby="deliveries" {
            h2 #deliveries { "Last deliveries" }
            @if seen.deliveries.is_empty() {
                div.panel.quiet { p { "None came yet. PagerDuty sends one for each thing that happens to an incident." } }
            } @else {
                div.panel {
                    table.data.plain {
                        thead { tr { @for head in ["Came", "Event", "Incident there", "Outcome"] { th scope="col" { (head) } } } }
                        tbody {
                            @for delivery in &seen.deliveries {
                                tr {
                                    td { (times::exact(delivery.received_at, now)) }
                                    td { (delivery.event.as_deref().unwrap_or("unreadable")) }
                                    td { (delivery.incident.as_deref().unwrap_or("-")) }
                                    td {
                                        (parts::capital(&delivery.outcome))
                                        @if delivery.copies > 1 { ", came " (delivery.copies) " times" }
                                    }
                                }
                            }
                        }
                    }
                }
                p.older { "To see one, or take it once more: " code { "im connector deliveries list " (seen.view.name) } }
            }
        }
    }
}

/// The settings of the webhook: where PagerDuty delivers, what it tells, and how that went.
fn webhook(webhook: &WebhookView, name: &str, now: Timestamp) -> Markup {
    let told = webhook.events.len();
    html! {
        section.side aria-labelledby="webhook" {
            h2.h3 #webhook { "Webhook" }
            div.panel.pad {
                dl.facts {
                    dt { "State" }
                    dd { (parts::capital(&webhook.state.replace('_', " "))) }
                    dt { "Address" }
                    dd.long { (webhook.url.as_deref().unwrap_or("No public address is set")) }
                    dt { "Last delivery" }
                    dd { (moment_or(webhook.last_delivery, "None yet", now)) }
                    dt { "Last error" }
                    dd {
                        (moment_or(webhook.last_error.as_ref().map(|error| error.at), "None", now))
                        @if let Some(error) = &webhook.last_error { ": " (error.what) }
                    }
                    dt { "Events" }
                    dd {
                        @if told == 0 { "None" }
                        @else { details { summary { (told) " kinds" } ul { @for event in &webhook.events { li { (event) } } } } }
                    }
                    @if let Some(changed) = &webhook.changed {
                        dt { "Changed" }
                        dd { (parts::capital(changed)) }
                    }
                    @if !webhook.missing_events.is_empty() {
                        dt { "Left out" }
                        dd { (webhook.missing_events.join(", ")) }
                    }
                }
                @if let Some(flag) = to_do(webhook) {
                    p.small { "To put it right:" }
                    pre.command { "im connector webhook " (name) " " (flag) }
                }
            }
        }
    }
}

/// What puts the webhook right, if anything is wrong with it.
fn to_do(webhook: &WebhookView) -> Option<&'static str> {
    // What somebody changed there may be set back; another secret takes another subscription.
    let is_changed = webhook.changed.is_some() || !webhook.missing_events.is_empty();
    match webhook.state {
        "bad_signatures" => Some("--enable"),
        _ if is_changed => Some("--repair"),
        "enabled" => None,
        _ => Some("--enable"),
    }
}

fn moment_or(at: Option<Timestamp>, never: &str, now: Timestamp) -> Markup {
    html! {
        @match at {
            Some(at) => { (times::exact(at, now)) ", " (times::ago(at, now)) },
            None => { (never) },
        }
    }
}

/// How changes travel, and by which right.
fn connection(view: &ConnectorView, now: Timestamp) -> Markup {
    html! {
        section.side aria-labelledby="connection" {
            h2.h3 #connection { "Connection" }
            div.panel.pad {
                dl.facts {
                    dt { "Direction" }
                    dd { (parts::capital(view.direction)) }
                    dt { "Mode" }
                    dd { (parts::capital(view.mode)) }
                    dt { "Last compared" }
                    dd { (moment_or(view.last_sync, "Never", now)) ", every " (view.sync_interval) }
                    dt { "API key" }
                    dd {
                        (parts::capital(&view.api_key.replace('_', " ")))
                        @if let Some(reason) = &view.api_key_reason { ": " (reason) }
                    }
                    @if let Some(gap) = &view.gap {
                        dt { "Gap" }
                        dd { (parts::capital(gap)) }
                    }
                }
            }
        }
    }
}

/// What this key or plan does not give.
fn notices(notices: &[String]) -> Markup {
    html! {
        @if !notices.is_empty() {
            section.side aria-labelledby="notices" {
                h2.h3 #notices { "Not given by PagerDuty" }
                div.panel.pad { @for notice in notices { p { (parts::capital(notice)) } } }
            }
        }
    }
}
