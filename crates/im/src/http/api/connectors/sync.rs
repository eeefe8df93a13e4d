//! Comparing with PagerDuty now.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use im_core::{Direction, IncidentNumber};
use im_engine::connector::Connector;
use im_engine::{request_reread, request_sync};
use im_store::connectors::State as RowState;
use im_store::repair::{Found, RunRow};
use im_store::{StoreError, connectors, incidents, repair};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::{Conflict, NoAnswer};
use crate::http::wait;

/// What takes longer goes on without anybody waiting.
const WAIT: Duration = Duration::from_mins(1);

/// What to compare.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Scope {
    /// Only this incident.
    incident: Option<String>,
}

/// What was found.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Synced {
    /// Incidents that were not here.
    created: i64,
    /// Incidents that changed.
    updated: i64,
    /// Incidents that were right already.
    unchanged: i64,
    /// Incidents that could not be read.
    failed: i64,
    /// Differences that a webhook should have told.
    repaired: i64,
    /// Whether everything was compared.
    complete: bool,
    /// What was not.
    messages: Vec<String>,
}

/// Compare with PagerDuty now and repair what differs
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/sync", tag = "connectors", operation_id = "sync_connector", request_body = Scope,
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Synced, description = "What was found"), Conflict, NoAnswer),
)]
pub(super) async fn sync(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(scope): Body<Scope>,
) -> Result<Json<Synced>, ApiError> {
    let connector = find(&app, &name).await?;
    if connector.mapping.direction == Direction::None {
        return Err(
            ApiError::conflict("paused", format!("connector `{name}` is paused")).hint(format!(
                "`im connector config {name} --direction bidirectional` resumes it"
            )),
        );
    }
    let synced = match scope.incident {
        Some(incident) => one(&app, &connector, incident.parse()?).await?,
        None => all(&app, &connector).await?,
    };
    Ok(Json(synced))
}

async fn all(app: &App, connector: &Connector) -> Result<Synced, ApiError> {
    let now = app.clock.now();
    let name = connector.name().to_owned();
    let asked = name.clone();
    app.db
        .write(move |tx| {
            unblock(tx, &asked)?;
            Ok::<_, ApiError>(request_sync(tx, &asked, "asked", now)?)
        })
        .await?;
    app.signals.nudge();
    let look = async || {
        let name = name.clone();
        app.db
            .read(move |tx| -> Result<Option<Ended>, ApiError> { ended(tx, &name, now) })
            .await
    };
    match wait::until(app, WAIT, look).await? {
        Some(Ended::Run(run)) => Ok(told(&run)),
        Some(Ended::Stopped(reason)) => {
            Err(
                ApiError::new(axum::http::StatusCode::BAD_GATEWAY, "pagerduty", reason)
                    .hint(format!("`im connector test {name}` looks for the cause")),
            )
        }
        None => Ok(Synced {
            messages: vec!["it takes longer than a minute and goes on".to_owned()],
            ..Synced::default()
        }),
    }
}

/// A person who asks has perhaps mended what was wrong.
fn unblock(tx: &mut im_store::Tx<'_>, name: &str) -> Result<(), StoreError> {
    let Some(row) = connectors::find(tx, name)? else {
        return Ok(());
    };
    if row.state == RowState::AuthFailed {
        connectors::set_state(tx, name, RowState::Untested, None, Timestamp::UNIX_EPOCH)?;
    }
    Ok(())
}

enum Ended {
    Run(Box<RunRow>),
    Stopped(String),
}

/// The run that began after `asked_at`, once it is over; or why there will be none.
fn ended(
    tx: &mut im_store::Tx<'_>,
    name: &str,
    asked_at: Timestamp,
) -> Result<Option<Ended>, ApiError> {
    let row = connectors::find(tx, name)?.ok_or_else(|| ApiError::no_connector(name))?;
    if row.state == RowState::AuthFailed {
        let why = row
            .state_reason
            .unwrap_or_else(|| "the key is refused".to_owned());
        return Ok(Some(Ended::Stopped(why)));
    }
    if let Some(run) = repair::last(tx, name)?.filter(|run| run.started_at >= asked_at) {
        return Ok(Some(Ended::Run(Box::new(run))));
    }
    let stuck = repair::unfinished(tx, name)?.filter(|run| run.attempt >= 3);
    match (row.state, stuck) {
        (RowState::Failing, Some(_)) => Ok(Some(Ended::Stopped(
            row.state_reason
                .unwrap_or_else(|| "PagerDuty does not answer".to_owned()),
        ))),
        _ => Ok(None),
    }
}

fn told(run: &RunRow) -> Synced {
    let Found {
        created,
        updated,
        unchanged,
        failed,
        repaired,
    } = run.found;
    Synced {
        created,
        updated,
        unchanged,
        failed,
        repaired,
        complete: run.message.is_none(),
        messages: run.message.iter().cloned().collect(),
    }
}

async fn one(
    app: &App,
    connector: &Connector,
    incident: IncidentNumber,
) -> Result<Synced, ApiError> {
    let now = app.clock.now();
    let name = connector.name().to_owned();
    let (pd_id, version) = app
        .db
        .write(move |tx| {
            let row =
                incidents::find(tx, incident)?.ok_or_else(|| ApiError::no_incident(incident))?;
            let twin = row
                .pd_id
                .filter(|_| row.connector.as_deref() == Some(&name));
            let twin = twin.ok_or_else(|| not_there(incident, &name))?;
            request_reread(tx, &name, incident, now)?;
            Ok::<_, ApiError>((twin, row.version))
        })
        .await?;
    app.signals.nudge();
    let name = connector.name().to_owned();
    let look = async || {
        let (name, pd_id) = (name.clone(), pd_id.clone());
        app.db
            .read(move |tx| {
                if repair::wanted(tx, &name, &pd_id)?.is_some() {
                    return Ok(None);
                }
                Ok::<_, ApiError>(incidents::find(tx, incident)?)
            })
            .await
    };
    Ok(match wait::until(app, WAIT, look).await? {
        Some(row) => Synced {
            updated: i64::from(row.version != version),
            unchanged: i64::from(row.version == version),
            complete: true,
            ..Synced::default()
        },
        None => Synced {
            messages: vec!["PagerDuty did not answer yet; it goes on".to_owned()],
            ..Synced::default()
        },
    })
}

fn not_there(incident: IncidentNumber, connector: &str) -> ApiError {
    ApiError::conflict(
        "not_there",
        format!("PagerDuty does not have {incident} by connector `{connector}`"),
    )
    .hint(format!("`im show {incident}` says what is pending"))
}
