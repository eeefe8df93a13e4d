//! What an organisation settles: working hours, people, users, teams, rules for failures, targets.
//!
//! Each is listed, put (in place of the one with its id) and removed; figures follow at once, those of
//! the past as well.

pub(crate) mod named;
pub(crate) mod people;

pub(super) use people::link_to_person;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use im_store::arrangements;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::named::Naming;
use crate::access::audit::Note;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::WrongValue;
use crate::organisation::{FailureRule, Hours, Target, Team, Thing};

/// Things of one sort at most: figures keep them in memory.
const THINGS_MAX: i64 = 10_000;

/// The routes of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_hours, put_hours))
        .routes(routes!(remove_hours))
        .routes(routes!(list_teams, put_team))
        .routes(routes!(remove_team))
        .routes(routes!(list_rules, put_rule))
        .routes(routes!(remove_rule))
        .routes(routes!(list_targets, put_target))
        .routes(routes!(remove_target))
        .merge(people::routes())
}

async fn list<T: Thing>(app: &App) -> Result<Json<Vec<T>>, ApiError> {
    let all = app.db.read(|tx| arrangements::all(tx, T::SORT)).await?;
    Ok(Json(all))
}

/// Stores a thing that was checked when it was read.
pub(super) fn store<T: Thing>(tx: &mut im_store::Tx<'_>, thing: &T) -> Result<(), ApiError> {
    let key = thing.key();
    let is_new = arrangements::find::<T>(tx, T::SORT, &key)?.is_none();
    if is_new && arrangements::count(tx, T::SORT)? >= THINGS_MAX {
        let detail = format!("there are {THINGS_MAX} already");
        return Err(ApiError::wrong_value("too_many", detail).hint("remove what is not needed"));
    }
    Ok(arrangements::put(tx, T::SORT, &key, thing)?)
}

/// A thing that was put, with what it is for the audit log.
pub(crate) type Put<T> = Result<(Extension<Note>, Json<T>), ApiError>;

/// Puts a thing in place of the one with its id.
pub(crate) async fn put<T: Thing>(app: &App, thing: T) -> Put<T> {
    let stored = thing.clone();
    app.db.write(move |tx| store(tx, &stored)).await?;
    app.signals.nudge();
    Ok((Note::thing(thing.key()), Json(thing)))
}

/// A thing that was put.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Settled<T> {
    #[serde(flatten)]
    thing: T,
    /// What has to be known of it: that somebody whom it names is linked to no user yet, or that nobody can say yet
    /// whether there is what it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

/// Puts a thing in place of the one with its id, if what it names is known.
pub(crate) async fn put_known<T: Naming>(app: &App, thing: T) -> Put<Settled<T>> {
    let of_incidents = named::of_incidents(app).await?;
    let put = app.db.write(move |tx| {
        let known = named::Directory::read(tx, of_incidents)?;
        named::store_known(tx, thing.clone(), &known)
    });
    let (thing, hint) = put.await?;
    app.signals.nudge();
    Ok((Note::thing(thing.key()), Json(Settled { thing, hint })))
}

/// Removes a thing; `what` it is, is said where there is none.
pub(crate) async fn remove<T: Thing>(
    app: &App,
    what: &str,
    id: &str,
) -> Result<StatusCode, ApiError> {
    let key = id.to_owned();
    let delete = app
        .db
        .write(move |tx| arrangements::delete(tx, T::SORT, &key));
    if delete.await? {
        app.signals.nudge();
        Ok(StatusCode::NO_CONTENT)
    } else {
        let command = what.replace(' ', "-");
        Err(ApiError::not_found(format!("there is no {what} `{id}`"))
            .hint(format!("`im {command} list` shows what there is")))
    }
}

/// List the working hours: who, from which date on
#[utoipa::path(
    get, path = "/api/v1/hours", tag = "metrics", operation_id = "list_hours",
    responses((status = 200, body = [Hours], description = "Every version of everybody's")),
)]
pub(crate) async fn list_hours(State(app): State<Arc<App>>) -> Result<Json<Vec<Hours>>, ApiError> {
    list(&app).await
}

/// Set working hours from a date on
#[utoipa::path(
    post, path = "/api/v1/hours", tag = "metrics", operation_id = "set_hours", request_body = Hours,
    responses((status = 200, body = Settled<Hours>, description = "They hold, in place of those of that date"), WrongValue),
)]
async fn put_hours(State(app): State<Arc<App>>, Body(hours): Body<Hours>) -> Put<Settled<Hours>> {
    put_known(&app, hours).await
}

/// Take back working hours that were set from a date on
#[utoipa::path(
    delete, path = "/api/v1/hours/{of}/{effective_from}", tag = "metrics", operation_id = "remove_hours",
    params(
        ("of" = String, Path, description = "organisation, team:ID or person:ID"),
        ("effective_from" = String, Path, description = "The date"),
    ),
    responses((status = 204, description = "Those before them hold again")),
)]
pub(crate) async fn remove_hours(
    State(app): State<Arc<App>>,
    Path((of, effective_from)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    remove::<Hours>(&app, "hours", &format!("{of}@{effective_from}")).await
}

/// List the teams beside PagerDuty's
#[utoipa::path(
    get, path = "/api/v1/teams", tag = "metrics", operation_id = "list_teams",
    responses((status = 200, body = [Team], description = "Teams")),
)]
async fn list_teams(State(app): State<Arc<App>>) -> Result<Json<Vec<Team>>, ApiError> {
    list(&app).await
}

/// Make a team, or change it
#[utoipa::path(
    post, path = "/api/v1/teams", tag = "metrics", operation_id = "put_team", request_body = Team,
    responses((status = 200, body = Settled<Team>, description = "The team, in place of the one with its id"), WrongValue),
)]
async fn put_team(State(app): State<Arc<App>>, Body(team): Body<Team>) -> Put<Settled<Team>> {
    put_known(&app, team).await
}

/// Remove a team
#[utoipa::path(
    delete, path = "/api/v1/teams/{id}", tag = "metrics", operation_id = "remove_team",
    params(("id" = String, Path, description = "Which")),
    responses((status = 204, description = "It is gone from figures, those of the past as well")),
)]
async fn remove_team(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    remove::<Team>(&app, "team", &id).await
}

/// List the rules by which an incident is no failure
#[utoipa::path(
    get, path = "/api/v1/failure-rules", tag = "metrics", operation_id = "list_failure_rules",
    responses((status = 200, body = [FailureRule], description = "Rules")),
)]
async fn list_rules(State(app): State<Arc<App>>) -> Result<Json<Vec<FailureRule>>, ApiError> {
    list(&app).await
}

/// Make a rule by which an incident is no failure, or change it
#[utoipa::path(
    post, path = "/api/v1/failure-rules", tag = "metrics", operation_id = "put_failure_rule", request_body = FailureRule,
    responses((status = 200, body = Settled<FailureRule>, description = "The rule, in place of the one with its id"), WrongValue),
)]
async fn put_rule(
    State(app): State<Arc<App>>,
    Body(rule): Body<FailureRule>,
) -> Put<Settled<FailureRule>> {
    put_known(&app, rule).await
}

/// Remove a rule
#[utoipa::path(
    delete, path = "/api/v1/failure-rules/{id}", tag = "metrics", operation_id = "remove_failure_rule",
    params(("id" = String, Path, description = "Which")),
    responses((status = 204, description = "It excludes nothing any more")),
)]
async fn remove_rule(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    remove::<FailureRule>(&app, "failure rule", &id).await
}

/// List the organisation's own targets
#[utoipa::path(
    get, path = "/api/v1/targets", tag = "metrics", operation_id = "list_targets",
    responses((status = 200, body = [Target], description = "Targets; a severity without one has the usual")),
)]
async fn list_targets(State(app): State<Arc<App>>) -> Result<Json<Vec<Target>>, ApiError> {
    list(&app).await
}

/// Set a target of a severity or of a metric
#[utoipa::path(
    post, path = "/api/v1/targets", tag = "metrics", operation_id = "set_target", request_body = Target,
    responses((status = 200, body = Target, description = "The target"), WrongValue),
)]
async fn put_target(State(app): State<Arc<App>>, Body(target): Body<Target>) -> Put<Target> {
    put(&app, target).await
}

/// Take a target back
#[utoipa::path(
    delete, path = "/api/v1/targets/{name}", tag = "metrics", operation_id = "remove_target",
    params(("name" = String, Path, description = "SEV-1 to SEV-4, or a metric")),
    responses((status = 204, description = "A severity has the usual target again, a metric none")),
)]
async fn remove_target(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    remove::<Target>(&app, "target", &name).await
}
