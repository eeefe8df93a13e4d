//! The audit log, as it is read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use im_store::audit::{self, Asked, AuditRow};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::audit::KEPT;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Params;

/// A page of rows, unless another number is asked for.
pub(super) const LIMIT_DEFAULT: u32 = 100;
pub(super) const LIMIT_MAX: u32 = 1000;

/// What somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Row {
    /// Its number.
    id: i64,
    /// When.
    at: Timestamp,
    /// `account`, `token`, `local` (the server's own machine) or `nobody` (who is known).
    kind: &'static str,
    /// Who: an e-mail address, or the name of a token.
    who: String,
    /// For whom they acted.
    acts_as: Option<String>,
    /// From where; empty: on the server's own machine, without a network.
    address: String,
    /// What they did, in words.
    act: String,
    /// To what.
    thing: String,
    /// What was answered, as a status of HTTP: from 400 on, it was not done. 401: also whoever was sent to sign in.
    status: u16,
}

impl From<AuditRow> for Row {
    fn from(row: AuditRow) -> Self {
        let entry = row.entry;
        Self {
            id: row.id,
            at: row.at,
            kind: entry.kind.as_str(),
            who: entry.who,
            acts_as: entry.acts_as,
            address: entry.address,
            act: entry.act,
            thing: entry.thing,
            status: entry.status,
        }
    }
}

/// Show what was done, the last first
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "access", operation_id = "show_audit",
    params(
        ("since" = Option<Timestamp>, Query, description = "Not what was done before"),
        ("who" = Option<String>, Query, description = "By whom, or for whom: an e-mail address, or the name of a token"),
        ("before" = Option<i64>, Query, description = "A number: only what was done before it"),
        ("limit" = Option<u32>, Query, description = "At most so many: 100, at most 1,000"),
    ),
    responses((status = 200, body = [Row], description = "What was done")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Vec<Row>>, ApiError> {
    let params = params.only(&["since", "who", "before", "limit"])?;
    let asked = Asked {
        since: since(&params)?.unwrap_or(app.clock.now() - KEPT),
        who: params.one("who").map(|who| who.trim().to_owned()),
        before: number(&params, "before", i64::MAX)?,
        limit: number(&params, "limit", LIMIT_DEFAULT)?.min(LIMIT_MAX),
    };
    let rows = app
        .db
        .read(move |tx| Ok::<_, ApiError>(audit::newest(tx, &asked)?))
        .await?;
    Ok(Json(rows.into_iter().map(Row::from).collect()))
}

/// Since when something is asked for.
pub(super) fn since(params: &Params) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = params.one("since") else {
        return Ok(None);
    };
    let since = text.parse().map_err(|_not_one| {
        ApiError::bad_request(format!("`since={text}` is not a time"))
            .hint("write it like 2026-11-20T09:00:00Z")
    });
    since.map(Some)
}

pub(super) fn number<T: std::str::FromStr>(
    params: &Params,
    name: &str,
    usual: T,
) -> Result<T, ApiError> {
    let Some(text) = params.one(name) else {
        return Ok(usual);
    };
    text.parse()
        .map_err(|_not_one| ApiError::bad_request(format!("`{name}={text}`: use a number")))
}
