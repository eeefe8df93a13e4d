//! Comparing with PagerDuty now.
//!
//! Somebody who asks is told what was found since, by whichever run: one that was under way
//! already, often the first of all, finds what ours then has no more to find.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use im_core::{Direction, IncidentNumber};
use im_engine::connector::Connector;
use im_engine::subscription::was_switched_on;
use im_engine::{request_reread, request_sync};
use im_store::connectors::State as RowState;
use im_store::repair::{Found, RunRow};
use im_store::{StoreError, connectors, incidents, repair};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ask, find};
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::{Body, Params};
use crate::http::openapi::{Conflict, NoAnswer};
use crate::http::wait;

/// What takes longer goes on without anybody waiting, unless the caller says otherwise.
const WAIT: Duration = Duration::from_mins(1);
/// A run that ended so shortly before has found what the person expects ours to find.
const LATELY: SignedDuration = SignedDuration::from_mins(1);
/// What is said of a subscription that PagerDuty had given up.
const ON_AGAIN: &str =
    "the webhook subscription, which PagerDuty had given up, was switched on again";
/// A step that is tried for so many times was not answered before.
const UNANSWERED: u32 = 2;

/// What to compare.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Scope {
    /// Only this incident.
    incident: Option<String>,
}

/// What was found.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Synced {
    /// Incidents that were not here.
    pub(crate) created: i64,
    /// Incidents that changed.
    pub(crate) updated: i64,
    /// Incidents that were right already.
    pub(crate) unchanged: i64,
    /// Incidents that could not be read.
    pub(crate) failed: i64,
    /// Differences that a webhook should have told.
    pub(crate) repaired: i64,
    /// Whether everything was compared.
    pub(crate) complete: bool,
    /// What was not.
    pub(crate) messages: Vec<String>,
    /// What was put right at PagerDuty beside incidents.
    pub(crate) mended: Vec<String>,
}

/// Compare with PagerDuty now and repair what differs
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/sync", tag = "connectors", operation_id = "sync_connector", request_body = Scope,
    params(
        ("name" = String, Path, description = "Which connector"),
        ("wait" = Option<String>, Query, description = "Wait at most so long: 60s by default"),
    ),
    responses((status = 200, body = Synced, description = "What was found"), Conflict, NoAnswer),
)]
pub(super) async fn sync(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    params: Params,
    Body(scope): Body<Scope>,
) -> Result<Json<Synced>, ApiError> {
    let params = params.only(&["wait"])?;
    let wait = match params.one("wait") {
        Some(_) => wait::wanted(&params)?,
        None => WAIT,
    };
    compare(&app, &name, scope.incident, wait).await.map(Json)
}

/// The same for whoever asks.
pub(crate) async fn compare(
    app: &App,
    name: &str,
    incident: Option<String>,
    wait: Duration,
) -> Result<Synced, ApiError> {
    let connector = find(app, name).await?;
    if connector.mapping.direction == Direction::None {
        return Err(
            ApiError::conflict("paused", format!("connector `{name}` is paused")).hint(format!(
                "`im connector config {name} --direction bidirectional` resumes it"
            )),
        );
    }
    if !connector.has_key() {
        return Err(ask::no_key(name));
    }
    match incident {
        Some(incident) => one(app, &connector, incident.parse()?, wait).await,
        None => all(app, &connector, wait).await,
    }
}

async fn all(app: &App, connector: &Connector, wait: Duration) -> Result<Synced, ApiError> {
    let now = app.clock.now();
    let name = connector.name().to_owned();
    let asked = name.clone();
    let earlier = app
        .db
        .write(move |tx| {
            unblock(tx, &asked)?;
            request_sync(tx, &asked, "asked", now)?;
            Ok::<_, ApiError>(earlier(tx, &asked, now)?)
        })
        .await?;
    app.signals.nudge();
    let look = async || {
        let name = name.clone();
        app.db
            .read(move |tx| -> Result<Option<Ended>, ApiError> { ended(tx, &name, now) })
            .await
    };
    match wait::until(app, wait, look).await? {
        Some(Ended::Run(run)) => {
            let mut synced = told(&run);
            let began = earlier.as_ref().map_or(now, |earlier| earlier.started_at);
            let asked = name.clone();
            let is_on_again = app.db.read(move |tx| was_switched_on(tx, &asked, began));
            if is_on_again.await? {
                synced.mended.push(ON_AGAIN.to_owned());
            }
            if let Some(earlier) = earlier.filter(|earlier| earlier.id != run.id) {
                let found = app.db.read(move |tx| repair::find(tx, earlier.id));
                if let Some(earlier) = found.await? {
                    synced.with(&earlier, now);
                }
            }
            Ok(synced)
        }
        Some(Ended::Stopped(reason)) => Err(no_answer(StatusCode::BAD_GATEWAY, &name, reason)),
        None => overdue(app, &name, wait).await,
    }
}

fn no_answer(status: StatusCode, connector: &str, why: String) -> ApiError {
    ApiError::new(status, "pagerduty", why).hint(format!(
        "comparing goes on by itself; `im connector test {connector}` looks for the cause"
    ))
}

/// The time is over: either there is much to read, or PagerDuty is silent.
async fn overdue(app: &App, connector: &str, wait: Duration) -> Result<Synced, ApiError> {
    let name = connector.to_owned();
    let run = app.db.read(move |tx| repair::unfinished(tx, &name)).await?;
    let seconds = wait.as_secs();
    match run {
        Some(run) if run.attempt < UNANSWERED => Ok(Synced {
            complete: false,
            messages: vec![format!(
                "it takes longer than {seconds} s and goes on; these are the counts so far"
            )],
            ..told(&run)
        }),
        _ => Err(no_answer(
            StatusCode::GATEWAY_TIMEOUT,
            connector,
            format!("PagerDuty has not answered within {seconds} s"),
        )),
    }
}

/// The run that is under way, or has just ended.
fn earlier(
    tx: &mut im_store::Tx<'_>,
    name: &str,
    now: Timestamp,
) -> Result<Option<RunRow>, StoreError> {
    if let Some(run) = repair::unfinished(tx, name)? {
        return Ok(Some(run));
    }
    let is_late = |at: Timestamp| now.duration_since(at) < LATELY;
    Ok(repair::last(tx, name)?.filter(|run| run.finished_at.is_some_and(is_late)))
}

impl Synced {
    /// Adds what an earlier run found if it was still at it when somebody asked; else says it.
    fn with(&mut self, earlier: &RunRow, asked_at: Timestamp) {
        let found = earlier.found;
        if found.created + found.updated + found.failed == 0 {
            return;
        }
        if earlier.finished_at.is_some_and(|at| at < asked_at) {
            self.messages.push(format!(
                "another comparison ended just before: it created {}, updated {}, failed {}",
                found.created, found.updated, found.failed
            ));
            return;
        }
        self.created += found.created;
        self.updated += found.updated;
        self.failed += found.failed;
        self.repaired += found.repaired;
        // What the earlier run brought is right when ours comes by.
        self.unchanged = (self.unchanged - found.created - found.updated).max(0);
        self.messages.extend(earlier.message.clone());
        self.messages
            .push("another comparison was under way; what it found is counted".to_owned());
        self.complete &= earlier.message.is_none();
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
        mended: Vec::new(),
    }
}

async fn one(
    app: &App,
    connector: &Connector,
    incident: IncidentNumber,
    wait: Duration,
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
    match wait::until(app, wait, look).await? {
        Some(row) => Ok(Synced {
            updated: i64::from(row.version != version),
            unchanged: i64::from(row.version == version),
            complete: true,
            ..Synced::default()
        }),
        None => Err(no_answer(
            StatusCode::GATEWAY_TIMEOUT,
            connector.name(),
            format!("{incident} could not be read within {} s", wait.as_secs()),
        )),
    }
}

fn not_there(incident: IncidentNumber, connector: &str) -> ApiError {
    ApiError::conflict(
        "not_there",
        format!("PagerDuty does not have {incident} by connector `{connector}`"),
    )
    .hint(format!("`im show {incident}` says what is pending"))
}
