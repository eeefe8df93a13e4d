//! Whether the server works, for load balancers and Prometheus.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use im_engine::skew;
use im_store::connectors::State as ConnectorState;
use im_store::{StoreError, connectors, facts, inbox, incidents, outbox};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::api::metrics::compute;
use super::error::ApiError;
use super::metrics::figures::gauges;
use super::metrics::{ConnectorGauges, Format};
use super::openapi::Unwell;

/// A database that needs longer than this for one row does not answer.
const DATABASE_WAIT: Duration = Duration::from_secs(2);

/// How the server is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `healthy`.
    status: &'static str,
    /// The server's time.
    timestamp: Timestamp,
    /// The version of the program.
    version: &'static str,
}

/// What everybody may ask.
pub fn open() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(health))
}

/// What callers may ask.
pub fn guarded() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Say whether the server and its database work
#[utoipa::path(
    get, path = "/health", tag = "server", operation_id = "show_health",
    responses((status = 200, body = Health, description = "Both work"), Unwell),
)]
async fn health(State(app): State<Arc<App>>) -> Response {
    let looked = app
        .db
        .read(|tx| facts::last(tx).map_err(|error: StoreError| error));
    let is_well = matches!(tokio::time::timeout(DATABASE_WAIT, looked).await, Ok(Ok(_)));
    if !is_well {
        return ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unhealthy",
            "the database does not answer",
        )
        .hint("the server's log says why; is its disk full, or the database server away?")
        .into_response();
    }
    let health = Health {
        status: "healthy",
        timestamp: app.clock.now(),
        version: env!("CARGO_PKG_VERSION"),
    };
    Json(health).into_response()
}

/// Show the metrics: Prometheus' text format, or `OpenMetrics` if `Accept` prefers it
#[utoipa::path(
    get, path = "/metrics", tag = "server", operation_id = "show_metrics",
    responses((status = 200, description = "The metrics", content(
        (String = "text/plain"),
        (String = "application/openmetrics-text"),
    ))),
)]
async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let accept = headers.get_all(header::ACCEPT).iter();
    let accept: Vec<&str> = accept.filter_map(|value| value.to_str().ok()).collect();
    let format = Format::wanted(&accept.join(","));
    let (waiting, open, rows) = app
        .db
        .read(|tx| {
            let mut rows = Vec::new();
            for row in connectors::all(tx)? {
                let (waiting, parked) = outbox::counts(tx, &row.name)?;
                let seconds = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_second);
                rows.push(ConnectorGauges {
                    waiting,
                    parked,
                    up: matches!(row.state, ConnectorState::Active | ConnectorState::Limited),
                    last_sync: seconds(row.last_sync_at),
                    last_webhook: seconds(row.last_heard_at),
                    clock_ahead: skew::ahead_s(tx, &row.name)?.unwrap_or(0),
                    connector: row.name,
                });
            }
            let waiting = inbox::waiting(tx)?;
            Ok::<_, ApiError>((waiting, incidents::count_open(tx)?, rows))
        })
        .await?;
    let figures = compute(&app, |known, now| Ok(gauges(&known.engine, now)?)).await?;
    let text = app.metrics.text(format, waiting, open, &rows, &figures);
    Ok(([(header::CONTENT_TYPE, format.content_type())], text).into_response())
}
