//! Writing the trail: log entries and webhook events.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::refs::{Ref, Root, milliseconds, seconds};
use crate::state::{Actor, Entry, World, raw};
use crate::webhooks::Event;

/// Webhooks cut notes and status updates after this many characters.
const TRIMMED_CHARS: usize = 25_000;

impl World {
    /// Adds a log entry with a plain channel.
    pub(crate) fn record(
        &mut self,
        at: usize,
        kind: &'static str,
        summary: String,
        actor: &Actor,
    ) -> usize {
        self.record_with(
            at,
            kind,
            summary,
            actor,
            json!({"type": actor.channel}),
            Map::new(),
        )
    }

    /// Adds a log entry.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "each channel is made for its entry"
    )]
    pub(crate) fn record_with(
        &mut self,
        at: usize,
        kind: &'static str,
        summary: String,
        actor: &Actor,
        channel: Value,
        extra: Map<String, Value>,
    ) -> usize {
        let index = self.log.len();
        let id = self.ids.log_entry();
        let now = self.now;
        let incident = self.incident_mut(at);
        incident.log.push(index);
        let service = incident.service.clone();
        self.log_by_id.insert(id.clone(), index);
        let extra = extra
            .into_iter()
            .map(|(name, value)| (name.into(), raw(&value)));
        let extra = extra.collect();
        let agent = actor.agent.clone();
        self.log.push(Entry {
            id,
            kind,
            summary,
            at: now,
            agent,
            channel: raw(&channel),
            incident: at,
            service,
            extra,
        });
        index
    }

    /// Notes that a field changed.
    pub(crate) fn touch(&mut self, at: usize) {
        let now = self.now;
        self.incident_mut(at).updated_at = now;
    }

    /// Publishes an event whose data is the incident itself.
    pub(crate) fn publish(&mut self, at: usize, event_type: &'static str, actor: &Actor) {
        self.publish_with(at, event_type, actor, |world| {
            raw(&IncidentData { world, at })
        });
    }

    /// Publishes an event about an incident with data of its own.
    pub(crate) fn publish_data(
        &mut self,
        at: usize,
        event_type: &'static str,
        actor: &Actor,
        data: &Value,
    ) {
        self.publish_with(at, event_type, actor, |_| raw(data));
    }

    /// Publishes what became of a service.
    pub(crate) fn publish_service(
        &mut self,
        id: &str,
        event_type: &'static str,
        actor: Option<&Actor>,
    ) {
        let Some(service) = self.services.get(id) else {
            return;
        };
        let team = self.team_of_policy(&service.policy);
        let team_ids = team.map(|team| team.id.clone()).into_iter().collect();
        let mut data = self.service_ref(id).value();
        if let Some(fields) = data.as_object_mut() {
            let alerts = service.given.get("alert_creation").cloned();
            let alerts = alerts.unwrap_or_else(|| "create_alerts_and_incidents".into());
            fields.insert("type".to_owned(), "service".into());
            fields.insert("alert_creation".to_owned(), alerts);
            fields.insert("teams".to_owned(), json!(self.team_refs(&service.policy)));
        }
        let told = Told {
            event_type,
            resource_type: "service",
            resource_id: id.to_owned(),
            service_id: id.to_owned(),
            team_ids,
        };
        self.send(told, actor, |_| raw(&data));
    }

    /// Publishes new values of a service's custom fields, with those that they replaced.
    pub(crate) fn publish_service_fields(
        &mut self,
        id: &str,
        now: &[Value],
        before: &[Value],
        actor: Option<&Actor>,
    ) {
        let Some(service) = self.services.get(id) else {
            return;
        };
        let team = self.team_of_policy(&service.policy);
        let team_ids = team.map(|team| team.id.clone()).into_iter().collect();
        let mut about = self.service_ref(id).value();
        if let Some(fields) = about.as_object_mut() {
            fields.insert("summary".to_owned(), Value::Null);
        }
        let data = json!({
            "service": about,
            "custom_fields": now,
            "changed_custom_fields": before,
            "type": "service_field_values",
        });
        let told = Told {
            event_type: "service.custom_field_values.updated",
            resource_type: "service",
            resource_id: id.to_owned(),
            service_id: id.to_owned(),
            team_ids,
        };
        self.send(told, actor, |_| raw(&data));
    }

    fn publish_with(
        &mut self,
        at: usize,
        event_type: &'static str,
        actor: &Actor,
        data: impl FnOnce(&Self) -> Box<RawValue>,
    ) {
        let incident = self.incident(at);
        let team = self.team_of_policy(&incident.policy);
        let told = Told {
            event_type,
            resource_type: "incident",
            resource_id: incident.id.clone(),
            service_id: incident.service.clone(),
            team_ids: team.map(|team| team.id.clone()).into_iter().collect(),
        };
        self.send(told, Some(actor), data);
    }

    /// Hands an event to whoever subscribed to it.
    fn send(
        &mut self,
        told: Told,
        actor: Option<&Actor>,
        data: impl FnOnce(&Self) -> Box<RawValue>,
    ) {
        if self.webhooks.subscription_count() == 0 {
            return;
        }
        let id = self.ids.event(self.now);
        let envelope = Root(
            "event",
            Envelope {
                id: &id,
                event_type: told.event_type,
                resource_type: told.resource_type,
                occurred_at: milliseconds(self.now),
                agent: actor.and_then(|actor| self.event_agent(&actor.agent)),
                client: actor.and_then(|actor| actor.client.as_ref()),
                data: data(self),
            },
        );
        let event = Event {
            event_type: told.event_type.to_owned(),
            resource_id: told.resource_id,
            service_id: Some(told.service_id),
            team_ids: told.team_ids,
            body: serde_json::to_vec(&envelope).expect("events have text keys"),
            id,
        };
        self.webhooks.publish(event, &mut self.ids, self.now);
    }

    /// Number and address of the conference; null without one.
    pub(crate) fn conference_value(&self, at: usize) -> Value {
        self.incident(at).conference.as_ref().map_or(
            Value::Null,
            |(number, url)| json!({"conference_number": number, "conference_url": url}),
        )
    }
}

/// What an event is about, and who may be told of it.
struct Told {
    event_type: &'static str,
    resource_type: &'static str,
    resource_id: String,
    service_id: String,
    team_ids: Vec<String>,
}

/// What surrounds the data of each event.
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    event_type: &'a str,
    resource_type: &'a str,
    occurred_at: String,
    agent: Option<Ref<'a>>,
    client: Option<&'a Value>,
    data: Box<RawValue>,
}

/// The incident as webhooks show it.
struct IncidentData<'a> {
    world: &'a World,
    at: usize,
}

impl Serialize for IncidentData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { world, at } = *self;
        let (incident, options) = (world.incident(at), &world.options);
        let id = &incident.id;
        let assignees: Vec<_> = incident
            .assignments
            .iter()
            .map(|(user, _)| world.user_ref(user))
            .collect();
        let reason = incident.merged_into.map(|target| {
            json!({"type": "merge_resolve_reason", "incident": world.incident_event_ref(target, true)})
        });
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("type", "incident")?;
        map.serialize_entry("self", &format_args!("{}/incidents/{id}", options.base_url))?;
        map.serialize_entry(
            "html_url",
            &format_args!("{}/incidents/{id}", options.web_url),
        )?;
        map.serialize_entry("number", &incident.number)?;
        map.serialize_entry("status", incident.status.name())?;
        map.serialize_entry("incident_key", &incident.event_key)?;
        map.serialize_entry("created_at", &seconds(incident.created_at))?;
        map.serialize_entry("title", &incident.title)?;
        map.serialize_entry("incident_type", &Root("name", &incident.kind))?;
        map.serialize_entry("service", &world.service_ref(&incident.service))?;
        map.serialize_entry("assignees", &assignees)?;
        map.serialize_entry("escalation_policy", &world.policy_ref(&incident.policy))?;
        map.serialize_entry("teams", &world.team_refs(&incident.policy))?;
        map.serialize_entry(
            "priority",
            &world.priority_ref(incident.priority.as_deref()),
        )?;
        map.serialize_entry("urgency", incident.urgency())?;
        map.serialize_entry("conference_bridge", &world.conference_value(at))?;
        map.serialize_entry("resolve_reason", &reason)?;
        if let Some(reopened_at) = incident.reopened_at {
            map.serialize_entry("reopened_at", &seconds(reopened_at))?;
        }
        map.end()
    }
}

/// A text as webhooks carry it, and whether it was cut.
pub(crate) fn trimmed(text: &str) -> (String, bool) {
    match text.char_indices().nth(TRIMMED_CHARS) {
        Some((end, _)) => (text.get(..end).unwrap_or_default().to_owned(), true),
        None => (text.to_owned(), false),
    }
}
