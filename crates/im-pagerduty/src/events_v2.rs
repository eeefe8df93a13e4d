//! The Events API v2: alerts that tools send with a routing key instead of an account's key.
//!
//! Requests are read as leniently as PagerDuty reads them. A 202 only says that an event was
//! taken; whether an incident comes of it is never told to the sender.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::request::{HttpRequest, Method};
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

impl EventAction {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }
}

/// An event that we send. Its routing key is all that PagerDuty asks for: it goes without the account's key.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Which integration it is for.
    pub routing_key: &'a Secret,
    /// What it asks for.
    pub action: EventAction,
    /// Events with one key are one alert.
    pub dedup_key: &'a str,
    /// What is wrong.
    pub summary: &'a str,
}

impl Event<'_> {
    /// The request that carries it, for the API at [`events_url`].
    pub fn request(&self) -> HttpRequest {
        let (key, action) = (self.routing_key.expose(), self.action.as_str());
        let mut body =
            json!({"routing_key": key, "event_action": action, "dedup_key": self.dedup_key});
        let payload = json!({"summary": self.summary, "source": "im", "severity": "info"});
        // Only a new alert needs words.
        if let Some(body) = body
            .as_object_mut()
            .filter(|_| self.action == EventAction::Trigger)
        {
            body.insert("payload".to_owned(), payload);
            body.insert("client".to_owned(), "im".into());
        }
        HttpRequest {
            method: Method::Post,
            path_and_query: "/v2/enqueue".to_owned(),
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: Some(body.to_string().into_bytes()),
        }
    }
}

/// Where the Events API is that belongs to a REST API: at another host of the same region, and where PagerDuty is
/// played by one host, there.
pub fn events_url(base_url: &str) -> String {
    base_url.replacen("://api.", "://events.", 1)
}

/// Characters of a routing key: letters and digits.
pub const ROUTING_KEY_CHARS: usize = 32;

/// Whether a text can be a routing key. Whether it is one PagerDuty does not tell for sure.
pub fn is_routing_key(text: &str) -> bool {
    text.len() == ROUTING_KEY_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
