//! The settings of a connector as forms: how changes travel, which services are synced, what goes with what,
//! whose value counts.
//!
//! Each form is a part of the configuration and changes of it what its sender changed, by the handler of the API. What can be
//! chosen from is asked of PagerDuty when the page is opened; while it does not answer, ids are typed.

mod forms;

pub(in crate::web) use forms::choice;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_core::{Field, Severity};
use im_engine::connector::Connector;
use im_pagerduty::config::BASE_URL_DEFAULT;
use im_store::{StoreError, Tx};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{address, settings_address};
use crate::http::api::connectors::conflicts::{self, FieldOwner};
use crate::http::api::connectors::mappings::{self, NewEscalationMapping, NewServiceMapping};
use crate::http::api::connectors::{config, find, lists, priorities};
use crate::http::api::types::Named;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::web::guard::{Fields, Visit};
use crate::web::integrations::{self, EU};
use crate::web::layout::{Live, Page};
use crate::web::load;
use crate::web::parts;
use crate::web::said::{Became, Told};
use crate::web::{Pairs, WebState, failed, layout, to};

/// The field that says which form it is, and the parameter that says which one was done.
const WHAT: &str = "what";

/// The forms of the page.
const FORMS: [&str; 7] = [
    "connection",
    "services",
    "service",
    "policy",
    "urgencies",
    "priorities",
    "ownership",
];

/// What PagerDuty has to choose from.
#[derive(Default)]
struct Choices {
    services: Vec<Named>,
    policies: Vec<Named>,
    priorities: Vec<Named>,
    /// Why there is nothing to choose from.
    silent: Option<ApiError>,
}

impl Choices {
    async fn ask(state: &WebState, connector: &Connector) -> Self {
        let asked = async {
            Ok(Self {
                services: lists::all_services(state, connector).await?,
                policies: lists::all_policies(state, connector).await?,
                // Not every plan has them.
                priorities: priorities::all(state, connector).await.unwrap_or_default(),
                silent: None,
            })
        };
        asked.await.unwrap_or_else(|error: ApiError| Self {
            silent: Some(error),
            ..Self::default()
        })
    }
}

/// What the forms show.
struct Shown<'a> {
    visit: &'a Visit,
    connector: &'a Connector,
    /// The key, as far as it is shown.
    key: String,
    /// Whether it is the sign-in of a person.
    is_signed_in: bool,
    choices: Choices,
    owners: Vec<FieldOwner>,
    /// A form that was not done.
    refused: Option<&'a (Fields, ApiError)>,
    /// What a form did, and which.
    became: Option<&'a (String, Became)>,
}

impl Shown<'_> {
    /// What stands in a field of a form: what was typed, if that form was refused, else what is set.
    fn text(&self, what: &str, field: &str, set: &str) -> String {
        match self.typed(what) {
            Some(fields) => fields.raw(field).to_owned(),
            None => set.to_owned(),
        }
    }

    /// What a field was when its form was shown at first: what is sent as it was changes nothing, also after the form
    /// was refused.
    fn was(&self, what: &str, field: &str, set: &str) -> Markup {
        let was = format!("was_{field}");
        html! { input type="hidden" name=(was) value=(self.text(what, &was, set)); }
    }

    /// What became of a form, where it stands.
    fn answer(&self, what: &str) -> Markup {
        html! {
            @if let Some((_, error)) = self.refused.filter(|_| self.typed(what).is_some()) {
                div.answer { (parts::problem(error)) }
            }
            @if let Some((_, became)) = self.became.filter(|(of, _)| of == what) { (became.show()) }
        }
    }

    fn typed(&self, what: &str) -> Option<&Fields> {
        let (fields, _) = self.refused?;
        (fields.get(WHAT) == what).then_some(fields)
    }
}

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    pairs: Pairs,
) -> Response {
    let what = pairs.iter().find(|(name, _)| name == WHAT);
    let what = what.map_or("", |(_, what)| what).to_owned();
    let told = state.said.told(&pairs).map(|told| (what, told));
    page(&state, &visit, &name, (told, None)).await
}

/// Changes what a form is about.
pub(in crate::web) async fn change(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    fields: Fields,
) -> Response {
    match changed(&state, &name, &fields).await {
        Ok(told) => {
            // It is one of the forms that there are, or nothing was done.
            let what = fields.get(WHAT);
            let page = format!("{}?{WHAT}={what}", settings_address(&name));
            let address = state.said.keep(&page, told);
            to(&format!("{}#{what}", address.unwrap_or(page)))
        }
        Err(error) => page(&state, &visit, &name, (None, Some((fields, error)))).await,
    }
}

async fn changed(state: &WebState, name: &str, fields: &Fields) -> Result<Told, ApiError> {
    let app = State(Arc::clone(&state.app));
    let path = Path(name.to_owned());
    let given = |field: &str| Some(fields.get(field).to_owned()).filter(|text| !text.is_empty());
    match fields.get(WHAT) {
        "connection" => set(state, name, connection(fields)).await,
        "services" => {
            let connector = find(state, name).await?;
            let now = connector.config.custom.synced_services.as_deref();
            set(state, name, services(fields, now)).await
        }
        "service" => {
            let new = NewServiceMapping {
                im_service: fields.get("ours").to_owned(),
                pd_service: given("theirs"),
            };
            drop(mappings::map_service(app, path, Body(new)).await?);
            Ok(Told::of("The table of services is changed."))
        }
        "policy" => {
            let new = NewEscalationMapping {
                service: given("ours"),
                severity: given("severity"),
                escalation_policy: given("theirs"),
            };
            drop(mappings::map_escalation(app, path, Body(new)).await?);
            Ok(Told::of("The table of escalation policies is changed."))
        }
        "priorities" => {
            let rows = Severity::ALL.into_iter().filter_map(|severity| {
                let id = fields.changed(severity.as_str())?;
                Some((severity.to_string(), or_none(id)))
            });
            let part = only_changed("priority_mapping", rows.collect());
            set(state, name, custom_of(part)).await
        }
        "urgencies" => {
            let rows = Severity::ALL.into_iter().filter_map(|severity| {
                let urgency = fields.changed(severity.as_str())?;
                Some((severity.to_string(), urgency.into()))
            });
            let part = only_changed("urgency_mapping", rows.collect());
            set(state, name, custom_of(part)).await
        }
        "ownership" => set(state, name, ownership(fields)).await,
        _ => {
            Err(ApiError::bad_request("the form is not one of this page")
                .hint("open the page again"))
        }
    }
}

/// A value as a part of the configuration has it: nothing takes away what is set.
fn or_none(text: String) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        text.into()
    }
}

/// A part with one table of changes, or nothing where there are none.
fn only_changed(name: &str, table: Map<String, Value>) -> Map<String, Value> {
    let tables = (!table.is_empty()).then(|| (name.to_owned(), table.into()));
    tables.into_iter().collect()
}

fn custom_of(part: Map<String, Value>) -> Map<String, Value> {
    only_changed("custom", part)
}

/// How changes travel, as a part of the configuration. What is left empty stays.
fn connection(fields: &Fields) -> Map<String, Value> {
    let given = |field: &str| fields.changed(field).filter(|text| !text.is_empty());
    let mut part = Map::new();
    for field in ["sync_direction", "sync_interval", "base_url", "api_key"] {
        if let Some(text) = given(field) {
            part.insert(field.to_owned(), text.into());
        }
    }
    let mut custom = Map::new();
    for field in ["service_id", "from_email"] {
        if let Some(text) = given(field) {
            custom.insert(field.to_owned(), text.into());
        }
    }
    if let Some(policy) = fields.changed("policy") {
        // Without one the service's own counts.
        custom.insert("escalation_policy_id".to_owned(), or_none(policy));
    }
    part.extend(custom_of(custom));
    part
}

/// Which services are synced, as a part of the configuration: those that are synced now with what was ticked
/// and without what was unticked since the form was shown.
fn services(fields: &Fields, now: Option<&[String]>) -> Map<String, Value> {
    const CHOSEN: &str = "chosen";
    let (scope, was) = (fields.get("scope"), fields.get("was_scope"));
    let ticked: Vec<&str> = fields.all("synced").collect();
    let shown: Vec<&str> = fields.all("was_synced").collect();
    let ids: Value = match (scope, was, now) {
        (CHOSEN, CHOSEN, _) if BTreeSet::from_iter(&ticked) == BTreeSet::from_iter(&shown) => {
            return Map::new();
        }
        (CHOSEN, CHOSEN, Some(now)) => {
            let is_left = |id: &&str| ticked.contains(id) || !shown.contains(id);
            let left = now.iter().map(String::as_str).filter(is_left);
            let is_new = |id: &&str| !shown.contains(id) && !now.iter().any(|one| one == id);
            let new = ticked.iter().copied().filter(is_new);
            left.chain(new).collect()
        }
        (CHOSEN, _, _) => json!(ticked),
        _ if scope == was => return Map::new(),
        _ => Value::Null,
    };
    custom_of(Map::from_iter([("synced_services".to_owned(), ids)]))
}

/// Whose value counts, as a part of the configuration.
fn ownership(fields: &Fields) -> Map<String, Value> {
    let mut rows = Map::new();
    for field in Field::ALL {
        let name = field.as_str();
        let mut row = Map::new();
        if let Some(owner) = fields.changed(&format!("owner.{name}")) {
            row.insert("owner".to_owned(), owner.into());
        }
        if let Some(weight) = fields.changed(&format!("priority.{name}")) {
            let number = weight.parse::<u64>();
            let weight = number.map_or_else(|_not_one| or_none(weight), Value::from);
            row.insert("priority".to_owned(), weight);
        }
        rows.extend(only_changed(name, row));
    }
    let mut custom = only_changed("field_ownership", rows);
    if let Some(strategy) = fields.changed("strategy") {
        custom.insert("conflict_strategy".to_owned(), strategy.into());
    }
    custom_of(custom)
}

/// Changes a part of the configuration.
async fn set(state: &WebState, name: &str, part: Map<String, Value>) -> Result<Told, ApiError> {
    if part.is_empty() {
        return Ok(Told::of("Nothing was changed on this form."));
    }
    let app = State(Arc::clone(&state.app));
    let changed = config::change(app, Path(name.to_owned()), Body(part)).await;
    let Json(view) = changed.map_err(in_words_of_the_form)?;
    let mut told = Told::of("Changed, and what is here follows.");
    told.warn(&view.warnings);
    Ok(told)
}

/// An error whose next step names the fields of these forms.
fn in_words_of_the_form(error: ApiError) -> ApiError {
    let address = format!("\u{201c}{}\u{201d}", forms::API);
    match error.code() {
        "bad_key" => error.hint(format!(
            "is it a key of the other region? Then {address} is {BASE_URL_DEFAULT} for the United States and {EU} for Europe; else make one in PagerDuty: Integrations, API Access Keys"
        )),
        "base_url" => error.hint(format!(
            "{address} is {BASE_URL_DEFAULT} for the United States and {EU} for Europe; another is for a proxy or a stand-in"
        )),
        "account_connected" => error.hint("give it to that connection, under Integrations"),
        _ => error,
    }
}

/// What is said of a setting that was changed, and the form that was refused with the reason.
type Answered = (Option<(String, Told)>, Option<(Fields, ApiError)>);

async fn page(state: &WebState, visit: &Visit, name: &str, (told, refused): Answered) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let became = told.map(|(what, told)| Ok::<_, StoreError>((what, Became::read(tx, &told)?)));
        Ok::<_, StoreError>((load::shell(tx, &looking)?, became.transpose()?))
    });
    let (shell, became) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let Ok(connector) = find(state, name).await else {
        let page = layout::no_connector(&shell, name, moment);
        return (StatusCode::NOT_FOUND, page).into_response();
    };
    let shown = Shown {
        visit,
        key: config::masked_key(state, &connector),
        is_signed_in: config::is_signed_in(state, &connector),
        choices: Choices::ask(state, &connector).await,
        owners: conflicts::owners(&connector),
        connector: &connector,
        refused: refused.as_ref(),
        became: became.as_ref(),
    };
    let error = refused.as_ref().map(|(_, error)| error);
    let status = error.map_or(StatusCode::OK, |error| error.status);
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href=(integrations::ADDRESS) { "Integrations" } " / " a href=(address(name)) { (name) } " / " span aria-current="page" { "Settings" }
        }
        h1 { "Settings of " (name) }
        @if let Some((fields, error)) = &refused && !FORMS.contains(&fields.get(WHAT)) {
            div.answer { (parts::problem(error)) }
        }
        @if let Some(silent) = &shown.choices.silent {
            div.answer {
                p.small { "PagerDuty cannot be asked now, so its ids are typed here:" }
                (parts::problem(silent))
            }
        }
        (shown.all())
    };
    let head = Page {
        title: &format!("Settings of {name}"),
        entry: &address(name),
        live: Live::Still,
    };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}
