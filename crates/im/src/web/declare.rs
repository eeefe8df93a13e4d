//! Declaring an incident.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_core::{Direction, Severity};
use im_engine::connector::{self, Connector};
use im_engine::named;
use im_store::{StoreError, Tx};
use maud::{Markup, html};

use super::consequences::{self, Consequences, Told};
use super::guard::{Fields, TEXT_CHARS_MAX, Visit};
use super::layout::{Live, Page};
use super::{WebState, acts, failed, layout, load, parts};
use crate::access::Who;
use crate::http::api::incidents::acts::{By, New, declare as begin};
use crate::http::api::incidents::severity;
use crate::http::error::ApiError;

/// Where it is.
pub(super) const ADDRESS: &str = "/declare";

/// One of the services that it is about.
const SERVICE: &str = "service";
/// All of them, where none are known.
const SERVICES: &str = "services";

/// What can be chosen.
pub(super) struct Choices {
    /// Connectors that send.
    connectors: Vec<String>,
    /// The services that these know.
    pub(super) services: BTreeSet<String>,
}

/// The connectors that tell PagerDuty.
pub(super) fn sending(tx: &mut Tx<'_>) -> Result<Vec<Connector>, StoreError> {
    let mut sending = connector::all(tx)?;
    sending.retain(|connector| connector.mapping.direction != Direction::Inbound);
    Ok(sending)
}

impl Choices {
    /// For an incident that goes by any connector that sends, or by this one.
    pub(super) fn read(tx: &mut Tx<'_>, only: Option<&str>) -> Result<Self, StoreError> {
        let sending = sending(tx)?;
        let mut services = BTreeSet::new();
        let is_meant = |one: &&Connector| only.is_none_or(|name| name == one.name());
        for connector in sending.iter().filter(is_meant) {
            services.extend(named::offered(tx, connector)?);
        }
        Ok(Self {
            services,
            connectors: sending.iter().map(|one| one.name().to_owned()).collect(),
        })
    }

    /// A name of no service would quietly be the default service of PagerDuty.
    pub(super) fn must_have(&self, name: &str) -> Result<(), ApiError> {
        if self.connectors.is_empty() || self.services.contains(name) {
            return Ok(());
        }
        let detail = format!("`{name}` is no service that a connector knows");
        let hint = if self.services.is_empty() {
            "PagerDuty's services were not read yet: wait a moment, or leave the service out"
                .to_owned()
        } else {
            let known: Vec<&str> = self.services.iter().map(String::as_str).collect();
            format!("choose one of: {}", known.join(", "))
        };
        Err(ApiError::wrong_value("service", detail).hint(hint))
    }
}

pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Response {
    page(&state, &visit, None).await
}

pub(super) async fn declare(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let done = async {
        let named = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
        let new = New {
            title: fields.get("title").to_owned(),
            severity: severity(fields.get("severity"))?,
            description: named("description"),
            services: services_of(&fields),
            fields: Vec::new(),
            connector: named("connector"),
        };
        let only = new.connector.clone();
        let known = state.db.read(move |tx| Choices::read(tx, only.as_deref()));
        let known = known.await?;
        let named = new.services.iter().map(|name| name.trim());
        for name in named.filter(|name| !name.is_empty()) {
            known.must_have(name)?;
        }
        begin(&state, new, By::form(&who, fields.digest())).await
    };
    match done.await {
        Ok(done) => {
            let page = format!("/incidents/{}", done.incident);
            acts::after(&state, &page, done).await
        }
        Err(error) => page(&state, &visit, Some((fields, error))).await,
    }
}

/// What a form says that it is about: a box for each service, or names with commas between them.
fn services_of(fields: &Fields) -> Vec<String> {
    let ticked = fields.all(SERVICE).map(str::to_owned);
    let named = fields.get(SERVICES).split(',').map(str::to_owned);
    ticked.chain(named).collect()
}

async fn page(state: &WebState, visit: &Visit, refused: Option<(Fields, ApiError)>) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx| {
        let (shell, choices) = (load::shell(tx, &looking)?, Choices::read(tx, None)?);
        Ok::<_, StoreError>((shell, choices, Consequences::read(tx)?))
    });
    let (shell, choices, consequences) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let (told, unheard) = consequences.heard(state, moment.now);
    // What comes back has a status, and is sent whole.
    let asks = refused.is_none() && !unheard.is_empty();
    let (fields, error) = refused.unzip();
    let status = error.as_ref().map_or(StatusCode::OK, |error| error.status);
    let body = html! {
        h1 { "Declare an incident" }
        @if let Some(error) = &error { div.answer { (parts::problem(error)) } }
        div.panel.pad.entry { (parts::form_once(ADDRESS, visit, &entry((&choices, &told), fields.as_ref()))) }
        @if asks { (consequences::place()) }
    };
    let head = Page {
        title: "Declare an incident",
        entry: ADDRESS,
        live: Live::Still,
    };
    let page = layout::page(&head, &shell, moment, &body);
    if asks {
        let state = state.clone();
        return layout::send_in_two(page, async move { unheard.asked(&state, moment.now).await });
    }
    (status, page).into_response()
}

fn entry((choices, told): (&Choices, &Told), fields: Option<&Fields>) -> Markup {
    let typed = |name| fields.map_or("", |fields| fields.raw(name));
    let is_ticked =
        |name: &str| fields.is_some_and(|fields| fields.all(SERVICE).any(|one| one == name));
    let bad: Option<Severity> = typed("severity").parse().ok();
    let chosen = typed("connector");
    html! {
        label { "What is wrong, in a line" input type="text" name="title" value=(typed("title")) required autocomplete="off"; }
        label { "Severity" (acts::severities(Some(bad.unwrap_or(Severity::Sev3)))) }
        (told.lines())
        @if choices.services.is_empty() {
            label { "Services, if they are known, with commas between them" input type="text" name=(SERVICES) value=(typed(SERVICES)) autocomplete="off"; }
        } @else {
            fieldset {
                legend { "Services" }
                div.ticks {
                    @for name in &choices.services { label.tick { input type="checkbox" name=(SERVICE) value=(name) checked[is_ticked(name)]; (name) @if let Some(who) = told.paged.get(name) { span.meta { (who) } } } }
                }
            }
        }
        @if choices.connectors.len() > 1 {
            label { "By which connector"
                select name="connector" {
                    option value="" { "The one that has the service" }
                    @for name in &choices.connectors { option value=(name) selected[name == chosen] { (name) } }
                }
            }
        }
        label { "More about it, if there is" textarea name="description" rows="4" maxlength=(TEXT_CHARS_MAX) { (typed("description")) } }
        p.small {
            @if choices.connectors.is_empty() { "Nobody is paged: no connector sends to PagerDuty." }
            @else { "PagerDuty pages whoever is on call for each service, and has an incident for each." }
        }
        p.choices {
            button.button.primary type="submit" { "Declare incident" }
            a.button href="/" data-cancel { "Cancel" }
        }
    }
}
