//! The incident, as REST and as webhooks write it.

use im_core::{ActorKind, Named, PeerStatus, Person, Snapshot, Urgency};
use jiff::Timestamp;
use serde::Deserialize;

use super::tolerant::{Lax, Many, Seen, objects};
use super::{Ref, all_named, people};
use crate::answer::Moment;

/// Both spellings of each field: webhooks say `number` and `assignees`, REST says
/// `incident_number` and `assignments`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "PagerDuty's own names")]
pub(crate) struct Incident {
    pub(crate) id: Lax<String>,
    number: Lax<i64>,
    incident_number: Lax<i64>,
    html_url: Lax<String>,
    pub(crate) incident_key: Lax<String>,
    pub(crate) created_at: Lax<Timestamp>,
    updated_at: Lax<Timestamp>,
    pub(crate) last_status_change_at: Lax<Timestamp>,
    pub(crate) last_status_change_by: Lax<Ref>,
    pub(crate) resolved_at: Lax<Timestamp>,
    status: Lax<String>,
    title: Lax<String>,
    pub(crate) description: Lax<String>,
    summary: Lax<String>,
    urgency: Lax<String>,
    pub(crate) priority: Seen<Ref>,
    pub(crate) service: Lax<Ref>,
    pub(crate) escalation_policy: Lax<Ref>,
    assignments: Seen<Many<Assignment>>,
    assignees: Seen<Many<Ref>>,
    pub(crate) acknowledgements: Many<Acknowledgement>,
    teams: Seen<Many<Ref>>,
    pub(crate) resolve_reason: Lax<ResolveReason>,
    pub(crate) incident_type: Lax<Ref>,
    pub(crate) body: Lax<Body>,
    first_trigger_log_entry: Lax<FirstTrigger>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Assignment {
    assignee: Lax<Ref>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Acknowledgement {
    pub(crate) at: Lax<Timestamp>,
    pub(crate) acknowledger: Lax<Ref>,
}

/// Whole only where it was asked for; else a reference, which names no service.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FirstTrigger {
    service: Lax<Ref>,
}

/// Only merges have one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ResolveReason {
    #[serde(rename = "type")]
    kind: Lax<String>,
    incident: Lax<Ref>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Body {
    pub(crate) details: Lax<String>,
}

objects!(
    Incident,
    Assignment,
    Acknowledgement,
    FirstTrigger,
    ResolveReason,
    Body
);

impl Incident {
    /// The title; old incidents have it in `description`, references as `[#42] title`.
    pub(crate) fn title(&self) -> Option<String> {
        self.title
            .clone()
            .or_else(|| self.description.clone())
            .or_else(|| self.summary.as_deref().map(without_number))
    }

    /// The service that it was made on, where the source shows it.
    pub(crate) fn began_on(&self) -> Option<Named> {
        let trigger = self.first_trigger_log_entry.as_ref()?;
        trigger.service.as_ref()?.named()
    }

    /// The incident that this one was merged into.
    pub(crate) fn merged_into(&self) -> Option<String> {
        let reason = self.resolve_reason.as_ref()?;
        let merge = reason
            .kind
            .as_deref()
            .is_none_or(|kind| kind.contains("merge"));
        merge
            .then(|| reason.incident.as_ref()?.id.clone())
            .flatten()
    }

    /// Who has it; `None` where the source did not show it.
    pub(crate) fn assignees(&self) -> Option<Vec<Person>> {
        if let Some(flat) = self.assignees.value() {
            return Some(people(flat));
        }
        if let Some(rows) = self.assignments.value() {
            let refs = rows.iter().filter_map(|row| row.assignee.as_ref());
            return Some(refs.filter_map(Ref::person).collect());
        }
        let shown = !self.assignees.is_absent() || !self.assignments.is_absent();
        shown.then(Vec::new)
    }

    fn teams(&self) -> Option<Vec<Named>> {
        let shown = !self.teams.is_absent();
        shown.then(|| {
            self.teams
                .value()
                .map_or_else(Vec::new, |refs| all_named(refs))
        })
    }

    #[expect(
        clippy::option_option,
        reason = "a snapshot tells no priority from none shown"
    )]
    fn priority(&self) -> Option<Option<Named>> {
        let shown = !self.priority.is_absent();
        shown.then(|| self.priority.value().and_then(Ref::named))
    }

    /// What a webhook of `occurred_at` showed; nothing without an id.
    pub(crate) fn told_at(&self, occurred_at: Timestamp) -> Option<Snapshot> {
        self.snapshot(occurred_at, None)
    }

    /// What a read showed; nothing without an id.
    pub(crate) fn read_at(&self, moment: Moment) -> Option<Snapshot> {
        let version = self
            .updated_at
            .or(*self.last_status_change_at)
            .or(*self.created_at)
            .unwrap_or(moment.read_at);
        self.snapshot(version, Some(moment))
    }

    fn snapshot(&self, version: Timestamp, read: Option<Moment>) -> Option<Snapshot> {
        Some(Snapshot {
            version,
            read_at: read.map(|read| read.read_at),
            answered_at: read.and_then(|read| read.answered_at),
            id: self.id.clone()?,
            number: self.incident_number.or(*self.number),
            html_url: self.html_url.clone(),
            incident_key: self.incident_key.clone(),
            created_at: *self.created_at,
            status: self.status.as_deref().and_then(PeerStatus::parse),
            title: self.title(),
            urgency: self.urgency.as_deref().and_then(Urgency::parse),
            priority: self.priority(),
            service: self.service.as_ref().and_then(Ref::named),
            policy: self.escalation_policy.as_ref().and_then(Ref::named),
            assignees: self.assignees(),
            teams: self.teams(),
            merged_into: self.merged_into(),
        })
    }

    /// Who changed the status last, unless nobody is named.
    pub(crate) fn changed_by(&self) -> Option<im_core::Actor> {
        Some(super::actor(self.last_status_change_by.as_ref()))
            .filter(|actor| actor.kind != ActorKind::None)
    }
}

/// The title in a summary such as `[#42] Disk full`.
pub(crate) fn without_number(summary: &str) -> String {
    summary
        .strip_prefix("[#")
        .and_then(|rest| rest.split_once("] "))
        .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(summary, |(_, title)| title)
        .to_owned()
}
