//! Integrations: a card for each way to PagerDuty, what to do next, and the guided way to a new one.
//!
//! Whatever a form here does is done by the API's own handlers (`http::api::connectors`,
//! `http::api::organisation`): what they refuse comes back on the same page with what was typed.
//!
//! Invariants
//! - A key is in no page and in no address.
//! - Who may not change connectors sees how they do, and no form.

pub(super) mod checklist;
mod connect;
mod draft;
pub(super) mod filter;
pub(super) mod hand_over;
mod oauth;
mod setup;
pub(super) mod users;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use im_engine::connector::all as connectors;
use im_store::accounts::Role;
use im_store::directory::{self, Kind};
use im_store::{StoreError, Tx, incidents};
use jiff::Timestamp;
use maud::{Markup, html};

use super::connector::{self, acts, settings, unlink};
use super::guard::Visit;
use super::layout::{Live, Page};
use super::load::{self, Shell};
use super::said::Became;
use super::times::Now;
use super::{Moment, Pairs, WebState, failed, layout, pagerduty, parts, times};
use crate::http::api::connectors::{ConnectorView, view};
use checklist::Checklist;
pub(super) use connect::EU;
pub(super) use draft::Drafts;
pub(super) use setup::{address as setup_address, direction, page as setup_page};

/// Where the cards are.
pub(super) const ADDRESS: &str = "/integrations";
/// Where a new connection begins.
pub(super) const CONNECT: &str = "/integrations/connect";

/// The routes of this module.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/integrations", get(show))
        .route("/integrations/checklist", post(checklist::dismiss))
        .route(
            "/integrations/connect",
            get(connect::show).post(connect::try_key),
        )
        .route("/integrations/connect/add", post(connect::add))
        .route("/integrations/connect/again", post(connect::again))
        .route("/integrations/connect/hand-over", post(hand_over::make))
        .route("/give-key", get(hand_over::show).post(hand_over::give))
        .route("/integrations/connect/oauth", post(oauth::begin))
        .route("/integrations/connect/renew", post(connect::renew))
        .route("/integrations/oauth", get(oauth::come_back))
        .route("/connectors/{name}/sign-in", post(oauth::again))
        .route("/integrations/users", get(users::show).post(users::say))
        .route("/integrations/users/confirm", post(users::confirm))
        .route("/integrations/filter", get(filter::show).post(filter::set))
        .route("/connectors/{name}", get(connector::show))
        .route("/connectors/{name}/webhook/act", post(acts::webhook))
        .route("/connectors/{name}/compare", post(acts::compare))
        .route("/connectors/{name}/outbox/{id}/retry", post(acts::retry))
        .route(
            "/connectors/{name}/outbox/{id}/discard",
            post(acts::discard),
        )
        .route(
            "/connectors/{name}/deliveries/{id}/replay",
            post(acts::replay),
        )
        .route("/connectors/{name}/conflicts/{id}", post(acts::settle))
        .route(
            "/connectors/{name}/settings",
            get(settings::show).post(settings::change),
        )
        .route(
            "/connectors/{name}/unlink",
            get(unlink::show).post(unlink::unlink),
        )
        .route("/connectors/{name}/setup", get(setup::show))
        .route("/connectors/{name}/import", post(setup::begin))
        .route("/connectors/{name}/import/stop", post(setup::stop))
}

/// A connector as its card shows it.
struct Card {
    view: ConnectorView,
    base_url: String,
    /// What PagerDuty calls the account, once something of it was read.
    account: Option<String>,
    incidents: i64,
    /// Services that are synced; `None`: all.
    services: Option<usize>,
    is_set_up: bool,
}

struct Seen {
    shell: Shell,
    cards: Vec<Card>,
    checklist: Checklist,
    became: Option<Became>,
}

async fn show(State(state): State<WebState>, visit: Visit, pairs: Pairs) -> Response {
    let moment = state.moment();
    let told = state.said.told(&pairs);
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let became = told.map(|told| Became::read(tx, &told)).transpose()?;
        seen(tx, &visit, became, moment.now.at)
    });
    match read.await {
        Ok(seen) => page(&seen, moment).into_response(),
        Err(error) => failed(&error, moment),
    }
}

fn seen(
    tx: &mut Tx<'_>,
    visit: &Visit,
    became: Option<Became>,
    now: Timestamp,
) -> Result<Seen, StoreError> {
    let mut cards = Vec::new();
    let policies = directory::of_kind(tx, Kind::Policy)?;
    for connector in connectors(tx)? {
        let name = connector.name();
        let chosen = connector.config.custom.synced_services.as_ref();
        cards.push(Card {
            view: view(tx, &connector, now)?,
            base_url: connector.config.base_url.clone(),
            account: policies
                .iter()
                .filter(|row| row.connector == name && row.until.is_none())
                .find_map(|row| subdomain(row.about.html_url.as_deref()?)),
            incidents: incidents::linked(tx, name)?,
            services: chosen.map(Vec::len),
            is_set_up: setup::is_done(tx, name)?,
        });
    }
    Ok(Seen {
        shell: load::shell(tx, visit)?,
        cards,
        checklist: Checklist::read(tx)?,
        became,
    })
}

fn page(seen: &Seen, moment: Moment) -> Markup {
    let visit = &seen.shell.visit;
    let body = html! {
        h1 { "Integrations" }
        @if let Some(became) = &seen.became { (became.show()) }
        div.cards {
            @for card in &seen.cards { (connected(&seen.shell, card, moment.now)) }
            (another(visit, seen.cards.is_empty()))
        }
        @if !seen.cards.is_empty() && !seen.checklist.is_dismissed {
            section aria-labelledby="next" {
                h2 #next { "What makes figures right" span.number { (seen.checklist.done()) " of " (checklist::ITEMS) " done" } }
                (seen.checklist.list(visit))
            }
        }
    };
    let head = Page {
        title: "Integrations",
        entry: ADDRESS,
        live: Live::Timeline,
    };
    layout::page(&head, &seen.shell, moment, &body)
}

/// Whether who looks may change connectors.
pub(super) fn may_change(visit: &Visit) -> bool {
    visit
        .who
        .as_ref()
        .is_some_and(|who| who.role >= Role::Admin)
}

/// Whose account it is, as far as its address tells.
fn account(base_url: &str) -> &str {
    match base_url {
        "https://api.pagerduty.com" => "US region",
        "https://api.eu.pagerduty.com" => "EU region",
        other => other,
    }
}

/// The name of an account, as PagerDuty's links have it: `acme` of `https://acme.pagerduty.com/…`.
fn subdomain(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    let (name, rest) = url.host_str()?.split_once('.')?;
    let is_theirs = matches!(rest, "pagerduty.com" | "eu.pagerduty.com");
    (is_theirs && name != "app").then(|| name.to_owned())
}

fn connected(shell: &Shell, card: &Card, now: Now) -> Markup {
    let view = &card.view;
    let region = account(&card.base_url);
    let account = card.account.as_ref();
    let whose = account.map_or_else(|| region.to_owned(), |name| format!("{name}, {region}"));
    let name = &view.name;
    let health = shell.health.iter().find(|health| health.name() == name);
    let trouble = health.and_then(|health| health.trouble(now));
    let webhook = connector::webhook_trouble(&view.webhook);
    let trouble =
        trouble.or_else(|| webhook.map(|_| "The webhook is not as it was made".to_owned()));
    let is_paused = view.direction == "none";
    let pill = match (&trouble, is_paused) {
        (Some(_), _) => ("amber", "warn", "Needs attention"),
        (None, true) => ("grey", "dash", "Paused"),
        (None, false) => ("green", "check", "Connected"),
    };
    let may = may_change(&shell.visit);
    html! {
        section.panel.card aria-labelledby={ "card-" (name) } {
            (head(&format!("card-{name}"), name, &whose, pill))
            p {
                @if let Some(trouble) = &trouble {
                    strong { (trouble) "." }
                    @if let Some(reason) = &view.status_reason { " " (parts::commands(&parts::capital(reason))) "." }
                    " "
                }
                @match card.services {
                    Some(1) => "1 service, ",
                    Some(count) => { (count) " services, " },
                    None => "All services, ",
                }
                (card.incidents) @if card.incidents == 1 { " incident. " } @else { " incidents. " }
                @if let Some(heard) = view.webhook.last_delivery { "Last event " (times::ago(heard, now)) ". " }
                @match view.last_sync {
                    Some(at) => { "Compared " (times::ago(at, now)) "." },
                    None => "Not compared yet.",
                }
            }
            p.choices {
                @if may && pagerduty::is_refused(view.status) {
                    a.button.primary href=(connector::settings_address(name)) { "Give another key" }
                }
                @if may && !card.is_set_up {
                    a.button.primary href=(setup_address(name)) { "Continue set-up" }
                }
                @if may && let Some(wanted) = webhook { (acts::webhook_form(&shell.visit, (name, ""), wanted, false)) }
                a.button href=(connector::address(name)) { "Manage integration" }
                @if may { a.button href=(connector::unlink_address(name)) { "Unlink" } }
            }
        }
    }
}

fn head(id: &str, name: &str, more: &str, (tone, icon, word): (&str, &str, &str)) -> Markup {
    html! {
        div.card-head {
            span.mark.theirs aria-hidden="true" { "PD" }
            h2 #(id) { (name) span.small { (more) } }
            span class={ "pill " (tone) } { (parts::icon(icon)) (word) }
        }
    }
}

/// Tone, shape and word of that.
const NOT_YET: (&str, &str, &str) = ("grey", "dash", "Not connected");

/// The card of a connection that is not there yet.
fn another(visit: &Visit, is_first: bool) -> Markup {
    let may = may_change(visit);
    html! {
        section.panel.card aria-labelledby="card-new" {
            @if is_first {
                (head("card-new", "PagerDuty", "two minutes to set up", NOT_YET))
                p { "Brings in the incidents of the last 180 days, and keeps both sides in step from then on." }
            } @else {
                (head("card-new", "Another account", "of PagerDuty's", NOT_YET))
                p { "Each account of PagerDuty's has a connection of its own." }
            }
            p.choices {
                @if may {
                    a.button.primary[is_first] href=(CONNECT) { @if is_first { "Connect PagerDuty" } @else { "Connect another" } }
                } @else {
                    span.small { "An admin connects it: the page is " (CONNECT) "." }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::subdomain;

    #[test]
    fn an_account_is_called_as_its_links_say() {
        let of = |url: &str| subdomain(url);
        assert_eq!(
            of("https://acme.pagerduty.com/escalation_policies/P1").as_deref(),
            Some("acme")
        );
        assert_eq!(
            of("https://acme.eu.pagerduty.com/x").as_deref(),
            Some("acme")
        );
        for other in [
            "https://app.pagerduty.com/x",
            "https://pagerduty.com.evil.example/x",
            "http://127.0.0.1:8081/x",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
