//! The incident as REST shows it.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{directory, log_entries};
use crate::http::Request;
use crate::refs::{Root, Shown, seconds};
use crate::state::{Incident, Responder, Status, World};

/// The whole object, with what `include[]` asks for.
pub(crate) fn incident<'a>(world: &'a World, request: &'a Request, at: usize) -> Rendered<'a> {
    Rendered { world, request, at }
}

/// One incident as it is sent.
pub(crate) struct Rendered<'a> {
    world: &'a World,
    request: &'a Request,
    at: usize,
}

#[derive(Serialize)]
struct Assignment<'a> {
    at: String,
    assignee: Shown<'a>,
}

#[derive(Serialize)]
struct Acknowledgement<'a> {
    at: String,
    acknowledger: Shown<'a>,
}

impl Serialize for Rendered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.own(&mut map)?;
        self.states(&mut map)?;
        self.related(&mut map)?;
        self.included(&mut map)?;
        map.end()
    }
}

impl<'a> Rendered<'a> {
    /// Names and numbers.
    fn own<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let incident = self.world.incident(self.at);
        let options = &self.world.options;
        let (id, title) = (&incident.id, &incident.title);
        map.serialize_entry("id", id)?;
        map.serialize_entry("type", "incident")?;
        map.serialize_entry("summary", &format_args!("[#{}] {title}", incident.number))?;
        map.serialize_entry("self", &format_args!("{}/incidents/{id}", options.base_url))?;
        map.serialize_entry(
            "html_url",
            &format_args!("{}/incidents/{id}", options.web_url),
        )?;
        map.serialize_entry("incident_number", &incident.number)?;
        map.serialize_entry("title", title)?;
        map.serialize_entry("description", title)?;
        map.serialize_entry("incident_key", &incident.key)?;
        map.serialize_entry("incident_type", &Root("name", &incident.kind))?;
        map.serialize_entry("urgency", incident.urgency())
    }

    /// What changes over a life.
    fn states<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (world, incident) = (self.world, self.world.incident(self.at));
        let changed_at = match incident.status {
            Status::Triggered => incident.updated_at,
            Status::Acknowledged | Status::Resolved => incident.status_changed_at,
        };
        let via = if incident.direct {
            "direct_assignment"
        } else {
            "escalation_policy"
        };
        let reason = incident.merged_into.map(|target| {
            json!({"type": "merge_resolve_reason", "incident": world.incident_ref(target)})
        });
        map.serialize_entry("created_at", &seconds(incident.created_at))?;
        map.serialize_entry("updated_at", &seconds(incident.updated_at))?;
        map.serialize_entry("status", incident.status.name())?;
        map.serialize_entry("assigned_via", via)?;
        map.serialize_entry("last_status_change_at", &seconds(changed_at))?;
        map.serialize_entry(
            "last_status_change_by",
            &world.agent_ref(&incident.status_changed_by),
        )?;
        map.serialize_entry("resolved_at", &incident.resolved_at.map(seconds))?;
        map.serialize_entry("resolve_reason", &reason)?;
        map.serialize_entry("is_mergeable", &incident.is_open())?;
        map.serialize_entry("pending_actions", &world.pending_actions(self.at))?;
        let has = |name: &str| incident.shown.iter().any(|(known, _)| known == name);
        if !has("alert_counts") {
            map.serialize_entry("alert_counts", &alert_counts(incident))?;
        }
        if !has("alert_grouping") {
            map.serialize_entry("alert_grouping", &alert_grouping(incident))?;
        }
        for (name, value) in &incident.shown {
            map.serialize_entry(name, value)?;
        }
        Ok(())
    }

    /// People and things around it.
    fn related<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (world, request) = (self.world, self.request);
        let incident = world.incident(self.at);
        let assignments: Vec<_> = incident
            .assignments
            .iter()
            .map(|(user, at)| Assignment {
                at: seconds(*at),
                assignee: self.person(user, "assignees"),
            })
            .collect();
        let acknowledgements: Vec<_> = incident
            .acknowledgements
            .iter()
            .map(|(user, at)| Acknowledgement {
                at: seconds(*at),
                acknowledger: self.person(user, "acknowledgers"),
            })
            .collect();
        let service = if request.includes("services") {
            Shown::Whole(directory::service_value(world, request, &incident.service))
        } else {
            Shown::Ref(world.service_ref(&incident.service))
        };
        let policy = if request.includes("escalation_policies") {
            Shown::Whole(directory::policy_value(world, request, &incident.policy))
        } else {
            Shown::Ref(world.policy_ref(&incident.policy))
        };
        map.serialize_entry("assignments", &assignments)?;
        map.serialize_entry("acknowledgements", &acknowledgements)?;
        map.serialize_entry("service", &service)?;
        map.serialize_entry("escalation_policy", &policy)?;
        map.serialize_entry("teams", &world.team_refs(&incident.policy))?;
        map.serialize_entry(
            "priority",
            &world.priority_value(incident.priority.as_deref()),
        )?;
        let responders: Vec<Value> = incident
            .responders
            .iter()
            .map(|one| world.responder_value(self.at, one))
            .collect();
        map.serialize_entry("incidents_responders", &responders)?;
        map.serialize_entry("responder_requests", &requests(world, self.at))?;
        map.serialize_entry::<_, [(); 0]>("subscriber_requests", &[])
    }

    /// What is there only on request, and the first entry.
    fn included<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (world, request, at) = (self.world, self.request, self.at);
        let incident = world.incident(at);
        if request.includes("first_trigger_log_entries") {
            let entry = log_entries::trigger_value(world, request, at);
            map.serialize_entry("first_trigger_log_entry", &entry)?;
        } else {
            map.serialize_entry(
                "first_trigger_log_entry",
                &log_entries::trigger_ref(world, at),
            )?;
        }
        if request.includes("conference_bridge") {
            map.serialize_entry("conference_bridge", &world.conference_value(at))?;
        }
        if request.includes("body") {
            let body = json!({"type": "incident_body", "details": incident.body});
            map.serialize_entry("body", &body)?;
        }
        if request.includes("custom_fields") {
            map.serialize_entry("custom_fields", &directory::field_values(world, at))?;
        }
        Ok(())
    }

    fn person(&self, id: &'a str, include: &str) -> Shown<'a> {
        let (world, request) = (self.world, self.request);
        if request.includes("users") || request.includes(include) {
            Shown::Whole(directory::user_value(world, request, id))
        } else if world.services.get(id).is_some() {
            Shown::Ref(world.service_ref(id)) // a machine acknowledged
        } else {
            Shown::Ref(world.user_ref(id))
        }
    }
}

/// Requests for help, one for each time and message.
fn requests(world: &World, at: usize) -> Vec<Value> {
    let responders = &world.incident(at).responders;
    let mut requests: Vec<(&Responder, Vec<Value>)> = Vec::new();
    for one in responders {
        let (id, kind) = match &one.policy {
            Some(policy) => (policy, "escalation_policy_reference"),
            None => (&one.user, "user_reference"),
        };
        let target = json!({"responder_request_target": {
            "id": id, "type": kind, "incident_responders": [world.responder_value(at, one)],
        }});
        let same = |(first, _): &&mut (&Responder, Vec<Value>)| {
            first.requested_at == one.requested_at && first.message == one.message
        };
        match requests.iter_mut().find(same) {
            Some((_, targets)) => targets.push(target),
            None => requests.push((one, vec![target])),
        }
    }
    requests
        .into_iter()
        .map(|(first, targets)| {
            json!({
                "incident": world.incident_ref(at),
                "requester": world.user_ref(&first.requester),
                "requested_at": seconds(first.requested_at),
                "message": first.message,
                "responder_request_targets": targets,
            })
        })
        .collect()
}

fn alert_counts(incident: &Incident) -> Value {
    let resolved = incident
        .alerts
        .iter()
        .filter(|alert| alert.resolved)
        .count();
    let all = incident.alerts.len();
    json!({"all": all, "triggered": all - resolved, "resolved": resolved})
}

fn alert_grouping(incident: &Incident) -> Value {
    incident.alerts.first().map_or(Value::Null, |alert| {
        json!({
            "grouping_type": "basic",
            "started_at": seconds(alert.at),
            "ended_at": incident.resolved_at.map(seconds),
            "alert_grouping_active": incident.is_open(),
        })
    })
}
