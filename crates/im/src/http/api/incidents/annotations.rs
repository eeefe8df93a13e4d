//! What people say of an incident beside its facts, with the trail of who said it, when and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::IncidentNumber;
use im_store::annotations::{self, AnnotationRow};
use im_store::{StoreError, Tx};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::look;
use crate::access::Who;
use crate::http::App;
use crate::http::api::metrics::compute;
use crate::http::api::settings::hides_emails;
use crate::http::api::types::{Doer, hide_email};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::{Missing, WrongValue};
use crate::organisation::annotations::{Annotations, Changes};

/// What is said of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Said {
    /// What holds.
    current: Annotations,
    /// The deployment behind it as figures see it, where there is one, and why.
    behind: Option<Behind>,
    /// The last incident before it of the same matter: of its service, with its key or title, at most 30 days earlier.
    #[schema(example = "INC-4")]
    recurs_from: Option<String>,
    /// Everything that was said, oldest first.
    history: Vec<Entry>,
}

/// The deployment behind an incident.
#[derive(Debug, Serialize, ToSchema)]
struct Behind {
    /// Its id; null where it was decided that there is none.
    deployment: Option<String>,
    /// `manual`, `explicit` or `same_service_time`.
    method: &'static str,
    /// In words.
    reason: String,
}

/// Something that was said.
#[derive(Debug, Serialize, ToSchema)]
struct Entry {
    /// When.
    at: Timestamp,
    /// By whom.
    actor: Doer,
    /// What it is about.
    field: &'static str,
    /// The value; null where it was taken back.
    value: Option<String>,
    /// Why.
    reason: Option<String>,
}

impl From<AnnotationRow> for Entry {
    fn from(row: AnnotationRow) -> Self {
        Self {
            at: row.at,
            actor: Doer::from(&row.actor),
            field: row.field.as_str(),
            value: row.value,
            reason: row.reason,
        }
    }
}

/// Show what people say of an incident, and who said it when and why
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/annotations", tag = "incidents", operation_id = "show_annotations",
    params(("id" = String, Path, description = "INC-42 or 42")),
    responses((status = 200, body = Said, description = "What is said of it")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Said>, ApiError> {
    let incident: IncidentNumber = id.parse()?;
    look(&app, incident).await?;
    said(&app, incident).await
}

/// Say something of an incident: its environment, deployment, cause or impact
#[utoipa::path(
    patch, path = "/api/v1/incidents/{id}/annotations", tag = "incidents", operation_id = "annotate_incident",
    params(("id" = String, Path, description = "INC-42 or 42")),
    request_body = Changes,
    responses((status = 200, body = Said, description = "What is said of it now"), Missing, WrongValue),
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    who: Who,
    Body(changes): Body<Changes>,
) -> Result<Json<Said>, ApiError> {
    let incident: IncidentNumber = id.parse()?;
    annotate(&app, incident, changes, &who).await?;
    said(&app, incident).await
}

/// Says something of an incident.
pub(crate) async fn annotate(
    app: &App,
    incident: IncidentNumber,
    changes: Changes,
    who: &Who,
) -> Result<(), ApiError> {
    look(app, incident).await?;
    if changes.is_empty() {
        return Err(ApiError::wrong_value("nothing_named", "nothing is said")
            .hint("name environment, deployment, caused_by, not_change_related, cause, impact_start or impact_end"));
    }
    let (now, actor) = (app.clock.now(), who.actor.clone());
    app.db
        .write(move |tx| {
            let applied = changes.apply(tx, incident, &actor, now)?;
            applied.map_err(|(field, detail, hint)| ApiError::wrong_value(field, detail).hint(hint))
        })
        .await?;
    app.signals.nudge();
    Ok(())
}

/// Everything that was said of an incident, oldest first.
pub(crate) fn history(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
) -> Result<Vec<AnnotationRow>, StoreError> {
    let mut rows = annotations::of_incident(tx, incident)?;
    if hides_emails(tx)? {
        for row in &mut rows {
            hide_email(&mut row.actor);
        }
    }
    Ok(rows)
}

async fn said(app: &App, incident: IncidentNumber) -> Result<Json<Said>, ApiError> {
    let rows = app.db.read(move |tx| history(tx, incident)).await?;
    let found = compute(app, move |known, now| {
        // One of several services is counted by its parts.
        let parts = (1..=u8::MAX).map(|part| incident.part(part).get());
        let mut numbers = std::iter::once(incident.get()).chain(parts);
        let recurs_from = numbers.find_map(|number| known.engine.recurs_from(number));
        Ok((known.engine.link(incident.get(), now), recurs_from))
    });
    let (link, recurs_from) = found.await?;
    Ok(Json(Said {
        current: Annotations::of(&rows),
        behind: link.map(|(deployment, link)| Behind {
            deployment,
            method: link.method.as_str(),
            reason: link.reason,
        }),
        recurs_from: recurs_from
            .and_then(IncidentNumber::new)
            .map(|one| one.said().to_string()),
        history: rows.into_iter().map(Entry::from).collect(),
    }))
}
