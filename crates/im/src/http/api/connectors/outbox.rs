//! What PagerDuty has not taken: look, send again, give up.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::commands::{self, CommandError};
use im_store::outbox::{self as rows, OutboxRow};

use super::find;
use crate::http::App;
use crate::http::api::types::Pending;
use crate::http::error::ApiError;
use crate::http::openapi::Conflict;

/// Changes in one answer.
const LIMIT: u32 = 1_000;

/// List the changes that PagerDuty has not taken, oldest first
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/outbox", tag = "connectors", operation_id = "list_outbox",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [Pending], description = "The changes")),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Pending>>, ApiError> {
    find(&app, &name).await?;
    let found = app
        .db
        .read(move |tx| Ok::<_, ApiError>(rows::of_connector(tx, &name, LIMIT)?))
        .await?;
    Ok(Json(found.iter().map(Pending::listed).collect()))
}

/// Send a refused change again
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/outbox/{id}/retry", tag = "connectors", operation_id = "retry_change",
    params(("name" = String, Path, description = "Which connector"), ("id" = i64, Path, description = "Which change")),
    responses((status = 200, body = Pending, description = "The change, waiting again"), Conflict),
)]
pub(crate) async fn retry(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Pending>, ApiError> {
    let id = change_id(&id)?;
    find(&app, &name).await?;
    let now = app.clock.now();
    let row = app
        .db
        .write(move |tx| {
            commands::retry(tx, &name, id, now).map_err(|error| named(&name, error))?;
            rows::find(tx, id)?.ok_or_else(|| gone(&name, id))
        })
        .await?;
    app.signals.nudge();
    Ok(Json(Pending::listed(&row)))
}

/// Give a refused change up: what was done here stays
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/outbox/{id}/discard", tag = "connectors", operation_id = "discard_change",
    params(("name" = String, Path, description = "Which connector"), ("id" = i64, Path, description = "Which change")),
    responses((status = 200, body = Pending, description = "The change that was given up"), Conflict),
)]
pub(crate) async fn discard(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Pending>, ApiError> {
    let id = change_id(&id)?;
    find(&app, &name).await?;
    let now = app.clock.now();
    let row: OutboxRow = app
        .db
        .write(move |tx| {
            let row = rows::find(tx, id)?.ok_or_else(|| gone(&name, id))?;
            commands::discard(tx, &name, id, now).map_err(|error| named(&name, error))?;
            Ok::<_, ApiError>(row)
        })
        .await?;
    app.signals.nudge();
    Ok(Json(Pending::listed(&row)))
}

fn change_id(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_not_a_number| {
        ApiError::bad_request(format!("`{text}` is not the id of a change"))
            .hint("`im connector outbox list NAME` shows the ids")
    })
}

fn gone(connector: &str, id: i64) -> ApiError {
    ApiError::not_found(format!("there is no change {id}"))
        .hint(format!("`im connector outbox list {connector}` shows them"))
}

/// The same for a change that is there and was not refused.
fn named(connector: &str, error: CommandError) -> ApiError {
    match error {
        CommandError::NoDeadLetter(id) => {
            ApiError::not_found(format!("there is no refused change {id}"))
                .hint(format!("`im connector outbox list {connector}` shows them"))
        }
        other => other.into(),
    }
}
