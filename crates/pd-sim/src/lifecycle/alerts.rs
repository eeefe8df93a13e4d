//! Alerts of an incident, and what events do to them.

use serde_json::{Map, Value, json};

use super::NewAlert;
use crate::state::{Actor, World};

/// PagerDuty logs no more triggers than this on one incident.
const TRIGGERS_MAX: u32 = 100;
const SEVERITIES: [&str; 4] = ["info", "warning", "error", "critical"];

impl World {
    /// One more trigger for an open alert: logged, and the severity may rise.
    pub(crate) fn trigger_again(
        &mut self,
        at: usize,
        new: &NewAlert,
        actor: &Actor,
        channel: Value,
    ) {
        let triggers = self.incident(at).triggers;
        if triggers < TRIGGERS_MAX {
            self.record_trigger(at, actor, channel);
        } else if triggers == TRIGGERS_MAX {
            self.incident_mut(at).triggers += 1;
            self.record(
                at,
                "reach_trigger_limit",
                "Trigger limit reached.".to_owned(),
                actor,
            );
        }
        let rank = |severity: &str| SEVERITIES.iter().position(|known| *known == severity);
        let incident = self.incident_mut(at);
        let service = incident.service.clone();
        if let Some(alert) = incident
            .alerts
            .iter_mut()
            .find(|alert| !alert.resolved && alert.key == new.key)
            && rank(&new.severity) > rank(&alert.severity)
        {
            alert.severity.clone_from(&new.severity);
        }
        let by_severity = self
            .services
            .get(&service)
            .is_some_and(|service| self.urgency_now(service) == "severity_based");
        if by_severity && high_severity(&new.severity) {
            self.set_urgency(at, true, actor);
        }
    }

    /// Ends one alert; the last one ends the incident.
    pub(crate) fn resolve_alert(&mut self, at: usize, alert: usize, actor: &Actor) {
        let incident = self.incident_mut(at);
        let Some(alert) = incident.alerts.get_mut(alert) else {
            return;
        };
        alert.resolved = true;
        let key = (alert.integration.clone(), alert.key.clone());
        let last = incident.alerts.iter().all(|alert| alert.resolved);
        if self.open_alerts.get(&key) == Some(&at) {
            self.open_alerts.remove(&key);
        }
        self.touch(at);
        if last && self.incident(at).is_open() {
            self.resolve(at, None, actor);
        }
    }

    /// Gives an alert to another open incident; one that is left with none but resolved alerts ends.
    pub(crate) fn move_alert(&mut self, from: usize, alert: usize, to: usize, actor: &Actor) {
        let incident = self.incident_mut(from);
        if alert >= incident.alerts.len() {
            return;
        }
        let moved = incident.alerts.remove(alert);
        let summary = format!("Alert moved by {}.", self.agent_name(&actor.agent));
        self.record(from, "unlink", summary.clone(), actor);
        self.record(to, "link", summary, actor);
        self.by_key.entry(moved.key.clone()).or_default().push(to);
        self.incident_mut(to).alerts.push(moved);
        self.index_keys(to);
        self.touch(from);
        self.touch(to);
        let left = &self.incident(from).alerts;
        if self.incident(from).is_open() && left.iter().all(|alert| alert.resolved) {
            self.resolve(from, None, actor);
        }
    }

    /// Opens a resolved alert of an open incident again.
    pub(crate) fn reopen_alert(&mut self, at: usize, alert: usize) {
        if let Some(alert) = self.incident_mut(at).alerts.get_mut(alert) {
            alert.resolved = false;
        }
        self.index_keys(at);
        self.touch(at);
    }

    /// Sets custom field values and tells which changed, each with its old value.
    pub(crate) fn set_fields(&mut self, at: usize, values: Vec<(String, Value)>, actor: &Actor) {
        let before = self.incident(at).fields.clone();
        let old = |id: &str| {
            before
                .iter()
                .find(|(known, _)| known == id)
                .map_or(Value::Null, |(_, value)| value.clone())
        };
        let changed: Vec<(String, Value)> = values
            .into_iter()
            .filter(|(id, value)| old(id) != *value)
            .collect();
        if changed.is_empty() {
            return;
        }
        let listed: Vec<Value> = changed.iter().map(|(id, value)| {
            let name = self.fields.get(id).map(|field| field.name.as_str());
            json!({"id": id, "name": name, "value": value, "namespace": "incidents", "old_value": old(id)})
        }).collect();
        let previous: Vec<Value> = changed
            .iter()
            .map(|(id, _)| self.field_event_value(id, &old(id)))
            .collect();
        let fields = &mut self.incident_mut(at).fields;
        for (id, value) in changed {
            fields.retain(|(known, _)| *known != id);
            fields.push((id, value));
        }
        self.touch(at);
        let channel = json!({"type": actor.channel, "changeset": {"customer_fields": listed}});
        let summary = "Custom field values changed.".to_owned();
        self.record_with(
            at,
            "custom_field_value_change",
            summary,
            actor,
            channel,
            Map::new(),
        );
        let now: Vec<Value> = self
            .fields_of(at)
            .into_iter()
            .map(|field| {
                let set = self
                    .incident(at)
                    .fields
                    .iter()
                    .find(|(id, _)| *id == field.id);
                self.field_event_value(&field.id, set.map_or(&Value::Null, |(_, value)| value))
            })
            .collect();
        let data = json!({
            "incident": self.incident_event_ref(at, false),
            "custom_fields": now,
            "changed_custom_fields": previous,
            "type": "incident_field_values",
        });
        self.publish_data(at, "incident.custom_field_values.updated", actor, &data);
    }

    fn field_event_value(&self, id: &str, value: &Value) -> Value {
        let field = self.fields.get(id);
        json!({
            "id": id,
            "name": field.map(|field| &field.name),
            "data_type": field.map(|field| &field.data_type),
            "field_type": field.map(|field| &field.field_type),
            "namespace": "incidents",
            "type": "field_value",
            "value": value,
        })
    }
}

/// Whether a severity makes an incident of a severity-based service urgent.
pub(crate) fn high_severity(severity: &str) -> bool {
    !matches!(severity, "warning" | "info")
}
