//! Metrics: a figure for each bucket and group, and what is behind it.
//!
//! What may be asked and what it means is `im_metrics`' business (`docs/metrics.md`). Here the question
//! is handed over, and ids get their names. How single people respond is told to the administrator of
//! this machine and to tokens with the scope for it.

mod insights;
pub(crate) mod types;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use im_metrics::{BadQuery, Metric, Query};
use im_store::tokens::Scope;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Who;
use crate::figures::Known;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Params;
use insights::Explained;
use types::{Answer, Items};

pub(super) use insights::{length, of_what};
pub(super) use types::Group;

/// Items in one answer unless asked otherwise.
const LIMIT_DEFAULT: usize = 100;
/// Items in one answer at most: some 200 KiB.
const LIMIT_MAX: usize = 1_000;

/// The routes of this module.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(figures))
        .routes(routes!(items))
        .routes(routes!(insights))
}

/// Compute a metric
#[utoipa::path(
    get, path = "/api/v1/metrics/{name}", tag = "metrics", operation_id = "compute_metric",
    params(
        ("name" = String, Path, description = "mttr, mtta, pages, page_disruptions, incident_frequency, deployment_frequency, change_failure_rate, time_to_restore, failed_deployment_recovery_time, change_lead_time, deployment_rework_rate, sla_compliance, oncall_load, reopen_rate, open_incidents or escalations"),
        ("from" = Option<String>, Query, description = "The first local date; 41 days before `to` by default"),
        ("to" = Option<String>, Query, description = "The last local date; today by default"),
        ("bucket" = Option<String>, Query, description = "day, week, month, quarter or all; week by default"),
        ("group_by" = Option<String>, Query, description = "service, escalation_policy, team, urgency, priority, severity, environment; resolver_kind for times to the resolve; user for pages of people; oncall_load takes service, team or urgency beside the user"),
        ("service" = Option<Vec<String>>, Query, description = "Any of these, by PagerDuty's id; `null` is none"),
        ("team" = Option<Vec<String>>, Query, description = "Any of these, by id"),
        ("environment" = Option<Vec<String>>, Query, description = "Any of these, in any case; of deployments"),
        ("escalation_policy" = Option<Vec<String>>, Query, description = "Any of these, by id"),
        ("urgency" = Option<Vec<String>>, Query, description = "high, low or null"),
        ("priority" = Option<Vec<String>>, Query, description = "Any of these, by id"),
        ("severity" = Option<Vec<String>>, Query, description = "Any of these, e.g. SEV-2"),
        ("origin" = Option<Vec<String>>, Query, description = "pagerduty or im"),
        ("title" = Option<Vec<String>>, Query, description = "A part of the title, in any case"),
        ("user" = Option<Vec<String>>, Query, description = "Any of these people, by id; for pages of people and oncall_load"),
        ("as_of" = Option<String>, Query, description = "trigger or current: which service, policy, urgency and priority count"),
        ("as_of_time" = Option<String>, Query, description = "Facts after this instant do not exist; now by default"),
        ("compare" = Option<String>, Query, description = "previous: the same for as many dates before"),
        ("view" = Option<String>, Query, description = "multitudes, middleware or datadog: how that product counts"),
        ("recovery" = Option<String>, Query, description = "last, first or open_time; for mttr, time_to_restore and failed_deployment_recovery_time"),
        ("bucket_by" = Option<String>, Query, description = "triggered or resolved; for mttr"),
        ("source" = Option<String>, Query, description = "incidents, notifications or acknowledgements; for pages and page_disruptions"),
        ("include_email" = Option<bool>, Query, description = "Whether e-mail is a page; for notifications"),
        ("collapse_minutes" = Option<u32>, Query, description = "Acknowledgements of one person this close are one page"),
        ("measure" = Option<String>, Query, description = "pages or hours; for page_disruptions"),
        ("when" = Option<String>, Query, description = "all, out_of_hours or working_hours; for page_disruptions"),
        ("distinct" = Option<bool>, Query, description = "Whether an hour of several people is one; for page_disruptions"),
        ("mode" = Option<String>, Query, description = "attributed or impact; for change_failure_rate"),
        ("max_lag" = Option<String>, Query, description = "How late a failure may come after its deployment, e.g. 24h, or none; for change_failure_rate and failed_deployment_recovery_time"),
        ("benchmark" = Option<String>, Query, description = "The year of the published levels, or none; for the metrics of DORA"),
    ),
    responses((status = 200, body = Answer, description = "The figures, and what is left out of them")),
)]
async fn figures(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    who: Who,
    params: Params,
) -> Result<Json<Answer>, ApiError> {
    let query = read(&name, &params, &who)?;
    let answer = compute(&app, move |known, now| {
        let answer = known.engine.answer(&query, now)?;
        Ok(Answer::new(&answer, &query, known))
    });
    Ok(Json(answer.await?))
}

/// Explain a metric: each figure in a sentence, against as many dates before
#[utoipa::path(
    get, path = "/api/v1/metrics/{name}/insights", tag = "metrics", operation_id = "explain_metric",
    params(("name" = String, Path, description = "As for the metric, and so is each of its parameters but `bucket` and `compare`")),
    responses((status = 200, body = [Explained], description = "A sentence for the whole, or for each group")),
)]
async fn insights(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    who: Who,
    params: Params,
) -> Result<Json<Vec<Explained>>, ApiError> {
    let query = read(&name, &params, &who)?;
    let answer = compute(&app, move |known, now| {
        let insights = known.engine.insights(&query, now)?;
        let insights = insights.iter();
        let explained = insights.map(|insight| Explained::new(insight, &query, known));
        Ok(explained.collect())
    });
    Ok(Json(answer.await?))
}

/// List what is behind a metric, oldest first
#[utoipa::path(
    get, path = "/api/v1/metrics/{name}/items", tag = "metrics", operation_id = "list_metric_items",
    params(
        ("name" = String, Path, description = "As for the metric, and so is each of its parameters"),
        ("limit" = Option<u32>, Query, description = "At most so many: 100 by default, at most 1,000"),
        ("offset" = Option<u32>, Query, description = "Without the first so many"),
    ),
    responses((status = 200, body = Items, description = "Incidents, pages and deployments, and what each adds")),
)]
async fn items(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    who: Who,
    params: Params,
) -> Result<Json<Items>, ApiError> {
    let (page, params) = params.split(&["limit", "offset"]);
    let limit = number(&page, "limit", LIMIT_DEFAULT)?;
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = format!("`limit={limit}`: use a number from 1 to {LIMIT_MAX}");
        return Err(ApiError::bad_request(detail));
    }
    let offset = number(&page, "offset", 0)?;
    let query = read(&name, &params, &who)?;
    let items = compute(&app, move |known, now| {
        let items = known.engine.items(&query, now)?;
        Ok(Items::new(&items, (offset, limit), known))
    });
    Ok(Json(items.await?))
}

fn number(params: &Params, name: &str, default: usize) -> Result<usize, ApiError> {
    let Some(text) = params.one(name) else {
        return Ok(default);
    };
    text.parse()
        .map_err(|_not_one| ApiError::bad_request(format!("`{name}={text}`: use a number")))
}

/// Reads a question, if it is one that may be asked here and by this caller.
fn read(name: &str, params: &Params, who: &Who) -> Result<Query, ApiError> {
    let Some(metric) = Metric::parse(name) else {
        let names: Vec<&str> = Metric::ALL.iter().map(|metric| metric.as_str()).collect();
        return Err(ApiError::not_found(format!("there is no metric `{name}`"))
            .hint(format!("there are {}", names.join(", "))));
    };
    if metric == Metric::OncallLoad && !who.may(Scope::PersonalLoad) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "personal_load",
            "how single people respond is shown to those alone who may see it: this needs a token with the scope `personal_load`",
        )
        .hint("`im token create NAME --scope personal_load` on the server's own machine makes one; pages may be grouped by user without it"));
    }
    im_metrics::parse(name, params.pairs()).map_err(|error| refused(&error))
}

/// What is wrong, and what would be right.
pub(super) fn refused(error: &BadQuery) -> ApiError {
    let text = error.to_string();
    match text.rsplit_once(": ") {
        Some((detail, hint)) => ApiError::bad_request(detail).hint(hint),
        None => ApiError::bad_request(text),
    }
}

/// Asks the engine where a scan of many incidents keeps nobody waiting.
pub async fn compute<T: Send + 'static>(
    app: &App,
    ask: impl FnOnce(&Known, jiff::Timestamp) -> Result<T, BadQuery> + Send + 'static,
) -> Result<T, ApiError> {
    let known = app.figures.known(&app.db).await?;
    let now = app.clock.now();
    let answer = tokio::task::spawn_blocking(move || ask(&known, now)).await;
    answer
        .map_err(|_panic| ApiError::internal())?
        .map_err(|error| refused(&error))
}
