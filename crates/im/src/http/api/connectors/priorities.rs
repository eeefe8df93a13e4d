//! Which of PagerDuty's priorities goes with which severity.
//!
//! The table is a part of the configuration. An id that PagerDuty does not have would have every new
//! incident of that severity refused, so it is asked for before it is stored, on whichever way it comes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::Severity;
use im_engine::connector::Connector;
use im_pagerduty::{Answer, Call};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::mappings::{name_of, no_line, no_such, one_of, set, severity};
use super::{find, lists};
use crate::http::App;
use crate::http::api::types::{Check, Named};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::{NoAnswer, WrongValue};

/// A severity and PagerDuty's priority for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct PriorityMapping {
    /// `SEV-1` … `SEV-4`.
    severity: &'static str,
    /// PagerDuty's id; null where incidents of this severity get no priority.
    priority: Option<String>,
    /// PagerDuty's name; null if PagerDuty has no such priority that the key can see.
    priority_name: Option<String>,
}

/// A line of the table of priorities.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPriorityMapping {
    /// `SEV-1` … `SEV-4`.
    severity: String,
    /// The priority, by id or name; null takes the line away.
    priority: Option<String>,
}

/// List which of PagerDuty's priorities goes with which severity
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/priority-mappings", tag = "connectors", operation_id = "list_priority_mappings",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [PriorityMapping], description = "A line for each severity"), NoAnswer),
)]
pub(super) async fn priorities(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<PriorityMapping>>, ApiError> {
    let connector = find(&app, &name).await?;
    let names = all(&app, &connector).await?;
    Ok(Json(table(&connector, &names)))
}

/// Say which of PagerDuty's priorities goes with a severity
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/priority-mappings", tag = "connectors", operation_id = "map_priority",
    request_body = NewPriorityMapping,
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [PriorityMapping], description = "The table now"), WrongValue, NoAnswer),
)]
pub(super) async fn map_priority(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(new): Body<NewPriorityMapping>,
) -> Result<Json<Vec<PriorityMapping>>, ApiError> {
    let connector = find(&app, &name).await?;
    let severity = severity(&new.severity)?;
    let names = all(&app, &connector).await?;
    let priority = if let Some(asked) = new.priority {
        Some(one_of(&names, &asked, "priority", "priority")?)
    } else if connector.mapping.priority_id(severity).is_some() {
        None
    } else {
        let line = severity.as_str();
        return Err(no_line("severity", line, &name, "list-priorities"));
    };
    let part = json!({"custom": {"priority_mapping": {severity.as_str(): priority}}});
    let connector = set(&app, &name, part).await?;
    Ok(Json(table(&connector, &names)))
}

/// Every priority of the account, the most severe first.
pub(crate) async fn all(app: &App, connector: &Connector) -> Result<Vec<Named>, ApiError> {
    lists::pages(
        app,
        connector,
        |offset| Call::ListPriorities { offset },
        |answer| match answer {
            Answer::Priorities(page) => {
                Some(lists::mapped(page, |row| lists::named(row.id, row.name)))
            }
            _ => None,
        },
    )
    .await
}

fn table(connector: &Connector, names: &[Named]) -> Vec<PriorityMapping> {
    let line = |severity: Severity| {
        let id = connector.mapping.priority_id(severity);
        PriorityMapping {
            severity: severity.as_str(),
            priority: id.map(str::to_owned),
            priority_name: id.and_then(|id| name_of(names, id)),
        }
    };
    Severity::ALL.into_iter().map(line).collect()
}

/// Refuses priorities that PagerDuty does not have. Where none is mapped, nothing is asked.
pub(super) async fn check(app: &App, connector: &Connector) -> Result<(), ApiError> {
    let mapped = &connector.config.custom.priority_mapping;
    if mapped.is_empty() {
        return Ok(());
    }
    let names = all(app, connector).await?;
    match mapped.iter().find(|(_, id)| name_of(&names, id).is_none()) {
        Some((_, id)) => Err(no_such(&names, id, "priority_mapping", "priority")),
        None => Ok(()),
    }
}

/// Whether PagerDuty has the mapped priorities.
pub(super) async fn checks(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    const TEXT: &str = "Mapped priorities found";
    let mapped = &connector.config.custom.priority_mapping;
    if mapped.is_empty() {
        return Ok(Vec::new());
    }
    let found = match all(app, connector).await {
        Ok(found) => found,
        Err(unanswered) => return Ok(vec![unanswered.failed(TEXT)]),
    };
    let is_lost = |(_, id): &&(Severity, String)| !found.iter().any(|one| one.id == *id);
    Ok(vec![match mapped.iter().find(is_lost) {
        None => Check::ok(TEXT),
        Some((severity, id)) => Check::failed(
            TEXT,
            format!("PagerDuty has no priority {id}, which goes with {severity}"),
            format!(
                "`im connector map-priority {} --sev {severity} --priority ID`",
                connector.name()
            ),
        ),
    }])
}
