//! The report of a period: the figures of the overview, as JSON or CSV.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::metrics::asked::Dates;
use super::metrics::compute;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Params;
use crate::web::metrics::{Report, report_of};

/// What the report is asked by, beside its format.
const ASKED: [&str; 6] = ["from", "to", "service", "team", "environment", "compare"];

/// What the time before may be.
const COMPARED: [&str; 2] = ["previous", "none"];

/// Report a period: the figures of the overview with the time before, and the recovery of each service
#[utoipa::path(
    get, path = "/api/v1/overview", tag = "metrics", operation_id = "report_overview",
    params(
        Dates,
        ("service" = Option<Vec<String>>, Query, description = "Any of these, by PagerDuty's id or name or by the name that is mapped here"),
        ("team" = Option<Vec<String>>, Query, description = "Any of these, by id or name"),
        ("environment" = Option<Vec<String>>, Query, description = "Any of these, in any case"),
        ("compare" = Option<String>, Query, description = "previous (unless given): with as many dates before; or none"),
        ("format" = Option<String>, Query, description = "json (unless given) or csv"),
    ),
    responses((status = 200, body = Report, description = "The numbers of the page `/overview` under the same filters, without the default filter")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&[&ASKED[..], &["format"]].concat())?;
    let (own, params) = params.split(&["format"]);
    let is_csv = match own.one("format") {
        None | Some("json") => false,
        Some("csv") => true,
        Some(other) => {
            let detail = format!("`format` cannot be `{other}`");
            return Err(ApiError::bad_request(detail).hint("use json or csv"));
        }
    };
    if let Some(other) = params
        .one("compare")
        .filter(|word| !COMPARED.contains(word))
    {
        let detail = format!("`compare` cannot be `{other}`");
        return Err(ApiError::bad_request(detail).hint("use previous or none"));
    }
    let pairs = params.pairs();
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let pairs = pairs.collect();
    let report = compute(&app, move |known, now| report_of(pairs, known, now)).await?;
    if is_csv {
        let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
        return Ok((kind, report.as_csv()).into_response());
    }
    Ok(Json(report).into_response())
}
