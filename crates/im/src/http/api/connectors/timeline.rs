//! The connector's own timeline: what changed about it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::events;
use im_store::connector_events::{self as rows, EventRow};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::http::App;
use crate::http::error::ApiError;

/// Events in one answer.
const LIMIT: u32 = 200;

/// A change that people should hear of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ConnectorEvent {
    /// Its number.
    id: i64,
    /// When it was seen.
    at: Timestamp,
    /// `health`, `webhook`, `silence`, `usage`, `unowned` or `notify`.
    kind: &'static str,
    /// The incident that it is about, e.g. `INC-7`; null for the connector itself.
    subject: Option<String>,
    /// How it was.
    from: String,
    /// How it is: `healthy`, `degraded`, `unhealthy`; `unchanged`, `changed`; `heard`, `silent`; `usual`, `unusual`;
    /// `unowned`, `owned`; `could not be told`.
    to: String,
    /// Why.
    reasons: Vec<String>,
    /// What to do.
    next: Option<String>,
    /// The same for people.
    text: String,
    /// Whether the webhook of the settings has it: `kept` (there was none), `waiting`, `told` or `given_up`.
    telling: &'static str,
    /// Why it does not have it.
    failure: Option<String>,
}

impl From<EventRow> for ConnectorEvent {
    fn from(row: EventRow) -> Self {
        let text = events::text(&row.connector, &row.change);
        let change = row.change;
        Self {
            id: row.id,
            at: row.at,
            kind: change.kind.as_str(),
            subject: Some(change.subject).filter(|subject| !subject.is_empty()),
            from: change.from,
            to: change.to,
            reasons: change.reasons,
            next: change.next,
            text,
            telling: row.telling.as_str(),
            failure: row.failure,
        }
    }
}

/// List what changed about a connector, newest first
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/timeline", tag = "connectors", operation_id = "show_connector_timeline",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [ConnectorEvent], description = "Changes of health, of the webhook, silences, unusual use of the API; 200 at most")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<ConnectorEvent>>, ApiError> {
    find(&app, &name).await?;
    let found = app
        .db
        .read(move |tx| Ok::<_, ApiError>(rows::newest(tx, &name, LIMIT)?))
        .await?;
    Ok(Json(found.into_iter().map(ConnectorEvent::from).collect()))
}
