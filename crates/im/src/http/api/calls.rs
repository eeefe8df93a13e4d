//! Every call that was made to PagerDuty, as it is read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use im_engine::connector;
use im_store::calls::{self, Asked, CallRow};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::audit::{LIMIT_DEFAULT, LIMIT_MAX, number, since};
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Params;
use crate::http::openapi::Missing;
use crate::run::calls::KEPT;

/// A call to PagerDuty.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeCall {
    /// Its number.
    id: i64,
    /// When it left.
    at: Timestamp,
    /// By which connector; the name stays when the connector goes.
    connector: String,
    /// `change` (one is sent), `check` (looked at before one is sent again), `compare`, `import`, `read` (an incident or its log), `asked`
    /// (somebody wanted to know, or tried a key) or `sign-in`.
    why: &'static str,
    /// The method of HTTP.
    method: String,
    /// The path, without a query.
    path: String,
    /// The end of the key, or the app of the sign-in.
    key: String,
    /// The status of HTTP; null: nobody answered.
    status: Option<u16>,
    /// `done`, or why not, in a word.
    outcome: String,
    /// How long it took, in milliseconds.
    ms: i64,
}

impl From<CallRow> for MadeCall {
    fn from(row: CallRow) -> Self {
        let entry = row.entry;
        Self {
            id: row.id,
            at: entry.at,
            connector: entry.connector,
            why: entry.why.as_str(),
            method: entry.method,
            path: entry.path,
            key: entry.key,
            status: entry.status,
            outcome: entry.outcome,
            ms: entry.ms,
        }
    }
}

/// Show the calls to PagerDuty, the last first
#[utoipa::path(
    get, path = "/api/v1/calls", tag = "server", operation_id = "list_calls",
    params(
        ("connector" = Option<String>, Query, description = "By which connector"),
        ("since" = Option<Timestamp>, Query, description = "Not what was called before"),
        ("failed" = Option<bool>, Query, description = "Only what did not do what it was for"),
        ("before" = Option<i64>, Query, description = "A number: only what was called before it"),
        ("limit" = Option<u32>, Query, description = "At most so many: 100, at most 1,000"),
    ),
    responses((status = 200, body = [MadeCall], description = "The calls"), Missing),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Vec<MadeCall>>, ApiError> {
    let params = params.only(&["connector", "since", "failed", "before", "limit"])?;
    let asked = Asked {
        connector: params.one("connector").map(|name| name.trim().to_owned()),
        since: since(&params)?.unwrap_or(app.clock.now() - KEPT),
        failed: params.flag("failed")?,
        before: number(&params, "before", i64::MAX)?,
        limit: number(&params, "limit", LIMIT_DEFAULT)?.min(LIMIT_MAX),
    };
    let named = asked.connector.clone();
    let rows = newest(&app, asked).await?;
    if let Some(name) = named.filter(|_| rows.is_empty()) {
        was_ever(&app, name).await?;
    }
    Ok(Json(rows.into_iter().map(MadeCall::from).collect()))
}

/// Refuses the name of a connector that is not there and never called.
async fn was_ever(app: &App, name: String) -> Result<(), ApiError> {
    let any = Asked {
        connector: Some(name.clone()),
        since: Timestamp::MIN,
        failed: false,
        before: i64::MAX,
        limit: 1,
    };
    let is_known = app.db.read(move |tx| {
        let is_there = connector::load(tx, &name)?.is_some();
        if is_there || !calls::newest(tx, &any)?.is_empty() {
            return Ok(());
        }
        Err(ApiError::no_connector(&name))
    });
    is_known.await
}

/// Calls, with those of this moment.
pub(crate) async fn newest(app: &App, asked: Asked) -> Result<Vec<CallRow>, ApiError> {
    app.caller.write_calls().await?;
    let rows = app
        .db
        .read(move |tx| Ok::<_, ApiError>(calls::newest(tx, &asked)?));
    rows.await
}
