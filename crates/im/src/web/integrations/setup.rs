//! A connection that is made: its webhook, the import of the past while it runs, and what makes figures right.
//!
//! What is open is told by what is stored, so whoever comes back continues there, from any browser.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_engine::connector;
use im_store::accounts::Role;
use im_store::{StoreError, Tx};
use maud::{Markup, html};

use super::checklist::Checklist;
use super::may_change;
use crate::http::api::connectors::backfill::{self, Asked, Backfill};
use crate::http::api::connectors::{ConnectorView, config, view};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::web::connector::acts;
use crate::web::guard::Visit;
use crate::web::layout::{Live, Page};
use crate::web::load::{self, Shell};
use crate::web::parts::{self, Step, step};
use crate::web::said::{Became, Told};
use crate::web::times::Now;
use crate::web::{Moment, Pairs, WebState, failed, layout, settings, times, to};

/// Where the set-up of a connector goes on.
pub(in crate::web) fn address(name: &str) -> String {
    format!("/connectors/{name}/setup")
}

/// Whether nothing of the set-up is left that concerns the connector alone.
pub(super) fn is_done(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    let read = im_store::backfill::find(tx, name)?;
    Ok(read.is_none_or(|state| state.finished_at.is_some()))
}

struct Seen {
    shell: Shell,
    view: ConnectorView,
    /// The key, as far as it is shown.
    key: String,
    import: Option<Backfill>,
    checklist: Checklist,
    became: Option<Became>,
}

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    pairs: Pairs,
) -> Response {
    page(&state, &visit, &name, (state.said.told(&pairs), None)).await
}

/// The page, with what became of a form.
pub(in crate::web) async fn page(
    state: &WebState,
    visit: &Visit,
    name: &str,
    (told, error): (Option<Told>, Option<ApiError>),
) -> Response {
    let moment = state.moment();
    let (looking, of, app) = (visit.clone(), name.to_owned(), Arc::clone(&state.app));
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let shell = load::shell(tx, &looking)?;
        let Some(connector) = connector::load(tx, &of)? else {
            return Ok((shell, None));
        };
        let view = view(tx, &connector, moment.now.at)?;
        let import = im_engine::backfill::seen(tx, &of, moment.now.at)?.map(Backfill::from);
        let checklist = Checklist::read(tx)?;
        let became = told.map(|told| Became::read(tx, &told)).transpose()?;
        let key = config::masked_key(&app, &connector);
        Ok::<_, StoreError>((shell, Some((view, import, checklist, became, key))))
    });
    match read.await {
        Ok((shell, Some((view, import, checklist, became, key)))) => {
            let status = error.as_ref().map_or(StatusCode::OK, |error| error.status);
            let seen = Seen {
                shell,
                view,
                key,
                import,
                checklist,
                became,
            };
            (status, body(&seen, error.as_ref(), moment)).into_response()
        }
        Ok((shell, None)) => {
            let page = layout::no_connector(&shell, name, moment);
            (StatusCode::NOT_FOUND, page).into_response()
        }
        Err(error) => failed(&error, moment),
    }
}

fn body(seen: &Seen, error: Option<&ApiError>, moment: Moment) -> Markup {
    let visit = &seen.shell.visit;
    let view = &seen.view;
    let name = &view.name;
    let is_running = seen
        .import
        .as_ref()
        .is_some_and(|import| import.state == "running");
    let is_read = seen
        .import
        .as_ref()
        .is_none_or(|import| import.state == "finished");
    let done = |done: bool| if done { Step::Done } else { Step::Now };
    let inner = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(super::ADDRESS) { "Integrations" } " / " span aria-current="page" { (name) } }
        h1 { "Set up " (name) }
        @if let Some(became) = &seen.became { (became.show()) }
        @if let Some(error) = error { div.answer { (parts::problem(error)) } }
        ol.panel.steps data-again[is_running] {
            (step(1, Step::Done, "Key or sign-in", &html! {
                p.small { @if view.api_key == "discarded" { "Forgotten: webhooks alone tell what happens." } @else { (parts::capital(&seen.key)) ", stored encrypted." } }
            }))
            (step(2, Step::Done, "How it is used", &html! {
                p.small { (direction(view.direction)) ". How it does, and its settings:" }
                p.choices { a.button href={ (crate::web::connector::address(name)) } { "Manage integration" } }
            }))
            (webhook(visit, view))
            (step(4, done(is_read), "Import", &import(visit, name, seen.import.as_ref(), moment.now)))
            (step(5, done(seen.checklist.done() == super::checklist::ITEMS), "Check people, filter and working hours", &seen.checklist.list(visit)))
        }
    };
    let head = Page {
        title: &format!("Set up {name}"),
        entry: super::ADDRESS,
        live: Live::Timeline,
    };
    layout::page(&head, &seen.shell, moment, &inner)
}

/// Which way changes go, in words.
pub(in crate::web) fn direction(word: &str) -> &'static str {
    match word {
        "bidirectional" => "Both ways",
        "inbound" => "From PagerDuty to here only",
        "outbound" => "From here to PagerDuty only",
        _ => "Paused",
    }
}

fn webhook(visit: &Visit, view: &ConnectorView) -> Markup {
    let name = &view.name;
    let is_there = view.webhook.state == "enabled";
    let state = if is_there || matches!(view.direction, "outbound" | "none") {
        Step::Done
    } else {
        Step::Now
    };
    let words = match (&view.webhook.url, view.direction) {
        _ if is_there => {
            html! { p.small { "PagerDuty tells each change at once, to " (view.webhook.url.as_deref().unwrap_or_default()) "." } }
        }
        (_, "outbound" | "none") => {
            html! { p.small { "Not needed: nothing is taken from PagerDuty." } }
        }
        (None, _) => html! {
            p { "Nobody knows yet under which address PagerDuty reaches this server, so changes are found by comparing, every " (view.sync_interval) "." }
            p {
                @if visit.who.as_ref().is_some_and(|who| who.role >= Role::Owner) {
                    "Write it under “Public address of this server” in the " a href=(settings::ADDRESS) { "settings" }
                } @else { "An owner writes it in the settings of the organisation" }
                ", then make the webhook here."
            }
        },
        (Some(url), _) => html! {
            p { "There is none, so changes are found by comparing, every " (view.sync_interval) "." }
            @if may_change(visit) { (acts::make_webhook(visit, name, url, "setup")) }
        },
    };
    step(3, state, "Webhook", &words)
}

/// How far the import is.
fn import(visit: &Visit, name: &str, import: Option<&Backfill>, now: Now) -> Markup {
    let may = may_change(visit);
    let go = |words: &str| {
        html! { @if may {
            (parts::form(&format!("/connectors/{name}/import"), visit, &html! { button.button type="submit" { (words) } }))
        } }
    };
    let Some(import) = import else {
        return html! { p.small { "The past of this account was never read." } (go("Import 180 days")) };
    };
    let found = html! {
        (import.created) " new, " (import.updated) " changed, " (import.unchanged) " known already"
        @if import.failed > 0 { ", " (import.failed) " could not be read" }
    };
    let message = html! { @if let Some(message) = &import.message { p.small { (parts::capital(message)) "." } } };
    match import.state {
        "finished" if import.since == import.until => html! {
            p.small { "The past was left out." } (go("Import 180 days"))
        },
        "finished" => html! {
            p.small { "Everything since " (times::exact(import.since, now)) " is here: " (found) "." }
            (message)
        },
        state => {
            let is_running = state == "running";
            html! {
                @match import.percent {
                    Some(percent) => progress max="100" value=(percent) aria-label="Import" { (percent) " %" },
                    None => progress max="100" aria-label="Import" {},
                }
                p {
                    strong { @match import.percent { Some(percent) => { (percent) " %" }, None => "Beginning" } }
                    @if !is_running { ", stopped" }
                    ": " (import.rows) @if let Some(total) = import.total { " of about " (total) }
                    @if let Some(reading) = import.reading { " " (reading) }
                    @if is_running {
                        @if let Some(rate) = import.per_minute { ", " (rate) " a minute" }
                        @if let Some(left) = import.seconds_left { ", about " (times::say(left)) " left" }
                    }
                }
                p.small { "Since " (times::exact(import.since, now)) ": " (found) ". It goes on by itself, also when nobody looks and after a restart." }
                (message)
                @if !may {} @else if is_running {
                    (parts::form(&format!("/connectors/{name}/import/stop"), visit, &html! { button.button type="submit" { "Stop the import" } }))
                } @else { (go("Go on with the import")) }
            }
        }
    }
}

/// Begins to read the past, or goes on with it.
pub(super) async fn begin(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    // One that was left out counts as read, and is begun by saying since when.
    let asked = match left_out(&state, &name).await {
        Ok(true) => Asked {
            since: Some("180d".to_owned()),
            share: None,
        },
        Ok(false) => Asked::default(),
        Err(error) => return failed(&error, state.moment()),
    };
    let app = State(Arc::clone(&state.app));
    match backfill::start(app, Path(name.clone()), Body(asked)).await {
        Ok(_) => to(&address(&name)),
        Err(error) => page(&state, &visit, &name, (None, Some(error))).await,
    }
}

async fn left_out(state: &WebState, name: &str) -> Result<bool, StoreError> {
    let of = name.to_owned();
    let read = state.db.read(move |tx| im_store::backfill::find(tx, &of));
    Ok(read.await?.is_some_and(|read| read.since == read.until))
}

/// Stops reading the past.
pub(super) async fn stop(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let app = State(Arc::clone(&state.app));
    match backfill::stop(app, Path(name.clone())).await {
        Ok(_) => to(&address(&name)),
        Err(error) => page(&state, &visit, &name, (None, Some(error))).await,
    }
}
