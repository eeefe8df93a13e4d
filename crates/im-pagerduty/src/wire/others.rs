//! The answers of REST: root keys, and the objects that are not incidents or log entries.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::MapAccess;

use super::Ref;
use super::event::FieldValue;
use super::incident::Incident;
use super::log_entry::LogEntry;
use super::tolerant::{Lax, Many, Seen, Tolerant, objects};

/// Every root key that an answer to one of our calls has. A list that is not there is told from
/// an empty one: `{}` is not "no incidents".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Root {
    pub(crate) incident: Lax<Incident>,
    pub(crate) incidents: Seen<Many<Incident>>,
    pub(crate) note: Lax<Note>,
    pub(crate) notes: Seen<Many<Note>>,
    pub(crate) custom_fields: Seen<Many<FieldValue>>,
    pub(crate) fields: Seen<Many<FieldDefinition>>,
    pub(crate) log_entries: Seen<Many<LogEntry>>,
    pub(crate) service: Lax<Service>,
    pub(crate) services: Seen<Many<Service>>,
    pub(crate) user: Lax<User>,
    pub(crate) users: Seen<Many<User>>,
    pub(crate) escalation_policy: Lax<Policy>,
    pub(crate) escalation_policies: Seen<Many<Policy>>,
    pub(crate) teams: Seen<Many<Team>>,
    pub(crate) schedules: Seen<Many<Schedule>>,
    pub(crate) priorities: Seen<Many<Priority>>,
    pub(crate) abilities: Seen<Many<String>>,
    pub(crate) oncalls: Seen<Many<Oncall>>,
    pub(crate) webhook_subscription: Lax<Subscription>,
    pub(crate) webhook_subscriptions: Seen<Many<Subscription>>,
    pub(crate) more: Lax<bool>,
    pub(crate) total: Lax<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FieldDefinition {
    pub(crate) name: Lax<String>,
    pub(crate) data_type: Lax<String>,
    pub(crate) field_type: Lax<String>,
    pub(crate) enabled: Lax<bool>,
    pub(crate) field_options: Many<FieldOption>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FieldOption {
    pub(crate) data: Lax<OptionData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OptionData {
    pub(crate) value: Lax<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    pub(crate) id: Lax<String>,
    pub(crate) user: Lax<Ref>,
    pub(crate) content: Lax<String>,
    pub(crate) created_at: Lax<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Service {
    pub(crate) id: Lax<String>,
    pub(crate) name: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) status: Lax<String>,
    pub(crate) html_url: Lax<String>,
    pub(crate) escalation_policy: Lax<Ref>,
    pub(crate) teams: Many<Ref>,
    pub(crate) acknowledgement_timeout: Lax<i64>,
    pub(crate) auto_resolve_timeout: Lax<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Team {
    pub(crate) id: Lax<String>,
    pub(crate) name: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) parent: Lax<Ref>,
    pub(crate) html_url: Lax<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Schedule {
    pub(crate) id: Lax<String>,
    pub(crate) name: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) time_zone: Lax<String>,
    pub(crate) html_url: Lax<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: Lax<String>,
    pub(crate) name: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) email: Lax<String>,
    pub(crate) time_zone: Lax<String>,
    pub(crate) role: Lax<String>,
    pub(crate) html_url: Lax<String>,
    pub(crate) teams: Many<Ref>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    pub(crate) id: Lax<String>,
    pub(crate) name: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) html_url: Lax<String>,
    pub(crate) num_loops: Lax<i64>,
    pub(crate) escalation_rules: Many<Rule>,
    pub(crate) services: Many<Ref>,
    pub(crate) teams: Many<Ref>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rule {
    pub(crate) escalation_delay_in_minutes: Lax<i64>,
    pub(crate) targets: Many<Ref>,
    #[serde(rename = "escalation_rule_assignment_strategy")]
    pub(crate) strategy: Lax<Strategy>,
}

/// How a level chooses among its targets: a word, or an object of that type.
#[derive(Debug)]
pub(crate) struct Strategy(pub(crate) String);

impl<'de> Tolerant<'de> for Strategy {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        let object = Ref::from_object(object)?;
        Ok(object.and_then(|object| object.kind.clone().map(Self)))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Priority {
    pub(crate) id: Lax<String>,
    pub(crate) name: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) description: Lax<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Oncall {
    pub(crate) escalation_policy: Lax<Ref>,
    pub(crate) escalation_level: Lax<i64>,
    pub(crate) schedule: Lax<Ref>,
    pub(crate) user: Lax<User>,
    pub(crate) start: Lax<Timestamp>,
    pub(crate) end: Lax<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Subscription {
    pub(crate) id: Lax<String>,
    pub(crate) active: Lax<bool>,
    pub(crate) delivery_method: Lax<DeliveryMethod>,
    pub(crate) description: Lax<String>,
    pub(crate) events: Many<String>,
    pub(crate) filter: Lax<Ref>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DeliveryMethod {
    pub(crate) url: Lax<String>,
    pub(crate) secret: Lax<String>,
    pub(crate) temporarily_disabled: Lax<bool>,
}

objects!(
    Root,
    FieldDefinition,
    FieldOption,
    OptionData,
    Note,
    Service,
    Team,
    Schedule,
    User,
    Policy,
    Rule,
    Priority,
    Oncall,
    Subscription,
    DeliveryMethod,
);
