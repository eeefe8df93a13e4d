//! Making an incident.

use serde_json::{Map, Value, json};

use crate::state::{Actor, Agent, Alert, Incident, Path, Status, World};
use crate::timers::Timer;

/// What is known when an incident starts.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewIncident {
    pub(crate) service: String,
    pub(crate) title: String,
    pub(crate) key: Option<String>,
    pub(crate) policy: Option<String>,
    pub(crate) assignee: Option<String>,
    pub(crate) high_urgency: Option<bool>,
    pub(crate) priority: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) incident_type: Option<String>,
    pub(crate) conference: Option<(Option<String>, Option<String>)>,
    pub(crate) alert: Option<NewAlert>,
}

/// The alert behind an incident that an event started.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewAlert {
    pub(crate) key: String,
    pub(crate) summary: String,
    pub(crate) severity: String,
    pub(crate) integration: String,
    pub(crate) details: Value,
    pub(crate) contexts: Value,
}

/// Why no incident was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    NobodyOnCall,
    ServiceDisabled,
    Maintenance,
}

impl Refusal {
    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::NobodyOnCall => "nobody is on call for it",
            Self::ServiceDisabled => "the service is disabled",
            Self::Maintenance => "the service is in maintenance",
        }
    }
}

impl World {
    /// Makes an incident, assigns it and starts its clocks.
    pub(crate) fn trigger(
        &mut self,
        new: NewIncident,
        actor: &Actor,
        channel: Value,
    ) -> Result<usize, Refusal> {
        let service = self
            .services
            .get(&new.service)
            .expect("the caller looked the service up");
        if service.disabled {
            return Err(Refusal::ServiceDisabled);
        }
        if self.in_maintenance(&new.service) {
            return Err(Refusal::Maintenance);
        }
        let policy = new.policy.clone().unwrap_or_else(|| service.policy.clone());
        let high_urgency = new
            .high_urgency
            .unwrap_or(self.urgency_now(service) != "low");
        let path = self.snapshot(&policy);
        let assignees = match &new.assignee {
            Some(user) => vec![user.clone()],
            None => self.on_call(&path).ok_or(Refusal::NobodyOnCall)?,
        };
        let direct = new.assignee.is_some();
        let at = self.insert_incident(new, policy, path, high_urgency, actor);
        self.record_trigger(at, actor, channel);
        self.incident_mut(at).direct = direct;
        self.start(at, assignees, actor);
        Ok(at)
    }

    fn in_maintenance(&self, service: &str) -> bool {
        let running = |start, end| start <= self.now && self.now < end;
        self.windows.iter().any(|window| {
            running(window.start, window.end) && window.services.iter().any(|id| id == service)
        })
    }

    fn insert_incident(
        &mut self,
        new: NewIncident,
        policy: String,
        path: Path,
        high_urgency: bool,
        actor: &Actor,
    ) -> usize {
        let at = self.incidents.len();
        let number = self.next_number;
        self.next_number += 1;
        self.by_number.insert(number, at);
        let has_alert = new.alert.is_some();
        let server_key = self.ids.key32();
        let event_key = if has_alert {
            server_key
        } else {
            new.key.clone().unwrap_or(server_key)
        };
        let id = self.ids.incident();
        self.by_id.insert(id.clone(), at);
        self.by_key.entry(event_key.clone()).or_default().push(at);
        self.incidents.push(Incident {
            id,
            number,
            title: new.title,
            created_at: self.now,
            updated_at: self.now,
            status: Status::Triggered,
            key: (!has_alert).then(|| event_key.clone()),
            event_key,
            service: new.service,
            policy,
            path,
            direct: false,
            assignments: Vec::new(),
            acknowledgements: Vec::new(),
            status_changed_at: self.now,
            status_changed_by: actor.agent.clone(),
            resolved_at: None,
            reopened_at: None,
            merged_into: None,
            high_urgency,
            priority: new.priority,
            kind: new
                .incident_type
                .unwrap_or_else(|| "incident_default".to_owned()),
            body: new.body,
            conference: new.conference,
            fields: Vec::new(),
            first_trigger: self.log.len(),
            triggers: 0,
            timers: Vec::new(),
            notes: Vec::new(),
            alerts: Vec::new(),
            responders: Vec::new(),
            log: Vec::new(),
            shown: Vec::new(),
        });
        self.mark_open(at);
        if let Some(alert) = new.alert {
            self.add_alert(at, alert);
        }
        at
    }

    /// Adds an alert to an open incident; its key finds the incident from now on.
    pub(crate) fn add_alert(&mut self, at: usize, new: NewAlert) {
        let id = self.ids.incident();
        let incident = self.incident(at);
        let service = incident.service.clone();
        let log_entry = self
            .log
            .get(incident.first_trigger)
            .map(|entry| entry.id.clone())
            .unwrap_or_default();
        self.by_key.entry(new.key.clone()).or_default().push(at);
        self.open_alerts
            .insert((new.integration.clone(), new.key.clone()), at);
        let now = self.now;
        let shown = &mut self.incident_mut(at).shown;
        shown.retain(|(name, _)| name != "alert_counts" && name != "alert_grouping");
        self.incident_mut(at).alerts.push(Alert {
            id,
            key: new.key,
            summary: new.summary,
            severity: new.severity,
            at: now,
            resolved: false,
            service,
            integration: new.integration,
            details: new.details,
            contexts: new.contexts,
            log_entry,
        });
    }

    /// Logs one trigger: the first, or one more event for an open incident.
    pub(crate) fn record_trigger(&mut self, at: usize, actor: &Actor, channel: Value) {
        let summary = match &actor.agent {
            Agent::User(_) => format!(
                "Triggered by {} through the website.",
                self.agent_name(&actor.agent)
            ),
            Agent::Service(_) | Agent::Automatic(_) => "Triggered through the API.".to_owned(),
        };
        let title = self.incident(at).title.clone();
        let mut extra = Map::new();
        extra.insert("event_details".to_owned(), json!({"description": title}));
        let entry = self.record_with(at, "trigger", summary, actor, channel, extra);
        let id = self
            .log
            .get(entry)
            .map(|entry| entry.id.clone())
            .unwrap_or_default();
        let incident = self.incident_mut(at);
        incident.triggers += 1;
        for alert in &mut incident.alerts {
            if alert.log_entry.is_empty() {
                alert.log_entry.clone_from(&id);
            }
        }
    }

    fn start(&mut self, at: usize, assignees: Vec<String>, actor: &Actor) {
        let service = self.incident(at).service.clone();
        let now = self.now;
        if let Some(service) = self.services.get_mut(&service) {
            service.last_incident_at = Some(now);
        }
        self.restart_auto_resolve(at);
        let own = matches!(&actor.agent, Agent::User(user) if self.incident(at).direct && assignees.contains(user));
        self.set_assignees(at, assignees);
        let by = Actor::automatic(&service, "auto");
        self.record_assignees(at, "assign", None, &by);
        if own {
            // Assigned to oneself: acknowledged at once, and nobody is called.
            self.publish(at, "incident.triggered", actor);
            self.acknowledge(at, actor);
            return;
        }
        self.call_people(at);
        self.set_escalation(at);
        self.publish(at, "incident.triggered", actor);
    }

    /// Lets auto-resolve count from now.
    pub(crate) fn restart_auto_resolve(&mut self, at: usize) {
        self.drop_timers(at, |timer| *timer == Timer::AutoResolve);
        let service = self.services.get(&self.incident(at).service);
        if let Some(seconds) = service.and_then(|service| service.auto_resolve_timeout_s) {
            self.set_timer(at, Timer::AutoResolve, seconds);
        }
    }
}
