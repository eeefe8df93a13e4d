//! Webhooks of the third generation: `docs/pagerduty/webhooks.md`.
//!
//! [`read_envelope`] is for the door, where a body is stored before anything is understood;
//! [`read_webhook`] is for later, when it is. Verify the signature before either.

use std::borrow::Cow;

use im_core::Named;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::facts::{Heard, event};
use crate::wire::actor;
use crate::wire::event::{OtherData, WebhookBody};
use crate::wire::tolerant::{Lax, objects};

/// A webhook that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// PagerDuty's id of the event: the same in each delivery and over each subscription.
    pub event_id: String,
    /// `incident.acknowledged` …
    pub event_type: String,
    /// `incident`, `service`, `pagey`.
    pub resource_type: Option<String>,
    /// When it happened, on PagerDuty's clock.
    pub occurred_at: Timestamp,
    /// What it is about.
    pub subject: Subject,
}

/// What a webhook is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One incident, or several when roles are assigned.
    Incident(Vec<Heard>),
    /// A service.
    Service(ServiceEvent),
    /// A test.
    Ping,
    /// Something that we do not know.
    Unknown {
        /// The incident that it seems to be about: read it.
        incident_id: Option<String>,
    },
}

/// A service was made, changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEvent {
    /// Which.
    pub service: Named,
    /// Its teams, where shown.
    pub teams: Vec<Named>,
}

/// The two words that the door needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// See [`Webhook::event_id`].
    pub event_id: Cow<'a, str>,
    /// See [`Webhook::event_type`].
    pub event_type: Cow<'a, str>,
}

/// Why a body is not a webhook. Never quotes the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not JSON.
    #[error("not JSON: error in line {line}, column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The generation before.
    #[error(
        "a webhook of the second generation (`messages`): replace the extension by a Generic Webhook (v3) subscription"
    )]
    Version2,
    /// No `event`.
    #[error("no `event` object: not a PagerDuty webhook")]
    NotAnEvent,
    /// A field without which an event cannot be counted once or put in order.
    #[error("the event has no `{0}`")]
    Missing(&'static str),
}

impl From<serde_json::Error> for BodyError {
    fn from(error: serde_json::Error) -> Self {
        Self::Syntax {
            line: error.line(),
            column: error.column(),
        }
    }
}

/// Reads id and type of an event, copying nothing in the usual case.
pub fn read_envelope(body: &[u8]) -> Result<Envelope<'_>, BodyError> {
    let door: Lax<Door<'_>> = serde_json::from_slice(body)?;
    let door = door.0.ok_or(BodyError::NotAnEvent)?;
    if door.messages.is_some() {
        return Err(BodyError::Version2);
    }
    let event = door.event.0.ok_or(BodyError::NotAnEvent)?;
    let Some(event_id) = event.id.0.filter(|id| !id.is_empty()) else {
        return Err(BodyError::Missing("id"));
    };
    let Some(event_type) = event.event_type.0.filter(|word| !word.is_empty()) else {
        return Err(BodyError::Missing("event_type"));
    };
    Ok(Envelope {
        event_id,
        event_type,
    })
}

/// Reads a whole webhook.
pub fn read_webhook(body: &[u8]) -> Result<Webhook, BodyError> {
    let body: Lax<WebhookBody> = serde_json::from_slice(body)?;
    let body = body.0.ok_or(BodyError::NotAnEvent)?;
    if body.messages.is_some() {
        return Err(BodyError::Version2);
    }
    let event = body.event.0.ok_or(BodyError::NotAnEvent)?;
    let event_type = filled(event.event_type.0).ok_or(BodyError::Missing("event_type"))?;
    let head = event::Head {
        id: filled(event.id.0).ok_or(BodyError::Missing("id"))?,
        event_type,
        actor: actor(event.agent.as_ref()),
        occurred_at: event.occurred_at.ok_or(BodyError::Missing("occurred_at"))?,
    };
    let data = event.data.as_ref().map_or("null", |data| data.get());
    Ok(Webhook {
        subject: subject(&head, data)?,
        event_id: head.id,
        event_type: head.event_type,
        resource_type: event.resource_type.0,
        occurred_at: head.occurred_at,
    })
}

/// `data.type` decides, not the event's: an annotated incident carries a note (S12).
fn subject(head: &event::Head, data: &str) -> Result<Subject, BodyError> {
    let other: Lax<OtherData> = serde_json::from_str(data)?;
    let Some(other) = other.0 else {
        return Ok(Subject::Unknown { incident_id: None });
    };
    let told = match other.kind.as_deref().unwrap_or_default() {
        "ping" => return Ok(Subject::Ping),
        "service" | "service_field_values" => {
            let service = event::service_of(&other);
            return Ok(
                service.map_or(Subject::Unknown { incident_id: None }, |service| {
                    Subject::Service(ServiceEvent {
                        service,
                        teams: event::teams_of(&other),
                    })
                }),
            );
        }
        "incident" => {
            let incident: Lax<_> = serde_json::from_str(data)?;
            let incident = incident.0.unwrap_or_default();
            event::heard(head, &event::Data::Incident(Box::new(incident)))
        }
        word if KNOWN_DATA.contains(&word) => {
            event::heard(head, &event::Data::Other(Box::new(other)))
        }
        _ => {
            let incident = other.incident.as_ref();
            return Ok(Subject::Unknown {
                incident_id: incident.and_then(|incident| incident.id.clone()),
            });
        }
    };
    let known = told.iter().any(|heard| heard.incident_id.is_some());
    Ok(if known {
        Subject::Incident(told)
    } else {
        Subject::Unknown { incident_id: None }
    })
}

/// The types of `data` that refer to an incident and are known.
const KNOWN_DATA: [&str; 9] = [
    "incident_note",
    "incident_status_update",
    "incident_conference_bridge",
    "incident_field_values",
    "incident_responder",
    "incident_role_assignment",
    "incident_task",
    "incident_action_invocation",
    "incident_workflow_instance",
];

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The body as the door sees it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Door<'a> {
    messages: Option<IgnoredAny>,
    #[serde(borrow)]
    event: Lax<DoorEvent<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DoorEvent<'a> {
    #[serde(borrow)]
    id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    event_type: Lax<Cow<'a, str>>,
}

objects!(Door<'a>, DoorEvent<'a>);
