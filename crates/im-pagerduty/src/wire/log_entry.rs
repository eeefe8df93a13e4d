//! Log entries: PagerDuty's record of what happened.

use jiff::Timestamp;
use serde::Deserialize;

use super::Ref;
use super::event::FieldValue;
use super::tolerant::{Lax, Many, objects};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LogEntry {
    pub(crate) id: Lax<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) created_at: Lax<Timestamp>,
    pub(crate) agent: Lax<Ref>,
    pub(crate) channel: Lax<Channel>,
    pub(crate) note: Lax<String>,
    pub(crate) service: Lax<Ref>,
    pub(crate) incident: Lax<Ref>,
    pub(crate) teams: Many<Ref>,
    pub(crate) event_details: Lax<EventDetails>,
    pub(crate) assignees: Many<Ref>,
    pub(crate) user: Lax<Ref>,
    pub(crate) escalation_policy: Lax<Ref>,
    pub(crate) escalation_level: Lax<i64>,
    pub(crate) changed_actions: Many<ChangedAction>,
}

/// How somebody acted, and what with. Not a stable schema, and empty but for its type unless
/// the request said `include[]=channels`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Channel {
    #[serde(rename = "type")]
    pub(crate) kind: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) subject: Lax<String>,
    pub(crate) description: Lax<String>,
    pub(crate) incident_key: Lax<String>,
    pub(crate) dedup_key: Lax<String>,
    pub(crate) duration: Lax<i64>,
    pub(crate) notification: Lax<Notification>,
    pub(crate) old_priority: Lax<Ref>,
    pub(crate) new_priority: Lax<Ref>,
    pub(crate) urgency: Lax<String>,
    pub(crate) new_urgency: Lax<String>,
    pub(crate) message: Lax<String>,
    pub(crate) changeset: Lax<Changeset>,
}

/// What was done to custom fields; PagerDuty calls its customers' own fields so.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Changeset {
    pub(crate) customer_fields: Many<FieldValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Notification {
    #[serde(rename = "type")]
    pub(crate) kind: Lax<String>,
    pub(crate) status: Lax<String>,
    pub(crate) user: Lax<Ref>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EventDetails {
    pub(crate) description: Lax<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ChangedAction {
    #[serde(rename = "type")]
    pub(crate) kind: Lax<String>,
    pub(crate) at: Lax<Timestamp>,
    pub(crate) to: Lax<String>,
}

objects!(
    LogEntry,
    Channel,
    Notification,
    EventDetails,
    ChangedAction,
    Changeset
);
