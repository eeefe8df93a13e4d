//! One connector: whether both sides stay the same, its figures, its webhook, what waits, what came.

pub(super) mod acts;
pub(super) mod settings;
pub(super) mod unlink;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_engine::connector;
use im_engine::figures::{self, Figures};
use im_store::conflicts::{self, ConflictRow};
use im_store::outbox::{self, OutboxRow};
use im_store::{StoreError, Tx};
use jiff::Timestamp;
use maud::{Markup, html};

use super::guard::Visit;
use super::integrations::{self, may_change};
use super::layout::{Live, Page};
use super::load::{self, Shell};
use super::said::{Became, Told};
use super::times::Now;
use super::{Moment, Pairs, WebState, calls, failed, layout, pagerduty, parts, times};
use crate::http::api::connectors::{ConnectorView, DeliveryView, WebhookView, deliveries_of, view};
use crate::http::error::ApiError;

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

/// Where its settings are.
pub(super) fn settings_address(name: &str) -> String {
    format!("/connectors/{name}/settings")
}

/// Where it is taken away.
pub(super) fn unlink_address(name: &str) -> String {
    format!("/connectors/{name}/unlink")
}

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    pairs: Pairs,
) -> Response {
    respond(&state, &visit, &name, (state.said.told(&pairs), None)).await
}

/// The page, with what became of a form.
async fn respond(
    state: &WebState,
    visit: &Visit,
    name: &str,
    (told, error): (Option<Told>, Option<ApiError>),
) -> Response {
    let (moment, looking, of) = (state.moment(), visit.clone(), name.to_owned());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let became = told.map(|told| Became::read(tx, &told)).transpose()?;
        let (shell, seen) = seen(tx, &looking, &of, moment.now.at)?;
        Ok::<_, StoreError>((shell, seen, became))
    });
    match read.await {
        Ok((shell, Some(seen), became)) => {
            let status = error.as_ref().map_or(StatusCode::OK, |error| error.status);
            let answer = html! {
                @if let Some(became) = &became { (became.show()) }
                @if let Some(error) = &error { div.answer { (parts::problem(error)) } }
            };
            (status, page(&shell, &seen, &answer, moment)).into_response()
        }
        Ok((shell, None, _)) => {
            let page = layout::no_connector(&shell, name, moment);
            (StatusCode::NOT_FOUND, page).into_response()
        }
        Err(error) => failed(&error, moment),
    }
}

/// Reads the page; `None` if there is no such connector.
fn seen(
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
fn page(shell: &Shell, seen: &Seen, answer: &Markup, moment: Moment) -> Markup {
    let now = moment.now;
    let name = &seen.view.name;
    let visit = &shell.visit;
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(integrations::ADDRESS) { "Integrations" } " / " span aria-current="page" { (name) } }
        div.top {
            h1 { (name) }
            @if visit.may_act() { (acts::button(visit, &format!("{}/compare", address(name)), "Compare now")) }
            @if may_change(visit) {
                a.button href=(calls::address(name)) { "Calls" }
                a.button href=(settings_address(name)) { "Settings" }
                a.button href=(unlink_address(name)) { "Unlink" }
            }
        }
        (answer)
        (pagerduty::verdict(&shell.health, name, now))
        @if let Some(reason) = &seen.view.status_reason { p.reason { (parts::capital(reason)) "." } }
        @if pagerduty::is_refused(seen.view.status) && may_change(visit) {
            p.choices { a.button.primary href=(settings_address(name)) { "Give another key" } }
        }
        (figures_row(&seen.figures))
        div.columns {
            div {
                (waiting(visit, seen, now))
                (deliveries(visit, seen, now))
            }
            aside aria-label="About it" {
                (webhook(visit, &seen.view.webhook, name, now))
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
fn waiting(visit: &Visit, seen: &Seen, now: Now) -> Markup {
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
                    table.data {
                        thead { tr { @for head in ["Incident", "What", "Since", "Why it waits"] { th scope="col" { (head) } } } }
                        tbody {
                            @for row in &seen.held {
                                tr {
                                    (incident(row.incident))
                                    td { (parts::capital(row.conflict.field.as_str())) " was changed on both sides" }
                                    td { (times::exact(row.found_at, now)) }
                                    td { (conflict(visit, &view.name, row)) }
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
                                            (None, _) => { (unsent(view)) },
                                        }
                                        @if row.parked && visit.may_act() { (parked(visit, &view.name, row.id)) }
                                    }
                                }
                            }
                        }
                    }
                }
                @if count > i64::from(ROWS_MAX) {
                    p.older { "All of them: " code { "im connector outbox list " (view.name) } }
                }
            }
        }
    }
}

/// A field that both sides changed: both values, and whose counts.
fn conflict(visit: &Visit, name: &str, row: &ConflictRow) -> Markup {
    let found = &row.conflict;
    let keep = |side: &str, words: &str| {
        html! { button.button type="submit" name="keep" value=(side) { (words) } }
    };
    html! {
        "here: " b { (found.ours) } ", at PagerDuty: " b { (found.theirs) } ". "
        @if visit.may_act() {
            div.row-acts {
                (parts::form(&format!("{}/conflicts/{}", address(name), row.id), visit, &html! {
                    (keep("platform", "Keep ours"))
                    (keep("external", "Keep PagerDuty's"))
                }))
            }
        } @else { "A responder decides." }
    }
}

/// Why a change waits that was not tried yet.
fn unsent(view: &ConnectorView) -> &str {
    let reason = view.status_reason.as_deref();
    let reason = reason.filter(|_| pagerduty::is_refused(view.status));
    reason.unwrap_or("to be sent")
}

/// What can be done about a change that PagerDuty refused.
fn parked(visit: &Visit, name: &str, id: i64) -> Markup {
    let act = |word: &str| format!("{}/outbox/{id}/{word}", address(name));
    html! {
        div.row-acts {
            (acts::button(visit, &act("retry"), "Send again"))
            (acts::button(visit, &act("discard"), "Discard"))
        }
    }
}

fn incident(number: im_core::IncidentNumber) -> Markup {
    let said = number.said();
    html! { th scope="row" { a href={ "/incidents/" (said) } { (said) } } }
}

/// What PagerDuty delivered last.
fn deliveries(visit: &Visit, seen: &Seen, now: Now) -> Markup {
    let name = &seen.view.name;
    html! {
        section aria-labelledby="deliveries" {
            h2 #deliveries { "Last deliveries" }
            @if seen.deliveries.is_empty() {
                div.panel.quiet { p { "None came yet. PagerDuty sends one for each thing that happens to an incident." } }
            } @else {
                div.panel {
                    table.data {
                        thead { tr { @for head in ["Came", "Event", "Incident there", "Outcome"] { th scope="col" { (head) } } } }
                        tbody {
                            @for delivery in &seen.deliveries {
                                tr {
                                    td { (times::exact(delivery.received_at, now)) }
                                    td { (delivery.event.as_deref().unwrap_or("unreadable")) }
                                    td { (delivery.incident.as_deref().unwrap_or("-")) }
                                    td.outcome {
                                        (parts::capital(&delivery.outcome))
                                        @if delivery.copies > 1 { ", came " (delivery.copies) " times" }
                                        @if may_change(visit) {
                                            div.row-acts { (acts::button(visit, &format!("{}/deliveries/{}/replay", address(name), delivery.id), "Replay")) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                p.older { "To see all, and their bodies: " code { "im connector deliveries list " (seen.view.name) } }
            }
        }
    }
}

/// The settings of the webhook: where PagerDuty delivers, what it tells, and how that went.
fn webhook(visit: &Visit, webhook: &WebhookView, name: &str, now: Now) -> Markup {
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
                (to_do(visit, webhook, name))
            }
        }
    }
}

/// What puts a webhook right that is there and not as it should be.
pub(super) fn webhook_trouble(webhook: &WebhookView) -> Option<(&'static str, &'static str)> {
    // What somebody changed there may be set back; another secret takes another subscription.
    let is_changed = webhook.changed.is_some() || !webhook.missing_events.is_empty();
    match webhook.state {
        "bad_signatures" => Some(("enable", "Make a new webhook")),
        _ if is_changed => Some(("repair", "Repair the webhook")),
        _ => None,
    }
}

/// What puts the webhook right, or else tries it.
fn to_do(visit: &Visit, webhook: &WebhookView, name: &str) -> Markup {
    let Some(url) = webhook.url.as_deref() else {
        return html! {
            p.small { "To let PagerDuty deliver, tell under which address it reaches this server:" }
            pre.command { "im config set public_url https://im.example.com" }
        };
    };
    let (action, words) = match webhook_trouble(webhook) {
        Some(put_right) => put_right,
        None if webhook.state == "enabled" => ("test", "Send a test event"),
        None => ("enable", "Make the webhook"),
    };
    let asks_for_plain = action != "test" && url.starts_with("http://");
    html! {
        @if may_change(visit) { div.below { (acts::webhook_form(visit, (name, ""), (action, words), asks_for_plain)) } }
        @else if action != "test" { p.small { "An admin puts it right." } }
    }
}

fn moment_or(at: Option<Timestamp>, never: &str, now: Now) -> Markup {
    html! {
        @match at {
            Some(at) => { (times::exact(at, now)) ", " (times::ago(at, now)) },
            None => { (never) },
        }
    }
}

/// How changes travel, and by which right.
fn connection(view: &ConnectorView, now: Now) -> Markup {
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
