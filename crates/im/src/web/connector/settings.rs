//! The settings of a connector as forms: how changes travel, which services are synced, what goes with what,
//! whose value counts.
//!
//! Each form is a part of the configuration and changes that part alone, by the handler of the API. What can be
//! chosen from is asked of PagerDuty when the page is opened; while it does not answer, ids are typed.

mod forms;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_core::{Field, Severity};
use im_engine::connector::Connector;
use im_store::{StoreError, Tx};
use maud::html;
use serde_json::{Map, Value, json};

use super::{address, settings_address};
use crate::http::api::connectors::conflicts::{self, FieldOwner};
use crate::http::api::connectors::mappings::{self, NewEscalationMapping, NewServiceMapping};
use crate::http::api::connectors::{config, find, lists, priorities};
use crate::http::api::types::Named;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::web::guard::{Fields, Visit};
use crate::web::integrations;
use crate::web::layout::{Live, Page};
use crate::web::load;
use crate::web::parts;
use crate::web::said::{Became, Told};
use crate::web::{Pairs, WebState, failed, layout, to};

/// The field that says which form it is.
const WHAT: &str = "what";

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
}

impl Shown<'_> {
    /// What stands in a field of a form: what was typed, if that form was refused, else what is set.
    fn text(&self, what: &str, field: &str, set: &str) -> String {
        match self.typed(what) {
            Some(fields) => fields.raw(field).to_owned(),
            None => set.to_owned(),
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
    page(&state, &visit, &name, (state.said.told(&pairs), None)).await
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
            let page = settings_address(&name);
            let address = state.said.keep(&page, told);
            to(address.as_deref().unwrap_or(&page))
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
            let ids: Vec<&str> = fields.all("synced").collect();
            let ids = (fields.get("scope") == "chosen").then_some(ids);
            set(state, name, json!({"custom": {"synced_services": ids}})).await
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
            let rows = Severity::ALL
                .map(|severity| (severity.to_string(), json!(given(severity.as_str()))));
            let table = Map::from_iter(rows);
            set(state, name, json!({"custom": {"priority_mapping": table}})).await
        }
        "ownership" => set(state, name, ownership(fields)).await,
        _ => {
            Err(ApiError::bad_request("the form is not one of this page")
                .hint("open the page again"))
        }
    }
}

/// How changes travel, as a part of the configuration. What is left empty stays.
fn connection(fields: &Fields) -> Value {
    let given = |field: &str| Some(fields.get(field)).filter(|text| !text.is_empty());
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
    // Without one the service's own counts.
    custom.insert("escalation_policy_id".to_owned(), json!(given("policy")));
    part.insert("custom".to_owned(), custom.into());
    part.into()
}

/// Whose value counts, as a part of the configuration.
fn ownership(fields: &Fields) -> Value {
    let rows = Field::ALL.into_iter().filter_map(|field| {
        let name = field.as_str();
        let owner = fields.get(&format!("owner.{name}"));
        let weight: Value = match fields.get(&format!("priority.{name}")) {
            "" => Value::Null,
            text => text
                .parse::<u64>()
                .map_or_else(|_| text.into(), Value::from),
        };
        (!owner.is_empty()).then(|| (name.to_owned(), json!({"owner": owner, "priority": weight})))
    });
    let rows: Map<String, Value> = rows.collect();
    json!({"custom": {"conflict_strategy": fields.get("strategy"), "field_ownership": rows}})
}

/// Changes a part of the configuration.
async fn set(state: &WebState, name: &str, part: Value) -> Result<Told, ApiError> {
    let Value::Object(part) = part else {
        return Err(ApiError::internal());
    };
    let app = State(Arc::clone(&state.app));
    let Json(view) = config::change(app, Path(name.to_owned()), Body(part)).await?;
    let mut told = Told::of("Changed, and what is here follows.");
    told.warn(&view.warnings);
    Ok(told)
}

async fn page(
    state: &WebState,
    visit: &Visit,
    name: &str,
    (told, refused): (Option<Told>, Option<(Fields, ApiError)>),
) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let became = told.map(|told| Became::read(tx, &told)).transpose()?;
        Ok::<_, StoreError>((load::shell(tx, &looking)?, became))
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
    };
    let error = refused.as_ref().map(|(_, error)| error);
    let status = error.map_or(StatusCode::OK, |error| error.status);
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href=(integrations::ADDRESS) { "Integrations" } " / " a href=(address(name)) { (name) } " / " span aria-current="page" { "Settings" }
        }
        h1 { "Settings of " (name) }
        @if let Some(became) = &became { (became.show()) }
        @if let Some(error) = error { div.answer { (parts::problem(error)) } }
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
