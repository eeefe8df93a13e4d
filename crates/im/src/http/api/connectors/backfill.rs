//! Reading the past of a connector's account.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::Direction;
use im_engine::backfill::{self, LOOK_BACK, Phase, SHARE_DEFAULT};
use im_engine::connector;
use im_store::backfill as rows;
use im_store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find;
use crate::http::App;
use crate::http::api::settings::time_zone;
use crate::http::edge::Edge;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::{Conflict, WrongValue};

/// Who asks for the same past again within this time means the reading that is under way.
const SAME: SignedDuration = SignedDuration::from_hours(24);
/// A look-back in days has no more digits.
const DAYS_MAX: i64 = 36_500;

/// What to read.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// From when on: a date in the organisation's zone, an instant, or days back like `180d`; 180 days unless given.
    pub(crate) since: Option<String>,
    /// Hundredths of PagerDuty's allowance that it may take: 50 unless given.
    pub(crate) share: Option<u32>,
}

/// How far the reading of the past is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backfill {
    /// `running`, `stopped` or `finished`.
    pub(crate) state: &'static str,
    /// From where on.
    pub(crate) since: Timestamp,
    /// Until where: what came later is told by webhooks and repairs.
    pub(crate) until: Timestamp,
    /// When it was begun.
    pub(crate) started_at: Timestamp,
    /// When somebody stopped it.
    pub(crate) stopped_at: Option<Timestamp>,
    /// When it ended.
    pub(crate) finished_at: Option<Timestamp>,
    /// What is read: `incidents`, then `log entries`, then `single incidents` that only the log told of.
    pub(crate) reading: Option<&'static str>,
    /// Incidents and log entries that were read.
    pub(crate) rows: u64,
    /// How many there are, about; null while nobody knows.
    pub(crate) total: Option<u64>,
    /// Hundredths that are done; null while nobody knows.
    pub(crate) percent: Option<u64>,
    /// How many are read in a minute; null while nobody knows.
    pub(crate) per_minute: Option<u64>,
    /// Seconds until it ends, about; null while nobody knows.
    pub(crate) seconds_left: Option<i64>,
    /// When its next step is made at the latest, while it runs: later than now while PagerDuty's allowance is used up, or a
    /// call is under way or was cut off.
    pub(crate) next_step_by: Option<Timestamp>,
    /// Calls that PagerDuty answered.
    pub(crate) requests: u64,
    /// Hundredths of PagerDuty's allowance that it may take.
    pub(crate) share: u32,
    /// Incidents that were not here.
    pub(crate) created: i64,
    /// Incidents that differed.
    pub(crate) updated: i64,
    /// Incidents that were right already.
    pub(crate) unchanged: i64,
    /// Incidents that could not be read.
    pub(crate) failed: i64,
    /// What is incomplete, if anything.
    pub(crate) message: Option<String>,
}

impl From<backfill::State> for Backfill {
    fn from(state: backfill::State) -> Self {
        let is_over = state.finished_at.is_some();
        let word = match (state.finished_at, state.stopped_at) {
            (Some(_), _) => "finished",
            (None, Some(_)) => "stopped",
            (None, None) => "running",
        };
        let done = |total: u64| {
            // It is over when it says so.
            let percent = (state.rows.saturating_mul(100) / total.max(1)).min(99);
            if is_over { 100 } else { percent }
        };
        Self {
            state: word,
            since: state.since,
            until: state.until,
            started_at: state.started_at,
            stopped_at: state.stopped_at,
            finished_at: state.finished_at,
            reading: (!is_over).then(|| Phase::words(state.phase)),
            rows: state.rows,
            total: state.total,
            percent: state.total.map(done),
            per_minute: state.rate,
            seconds_left: state.left.map(|left| left.as_secs()),
            next_step_by: state.next_step_by,
            requests: state.requests,
            share: state.share,
            created: state.found.created,
            updated: state.found.updated,
            unchanged: state.found.unchanged,
            failed: state.found.failed,
            message: state.message,
        }
    }
}

/// Show how far the reading of the past is
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/backfill", tag = "connectors", operation_id = "show_backfill",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Backfill, description = "How far it is")),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Backfill>, ApiError> {
    find(&app, &name).await?;
    let now = app.clock.now();
    let found = app.db.read(move |tx| seen(tx, &name, now));
    Ok(Json(found.await?))
}

fn seen(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<Backfill, ApiError> {
    let state = backfill::seen(tx, name, now)?;
    state.map(Backfill::from).ok_or_else(|| {
        ApiError::not_found(format!("the past of connector `{name}` was never read"))
            .hint(format!("`im connector backfill {name}` reads it"))
    })
}

/// Read the past, or go on with it
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/backfill", tag = "connectors", operation_id = "start_backfill", request_body = Asked,
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Backfill, description = "How far it is"), Conflict, WrongValue),
)]
pub(crate) async fn start(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Json<Backfill>, ApiError> {
    let connector = find(&app, &name).await?;
    let direction = connector.mapping.direction;
    if !direction.receives() {
        let (why, hint) = if direction == Direction::None {
            ("it is paused", "resumes it")
        } else {
            ("its direction is outbound", "changes that")
        };
        let detail = format!("connector `{name}` takes nothing from PagerDuty: {why}");
        return Err(ApiError::conflict("direction", detail).hint(format!(
            "`im connector config {name} --direction bidirectional` {hint}"
        )));
    }
    let now = app.clock.now();
    let share = share(asked.share)?;
    let found = app.db.write(move |tx| {
        let since = match &asked.since {
            Some(text) => Some(since(tx, text, now)?),
            None => None,
        };
        let name = connector.name();
        if !goes_on(tx, name, since, now)? {
            let since = since.unwrap_or(now - LOOK_BACK);
            backfill::start(tx, &connector, since, share, now)?;
        }
        seen(tx, name, now)
    });
    let found = found.await?;
    app.signals.nudge();
    Ok(Json(found))
}

/// Goes on with a reading of the same past; one that is over is read again where somebody says
/// since when.
fn goes_on(
    tx: &mut Tx<'_>,
    name: &str,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(row) = rows::find(tx, name)? else {
        return Ok(false);
    };
    if row.finished_at.is_some() {
        return Ok(since.is_none());
    }
    let is_same = since.is_none_or(|since| since.duration_since(row.since).abs() < SAME);
    if is_same {
        rows::resume(tx, name, now)?;
    }
    Ok(is_same)
}

/// Stop reading the past; the same request as before goes on with it
#[utoipa::path(
    delete, path = "/api/v1/connectors/{name}/backfill", tag = "connectors", operation_id = "stop_backfill",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Backfill, description = "How far it came")),
)]
pub(crate) async fn stop(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Backfill>, ApiError> {
    find(&app, &name).await?;
    let now = app.clock.now();
    let found = app.db.write(move |tx| {
        rows::stop(tx, &name, now)?;
        seen(tx, &name, now)
    });
    Ok(Json(found.await?))
}

fn share(given: Option<u32>) -> Result<u32, ApiError> {
    match given {
        None => Ok(SHARE_DEFAULT),
        Some(share @ 1..=100) => Ok(share),
        Some(other) => Err(
            ApiError::wrong_value("share", format!("`share` cannot be {other}"))
                .hint("it is in hundredths of PagerDuty's allowance: use 1 to 100"),
        ),
    }
}

/// The instant that somebody means: a date, an instant, or days back.
fn since(tx: &mut Tx<'_>, text: &str, now: Timestamp) -> Result<Timestamp, ApiError> {
    let text = text.trim();
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<i64>().ok())
        .filter(|days| (1..=DAYS_MAX).contains(days));
    let zone = time_zone(tx)?;
    let since = match days {
        Some(days) => now.checked_sub(SignedDuration::from_hours(days * 24)).ok(),
        None => Edge::parse(text).and_then(|edge| edge.start(&zone)),
    };
    let wrong = |what: &str| {
        ApiError::wrong_value("since", format!("`since` cannot be `{text}`{what}"))
            .hint("write a date like 2026-01-31, an instant, or days back like 180d")
    };
    match since {
        Some(since) if since < now => Ok(since),
        Some(_) => Err(wrong(": it is not in the past")),
        None => Err(wrong("")),
    }
}

/// Begins to read the past of a new connector that takes something from PagerDuty.
pub(super) fn start_new(
    tx: &mut Tx<'_>,
    name: &str,
    look_back: Option<&str>,
    now: Timestamp,
) -> Result<(), ApiError> {
    let from = match look_back {
        Some(NOTHING) => {
            backfill::leave_out(tx, name, now)?;
            return Ok(());
        }
        Some(text) => since(tx, text, now)?,
        None => now - LOOK_BACK,
    };
    if let Some(connector) = connector::load(tx, name)? {
        backfill::start(tx, &connector, from, SHARE_DEFAULT, now)?;
    }
    Ok(())
}

/// Who adds a connector may want no past at all.
const NOTHING: &str = "none";
