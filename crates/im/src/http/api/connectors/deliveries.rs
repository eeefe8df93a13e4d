//! What PagerDuty delivered, how it was taken, and once more.
//!
//! Only what was stored is here. A delivery whose signature does not fit is refused and counted:
//! anybody may have sent it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_pagerduty::{Subject, read_webhook};
use im_store::inbox::{self, Kept};
use im_store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::find;
use crate::http::error::ApiError;
use crate::http::input::Params;
use crate::http::{App, hooks};

/// Rows unless told otherwise …
const LIMIT: u32 = 50;
/// … and at most.
const LIMIT_MAX: u32 = 500;

/// The newest deliveries.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Deliveries {
    /// The newest first.
    deliveries: Vec<DeliveryView>,
    /// Deliveries of the last 24 hours that were refused for their signature, and not kept.
    refused_24h: i64,
}

/// A webhook that was stored.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Its number: the order of arrival.
    pub(crate) id: i64,
    /// When it first arrived.
    pub(crate) received_at: Timestamp,
    /// `incident.triggered`, `pagey.ping` …; null if the body makes no sense.
    pub(crate) event: Option<String>,
    /// When PagerDuty says that it happened.
    pub(crate) occurred_at: Option<Timestamp>,
    /// PagerDuty's id of the incident.
    pub(crate) incident: Option<String>,
    /// Whether its signature was right; false where no secret is known here.
    pub(crate) verified: bool,
    /// How often it came.
    pub(crate) copies: i64,
    /// `waiting`, `done`, `ignored`, `unknown`, `unreadable` or `orphan`.
    pub(crate) outcome: String,
    /// The signed id of the event.
    pub(crate) event_id: String,
    /// `X-Webhook-Id` of the first delivery.
    pub(crate) delivery_id: Option<String>,
    /// The body, for a single delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) body: Option<Value>,
}

impl DeliveryView {
    fn of(row: Kept) -> Self {
        let read = read_webhook(row.body.as_bytes()).ok();
        let incident = read.as_ref().and_then(|webhook| match &webhook.subject {
            Subject::Incident(heard) => heard.iter().find_map(|one| one.incident_id.clone()),
            Subject::Unknown { incident_id } => incident_id.clone(),
            Subject::Ping | Subject::Service(_) => None,
        });
        Self {
            id: row.id,
            received_at: row.received_at,
            occurred_at: read.as_ref().map(|webhook| webhook.occurred_at),
            event: read.map(|webhook| webhook.event_type),
            incident,
            verified: row.verified,
            copies: row.copies,
            outcome: row.state,
            event_id: row.event_id,
            delivery_id: row.delivery_id,
            body: None,
        }
    }

    fn whole(row: Kept) -> Self {
        // What is not JSON is shown as the text that it is.
        let body = serde_json::from_str(&row.body).unwrap_or_else(|_| row.body.clone().into());
        Self {
            body: Some(body),
            ..Self::of(row)
        }
    }
}

/// What PagerDuty delivered before `before`, the newest first.
pub(crate) fn newest(
    tx: &mut Tx<'_>,
    connector: &str,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<DeliveryView>, StoreError> {
    let rows = inbox::list(tx, connector, before, limit)?;
    Ok(rows.into_iter().map(DeliveryView::of).collect())
}

/// List what PagerDuty delivered, the newest first
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/deliveries", tag = "connectors", operation_id = "list_deliveries",
    params(
        ("name" = String, Path, description = "Which connector"),
        ("limit" = Option<u32>, Query, description = "At most so many: 50 by default, at most 500"),
        ("before" = Option<i64>, Query, description = "Older than the delivery of this number"),
    ),
    responses((status = 200, body = Deliveries, description = "The deliveries")),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Deliveries>, ApiError> {
    let params = params.only(&["limit", "before"])?;
    find(&app, &name).await?;
    let limit = params
        .one("limit")
        .map_or(Some(LIMIT), |text| text.parse().ok());
    let limit = limit
        .filter(|limit| (1..=LIMIT_MAX).contains(limit))
        .ok_or_else(|| {
            ApiError::bad_request(format!("`limit` is a number from 1 to {LIMIT_MAX}"))
                .hint("write ?limit=100")
        })?;
    let before = match params.one("before") {
        None => None,
        Some(text) => Some(number(text)?),
    };
    let now = app.clock.now();
    let found = app.db.read(move |tx| {
        let day = now - SignedDuration::from_hours(24);
        Ok::<_, ApiError>(Deliveries {
            refused_24h: hooks::refused_since(tx, &name, day)?,
            deliveries: newest(tx, &name, before, limit)?,
        })
    });
    found.await.map(Json)
}

/// Show one delivery with its body
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/deliveries/{id}", tag = "connectors", operation_id = "show_delivery",
    params(
        ("name" = String, Path, description = "Which connector"),
        ("id" = i64, Path, description = "Its number"),
    ),
    responses((status = 200, body = DeliveryView, description = "The delivery")),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<DeliveryView>, ApiError> {
    find(&app, &name).await?;
    let id = number(&id)?;
    let of = name.clone();
    let found = app
        .db
        .read(move |tx| Ok::<_, ApiError>(inbox::find(tx, &of, id)?))
        .await?;
    found
        .map(|row| Json(DeliveryView::whole(row)))
        .ok_or_else(|| no_delivery(&name, id))
}

/// Take a delivery once more, as if it had just come
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/deliveries/{id}/replay", tag = "connectors", operation_id = "replay_delivery",
    params(
        ("name" = String, Path, description = "Which connector"),
        ("id" = i64, Path, description = "Its number"),
    ),
    responses((status = 200, body = DeliveryView, description = "The delivery, waiting")),
)]
pub(crate) async fn replay(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<DeliveryView>, ApiError> {
    find(&app, &name).await?;
    let id = number(&id)?;
    let (of, now) = (name.clone(), app.clock.now());
    let found = app
        .db
        .write(move |tx| {
            inbox::again(tx, &of, id, now)?;
            Ok::<_, ApiError>(inbox::find(tx, &of, id)?)
        })
        .await?;
    app.signals.nudge();
    found
        .map(|row| Json(DeliveryView::of(row)))
        .ok_or_else(|| no_delivery(&name, id))
}

fn number(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_not_a_number| {
        ApiError::bad_request(format!("`{text}` is not the number of a delivery"))
            .hint("`im connector deliveries list NAME` shows the numbers")
    })
}

fn no_delivery(name: &str, id: i64) -> ApiError {
    ApiError::not_found(format!("connector `{name}` has no delivery {id}"))
        .hint(format!("`im connector deliveries list {name}` shows them"))
}
