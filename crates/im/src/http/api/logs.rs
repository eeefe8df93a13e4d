//! `GET /api/v1/logs`: the server's log.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Params;
use crate::journal::{self, COMPONENTS, Line, Wanted};

/// Lines unless told otherwise …
const LIMIT: usize = 200;
/// … and at most.
const LIMIT_MAX: usize = 5_000;

/// Lines of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Logs {
    /// The oldest first.
    lines: Vec<LogLine>,
    /// Whether a server keeps a log here at all.
    kept: bool,
}

/// A line of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct LogLine {
    /// Its number: `after` asks for what came later.
    seq: u64,
    /// When.
    at: Timestamp,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    level: String,
    /// `webhook`, `sync`, `api`, `http` or `server`.
    component: String,
    /// What happened.
    text: String,
    /// What it is about.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
}

impl From<Line> for LogLine {
    fn from(line: Line) -> Self {
        let Line {
            seq,
            at,
            level,
            component,
            text,
            fields,
        } = line;
        Self {
            seq,
            at,
            level,
            component,
            text,
            fields,
        }
    }
}

/// Read the server's log
#[utoipa::path(
    get, path = "/api/v1/logs", tag = "server", operation_id = "read_logs",
    params(
        ("component" = Option<String>, Query, description = "`webhook`, `sync`, `api`, `http` or `server`"),
        ("filter" = Option<String>, Query, description = "Lines with this text, in any case"),
        ("since" = Option<String>, Query, description = "Not older than this time (RFC 3339)"),
        ("after" = Option<u64>, Query, description = "After the line of this number"),
        ("limit" = Option<u32>, Query, description = "The newest, at most so many: 200 by default, at most 5,000"),
    ),
    responses((status = 200, body = Logs, description = "The lines, the oldest first")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Logs>, ApiError> {
    let params = params.only(&["component", "filter", "since", "after", "limit"])?;
    let component = params.one("component").map(str::to_owned);
    if let Some(wrong) = component.as_deref().filter(|one| !COMPONENTS.contains(one)) {
        return Err(
            ApiError::bad_request(format!("there is no component `{wrong}`"))
                .hint(format!("use one of {}", COMPONENTS.join(", "))),
        );
    }
    let limit = read(&params, "limit", "?limit=100")?.unwrap_or(LIMIT);
    let wanted = Wanted {
        component,
        filter: params.one("filter").map(str::to_owned),
        since: read(&params, "since", "?since=2026-11-20T09:00:00Z")?,
        after: read(&params, "after", "?after=17")?,
        limit: limit.min(LIMIT_MAX),
    };
    let Some(dir) = app.logs.clone() else {
        return Ok(Json(Logs {
            lines: Vec::new(),
            kept: false,
        }));
    };
    let read = tokio::task::spawn_blocking(move || journal::read(&dir, &wanted)).await;
    let lines = read.map_err(|_panicked| ApiError::internal())?;
    Ok(Json(Logs {
        lines: lines.into_iter().map(LogLine::from).collect(),
        kept: true,
    }))
}

fn read<T: std::str::FromStr>(
    params: &Params,
    name: &str,
    example: &str,
) -> Result<Option<T>, ApiError> {
    let given = params.one(name).map(str::parse::<T>).transpose();
    given.map_err(|_wrong| {
        ApiError::bad_request(format!("`{name}` cannot be read")).hint(format!("write {example}"))
    })
}
