//! Incidents, their notes and their alerts.

use jiff::Timestamp;
use serde_json::Value;

use super::load::Loading;
use super::read::{Fields, Read, Wrong};
use crate::state::{
    Agent, Alert, Entry, Incident, Means, Note, Part, Path, Responder, ResponderState, Status,
};
use crate::timers::Timer;

/// What an incident holds that is understood here.
const UNDERSTOOD: [&str; 41] = [
    "id",
    "type",
    "summary",
    "self",
    "html_url",
    "incident_number",
    "title",
    "description",
    "incident_key",
    "incident_type",
    "urgency",
    "created_at",
    "updated_at",
    "status",
    "assigned_via",
    "last_status_change_at",
    "last_status_change_by",
    "resolved_at",
    "resolve_reason",
    "is_mergeable",
    "pending_actions",
    "alert_counts",
    "alert_grouping",
    "assignments",
    "acknowledgements",
    "service",
    "escalation_policy",
    "teams",
    "priority",
    "incidents_responders",
    "responder_requests",
    "subscriber_requests",
    "first_trigger_log_entry",
    "conference_bridge",
    "body",
    "custom_fields",
    "x_sim",
    "acknowledgers",
    "assignees",
    "number",
    "reopened_at",
];

const STATUSES: [(&str, Status); 3] = [
    ("triggered", Status::Triggered),
    ("acknowledged", Status::Acknowledged),
    ("resolved", Status::Resolved),
];

const STATES: [(&str, ResponderState); 4] = [
    ("pending", ResponderState::Pending),
    ("joined", ResponderState::Joined),
    ("declined", ResponderState::Declined),
    ("user_cancelled", ResponderState::Cancelled),
];

impl Loading {
    pub(super) fn known_incident(&self, id: &str) -> Read<usize> {
        let found = self.sim.world.by_id.get(id).copied();
        found.ok_or_else(|| {
            Wrong::new(
                "incident.id",
                format!("no incident of incidents.jsonl is {id}"),
            )
        })
    }

    pub(super) fn incident(&mut self, fields: &Fields<'_>) -> Read<()> {
        let id = fields.need("id")?;
        let number = fields.number("incident_number")?;
        let number = number.ok_or_else(|| Wrong::new("incident_number", "is missing"))?;
        let number = u64::try_from(number)
            .map_err(|_negative| Wrong::new("incident_number", "must not be negative"))?;
        if self.sim.world.by_id.contains_key(&id) {
            return Err(Wrong::new("id", format!("{id} is there twice")));
        }
        if self.sim.world.by_number.contains_key(&number) {
            return Err(Wrong::new(
                "incident_number",
                format!("{number} is there twice"),
            ));
        }
        let incident = self.read_incident(fields, id.clone(), number)?;
        let at = self.sim.world.incidents.len();
        let merged = fields.inside("resolve_reason", |reason| reason.reference("incident"))?;
        self.merged
            .extend(merged.flatten().map(|target| (at, target)));
        self.first_entries
            .push(fields.reference("first_trigger_log_entry")?);
        let due = timers(fields)?;
        let world = self.world();
        world.by_id.insert(id, at);
        world.by_number.insert(number, at);
        world.next_number = world.next_number.max(number + 1);
        world
            .by_key
            .entry(incident.event_key.clone())
            .or_default()
            .push(at);
        let is_open = incident.is_open();
        world.incidents.push(incident);
        for (timer, due) in due {
            world.set_timer_at(at, timer, due);
        }
        if is_open {
            world.mark_open(at);
        }
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "one field a line")]
    fn read_incident(&self, fields: &Fields<'_>, id: String, number: u64) -> Read<Incident> {
        let created_at = fields.need_instant("created_at")?;
        let status = fields.word("status", &STATUSES)?;
        let status = status.ok_or_else(|| Wrong::new("status", "is missing"))?;
        let service = fields.need_reference("service")?;
        let policy = match fields.reference("escalation_policy")? {
            Some(policy) => policy,
            None => self
                .sim
                .world
                .services
                .get(&service)
                .map(|row| row.policy.clone())
                .unwrap_or_default(),
        };
        let title = match fields.text("title")? {
            Some(title) => title,
            None => fields.need("description")?,
        };
        let key = fields.text("incident_key")?;
        let ours = fields.inside("x_sim", |ours| {
            Ok((
                ours.text("event_key")?,
                ours.instant("reopened_at")?,
                ours.value("path")?,
            ))
        })?;
        let (event_key, reopened_at, path) = ours.unwrap_or_default();
        let changed_by = fields.inside("last_status_change_by", |by| {
            Ok((by.need("id")?, by.need("type")?))
        })?;
        let changed_by = changed_by.and_then(|(id, kind)| self.agent_of(id, &kind));
        let high_urgency = fields.word("urgency", &[("high", true), ("low", false)])?;
        let changed_at = fields.instant("last_status_change_at")?;
        let updated_at = fields
            .instant("updated_at")?
            .or(changed_at)
            .unwrap_or(created_at);
        Ok(Incident {
            event_key: event_key.or(key.clone()).unwrap_or_else(|| id.clone()),
            path: self.path(&policy, path.as_ref()),
            number,
            title,
            created_at,
            updated_at,
            status,
            key,
            direct: fields.text("assigned_via")?.as_deref() == Some("direct_assignment"),
            assignments: people(fields, "assignments", "assignee", created_at)?,
            acknowledgements: people(fields, "acknowledgements", "acknowledger", created_at)?,
            status_changed_at: changed_at.unwrap_or(updated_at),
            status_changed_by: changed_by.unwrap_or_else(|| Agent::Automatic(service.clone())),
            resolved_at: match status {
                Status::Resolved => Some(fields.instant("resolved_at")?.unwrap_or(updated_at)),
                Status::Triggered | Status::Acknowledged => None,
            },
            reopened_at,
            merged_into: None,
            high_urgency: high_urgency.unwrap_or(true),
            priority: fields.reference("priority")?,
            kind: kind(fields)?,
            body: fields
                .inside("body", |body| body.text("details"))?
                .flatten(),
            conference: fields.inside("conference_bridge", |bridge| {
                Ok((
                    bridge.text("conference_number")?,
                    bridge.text("conference_url")?,
                ))
            })?,
            fields: custom_fields(fields)?,
            first_trigger: 0,
            triggers: 0,
            timers: Vec::new(),
            notes: Vec::new(),
            alerts: Vec::new(),
            responders: responders(fields)?,
            log: Vec::new(),
            shown: shown(fields),
            id,
            service,
            policy,
        })
    }

    /// Where on its policy the incident is; without that on its first level.
    fn path(&self, policy: &str, given: Option<&Value>) -> Path {
        let mut path = self.sim.world.snapshot(policy);
        let number = |name: &str| {
            given
                .and_then(|path| path.get(name))
                .and_then(Value::as_u64)
        };
        if let Some(level) = number("level").and_then(|level| usize::try_from(level).ok()) {
            path.level = level;
        }
        if let Some(loops) = number("loops_left").and_then(|loops| u32::try_from(loops).ok()) {
            path.loops_left = loops;
        }
        let exhausted = given.and_then(|path| path.get("exhausted"));
        path.exhausted = exhausted == Some(&Value::Bool(true));
        path
    }

    pub(super) fn note(&mut self, fields: &Fields<'_>) -> Read<()> {
        self.has_notes = true;
        let at = self.known_incident(&fields.need_reference("incident")?)?;
        let note = Note {
            id: fields.need("id")?,
            user: fields.need_reference("user")?,
            content: fields.need("content")?,
            at: fields.need_instant("created_at")?,
            updated_at: fields.instant("updated_at")?,
        };
        self.world().incident_mut(at).notes.push(note);
        Ok(())
    }

    pub(super) fn alert(&mut self, fields: &Fields<'_>) -> Read<()> {
        self.has_alerts = true;
        let at = self.known_incident(&fields.need_reference("incident")?)?;
        let resolved = fields.word("status", &[("triggered", false), ("resolved", true)])?;
        let body = fields.value("body")?.unwrap_or_default();
        let part = |name: &str| body.get(name).cloned().unwrap_or_default();
        let service = fields.reference("service")?;
        let alert = Alert {
            id: fields.need("id")?,
            key: fields.need("alert_key")?,
            summary: fields.text("summary")?.unwrap_or_default(),
            severity: fields
                .text("severity")?
                .unwrap_or_else(|| "critical".to_owned()),
            at: fields.need_instant("created_at")?,
            resolved: resolved.unwrap_or(false),
            service: service.unwrap_or_else(|| self.sim.world.incident(at).service.clone()),
            integration: fields.reference("integration")?.unwrap_or_default(),
            details: part("details"),
            contexts: part("contexts"),
            log_entry: fields
                .reference("first_trigger_log_entry")?
                .unwrap_or_default(),
        };
        let world = self.world();
        world.by_key.entry(alert.key.clone()).or_default().push(at);
        let incident = world.incident_mut(at);
        incident.alerts.push(alert);
        incident
            .shown
            .retain(|(name, _)| name != "alert_counts" && name != "alert_grouping");
        if incident.is_open() {
            world.index_keys(at);
        }
        Ok(())
    }

    /// Joins incidents with their first entry and with what they were merged into.
    pub(super) fn settle_incidents(&mut self) {
        let merged = std::mem::take(&mut self.merged);
        for (at, target) in merged {
            let target = self.sim.world.by_id.get(&target).copied();
            self.world().incident_mut(at).merged_into = target;
        }
        let first = std::mem::take(&mut self.first_entries);
        for (at, name) in first.into_iter().enumerate() {
            let world = &self.sim.world;
            let named = name
                .as_ref()
                .and_then(|name| world.log_by_id.get(name).copied());
            let log = world.incident(at).log.iter().copied();
            let own = named.or_else(|| {
                log.into_iter().find(|index| {
                    world
                        .log
                        .get(*index)
                        .is_some_and(|one| one.kind == "trigger")
                })
            });
            let own = own.unwrap_or_else(|| self.make_first_entry(at, name));
            self.world().incident_mut(at).first_trigger = own;
        }
    }

    /// Each incident starts with an entry; one that the files do not have is made up, and stands at
    /// the end of the log, where it disturbs no window.
    fn make_first_entry(&mut self, at: usize, name: Option<String>) -> usize {
        let world = self.world();
        let index = world.log.len();
        let newest = world.log.last().map(|entry| entry.at);
        let incident = world.incident(at);
        let (created_at, service) = (incident.created_at, incident.service.clone());
        let id = name.unwrap_or_else(|| world.ids.log_entry());
        world.log_by_id.insert(id.clone(), index);
        world.log.push(Entry {
            id,
            kind: "trigger",
            summary: "Triggered through the API.".to_owned(),
            at: newest.map_or(created_at, |newest| newest.max(created_at)),
            agent: Agent::Service(service.clone()),
            channel: crate::state::raw(&serde_json::json!({"type": "api"})),
            incident: at,
            service,
            extra: Vec::new(),
        });
        world.incident_mut(at).log.push(index);
        index
    }
}

fn kind(fields: &Fields<'_>) -> Read<String> {
    let name = fields.inside("incident_type", |kind| kind.text("name"))?;
    Ok(name
        .flatten()
        .unwrap_or_else(|| "incident_default".to_owned()))
}

/// What is shown as it was: unknown fields, and the counts of alerts that no file brings.
fn shown(fields: &Fields<'_>) -> Vec<Part> {
    let others = fields.others(&UNDERSTOOD).into_iter();
    let counts = ["alert_counts", "alert_grouping"].into_iter();
    let counts = counts.filter_map(|name| Some((name, fields.raw(name)?)));
    others
        .chain(counts)
        .map(|(name, raw)| (name.to_owned().into(), raw.to_owned()))
        .collect()
}

fn people(
    fields: &Fields<'_>,
    list: &str,
    who: &str,
    created_at: Timestamp,
) -> Read<Vec<(String, Timestamp)>> {
    fields.each(list, |one| {
        Ok((
            one.need_reference(who)?,
            one.instant("at")?.unwrap_or(created_at),
        ))
    })
}

fn custom_fields(fields: &Fields<'_>) -> Read<Vec<(String, Value)>> {
    let all = fields.each("custom_fields", |one| {
        Ok((one.need("id")?, one.value("value")?.unwrap_or_default()))
    })?;
    Ok(all
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect())
}

fn responders(fields: &Fields<'_>) -> Read<Vec<Responder>> {
    let policies = fields
        .inside("x_sim", |ours| ours.value("responder_policies"))?
        .flatten();
    let mut at = 0;
    fields.each("incidents_responders", |one| {
        let policy = policies
            .as_ref()
            .and_then(|policies| policies.get(at)?.as_str());
        at += 1;
        let requested_at = one.need_instant("requested_at")?;
        Ok(Responder {
            user: one.need_reference("user")?,
            policy: policy.map(str::to_owned),
            message: one.text("message")?.unwrap_or_default(),
            requester: one.reference("requester")?.unwrap_or_default(),
            requested_at,
            updated_at: one.instant("updated_at")?.unwrap_or(requested_at),
            state: one
                .word("state", &STATES)?
                .unwrap_or(ResponderState::Pending),
        })
    })
}

/// What is to happen by itself: ours exactly, PagerDuty's from `pending_actions`.
fn timers(fields: &Fields<'_>) -> Read<Vec<(Timer, Timestamp)>> {
    let ours = fields.inside("x_sim", |ours| {
        if ours.raw("timers").is_none() {
            return Ok(None);
        }
        ours.each("timers", |one| {
            let timer = match one.need("type")?.as_str() {
                "acknowledgement_ends" => Timer::AcknowledgementEnds,
                "snooze_ends" => Timer::SnoozeEnds,
                "auto_resolve" => Timer::AutoResolve,
                "escalate" => Timer::Escalate,
                "notify" => Timer::Notify {
                    user: one.need("user")?,
                    means: one
                        .word(
                            "means",
                            &[Means::Push, Means::Email, Means::Sms, Means::Phone]
                                .map(|means| (means.name(), means)),
                        )?
                        .ok_or_else(|| Wrong::new("means", "is missing"))?,
                },
                other => return Err(Wrong::new("type", format!("{other} is no timer"))),
            };
            Ok((timer, one.need_instant("at")?))
        })
        .map(Some)
    })?;
    if let Some(timers) = ours.flatten() {
        return Ok(timers);
    }
    let pending = fields.each("pending_actions", |one| {
        let timer = match one.need("type")?.as_str() {
            "unacknowledge" => Some(Timer::AcknowledgementEnds),
            "escalate" => Some(Timer::Escalate),
            "resolve" => Some(Timer::AutoResolve),
            _ => None,
        };
        Ok((timer, one.need_instant("at")?))
    })?;
    Ok(pending
        .into_iter()
        .filter_map(|(timer, at)| Some((timer?, at)))
        .collect())
}
