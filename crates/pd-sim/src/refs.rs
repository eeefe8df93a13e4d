//! References and instants as PagerDuty writes them.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::shelf::Shelf;
use crate::state::{Agent, Priority, World};

const SECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
const MILLISECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// `2026-03-10T08:20:00Z`, as REST shows an instant.
pub(crate) fn seconds(at: Timestamp) -> String {
    SECONDS.timestamp_to_string(&at)
}

/// `2026-03-10T08:20:00.123Z`, as webhooks show an instant.
pub(crate) fn milliseconds(at: Timestamp) -> String {
    MILLISECONDS.timestamp_to_string(&at)
}

/// `2026-03-10T09:20:00+01:00`, as schedules show an instant.
pub(crate) fn local(at: Timestamp, zone: &jiff::tz::TimeZone) -> String {
    let zoned = at.to_zoned(zone.clone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// What a reference says in words.
#[derive(Debug, Clone, Copy)]
enum Words<'a> {
    Nothing,
    Name(&'a str),
    /// REST puts an incident's number before its title.
    Numbered(u64, &'a str),
}

/// A reference; written without a detour over [`Value`], as most of each answer is references.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ref<'a> {
    world: &'a World,
    id: &'a str,
    kind: &'static str,
    words: Words<'a>,
    path: &'static str,
    page: &'static str,
}

impl<'a> Ref<'a> {
    /// The name alone.
    pub(crate) fn name(&self) -> Option<&'a str> {
        match self.words {
            Words::Name(name) => Some(name),
            Words::Nothing | Words::Numbered(..) => None,
        }
    }

    /// The reference as a value, to be kept or changed.
    pub(crate) fn value(&self) -> Value {
        json!(self)
    }
}

impl Serialize for Ref<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = &self.world.options;
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("type", self.kind)?;
        match self.words {
            Words::Nothing => map.serialize_entry("summary", &())?,
            Words::Name(name) => map.serialize_entry("summary", name)?,
            Words::Numbered(number, title) => {
                map.serialize_entry("summary", &format_args!("[#{number}] {title}"))?;
            }
        }
        let (path, page, id) = (self.path, self.page, self.id);
        map.serialize_entry("self", &format_args!("{}/{path}/{id}", options.base_url))?;
        map.serialize_entry("html_url", &format_args!("{}/{page}/{id}", options.web_url))?;
        map.end()
    }
}

/// A reference, or the whole object where `include[]` asks for it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Shown<'a> {
    Ref(Ref<'a>),
    Whole(Value),
}

/// One key around a body, as each single answer has it.
#[derive(Debug)]
pub(crate) struct Root<'a, T>(pub(crate) &'a str, pub(crate) T);

impl<T: Serialize> Serialize for Root<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, &self.1)?;
        map.end()
    }
}

impl World {
    fn reference<'a>(
        &'a self,
        id: &'a str,
        kind: &'static str,
        name: Option<&'a String>,
        (path, page): (&'static str, &'static str),
    ) -> Ref<'a> {
        let name = name.or_else(|| self.gone.get(id));
        let words = name.map_or(Words::Nothing, |name| Words::Name(name));
        Ref {
            world: self,
            id,
            kind,
            words,
            path,
            page,
        }
    }

    pub(crate) fn user_ref<'a>(&'a self, id: &'a str) -> Ref<'a> {
        let name = self.users.get(id).map(|user| &user.name);
        self.reference(id, "user_reference", name, ("users", "users"))
    }

    pub(crate) fn service_ref<'a>(&'a self, id: &'a str) -> Ref<'a> {
        let name = self.services.get(id).map(|service| &service.name);
        self.reference(
            id,
            "service_reference",
            name,
            ("services", "service-directory"),
        )
    }

    pub(crate) fn policy_ref<'a>(&'a self, id: &'a str) -> Ref<'a> {
        let name = self.policies.get(id).map(|policy| &policy.name);
        let places = ("escalation_policies", "escalation_policies");
        self.reference(id, "escalation_policy_reference", name, places)
    }

    pub(crate) fn team_ref<'a>(&'a self, id: &'a str) -> Ref<'a> {
        let name = self.teams.get(id).map(|team| &team.name);
        self.reference(id, "team_reference", name, ("teams", "teams"))
    }

    /// By layers, or by shifts.
    pub(crate) fn schedule_ref<'a>(&'a self, id: &'a str) -> Ref<'a> {
        if let Some(kept) = self.shelves.of(Shelf::SchedulesV3).get(id) {
            let words = Words::Name(kept.text("name"));
            let places = ("v3/schedules", "schedules");
            let plain = self.reference(id, "schedule_v3_reference", None, places);
            return Ref { words, ..plain };
        }
        let name = self.schedules.get(id).map(|schedule| &schedule.name);
        self.reference(id, "schedule_reference", name, ("schedules", "schedules"))
    }

    /// The teams of whoever uses this policy.
    pub(crate) fn team_refs(&self, policy: &str) -> Vec<Ref<'_>> {
        self.team_of_policy(policy)
            .map(|team| self.team_ref(&team.id))
            .into_iter()
            .collect()
    }

    /// REST puts the number into the summary.
    pub(crate) fn incident_ref(&self, at: usize) -> Ref<'_> {
        let incident = self.incident(at);
        let words = Words::Numbered(incident.number, &incident.title);
        Ref {
            words,
            ..self.incident_event_ref(at, false)
        }
    }

    /// Webhooks show the bare title.
    pub(crate) fn incident_event_ref(&self, at: usize, with_summary: bool) -> Ref<'_> {
        let incident = self.incident(at);
        let name = with_summary.then_some(&incident.title);
        self.reference(
            &incident.id,
            "incident_reference",
            name,
            ("incidents", "incidents"),
        )
    }

    pub(crate) fn priority_object(&self, priority: &Priority) -> Value {
        let own = json!({
            "id": priority.id,
            "type": "priority",
            "summary": priority.name,
            "self": format!("{}/priorities/{}", self.options.base_url, priority.id),
            "html_url": null,
            "name": priority.name,
            "description": priority.description,
        });
        crate::rest::with_given(own, &priority.given)
    }

    /// The priority of this id as REST shows it, null without one.
    pub(crate) fn priority_value(&self, id: Option<&str>) -> Value {
        let found = id.and_then(|id| self.priorities.get(id));
        found.map_or(Value::Null, |priority| self.priority_object(priority))
    }

    /// The priority of this id as webhooks show it.
    pub(crate) fn priority_ref(&self, id: Option<&str>) -> Value {
        let Some(priority) = id.and_then(|id| self.priorities.get(id)) else {
            return Value::Null;
        };
        json!({
            "id": priority.id,
            "type": "priority_reference",
            "summary": priority.name,
            "self": format!("{}/priorities/{}", self.options.base_url, priority.id),
            "html_url": format!("{}/account/incident_priorities", self.options.web_url),
        })
    }

    /// Log entries blame the service for what happened by itself.
    pub(crate) fn agent_ref<'a>(&'a self, agent: &'a Agent) -> Ref<'a> {
        match agent {
            Agent::User(id) => self.user_ref(id),
            Agent::Service(id) | Agent::Automatic(id) => self.service_ref(id),
        }
    }

    /// Webhooks name nobody for what happened by itself.
    pub(crate) fn event_agent<'a>(&'a self, agent: &'a Agent) -> Option<Ref<'a>> {
        match agent {
            Agent::User(_) | Agent::Service(_) => Some(self.agent_ref(agent)),
            Agent::Automatic(_) => None,
        }
    }

    /// The name to put into a summary.
    pub(crate) fn agent_name(&self, agent: &Agent) -> String {
        let found = match agent {
            Agent::User(id) => self.users.get(id).map(|user| user.name.clone()),
            Agent::Service(id) | Agent::Automatic(id) => {
                self.services.get(id).map(|service| service.name.clone())
            }
        };
        let found = found.or_else(|| self.gone.get(agent.id()).cloned());
        found.unwrap_or_default()
    }
}
