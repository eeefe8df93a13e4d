//! Incidents: list, look, act.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use im_core::{Command, IncidentNumber, NewField, Severity};
use im_engine::commands;
use im_engine::connector::{self, Connector};
use im_engine::{directory, record};
use im_store::{Tx, incidents};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use acts::Step;
use asked::Asking;

use super::outcome::Outcome;
use super::settings::hides_emails;
use super::types::{Incident, TimelineLine, Unsettled, Whole, hide_emails};
use crate::access::Who;
use crate::access::audit::Note;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::{Body, Params};
use crate::http::openapi::{Conflict, Missing, WrongValue};
use crate::http::wait;
use crate::organisation::annotations::Annotations;

pub(crate) mod acts;
pub(crate) mod annotations;
pub(crate) mod asked;
pub(crate) mod assign;

/// The routes of this module.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, declare))
        .routes(routes!(show, edit, delete))
        .routes(routes!(timeline))
        .routes(routes!(acknowledge))
        .routes(routes!(mitigate))
        .routes(routes!(resolve))
        .routes(routes!(close))
        .routes(routes!(reopen))
        .routes(routes!(cancel))
        .routes(routes!(duplicate))
        .routes(routes!(note))
        .routes(routes!(assign::assign))
        .routes(routes!(annotations::show, annotations::change))
}

/// List incidents, newest first
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents", operation_id = "list_incidents",
    params(
        ("status" = Option<Vec<String>>, Query, description = "Any of these; `active` is open, acknowledged or mitigated, `any` all"),
        ("severity" = Option<Vec<String>>, Query, description = "Any of these, e.g. SEV-2"),
        ("service" = Option<String>, Query, description = "This service"),
        ("assignee" = Option<String>, Query, description = "Who has it: an e-mail address, a PagerDuty user id, a name, `me` or `nobody`"),
        ("unowned" = Option<bool>, Query, description = "Those that nobody has and nobody is left to page for"),
        ("connector" = Option<String>, Query, description = "Those of this connector"),
        ("from" = Option<String>, Query, description = "Begun since: a date of the organisation's zone, or an instant"),
        ("to" = Option<String>, Query, description = "Begun until the end of this date, or before this instant"),
        ("q" = Option<String>, Query, description = "A part of the title, in any case, or a number: INC-42, 42, PagerDuty's #4102"),
        ("limit" = Option<u32>, Query, description = "At most so many: 50 by default, at most 1,000"),
        ("before" = Option<i64>, Query, description = "Older than the incident of this number"),
        ("hidden" = Option<bool>, Query, description = "Those on services that are not chosen to be synced, instead of the others"),
    ),
    responses((status = 200, body = [Incident], description = "Incidents")),
)]
async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    params: Params,
) -> Result<Json<Vec<Incident>>, ApiError> {
    let asked = Asking::read(&params, &who)?;
    let found = app.db.read(move |tx| find(tx, &asked)).await?;
    Ok(Json(found))
}

/// A severity of a request.
pub(crate) fn severity(text: &str) -> Result<Severity, ApiError> {
    Severity::from_str(text).map_err(|error| ApiError::wrong_value("severity", error.to_string()))
}

fn find(tx: &mut Tx<'_>, asked: &Asking) -> Result<Vec<Incident>, ApiError> {
    let model = commands::status_model(tx)?;
    let hides = hides_emails(tx)?;
    let connectors: HashMap<String, Connector> = connector::all(tx)?
        .into_iter()
        .map(|connector| (connector.name().to_owned(), connector))
        .collect();
    let mut highest: HashMap<&str, Vec<String>> = HashMap::new();
    for name in connectors.keys() {
        highest.insert(name, directory::highest_priorities(tx, name)?);
    }
    let mut found = Vec::new();
    let filter = asked.filter(tx, model)?;
    for row in incidents::list(tx, &filter)? {
        if row.parts > 0 {
            found.extend(Whole::load(tx, row.number)?.map(|whole| whole.incident()));
            continue;
        }
        let connector = row.connector.as_ref().and_then(|name| connectors.get(name));
        if let Some(mut story) = record::story(tx, row.number, connector)? {
            if hides {
                hide_emails(&mut story);
            }
            let owed = match &row.connector {
                Some(_) => Unsettled::load(tx, row.number)?,
                None => Unsettled::default(),
            };
            let highest = row.connector.as_deref().and_then(|name| highest.get(name));
            let highest = highest.map_or(&[][..], Vec::as_slice);
            found.push(Incident::of(&story, &row, connector, model, &owed, highest));
        }
    }
    Ok(found)
}

/// Show an incident
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}", tag = "incidents", operation_id = "show_incident",
    params(("id" = String, Path, description = "INC-42 or 42")),
    responses((status = 200, body = Incident, description = "The incident")),
)]
async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Incident>, ApiError> {
    let number = id.parse()?;
    let mut incident = look(&app, number).await?.incident();
    let said = app.db.read(move |tx| {
        let said = Annotations::load(tx, number)?;
        Ok::<_, im_store::StoreError>((said, im_engine::merges::merged_into(tx, number)?))
    });
    let (said, merged_into) = said.await?;
    incident.annotations = Some(said).filter(|said| !said.is_empty());
    incident.merged_into = merged_into.iter().map(ToString::to_string).collect();
    Ok(Json(incident))
}

/// An incident that is there and was not deleted.
async fn look(app: &App, incident: IncidentNumber) -> Result<Whole, ApiError> {
    let whole = app
        .db
        .read(move |tx| Ok::<_, ApiError>(Whole::load(tx, incident)?))
        .await?
        .ok_or_else(|| ApiError::no_incident(incident))?;
    if whole.story.deleted {
        return Err(ApiError::deleted(incident));
    }
    Ok(whole)
}

/// Show what happened to an incident, oldest first
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/timeline", tag = "incidents", operation_id = "show_timeline",
    params(("id" = String, Path, description = "INC-42 or 42")),
    responses((status = 200, body = [TimelineLine], description = "What happened to it")),
)]
async fn timeline(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<TimelineLine>>, ApiError> {
    let whole = look(&app, id.parse()?).await?;
    Ok(Json(
        whole.story.lines.iter().map(TimelineLine::from).collect(),
    ))
}

/// A new incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Declaration {
    /// What is wrong, in a line.
    title: String,
    /// `SEV-1` to `SEV-4`.
    severity: String,
    /// More about it.
    description: Option<String>,
    /// What it affects; a connector maps it to a PagerDuty service.
    service: Option<String>,
    /// The same where it is more than one: each gets a PagerDuty incident of its own. Names that a
    /// connector maps to one PagerDuty service share it.
    services: Option<Vec<String>>,
    /// Fields of people's own: each name, and what it says.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// The connector that tells PagerDuty, when there are several.
    connector: Option<String>,
}

/// Declare an incident
#[utoipa::path(
    post, path = "/api/v1/incidents", tag = "incidents", operation_id = "declare_incident",
    params(("wait" = Option<String>, Query, description = "Wait so long for PagerDuty, e.g. 5s")),
    request_body = Declaration,
    responses((status = 201, body = Outcome, description = "It is declared"), Missing, Conflict, WrongValue),
)]
async fn declare(
    State(app): State<Arc<App>>,
    who: Who,
    params: Params,
    Body(declaration): Body<Declaration>,
) -> Result<(StatusCode, Extension<Note>, Json<Outcome>), ApiError> {
    let wait = wait::wanted(&params.only(&["wait"])?)?;
    let fields = declaration.fields.into_iter();
    let new = acts::New {
        title: declaration.title,
        severity: severity(&declaration.severity)?,
        description: declaration.description,
        services: declaration
            .service
            .into_iter()
            .chain(declaration.services.unwrap_or_default())
            .collect(),
        fields: fields.map(|(name, value)| (name, Some(value))).collect(),
        connector: declaration.connector,
    };
    let done = acts::declare(&app, new, &who).await?;
    let note = Note::thing(done.incident.to_string());
    let outcome = done.outcome(&app, wait).await?;
    Ok((StatusCode::CREATED, note, Json(outcome)))
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Remark {
    /// A text for the timeline, here and at PagerDuty.
    note: Option<String>,
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident, $path:literal, $step:ident;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post, path = $path, tag = "incidents",
            params(
                ("id" = String, Path, description = "INC-42 or 42"),
                ("wait" = Option<String>, Query, description = "Wait so long for PagerDuty, e.g. 5s"),
            ),
            request_body = Remark,
            responses((status = 200, body = Outcome, description = "What became of it"), Conflict, WrongValue),
        )]
        async fn $name(
            State(app): State<Arc<App>>,
            who: Who,
            Path(id): Path<String>,
            params: Params,
            Body(remark): Body<Remark>,
        ) -> Result<Json<Outcome>, ApiError> {
            let (incident, wait) = asked_of(&id, params)?;
            let done = acts::take(&app, incident, (Step::$step, remark.note), &who).await?;
            done.outcome(&app, wait).await.map(Json)
        }
    )*};
}

steps! {
    /// Take an incident
    acknowledge, "/api/v1/incidents/{id}/acknowledge", Acknowledge;
    /// Say that the harm is contained
    mitigate, "/api/v1/incidents/{id}/mitigate", Mitigate;
    /// Say that it is fixed
    resolve, "/api/v1/incidents/{id}/resolve", Resolve;
    /// Close an incident for good
    close, "/api/v1/incidents/{id}/close", Close;
    /// Open it again
    reopen, "/api/v1/incidents/{id}/reopen", Reopen;
    /// Say that it was a false alarm
    cancel, "/api/v1/incidents/{id}/cancel", Cancel;
}

/// Of which incident something is asked, and how long its caller waits for PagerDuty.
fn asked_of(id: &str, params: Params) -> Result<(IncidentNumber, Duration), ApiError> {
    Ok((id.parse()?, wait::wanted(&params.only(&["wait"])?)?))
}

/// Which incident is the same.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Sameness {
    /// The other incident: INC-7 or 7.
    of: String,
    /// A text for the timeline, here and at PagerDuty.
    note: Option<String>,
}

/// Say that it is the same as another
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/duplicate", tag = "incidents", operation_id = "mark_duplicate",
    params(
        ("id" = String, Path, description = "INC-42 or 42"),
        ("wait" = Option<String>, Query, description = "Wait so long for PagerDuty, e.g. 5s"),
    ),
    request_body = Sameness,
    responses((status = 200, body = Outcome, description = "What became of it"), Conflict, WrongValue),
)]
async fn duplicate(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
    params: Params,
    Body(same): Body<Sameness>,
) -> Result<Json<Outcome>, ApiError> {
    let (incident, wait) = asked_of(&id, params)?;
    let done = acts::duplicate(&app, incident, (&same.of, same.note), &who).await?;
    done.outcome(&app, wait).await.map(Json)
}

/// A text to write down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Text {
    /// The text.
    text: String,
}

/// Write something down, here and at PagerDuty
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/notes", tag = "incidents", operation_id = "add_note",
    params(
        ("id" = String, Path, description = "INC-42 or 42"),
        ("wait" = Option<String>, Query, description = "Wait so long for PagerDuty, e.g. 5s"),
    ),
    request_body = Text,
    responses((status = 200, body = Outcome, description = "What became of it"), Conflict, WrongValue),
)]
async fn note(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
    params: Params,
    Body(note): Body<Text>,
) -> Result<Json<Outcome>, ApiError> {
    let (incident, wait) = asked_of(&id, params)?;
    let done = acts::note(&app, incident, note.text, &who).await?;
    done.outcome(&app, wait).await.map(Json)
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edits {
    /// The new title.
    pub(crate) title: Option<String>,
    /// The new description.
    pub(crate) description: Option<String>,
    /// `SEV-1` to `SEV-4`.
    pub(crate) severity: Option<String>,
    /// The new service.
    pub(crate) service: Option<String>,
    /// More services of an incident that is about several: each gets a PagerDuty incident of its own.
    #[serde(default)]
    pub(crate) add_services: Vec<String>,
    /// Fields of people's own: each name, and what it is to say; null takes it away. Others stay.
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, Option<String>>,
}

impl Edits {
    /// What is asked by it.
    pub(crate) fn commands(self) -> Result<Vec<Command>, ApiError> {
        let fields: Vec<NewField> = self.fields.into_iter().collect();
        let severity = self.severity.as_deref().map(severity).transpose()?;
        let is_any = self.title.is_some()
            || self.description.is_some()
            || severity.is_some()
            || self.service.is_some();
        let mut commands = Vec::new();
        // Without anything to change it is refused, and says so.
        if is_any || (fields.is_empty() && self.add_services.is_empty()) {
            commands.push(Command::Edit {
                title: self.title,
                description: self.description,
                severity,
                service: self.service,
            });
        }
        if !self.add_services.is_empty() {
            let services = self.add_services;
            commands.push(Command::AddServices { services });
        }
        if !fields.is_empty() {
            commands.push(Command::SetFields { fields });
        }
        Ok(commands)
    }
}

/// Change what is said about an incident
#[utoipa::path(
    patch, path = "/api/v1/incidents/{id}", tag = "incidents", operation_id = "edit_incident",
    params(
        ("id" = String, Path, description = "INC-42 or 42"),
        ("wait" = Option<String>, Query, description = "Wait so long for PagerDuty, e.g. 5s"),
    ),
    request_body = Edits,
    responses((status = 200, body = Outcome, description = "What became of it"), Conflict, WrongValue),
)]
async fn edit(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
    params: Params,
    Body(edits): Body<Edits>,
) -> Result<Json<Outcome>, ApiError> {
    let (incident, wait) = asked_of(&id, params)?;
    let commands = edits.commands()?;
    let done = acts::edit(&app, incident, commands, &who).await?;
    done.outcome(&app, wait).await.map(Json)
}

/// Resolve it at PagerDuty and remove it here
#[utoipa::path(
    delete, path = "/api/v1/incidents/{id}", tag = "incidents", operation_id = "delete_incident",
    params(
        ("id" = String, Path, description = "INC-42 or 42"),
        ("wait" = Option<String>, Query, description = "Wait so long for PagerDuty, e.g. 5s"),
    ),
    responses((status = 200, body = Outcome, description = "What became of it"), Conflict),
)]
async fn delete(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Outcome>, ApiError> {
    let (incident, wait) = asked_of(&id, params)?;
    let done = acts::delete(&app, incident, &who).await?;
    done.outcome(&app, wait).await.map(Json)
}
