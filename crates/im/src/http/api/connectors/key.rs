//! A connector without an API key that PagerDuty takes, and forgetting one that is not needed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::Direction;
use im_engine::connector::{self, Connector};
use im_engine::key::{self, Key};
use im_store::connectors::State as RowState;

use super::config::masked_key;
use super::{ask, find};
use crate::http::App;
use crate::http::api::types::{Check, Checks};
use crate::http::error::ApiError;
use crate::http::openapi::Conflict;

/// Whether there is a key, and PagerDuty did not refuse it when it was last called.
pub(super) fn is_taken(connector: &Connector) -> bool {
    connector.has_key() && connector.row.state != RowState::AuthFailed
}

/// What is lost for as long as PagerDuty cannot be called; `None` if it can, or need not be.
pub(in crate::http) fn lost(connector: &Connector) -> Option<Check> {
    let direction = connector.mapping.direction;
    if is_taken(connector) || direction == Direction::None {
        return None;
    }
    let mut lost = Vec::new();
    if direction.receives() {
        lost.extend([
            "what webhooks miss is not found",
            "a subscription that is switched off stays off",
            "whom PagerDuty paged is not known",
        ]);
    }
    if direction.sends() {
        lost.push("changes made here wait");
    }
    let text = "Repair: none without a key that PagerDuty takes";
    Some(Check::skipped(text).next(lost.join(", ")))
}

/// Forget the API key: webhooks alone tell what happens from now on
#[utoipa::path(
    delete, path = "/api/v1/connectors/{name}/api-key", tag = "connectors", operation_id = "forget_api_key",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Checks, description = "What went, and what is left to do at PagerDuty"), Conflict),
)]
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Checks>, ApiError> {
    let connector = find(&app, &name).await?;
    let masked = masked_key(&app, &connector);
    let now = app.clock.now();
    let was = app
        .db
        .write(move |tx| {
            let connector = connector::load(tx, connector.name())?;
            let connector = connector.ok_or_else(ApiError::internal)?;
            Ok::<_, ApiError>(key::discard(tx, &connector, now)?)
        })
        .await?;
    match was {
        Key::Needed { why, next } => {
            let text = format!("connector `{name}` needs its API key: {why}");
            let next = next.unwrap_or_else(|| format!("look again in some minutes: `im connector status {name}`"));
            Err(ApiError::conflict("key_needed", text).hint(next))
        }
        Key::Discarded => Err(ask::no_key(&name)),
        Key::SafeToRevoke => Ok(Json(Checks::of(vec![
            Check::ok(format!("API key {masked} is destroyed here")),
            Check::ok("Webhooks tell what happens; nothing is sent, and what they miss is not repaired"),
            Check::skipped("The key itself is revoked at PagerDuty").next(format!(
                "in PagerDuty: Integrations, API Access Keys (of a person: My Profile, User Settings), the key that ends in {}, Remove",
                masked.trim_start_matches('*')
            )),
        ]))),
    }
}
