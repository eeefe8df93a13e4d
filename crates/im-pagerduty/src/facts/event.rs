//! Webhook events as facts.

use im_core::{Actor, Fact, Kind, Source};
use jiff::Timestamp;

use super::{About, CustomField, Heard, Resolver, said};
use crate::wire::event::{FieldValue, OtherData, RoleAssignment};
use crate::wire::incident::Incident;
use crate::wire::{Ref, all_named, people};

/// The head of an event: everything but `data`.
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) actor: Actor,
    pub(crate) occurred_at: Timestamp,
}

/// `data` in the shape that `data.type` names.
pub(crate) enum Data {
    Incident(Box<Incident>),
    Other(Box<OtherData>),
}

/// What an event tells about incidents: nothing, one, or (roles) several.
pub(crate) fn heard(head: &Head, data: &Data) -> Vec<Heard> {
    match data {
        Data::Incident(incident) => vec![incident_heard(head, incident)],
        Data::Other(other) if !other.incident_role_assignments.is_empty() => {
            let rows = other.incident_role_assignments.iter();
            rows.filter_map(|row| role_heard(head, row)).collect()
        }
        Data::Other(other) => other_heard(head, other).into_iter().collect(),
    }
}

fn fact(head: &Head, kind: Kind) -> Fact {
    Fact::new(
        Source::Webhook,
        &head.id,
        kind,
        head.actor.clone(),
        head.occurred_at,
    )
}

fn about(head: &Head) -> About {
    About {
        word: head.event_type.clone(),
        ..About::default()
    }
}

fn incident_heard(head: &Head, incident: &Incident) -> Heard {
    let mut fact = incident_fact(head, incident);
    fact.snapshot = incident.told_at(head.occurred_at);
    Heard {
        incident_id: incident.id.clone(),
        incident_key: said(incident.incident_key.as_ref()),
        about: About {
            service: incident.service.as_ref().and_then(Ref::named),
            teams: fact
                .snapshot
                .as_ref()
                .and_then(|snapshot| snapshot.teams.clone())
                .unwrap_or_default(),
            ..about(head)
        },
        facts: vec![fact],
    }
}

fn incident_fact(head: &Head, incident: &Incident) -> Fact {
    let kind = kind(&head.event_type);
    let mut fact = fact(head, kind);
    match kind {
        Kind::Triggered => fact.value = incident.title(),
        Kind::Resolved => {
            let merged_into = incident.merged_into();
            let resolver = Resolver::of(merged_into.is_some(), &head.actor, None);
            fact.value = Some(resolver.as_str().to_owned());
            fact.detail = merged_into;
        }
        Kind::Assigned | Kind::Escalated => {
            fact.people = incident.assignees().unwrap_or_default();
        }
        Kind::Delegated => {
            fact.people = incident.assignees().unwrap_or_default();
            let policy = incident.escalation_policy.as_ref();
            fact.value = policy.and_then(Ref::label);
            fact.detail = policy.and_then(|policy| policy.id.clone());
        }
        Kind::PriorityChanged => {
            fact.value = incident.priority.value().and_then(Ref::label);
        }
        Kind::ServiceChanged => {
            let service = incident.service.as_ref();
            fact.value = service.and_then(Ref::label);
            fact.detail = service.and_then(|service| service.id.clone());
        }
        Kind::Other => {
            fact.value = Some(head.event_type.clone());
            if head.event_type == "incident.incident_type.changed" {
                fact.detail = incident.incident_type.as_ref().and_then(Ref::label);
            }
        }
        _ => {}
    }
    fact
}

/// The kind of an event; what we do not know is `Other`.
fn kind(event_type: &str) -> Kind {
    match event_type {
        "incident.triggered" => Kind::Triggered,
        "incident.acknowledged" => Kind::Acknowledged,
        "incident.unacknowledged" => Kind::Unacknowledged,
        "incident.resolved" => Kind::Resolved,
        "incident.reopened" => Kind::Reopened,
        "incident.reassigned" => Kind::Assigned,
        "incident.escalated" => Kind::Escalated,
        "incident.delegated" => Kind::Delegated,
        "incident.annotated" => Kind::Noted,
        "incident.priority_updated" => Kind::PriorityChanged,
        "incident.service_updated" => Kind::ServiceChanged,
        "incident.custom_field_values.updated" => Kind::FieldsChanged,
        "incident.status_update_published" => Kind::StatusUpdated,
        "incident.responder.added" | "incident.responder.replied" => Kind::Responder,
        _ => Kind::Other,
    }
}

/// Everything whose `data` is not an incident has a reference to one, or is not about one.
fn other_heard(head: &Head, data: &OtherData) -> Option<Heard> {
    let incident_id = data.incident.as_ref()?.id.clone()?;
    let kind = kind(&head.event_type);
    let mut fact = fact(head, kind);
    match kind {
        Kind::Noted => {
            fact.value.clone_from(&data.content);
            fact.detail.clone_from(&data.id);
        }
        Kind::StatusUpdated => {
            fact.value.clone_from(&data.message);
            fact.detail.clone_from(&data.id);
        }
        Kind::Responder => {
            fact.people = data
                .user
                .as_ref()
                .and_then(Ref::person)
                .into_iter()
                .collect();
            fact.value.clone_from(&data.state);
            fact.detail = said(data.message.as_ref());
        }
        _ => {
            fact.value = Some(head.event_type.clone());
            fact.detail = what(data);
            fact.people = people(&data.assignees);
        }
    }
    Some(Heard {
        incident_id: Some(incident_id),
        incident_key: None,
        facts: match kind {
            Kind::FieldsChanged => each_field(&fact, changed_fields(data)),
            _ => vec![fact],
        },
        about: About {
            summary: said(data.summary.as_ref()),
            service: data.service.as_ref().and_then(Ref::named),
            trimmed: data.trimmed.unwrap_or_default(),
            fields: data.custom_fields.iter().filter_map(custom_field).collect(),
            ..about(head)
        },
    })
}

fn role_heard(head: &Head, row: &RoleAssignment) -> Option<Heard> {
    let incident_id = row.incident.as_ref()?.id.clone()?;
    let mut fact = fact(head, Kind::Other).with_value(&head.event_type);
    fact.detail = row.role.as_ref().and_then(Ref::label);
    fact.people = row
        .assignee
        .as_ref()
        .and_then(Ref::person)
        .into_iter()
        .collect();
    Some(Heard {
        incident_id: Some(incident_id),
        incident_key: None,
        facts: vec![fact],
        about: about(head),
    })
}

/// One line on a task, a workflow, an action or a conference bridge.
fn what(data: &OtherData) -> Option<String> {
    let name = said(data.name.as_ref())
        .or_else(|| said(data.summary.as_ref()))
        .or_else(|| data.action.as_ref().and_then(Ref::label))
        .or_else(|| said(data.conference_url.as_ref()))?;
    let state = said(data.status.as_ref()).or_else(|| said(data.state.as_ref()));
    Some(match state {
        Some(state) => format!("{name} ({state})"),
        None => name,
    })
}

/// What the changed fields say now. The event carries the old values of what changed and the new
/// values of everything.
fn changed_fields(data: &OtherData) -> Vec<CustomField> {
    let changed = data.changed_custom_fields.iter().filter_map(custom_field);
    let now = |old: CustomField| {
        let mut new = data.custom_fields.iter().filter_map(custom_field);
        let value = new.find(|field| field.name == old.name);
        CustomField {
            value: value.and_then(|field| field.value),
            ..old
        }
    };
    changed.map(now).collect()
}

/// A fact for each field of one report. One that names none says that something changed.
pub(super) fn each_field(fact: &Fact, changed: Vec<CustomField>) -> Vec<Fact> {
    if changed.is_empty() {
        return vec![fact.clone()];
    }
    let of_field = |field: CustomField| Fact {
        source_id: format!("{}:{}", fact.source_id, field.name),
        value: field.value,
        detail: Some(field.name),
        ..fact.clone()
    };
    changed.into_iter().map(of_field).collect()
}

/// A field by its name, and what it says; nothing is absent, however it is written.
pub(crate) fn custom_field(field: &FieldValue) -> Option<CustomField> {
    let value = field.value.as_ref().map(|value| value.0.clone());
    Some(CustomField {
        name: field.name.clone().or_else(|| field.id.clone())?,
        value: value.filter(|text| !text.is_empty()),
    })
}

/// The service that a service event is about, and its teams.
pub(crate) fn service_of(data: &OtherData) -> Option<im_core::Named> {
    if let Some(service) = data.service.as_ref() {
        return service.named();
    }
    Some(im_core::Named {
        id: data.id.clone()?,
        name: said(data.name.as_ref()).or_else(|| said(data.summary.as_ref())),
    })
}

/// The teams that a service event shows.
pub(crate) fn teams_of(data: &OtherData) -> Vec<im_core::Named> {
    all_named(&data.teams)
}
