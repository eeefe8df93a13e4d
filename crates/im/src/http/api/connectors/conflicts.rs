//! Fields that both sides changed: whose value counts, which cases there were, and a person's word on those that wait for it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::{Field, IncidentNumber, Ownership, Side};
use im_engine::conflicts::{self, ResolveError};
use im_engine::connector::Connector;
use im_store::conflicts::{self as rows, ConflictRow, State as Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find;
use crate::access::Who;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::{Body, Params};
use crate::http::openapi::{Conflict as Refused, WrongValue};

/// Conflicts in one answer.
const LIMIT: u32 = 1_000;

/// A field that both sides changed before either heard of the other.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Conflict {
    /// Its number.
    id: i64,
    /// Of which incident.
    #[schema(example = "INC-42")]
    incident: String,
    /// `title`, `status`, `assigned_to` or `service`.
    field: &'static str,
    /// `pending`, `resolved` or `ignored`.
    status: &'static str,
    /// `ownership-priority`, `last-write-wins` or `manual-review`.
    strategy: &'static str,
    /// What PagerDuty showed before.
    base: String,
    /// What was asked for here.
    ours: String,
    /// When.
    ours_at: Timestamp,
    /// By whom.
    ours_by: Option<String>,
    /// What PagerDuty shows.
    theirs: String,
    /// When that was changed there, as far as PagerDuty tells.
    theirs_at: Timestamp,
    /// Whose value counts: `platform` (here) or `external` (PagerDuty).
    kept: Option<&'static str>,
    /// Why.
    reason: Option<String>,
    /// When it was found.
    found_at: Timestamp,
    /// When it was decided.
    decided_at: Option<Timestamp>,
    /// The person who decided.
    decided_by: Option<String>,
}

impl From<ConflictRow> for Conflict {
    fn from(row: ConflictRow) -> Self {
        let is_decided = row.state != Stage::Pending;
        let verdict = row.conflict.verdict.filter(|_| is_decided);
        Self {
            id: row.id,
            incident: row.incident.said().to_string(),
            field: row.conflict.field.as_str(),
            status: row.state.as_str(),
            strategy: row.conflict.strategy.as_str(),
            base: row.conflict.base,
            ours: row.conflict.ours,
            ours_at: row.conflict.ours_at,
            ours_by: row.conflict.ours_by,
            theirs: row.conflict.theirs,
            theirs_at: row.conflict.theirs_at,
            kept: verdict.map(|(side, _)| side.as_str()),
            reason: row.reason.filter(|_| is_decided),
            found_at: row.found_at,
            decided_at: row.decided_at,
            decided_by: row.decided_by,
        }
    }
}

/// A person's word on a conflict.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Word {
    /// Whose value counts: `platform` (here) or `external` (PagerDuty).
    pub(crate) keep: String,
}

/// Whose value of a field counts where both sides change it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FieldOwner {
    /// The field here.
    pub(crate) field: &'static str,
    /// What it is at PagerDuty.
    pub(crate) pagerduty: &'static str,
    /// `platform` (here) or `external` (PagerDuty).
    pub(crate) owner: &'static str,
    /// How much the owner's value weighs; at 0 the later change counts.
    pub(crate) priority: u8,
    /// Whether it is the documented owner.
    pub(crate) is_default: bool,
    /// Why it cannot be another one.
    pub(crate) fixed: Option<&'static str>,
}

/// Show whose value counts where both sides change a field
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/field-ownership", tag = "connectors", operation_id = "list_field_ownership",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [FieldOwner], description = "Each field with its owner")),
)]
pub(super) async fn ownership(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<FieldOwner>>, ApiError> {
    let connector = find(&app, &name).await?;
    Ok(Json(owners(&connector)))
}

/// Each field with its owner.
pub(crate) fn owners(connector: &Connector) -> Vec<FieldOwner> {
    let ownership = &connector.mapping.ownership;
    let owner = |field: Field| {
        let owner = ownership.of(field);
        FieldOwner {
            field: field.as_str(),
            pagerduty: match field {
                Field::Title => "title",
                Field::Description => "body",
                Field::Severity => "urgency",
                Field::Status => "status",
                Field::AssignedTo => "assignments",
                Field::Service => "service",
                Field::EscalationPolicy => "escalation_policy",
            },
            owner: owner.side.as_str(),
            priority: owner.priority,
            is_default: owner == Ownership::documented(field),
            fixed: field.fixed(),
        }
    };
    Field::ALL.into_iter().map(owner).collect()
}

/// List the conflicts, newest first
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/conflicts", tag = "connectors", operation_id = "list_conflicts",
    params(
        ("name" = String, Path, description = "Which connector"),
        ("status" = Option<String>, Query, description = "Only `pending`, `resolved` or `ignored`"),
        ("incident" = Option<String>, Query, description = "Only of this incident"),
    ),
    responses((status = 200, body = [Conflict], description = "The conflicts, 1,000 at most")),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Vec<Conflict>>, ApiError> {
    let params = params.only(&["status", "incident"])?;
    let stage = params.one("status").map(stage).transpose()?;
    let incident = params.one("incident").map(str::parse::<IncidentNumber>);
    let incident = incident.transpose()?;
    find(&app, &name).await?;
    let found = app
        .db
        .read(move |tx| {
            let meant = (stage, incident);
            Ok::<_, ApiError>(rows::newest(tx, &name, meant, LIMIT)?)
        })
        .await?;
    Ok(Json(found.into_iter().map(Conflict::from).collect()))
}

fn stage(word: &str) -> Result<Stage, ApiError> {
    Stage::parse(word).ok_or_else(|| {
        let words = Stage::ALL.map(Stage::as_str).join(", ");
        ApiError::bad_request(format!("`status={word}`: use one of {words}"))
    })
}

/// Show a conflict
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/conflicts/{id}", tag = "connectors", operation_id = "show_conflict",
    params(("name" = String, Path, description = "Which connector"), ("id" = i64, Path, description = "Which conflict")),
    responses((status = 200, body = Conflict, description = "The conflict")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Conflict>, ApiError> {
    let id = number(&name, &id)?;
    find(&app, &name).await?;
    let found = app
        .db
        .read(move |tx| Ok::<_, ApiError>(rows::find(tx, id)?))
        .await?;
    let row = found.filter(|row| row.connector == name);
    row.map(|row| Json(row.into()))
        .ok_or_else(|| gone(&name, id))
}

/// Say whose value counts
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/conflicts/{id}/resolve", tag = "connectors", operation_id = "resolve_conflict",
    request_body = Word,
    params(("name" = String, Path, description = "Which connector"), ("id" = i64, Path, description = "Which conflict")),
    responses((status = 200, body = Conflict, description = "The conflict, decided"), Refused, WrongValue),
)]
pub(crate) async fn resolve(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
    who: Who,
    Body(word): Body<Word>,
) -> Result<Json<Conflict>, ApiError> {
    let id = number(&name, &id)?;
    let keep = Side::parse(&word.keep).ok_or_else(|| {
        ApiError::wrong_value("keep", format!("`keep` cannot be `{}`", word.keep))
            .hint("write platform (the value here counts) or external (PagerDuty's does)")
    })?;
    find(&app, &name).await?;
    let by = who.actor.label().unwrap_or("somebody").to_owned();
    let now = app.clock.now();
    let row = app
        .db
        .write(move |tx| {
            let decided = conflicts::resolve(tx, &name, id, keep, &by, now);
            decided.map_err(|error| refused(&name, error))
        })
        .await?;
    app.signals.nudge();
    Ok(Json(row.into()))
}

fn refused(connector: &str, error: ResolveError) -> ApiError {
    let text = error.to_string();
    match error {
        ResolveError::NoConflict(id) => gone(connector, id),
        ResolveError::Decided { id, .. } => ApiError::conflict("decided", text).hint(format!(
            "`im connector conflicts show {connector} {id}` tells how it was"
        )),
        ResolveError::OnItsWay => ApiError::conflict("on_its_way", text)
            .hint("its answer decides; look again in a minute"),
        ResolveError::Store(error) => error.into(),
    }
}

fn number(connector: &str, text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_not_a_number| {
        ApiError::bad_request(format!("`{text}` is not the id of a conflict")).hint(format!(
            "`im connector conflicts list {connector}` shows the ids"
        ))
    })
}

fn gone(connector: &str, id: i64) -> ApiError {
    ApiError::not_found(format!("there is no conflict {id}")).hint(format!(
        "`im connector conflicts list {connector}` shows them"
    ))
}
