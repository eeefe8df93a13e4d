//! Whether a connector is healthy: PagerDuty is asked now, and each line says what was seen.
//!
//! Without API, key or service nothing travels: unhealthy. Everything else that is wrong costs
//! time or certainty: degraded. Quiet is not broken: a webhook that has been quiet for an hour is
//! tried with a test event, unless the connector sends nothing; where that cannot be, only a quiet that
//! is longer than usual is said.
//!
//! What PagerDuty says when it is asked is in [`asked`], what is known without asking in
//! [`stored`]; the watch of a server goes by the second alone ([`watched`]).

mod asked;
mod stored;
pub(crate) mod watched;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::Direction;
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::http::api::types::Check;
use crate::http::error::ApiError;
use crate::http::{App, certificate};
use stored::Known;

/// How healthy a connector is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct HealthView {
    /// `healthy`, `degraded` or `unhealthy`.
    health: &'static str,
    /// The first thing that is wrong.
    reason: Option<String>,
    /// What was looked at.
    lines: Vec<HealthLine>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct HealthLine {
    /// What: `API Connectivity`, `Webhook` …
    name: &'static str,
    /// `ok`, `warning`, `failed` or `skipped`.
    state: &'static str,
    /// How it is.
    text: String,
    /// What to do.
    next: Option<String>,
}

impl HealthLine {
    fn new(name: &'static str, state: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            state,
            text: text.into(),
            next: None,
        }
    }

    fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, "ok", text)
    }

    fn failed(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, "failed", text)
    }

    fn warning(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, "warning", text)
    }

    fn skipped(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, "skipped", text)
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    fn is_bad(&self) -> bool {
        matches!(self.state, "failed" | "warning")
    }

    fn of(name: &'static str, check: Check, good: impl Into<String>) -> Self {
        match check.state {
            "ok" => Self::ok(name, good),
            "failed" => Self {
                next: check.next,
                ..Self::failed(name, check.cause.unwrap_or(check.text))
            },
            _ => Self::skipped(name, check.text),
        }
    }
}

const API: &str = "API Connectivity";
const KEY: &str = "Authentication";
const SERVICE: &str = "Service Access";
const FROM: &str = "From Address";
const WEBHOOK: &str = "Webhook";
const SYNC: &str = "Sync Status";
const ERRORS: &str = "Error Rate";
/// Without these nothing travels.
const VITAL: [&str; 3] = [API, KEY, SERVICE];

/// Say how healthy a connector is; PagerDuty is asked now
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/health", tag = "connectors", operation_id = "show_connector_health",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = HealthView, description = "What was looked at, and how it is")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<HealthView>, ApiError> {
    let connector = find(&app, &name).await?;
    if connector.mapping.direction == Direction::None {
        let line = HealthLine::warning(SYNC, "Paused: nothing travels, and what is owed waits")
            .next(format!(
                "`im connector config {name} --direction bidirectional` resumes it"
            ));
        return Ok(Json(judge(vec![line])));
    }
    let mut lines = asked::lines(&app, &connector).await?;
    // What was just done counts too.
    let connector = find(&app, &name).await?;
    let known = Known::load(&app, &connector).await?;
    lines.push(stored::sync(&connector, &known));
    lines.push(stored::errors(&connector, &known.figures));
    lines.extend(stored::warnings(&connector, &known));
    lines.extend(stored::usage(&known.figures));
    if connector.hears() {
        lines.extend(certificate_line(&app).await?);
    }
    Ok(Json(judge(lines)))
}

fn judge(lines: Vec<HealthLine>) -> HealthView {
    let is_dead = lines
        .iter()
        .any(|line| line.state == "failed" && VITAL.contains(&line.name));
    let worst = lines.iter().find(|line| line.state == "failed");
    let worst = worst.or_else(|| lines.iter().find(|line| line.is_bad()));
    HealthView {
        health: match (is_dead, worst) {
            (true, _) => "unhealthy",
            (false, Some(_)) => "degraded",
            (false, None) => "healthy",
        },
        reason: worst.map(|line| format!("{}: {}", line.name, line.text)),
        lines,
    }
}

/// A certificate that keeps webhooks away, or soon will.
async fn certificate_line(app: &App) -> Result<Option<HealthLine>, ApiError> {
    const NAME: &str = "Certificate";
    let line = match certificate::look(app).await? {
        None => None,
        Some(Ok(seen)) => seen.trouble(app.clock.now()).map(|(cause, next)| {
            HealthLine::warning(NAME, format!("{}, but {cause}", seen.text())).next(next)
        }),
        Some(Err(why)) => Some(HealthLine::warning(NAME, format!("Cannot be seen: {why}"))),
    };
    Ok(line)
}
