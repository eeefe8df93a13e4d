//! Looking at the stand-in without an API key.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use pd_sim::{AttemptView, DeliveryResult, IncidentView, LogEntryView, Sim, SubscriptionView};
use serde_json::{Value, json};

use super::asked::Asked;
use crate::http::error::ApiError;
use crate::sim::StandIn;

/// Rows of a list when nobody says how many.
const ROWS_DEFAULT: usize = 100;
const ROWS_MAX: usize = 10_000;

/// What there is, one address a line.
const ADDRESSES: [&str; 25] = [
    "GET    /                                     the page, for a browser on this machine",
    "GET    /_sim/account                         ids, keys, OAuth client",
    "GET    /_sim/incidents                       newest first; status, limit",
    "GET    /_sim/incidents/{id or number}        with its trail",
    "POST   /_sim/incidents/{id or number}/{act}  a person acts; user and what the act needs",
    "POST   /_sim/trigger                         service, title; user: by hand",
    "GET    /_sim/deliveries                      attempts to deliver webhooks, newest first; limit",
    "GET    /_sim/subscriptions                   webhook subscriptions and their queues",
    "POST   /_sim/subscriptions/{id}/{act}        disable, enable, rotate, finish_rotation",
    "GET    /_sim/notifications                   who was told how and when, newest first; limit",
    "GET    /_sim/writes                          writes over REST, newest first; limit",
    "GET    /_sim/clock                           now and pace",
    "POST   /_sim/clock                           mode or factor; advance or at",
    "GET    /_sim/faults                          what goes wrong",
    "POST   /_sim/faults                          changes what is named",
    "POST   /_sim/faults/next                     fault; status, method, path, count",
    "POST   /_sim/faults/clear                    nothing goes wrong any more",
    "POST   /_sim/outage                          seconds, kind",
    "GET    /_sim/options                         limits, reopening, abilities",
    "POST   /_sim/options                         changes what is named",
    "GET    /_sim/keys                            REST keys",
    "POST   /_sim/keys                            kind, user, key; DELETE /_sim/keys/{key} revokes",
    "POST   /_sim/oauth/apps                      client_id, redirect_uri; client_secret, kind, scopes",
    "POST   /_sim/oauth/revoke                    ends all tokens",
    "POST   /_sim/save                            writes the account where --save says",
];

fn wants_a_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The addresses of the control API; a browser wants the page.
pub(super) async fn start(headers: HeaderMap) -> Response {
    if wants_a_page(&headers) {
        return Redirect::temporary("/").into_response();
    }
    let mut text = "The control API of a stand-in for PagerDuty (docs/sim.md)\n\n".to_owned();
    for address in ADDRESSES {
        text.push_str(address);
        text.push('\n');
    }
    text.into_response()
}

pub(super) async fn account(State(stand_in): State<Arc<StandIn>>) -> Response {
    axum::Json(crate::sim::document(&stand_in)).into_response()
}

fn limit(asked: &Asked) -> Result<usize, ApiError> {
    Ok(asked.number("limit", 1..=ROWS_MAX)?.unwrap_or(ROWS_DEFAULT))
}

pub(super) async fn incidents(
    State(stand_in): State<Arc<StandIn>>,
    asked: Asked,
) -> Result<Response, ApiError> {
    asked.only(&["status", "limit"])?;
    let limit = limit(&asked)?;
    let statuses = ["triggered", "acknowledged", "resolved", "open"];
    let status = asked.word("status", &statuses.map(|status| (status, status)))?;
    let fits = |incident: &IncidentView| match status {
        None => true,
        Some("open") => incident.status != "resolved",
        Some(status) => incident.status == status,
    };
    let rows: Vec<Value> = stand_in.with(|sim| {
        let rows = sim.newest_incidents().filter(fits).take(limit);
        rows.map(|incident| shown(&incident)).collect()
    });
    Ok(axum::Json(json!({"incidents": rows})).into_response())
}

/// An incident as the control API shows it.
pub(super) fn shown(incident: &IncidentView) -> Value {
    json!({
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "status": incident.status,
        "urgency": incident.urgency,
        "incident_key": incident.key,
        "service": incident.service,
        "escalation_policy": incident.policy,
        "priority": incident.priority,
        "assignees": incident.assignees,
        "acknowledgers": incident.acknowledgers,
        "notes": incident.notes,
        "alerts": {"open": incident.alerts.0, "all": incident.alerts.1},
        "created_at": incident.created_at.to_string(),
        "updated_at": incident.updated_at.to_string(),
        "resolved_at": incident.resolved_at.map(|at| at.to_string()),
    })
}

pub(super) async fn incident(
    State(stand_in): State<Arc<StandIn>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if wants_a_page(&headers) {
        return Redirect::temporary(&format!("/_sim/view/incidents/{id}")).into_response();
    }
    let found = stand_in.with(|sim| {
        let incident = sim.incident(&id)?;
        Some((sim.log_entries_of(&incident.id), incident))
    });
    match found {
        None => ApiError::not_found(format!("there is no incident {id}")).into_response(),
        Some((entries, incident)) => {
            let entries: Vec<Value> = entries.iter().map(entry).collect();
            let shown = json!({"incident": shown(&incident), "log_entries": entries});
            axum::Json(shown).into_response()
        }
    }
}

fn entry(entry: &LogEntryView) -> Value {
    json!({
        "id": entry.id,
        "type": format!("{}_log_entry", entry.kind),
        "at": entry.at.to_string(),
        "user": entry.user,
        "summary": entry.summary,
    })
}

pub(super) async fn deliveries(
    State(stand_in): State<Arc<StandIn>>,
    asked: Asked,
) -> Result<Response, ApiError> {
    asked.only(&["limit"])?;
    let limit = limit(&asked)?;
    let rows: Vec<Value> = stand_in.with(|sim| {
        sim.attempts()
            .take(limit)
            .map(|one| attempt(&one))
            .collect()
    });
    let under_way = *stand_in.under_way.borrow();
    let shown = json!({"deliveries": rows, "under_way": under_way});
    Ok(axum::Json(shown).into_response())
}

fn attempt(attempt: &AttemptView) -> Value {
    let (result, at) = attempt.result.unzip();
    json!({
        "webhook_id": attempt.webhook,
        "attempt": attempt.number,
        "event_id": attempt.event,
        "event_type": attempt.event_type,
        "resource": attempt.resource,
        "subscription": attempt.subscription,
        "sent_at": attempt.at.to_string(),
        "answered_at": at.map(|at| at.to_string()),
        "outcome": result.map(outcome),
    })
}

/// A result in a word, or as the status of the answer.
fn outcome(result: DeliveryResult) -> Value {
    match result {
        DeliveryResult::Status(status) => status.into(),
        DeliveryResult::TimedOut => "timed_out".into(),
        DeliveryResult::Unreachable => "unreachable".into(),
        DeliveryResult::TlsError => "tls_error".into(),
    }
}

pub(super) async fn subscriptions(State(stand_in): State<Arc<StandIn>>) -> Response {
    let now = stand_in.clock.now();
    let shown = |one: SubscriptionView| {
        let disabled = one.disabled_until.filter(|until| now < *until);
        json!({
            "id": one.id,
            "url": one.url,
            "description": one.description,
            "events": one.events,
            "filter": one.filter,
            "active": one.active,
            "disabled_until": disabled.map(|until| until.to_string()),
            "queued_events": one.queued,
            "next_attempt_at": one.next_at.map(|at| at.to_string()),
            "dropped": one.dropped,
            "secrets": one.secrets,
        })
    };
    let rows: Vec<Value> =
        stand_in.with(|sim| sim.subscriptions().into_iter().map(shown).collect());
    axum::Json(json!({"subscriptions": rows})).into_response()
}

pub(super) async fn notifications(
    State(stand_in): State<Arc<StandIn>>,
    asked: Asked,
) -> Result<Response, ApiError> {
    newest(&asked, &stand_in, "notifications", Sim::pages, |page| {
        json!({"incident": page.incident, "user": page.user, "channel": page.channel,
            "at": page.at.to_string()})
    })
}

pub(super) async fn writes(
    State(stand_in): State<Arc<StandIn>>,
    asked: Asked,
) -> Result<Response, ApiError> {
    newest(&asked, &stand_in, "writes", Sim::writes, |write| {
        json!({"method": write.method, "path": write.path, "incident": write.incident,
            "status": write.status, "at": write.at.to_string()})
    })
}

/// The newest rows of something that only grows.
fn newest<T>(
    asked: &Asked,
    stand_in: &StandIn,
    name: &str,
    all: fn(&Sim) -> &[T],
    shown: fn(&T) -> Value,
) -> Result<Response, ApiError> {
    asked.only(&["limit"])?;
    let limit = limit(asked)?;
    let rows: Vec<Value> =
        stand_in.with(|sim| all(sim).iter().rev().take(limit).map(shown).collect());
    Ok(axum::Json(json!({ name: rows })).into_response())
}
