//! How a connector is doing.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use im_core::Direction;
use im_engine::connector::{self, Connector};
use im_engine::key::{self, Key};
use im_engine::{skew, subscription};
use im_pagerduty::EVENTS;
use im_store::connectors::Gap;
use im_store::{StoreError, Tx, conflicts, incidents, outbox, repair, tallies};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::events;
use crate::http::App;
use crate::http::api::settings::stored_public_url;
use crate::http::api::types::Check;
use crate::http::error::ApiError;
use crate::http::hooks;
use crate::length;

/// A connector and how it is doing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConnectorView {
    /// Its name.
    pub name: String,
    /// `pagerduty`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `untested`, `active`, `limited`, `auth_failed`, `paused` or `failing`.
    pub status: &'static str,
    /// Why.
    pub status_reason: Option<String>,
    /// `bidirectional`, `outbound`, `inbound` or `none`.
    pub direction: &'static str,
    /// How often missed changes are looked for.
    #[schema(example = "5m")]
    pub sync_interval: String,
    /// When that last ended.
    pub last_sync: Option<Timestamp>,
    /// Incidents that changed in the last 24 hours.
    pub synced_24h: i64,
    /// Calls that failed in the last 24 hours.
    pub sync_errors: i64,
    /// Differences that webhooks should have told, in the last 24 hours.
    pub repaired_24h: i64,
    /// Its webhook.
    pub webhook: WebhookView,
    /// How changes arrive: `live and repair`, `repair only` …
    pub mode: &'static str,
    /// `needed`, `safe_to_revoke` or `discarded`.
    pub api_key: &'static str,
    /// What needs the key.
    pub api_key_reason: Option<String>,
    /// Changes that PagerDuty has not taken yet.
    pub pending: i64,
    /// Changes that PagerDuty refused.
    pub parked: i64,
    /// Fields that both sides changed and that wait for a person's word.
    pub conflicts: i64,
    /// The last time span in which webhooks were missing.
    pub gap: Option<String>,
    /// Seconds by which the clock here is ahead of PagerDuty's, negative if it is behind; null
    /// until PagerDuty has told its time.
    pub clock_ahead_s: Option<i64>,
    /// What to know about the configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Where an API key was just given: what PagerDuty says of it, and what became of the webhook.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// A connector's webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookView {
    /// `enabled`, `disabled`, `unverified` or `bad_signatures`.
    pub state: &'static str,
    /// Where PagerDuty delivers.
    pub url: Option<String>,
    /// When a verified delivery last came.
    pub last_delivery: Option<Timestamp>,
    /// What last went wrong with a delivery; null if nothing did in the time that is remembered.
    pub last_error: Option<WebhookError>,
    /// Events that PagerDuty tells of.
    pub events: Vec<&'static str>,
    /// Events that the subscription was seen to leave out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_events: Vec<&'static str>,
    /// What was changed of the subscription in PagerDuty, as last seen; null if it is as it was made.
    pub changed: Option<String>,
}

/// A delivery that was not taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookError {
    /// When, to the minute.
    pub at: Timestamp,
    /// What was wrong.
    pub what: &'static str,
}

/// List the connectors
#[utoipa::path(
    get, path = "/api/v1/connectors", tag = "connectors", operation_id = "list_connectors",
    responses((status = 200, body = [ConnectorView], description = "The connectors")),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<ConnectorView>>, ApiError> {
    let now = app.clock.now();
    let views = app
        .db
        .read(move |tx| {
            let connectors = connector::all(tx)?;
            let views = connectors.iter().map(|connector| view(tx, connector, now));
            Ok::<_, ApiError>(views.collect::<Result<_, StoreError>>()?)
        })
        .await?;
    Ok(Json(views))
}

/// Show how a connector is doing
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}", tag = "connectors", operation_id = "show_connector",
    params(("name" = String, Path, description = "Which")),
    responses((status = 200, body = ConnectorView, description = "The connector")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<ConnectorView>, ApiError> {
    load(&app, &name).await.map(Json)
}

/// The connector as people see it.
pub(super) async fn load(app: &App, name: &str) -> Result<ConnectorView, ApiError> {
    let now = app.clock.now();
    let given = name.to_owned();
    app.db
        .read(move |tx| match connector::load(tx, &given)? {
            Some(connector) => Ok::<_, ApiError>(Some(view(tx, &connector, now)?)),
            None => Ok(None),
        })
        .await?
        .ok_or_else(|| ApiError::no_connector(name))
}

/// How a connector is doing now.
pub(crate) fn view(
    tx: &mut Tx<'_>,
    connector: &Connector,
    now: Timestamp,
) -> Result<ConnectorView, StoreError> {
    let name = connector.name();
    let row = &connector.row;
    let direction = connector.mapping.direction;
    let day = now - SignedDuration::from_hours(24);
    let (pending, parked) = outbox::counts(tx, name)?;
    let public_url = stored_public_url(tx)?;
    let bad_signatures = hooks::bad_signatures_since_good(tx, row, now)?;
    let missing_events = subscription::missing(tx, name)?;
    let wrong = subscription::wrong(tx, name)?;
    let is_off = subscription::is_off(wrong.as_deref());
    let changed = wrong.clone();
    let bad = || {
        (bad_signatures > 0).then(|| {
            format!(
                "wrong signatures: {bad_signatures}; `im connector webhook {name} --enable` agrees on a new secret"
            )
        })
    };
    let status_reason = row
        .state_reason
        .clone()
        .or_else(bad)
        .or(wrong)
        .or_else(|| events::told(&missing_events));
    let key = key::state(tx, connector, now)?;
    let webhook = webhook_state(connector, bad_signatures, is_off);
    Ok(ConnectorView {
        name: name.to_owned(),
        kind: "pagerduty",
        status: if direction == Direction::None {
            "paused"
        } else {
            row.state.as_str()
        },
        status_reason,
        direction: direction.as_str(),
        sync_interval: length(connector.config.sync_interval),
        last_sync: row.last_sync_at,
        synced_24h: incidents::synced_since(tx, name, day)?,
        sync_errors: tallies::since(tx, name, "errors", day)?,
        repaired_24h: repair::repaired_since(tx, name, day)?,
        webhook: WebhookView {
            state: webhook,
            url: public_url.map(|base| webhook_url(&base, name)),
            last_delivery: row.last_heard_at,
            last_error: hooks::last_bad_signature(tx, name, now)?.map(|at| WebhookError {
                at,
                what: "the signature was wrong",
            }),
            events: told_events(webhook, &missing_events),
            missing_events,
            changed,
        },
        mode: mode(connector, is_off),
        api_key: key.as_str(),
        api_key_reason: match key {
            Key::Needed { why, .. } => Some(why.to_owned()),
            Key::SafeToRevoke | Key::Discarded => None,
        },
        pending,
        parked,
        conflicts: conflicts::count_pending(tx, name)?,
        gap: row.gap.map(gap),
        clock_ahead_s: skew::ahead_s(tx, name)?,
        warnings: Vec::new(),
        checks: Vec::new(),
    })
}

fn webhook_state(connector: &Connector, bad_signatures: i64, is_off: bool) -> &'static str {
    let row = &connector.row;
    if bad_signatures > 0 {
        "bad_signatures"
    } else if is_off {
        "disabled"
    } else if !row.webhook_secrets.is_empty() {
        "enabled"
    } else if row.subscription.is_some() {
        "unverified"
    } else {
        "disabled"
    }
}

/// The events of a webhook that leaves out `missing`.
fn told_events(webhook: &str, missing: &[&str]) -> Vec<&'static str> {
    let is_off = webhook == "disabled";
    let told = EVENTS.into_iter();
    told.filter(|event| !is_off && !missing.contains(event))
        .collect()
}

/// Where PagerDuty delivers.
pub(super) fn webhook_url(public_url: &str, connector: &str) -> String {
    format!("{public_url}/connectors/{connector}/webhook")
}

fn mode(connector: &Connector, is_off: bool) -> &'static str {
    let has_secret = !connector.row.webhook_secrets.is_empty();
    let hears = connector.config.enable_webhook && has_secret && !is_off;
    match connector.mapping.direction {
        Direction::None => "paused",
        Direction::Outbound => "outbound only",
        Direction::Bidirectional | Direction::Inbound => {
            match (hears, super::key::is_taken(connector)) {
                (true, true) => "live and repair",
                (true, false) => "live only, no repair",
                (false, true) => "repair only",
                (false, false) => "nothing arrives",
            }
        }
    }
}

fn gap(gap: Gap) -> String {
    let Gap { from, to, repaired } = gap;
    let minute = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    match to {
        Some(to) => format!(
            "no webhooks from {} to {}; {repaired} changes repaired",
            minute(from),
            minute(to)
        ),
        None => format!(
            "no webhooks since {}; {repaired} changes repaired so far",
            minute(from)
        ),
    }
}

/// A length of time as people write it in a configuration: `5m`, `1m30s`.
pub(super) fn length(span: SignedDuration) -> String {
    length::write(Duration::try_from(span).unwrap_or_default())
}
