//! Metrics: a figure for each bucket and group, and what is behind it.
//!
//! What may be asked and what it means is `im_metrics`' business (`docs/metrics.md`). Here the question
//! is handed over, and ids get their names. How single people respond is told to the administrator of
//! this machine and to tokens with the scope for it.

pub(super) mod asked;
mod insights;
mod restated;
pub(crate) mod types;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use im_metrics::{Area, BadQuery, Behind, Dimension, Metric, Query};
use im_store::tokens::Scope;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Who;
use crate::figures::Known;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Params;
use asked::{Counting, Dates, Filters};
use insights::Explained;
use restated::Restated;
use types::{Answer, Items};

pub(crate) use insights::{Trend, advice};
pub(super) use insights::{length, of_what};
pub(crate) use types::Group;
pub(super) use types::said;

/// The parameters that choose incidents, the same for metrics, findings and exported facts.
pub(crate) const FILTERS: [&str; 10] = [
    "service",
    "team",
    "environment",
    "escalation_policy",
    "urgency",
    "priority",
    "severity",
    "origin",
    "title",
    "as_of",
];
/// Items in one answer unless asked otherwise.
const LIMIT_DEFAULT: usize = 100;
/// Items in one answer at most: some 200 KiB.
const LIMIT_MAX: usize = 1_000;

/// The routes of this module.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(figures))
        .routes(routes!(items))
        .routes(routes!(insights))
        .routes(routes!(restated))
}

/// A metric that there is.
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    #[schema(example = "mttr")]
    name: &'static str,
    /// `quality_of_work` or `wellbeing`.
    area: &'static str,
    /// What it tells.
    tells: &'static str,
}

/// List the metrics, by area
#[utoipa::path(
    get, path = "/api/v1/metrics", tag = "metrics", operation_id = "list_metrics",
    responses((status = 200, body = [Listed], description = "Those of the quality of work, then those of wellbeing")),
)]
async fn list(params: Params) -> Result<Json<Vec<Listed>>, ApiError> {
    params.only(&[])?;
    let of_area = |area: &Area| {
        let area = *area;
        let all = Metric::ALL
            .iter()
            .filter(move |metric| metric.area() == area);
        all.map(move |metric| Listed {
            name: metric.as_str(),
            area: area.as_str(),
            tells: metric.tells(),
        })
    };
    Ok(Json(Area::ALL.iter().flat_map(of_area).collect()))
}

/// Compute a metric
#[utoipa::path(
    get, path = "/api/v1/metrics/{name}", tag = "metrics", operation_id = "compute_metric",
    params(
        ("name" = String, Path, description = "mttr, mtta, pages, page_disruptions, incident_frequency, deployment_frequency, change_failure_rate, time_to_restore, failed_deployment_recovery_time, change_lead_time, deployment_rework_rate, sla_compliance, oncall_load, reopen_rate, open_incidents or escalations"),
        Dates, Filters, Counting,
        ("bucket" = Option<String>, Query, description = "day, week, month, quarter or all; week by default"),
        ("compare" = Option<String>, Query, description = "previous: the same for as many dates before"),
        ("as_of_time" = Option<String>, Query, description = "Facts after this instant do not exist; now by default"),
    ),
    responses((status = 200, body = Answer, description = "The figures, and what is left out of them")),
)]
async fn figures(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    who: Who,
    params: Params,
) -> Result<Json<Answer>, ApiError> {
    let query = read(&name, &params)?;
    let answer = compute(&app, move |known, now| {
        let query = meant(&who, &query, known)?;
        let answer = known.engine.answer(&query, now)?;
        Ok(Answer::new(&answer, &query, known))
    });
    Ok(Json(answer.await?))
}

/// Explain a metric: each figure in a sentence, against as many dates before
#[utoipa::path(
    get, path = "/api/v1/metrics/{name}/insights", tag = "metrics", operation_id = "explain_metric",
    params(
        ("name" = String, Path, description = "As for the metric"),
        Dates, Filters, Counting,
        ("as_of_time" = Option<String>, Query, description = "Facts after this instant do not exist; now by default"),
    ),
    responses((status = 200, body = [Explained], description = "A sentence for the whole, or for each group")),
)]
async fn insights(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    who: Who,
    params: Params,
) -> Result<Json<Vec<Explained>>, ApiError> {
    let query = read(&name, &params)?;
    let answer = compute(&app, move |known, now| {
        let query = meant(&who, &query, known)?;
        let insights = known.engine.insights(&query, now)?;
        Ok(insights::explained(&insights, &query, known))
    });
    Ok(Json(answer.await?))
}

/// Tell what changed in a figure since it was read
#[utoipa::path(
    get, path = "/api/v1/metrics/{name}/restated", tag = "metrics", operation_id = "restate_metric",
    params(
        ("name" = String, Path, description = "As for the metric, but not of deployments and their failures"),
        Dates, Filters, Counting,
        ("bucket" = Option<String>, Query, description = "day, week, month, quarter or all; week by default"),
        ("since" = String, Query, description = "When the figure was read"),
    ),
    responses((status = 200, body = Restated, description = "The incidents that add something else now, and what became known late")),
)]
async fn restated(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    who: Who,
    params: Params,
) -> Result<Json<Restated>, ApiError> {
    let (own, params) = params.split(&["since"]);
    let since = own.one("since").and_then(|since| since.parse().ok());
    let since: jiff::Timestamp = since.ok_or_else(|| {
        ApiError::bad_request("`since` is missing or no instant")
            .hint("say when the figure was read, e.g. since=2026-11-30T09:00:00Z")
    })?;
    if since > app.clock.now() {
        let detail = format!("`since={since}` is not over yet");
        return Err(ApiError::bad_request(detail)
            .hint("say when the figure was read, an instant of the past"));
    }
    let query = read(&name, &params)?;
    let is_of_changes = matches!(
        query.metric,
        Metric::ChangeFailureRate | Metric::FailedDeploymentRecoveryTime
    );
    if is_of_changes || query.metric.is_of_deployments() {
        let detail = format!("what changed in {name} is not kept");
        return Err(ApiError::bad_request(detail).hint(
            "a deployment is as it was recorded last; ask for a metric of incidents or pages",
        ));
    }
    let late = restated::late(&app.db, since).await?;
    let restated = compute(&app, move |known, _now| {
        let query = meant(&who, &query, known)?;
        Restated::new(&query, &late, known)
    });
    Ok(Json(restated.await?))
}

/// List what is behind a metric, oldest first
#[utoipa::path(
    get, path = "/api/v1/metrics/{name}/items", tag = "metrics", operation_id = "list_metric_items",
    params(
        ("name" = String, Path, description = "As for the metric"),
        Dates, Filters, Counting,
        ("bucket" = Option<String>, Query, description = "day, week, month, quarter or all; week by default"),
        ("compare" = Option<String>, Query, description = "previous, which changes nothing of what is listed"),
        ("as_of_time" = Option<String>, Query, description = "Facts after this instant do not exist; now by default"),
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
    let query = read(&name, &params)?;
    let items = compute(&app, move |known, now| {
        let query = meant(&who, &query, known)?;
        let sees_people = who.may(Scope::PersonalLoad) || is_personal(&query);
        let items = known.engine.items(&query, now)?;
        let total = items.len();
        let mut some: Vec<Behind> = items.into_iter().skip(offset).take(limit).collect();
        known.engine.blame(&query, &mut some, now)?;
        Ok(Items::new(&some, total, sees_people, known))
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

/// Reads a question, if it is one that may be asked here.
fn read(name: &str, params: &Params) -> Result<Query, ApiError> {
    if Metric::parse(name).is_none() {
        let names: Vec<&str> = Metric::ALL.iter().map(|metric| metric.as_str()).collect();
        return Err(ApiError::not_found(format!("there is no metric `{name}`"))
            .hint(format!("there are {}", names.join(", "))));
    }
    Ok(im_metrics::parse(name, params.pairs())?)
}

/// Whether a question is about single people.
fn is_personal(query: &Query) -> bool {
    let by_user = |(by, _): &(Dimension, Vec<Option<String>>)| *by == Dimension::User;
    query.metric == Metric::OncallLoad
        || query.group_by == Some(Dimension::User)
        || query.filters.iter().any(by_user)
}

/// What a question means. One about single people is refused, unless the caller may see them or is the one asked
/// about; who is refused does not learn which people there are.
fn meant(who: &Who, query: &Query, known: &Known) -> Result<Query, ApiError> {
    if !is_personal(query) || who.may(Scope::PersonalLoad) {
        return Ok(known.meant(query)?);
    }
    let Some(email) = &who.own else {
        return Err(personal());
    };
    match known.meant(query) {
        Err(BadQuery::Unknown { by, .. }) if by == Dimension::User.as_str() => Err(personal()),
        Err(other) => Err(other.into()),
        Ok(meant) if known.is_about(&meant, email) => Ok(meant),
        Ok(_) => Err(personal()),
    }
}

fn personal() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "personal_load",
        "what single people are paged for, and how they respond, is shown to themselves and to those who may see it: this needs a token with the scope `personal_load`, or one of the person who `user` names",
    )
    .hint("`im token create NAME --scope personal_load` on the server's own machine makes one; pages may be grouped by team without it")
}

impl From<BadQuery> for ApiError {
    /// What is wrong, and what would be right.
    fn from(error: BadQuery) -> Self {
        let text = error.to_string();
        match text.rsplit_once(": ") {
            Some((detail, hint)) => Self::bad_request(detail).hint(hint),
            None => Self::bad_request(text),
        }
    }
}

/// Asks the engine where a scan of many incidents keeps nobody waiting.
pub async fn compute<T: Send + 'static>(
    app: &App,
    ask: impl FnOnce(&Known, jiff::Timestamp) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let known = app.figures.known(&app.db).await?;
    let now = app.clock.now();
    let answer = tokio::task::spawn_blocking(move || ask(&known, now)).await;
    answer.map_err(|_panic| ApiError::internal())?
}
