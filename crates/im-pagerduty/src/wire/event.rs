//! The body of a webhook.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Ref;
use super::tolerant::{Lax, Many, Scalars, objects};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WebhookBody {
    pub(crate) event: Lax<Event>,
    /// Only bodies of the second generation have these.
    pub(crate) messages: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "PagerDuty's own names")]
pub(crate) struct Event {
    pub(crate) id: Lax<String>,
    pub(crate) event_type: Lax<String>,
    pub(crate) resource_type: Lax<String>,
    pub(crate) occurred_at: Lax<Timestamp>,
    pub(crate) agent: Lax<Ref>,
    /// Read a second time, once `type` says what it is.
    pub(crate) data: Option<Box<RawValue>>,
}

/// The fields of every `data.type` but `incident`, together: few, and no two disagree.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OtherData {
    #[serde(rename = "type")]
    pub(crate) kind: Lax<String>,
    pub(crate) id: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) name: Lax<String>,
    pub(crate) status: Lax<String>,
    pub(crate) state: Lax<String>,
    pub(crate) incident: Lax<Ref>,
    pub(crate) service: Lax<Ref>,
    pub(crate) content: Lax<String>,
    pub(crate) message: Lax<String>,
    pub(crate) trimmed: Lax<bool>,
    pub(crate) user: Lax<Ref>,
    pub(crate) escalation_policy: Lax<Ref>,
    pub(crate) assignees: Many<Ref>,
    pub(crate) teams: Many<Ref>,
    pub(crate) action: Lax<Ref>,
    pub(crate) conference_url: Lax<String>,
    pub(crate) custom_fields: Many<FieldValue>,
    pub(crate) changed_custom_fields: Many<FieldValue>,
    pub(crate) incident_role_assignments: Many<RoleAssignment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FieldValue {
    pub(crate) id: Lax<String>,
    pub(crate) name: Lax<String>,
    pub(crate) value: Lax<Scalars>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RoleAssignment {
    pub(crate) assignee: Lax<Ref>,
    pub(crate) role: Lax<Ref>,
    pub(crate) incident: Lax<Ref>,
}

objects!(WebhookBody, Event, OtherData, FieldValue, RoleAssignment);
