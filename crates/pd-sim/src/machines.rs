//! What monitoring does: it triggers incidents, and tells when a trouble is over.
//!
//! The same comes by the Events API (`events`), where the sender learns nothing of the incident.

use jiff::Timestamp;
use serde_json::json;

use crate::Sim;
use crate::lifecycle::{NewAlert, NewIncident, high_severity};
use crate::state::{Actor, Agent};

/// What monitoring says of a trouble.
#[derive(Debug, Clone, Copy)]
pub struct Trouble<'a> {
    /// The service's id.
    pub service: &'a str,
    /// What is wrong.
    pub title: &'a str,
    /// `critical`, `error`, `warning` or `info`: the urgency, where the service goes by it.
    pub severity: &'a str,
    /// The id of the priority that an orchestration of events gives the incident.
    pub priority: Option<&'a str>,
}

impl Sim {
    /// A machine triggers an incident on a service; returns its id unless PagerDuty made none.
    pub fn trigger(&mut self, service: &str, title: &str, now: Timestamp) -> Option<String> {
        let trouble = Trouble {
            service,
            title,
            severity: "critical",
            priority: None,
        };
        self.alert(trouble, now)
    }

    /// A machine triggers an incident, and says how bad it is; returns its id unless PagerDuty
    /// made none.
    pub fn alert(&mut self, trouble: Trouble<'_>, now: Timestamp) -> Option<String> {
        self.world.run_until(now);
        let Trouble { service, title, .. } = trouble;
        let row = self.world.services.get(service)?;
        let by_severity = self.world.urgency_now(row) == "severity_based";
        let integration = self
            .world
            .integrations
            .iter()
            .find(|integration| integration.service == service);
        let (integration, service_key) = integration
            .map(|row| (row.id.clone(), row.key.clone()))
            .unwrap_or_default();
        let key = self.world.ids.key32();
        let alert = NewAlert {
            key: key.clone(),
            summary: title.to_owned(),
            severity: trouble.severity.to_owned(),
            integration,
            details: json!({}),
            contexts: json!([]),
        };
        let new = NewIncident {
            service: service.to_owned(),
            title: title.to_owned(),
            high_urgency: by_severity.then(|| high_severity(trouble.severity)),
            priority: trouble.priority.map(str::to_owned),
            alert: Some(alert),
            ..NewIncident::default()
        };
        let channel = json!({
            "type": "api",
            "summary": title,
            "service_key": service_key,
            "description": title,
            "incident_key": key,
            "details": {},
            "client": "Monitoring",
            "client_url": null,
            "details_omitted": false,
        });
        let made = self.world.trigger(new, &monitoring(service), channel);
        let at = made.ok()?;
        Some(self.world.incident(at).id.clone())
    }

    /// The trouble behind an incident is over: its alerts end, and the last one ends the incident.
    pub fn calm(&mut self, incident: &str, now: Timestamp) -> Result<(), String> {
        self.world.run_until(now);
        let found = self.world.find(incident);
        let at = found.ok_or_else(|| format!("there is no incident {incident}"))?;
        let row = self.world.incident(at);
        let actor = monitoring(&row.service);
        let alerts = row.alerts.iter().enumerate();
        let open = alerts.filter(|(_, alert)| !alert.resolved);
        let open: Vec<usize> = open.map(|(index, _)| index).collect();
        for alert in open {
            self.world.resolve_alert(at, alert, &actor);
        }
        Ok(())
    }
}

fn monitoring(service: &str) -> Actor {
    Actor {
        agent: Agent::Service(service.to_owned()),
        channel: "api",
        client: Some(json!({"name": "Monitoring"})),
    }
}
