//! The Events API v2: alerts that tools send with a routing key instead of an account's key.
//!
//! Requests are read as leniently as PagerDuty reads them. A 202 only says that an event was
//! taken; whether an incident comes of it is never told to the sender.

use jiff::Timestamp;
use serde::Deserialize;

use crate::secret::Secret;
use crate::wire::tolerant::{Lax, Many, objects};

/// What an event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventAction {
    /// Something is wrong.
    Trigger,
    /// Somebody knows.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// An event as a tool sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRequest {
    /// Which integration it is for.
    pub routing_key: Option<Secret>,
    /// What it asks for, unless the word is unknown.
    pub action: Option<EventAction>,
    /// Events with one key are one alert.
    pub dedup_key: Option<String>,
    /// What is wrong.
    pub summary: Option<String>,
    /// Where.
    pub source: Option<String>,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: Option<String>,
    /// When, on the tool's clock.
    pub timestamp: Option<Timestamp>,
    /// The tool.
    pub client: Option<String>,
}

/// The answer to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventReply {
    /// `success`, `invalid event` …
    pub status: Option<String>,
    /// A sentence.
    pub message: Option<String>,
    /// The key given or made.
    pub dedup_key: Option<String>,
    /// What is wrong with the event.
    pub errors: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    routing_key: Lax<String>,
    event_action: Lax<String>,
    dedup_key: Lax<String>,
    client: Lax<String>,
    payload: Lax<Payload>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    summary: Lax<String>,
    source: Lax<String>,
    severity: Lax<String>,
    timestamp: Lax<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reply {
    status: Lax<String>,
    message: Lax<String>,
    dedup_key: Lax<String>,
    /// The first generation's name for it.
    incident_key: Lax<String>,
    errors: Many<String>,
    /// Change events answer with this list instead.
    error: Many<String>,
}

objects!(Request, Payload, Reply);

/// Reads an event; `None` if it is not a JSON object.
pub fn read_event(body: &[u8]) -> Option<EventRequest> {
    let request: Lax<Request> = serde_json::from_slice(body).ok()?;
    let request = request.0?;
    let payload = request.payload.0.unwrap_or_default();
    let action = match request.event_action.as_deref() {
        Some("trigger") => Some(EventAction::Trigger),
        Some("acknowledge") => Some(EventAction::Acknowledge),
        Some("resolve") => Some(EventAction::Resolve),
        _ => None,
    };
    Some(EventRequest {
        routing_key: request.routing_key.0.map(Secret::new),
        action,
        dedup_key: request.dedup_key.0,
        summary: payload.summary.0,
        source: payload.source.0,
        severity: payload.severity.0,
        timestamp: payload.timestamp.0,
        client: request.client.0,
    })
}

/// Reads an answer to an event; `None` if it is not a JSON object.
pub fn read_event_reply(body: &[u8]) -> Option<EventReply> {
    let reply: Lax<Reply> = serde_json::from_slice(body).ok()?;
    let reply = reply.0?;
    let mut errors = reply.errors.items;
    errors.extend(reply.error.items);
    Some(EventReply {
        status: reply.status.0,
        message: reply.message.0,
        dedup_key: reply.dedup_key.0.or(reply.incident_key.0),
        errors,
    })
}
