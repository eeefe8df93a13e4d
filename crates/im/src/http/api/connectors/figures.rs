//! A connector in figures: what `im metrics connector` shows.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::figures;
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::http::App;
use crate::http::error::ApiError;

/// How the connection does.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct MetricsView {
    /// Its name.
    connector: String,
    /// Incidents that have a twin at PagerDuty, ever.
    incidents: i64,
    /// Of 100 calls in the last 24 hours so many succeeded; null without calls.
    success_percent_24h: Option<f64>,
    /// Milliseconds from a change here to PagerDuty's answer, on average in the last 24 hours.
    sync_mean_ms_24h: Option<i64>,
    /// 95 of 100 changes took no longer than this.
    sync_p95_ms_24h: Option<i64>,
    /// Calls in the last 24 hours.
    api_calls_24h: i64,
    /// Those of them that failed.
    api_errors_24h: i64,
    /// Calls a day in the week before that; null until there is such a week.
    api_calls_usual: Option<i64>,
    /// The most of PagerDuty's allowance that was used in the last minute, in percent.
    rate_limit_percent: i64,
    /// Webhooks in the last 24 hours.
    webhooks_24h: i64,
}

/// Show a connector in figures
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/metrics", tag = "connectors", operation_id = "show_connector_metrics",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = MetricsView, description = "The figures")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<MetricsView>, ApiError> {
    let connector = find(&app, &name).await?;
    let (of, since, now) = (name.clone(), connector.row.created_at, app.clock.now());
    let found = app
        .db
        .read(move |tx| Ok::<_, ApiError>(figures::of(tx, &of, since, now)?))
        .await?;
    Ok(Json(MetricsView {
        connector: name,
        incidents: found.incidents,
        success_percent_24h: found.success_permille().map(percent),
        sync_mean_ms_24h: found.mean_ms,
        sync_p95_ms_24h: found.p95_ms,
        api_calls_24h: found.calls,
        api_errors_24h: found.errors,
        api_calls_usual: found.usual_calls,
        rate_limit_percent: (found.allowance_permille + 5) / 10,
        webhooks_24h: found.webhooks,
    }))
}

fn percent(permille: i64) -> f64 {
    f64::from(i32::try_from(permille).unwrap_or_default()) / 10.0
}
