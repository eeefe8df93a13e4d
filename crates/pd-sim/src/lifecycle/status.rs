//! Triggered, acknowledged, resolved, and the ways between them.

use serde_json::{Map, Value, json};

use crate::state::{Actor, Agent, ResponderState, Status, World};
use crate::timers::Timer;

impl World {
    fn set_status(&mut self, at: usize, status: Status, actor: &Actor) {
        let now = self.now;
        let incident = self.incident_mut(at);
        incident.status = status;
        incident.status_changed_at = now;
        incident.status_changed_by = actor.agent.clone();
        incident.updated_at = now;
    }

    /// Enters the incident into the indexes of open ones.
    pub(crate) fn mark_open(&mut self, at: usize) {
        self.open.insert(at);
        self.index_keys(at);
        let service = self.incident(at).service.clone();
        if let Some(service) = self.services.get_mut(&service) {
            service.open.insert(at);
        }
    }

    /// Lets the keys of an open incident and of its open alerts be found.
    pub(crate) fn index_keys(&mut self, at: usize) {
        let incident = self.incident(at);
        let own = incident
            .key
            .clone()
            .map(|key| (incident.service.clone(), key));
        let open = incident.alerts.iter().filter(|alert| !alert.resolved);
        let alerts: Vec<_> = open
            .map(|alert| (alert.integration.clone(), alert.key.clone()))
            .collect();
        self.open_keys.extend(own.map(|key| (key, at)));
        self.open_alerts
            .extend(alerts.into_iter().map(|key| (key, at)));
    }

    /// Takes the incident out of the indexes of open ones; its keys are free again.
    pub(crate) fn mark_closed(&mut self, at: usize) {
        self.open.remove(&at);
        let incident = self.incident(at);
        let service = incident.service.clone();
        let own = incident.key.clone().map(|key| (service.clone(), key));
        let alerts = incident
            .alerts
            .iter()
            .map(|alert| (alert.integration.clone(), alert.key.clone()));
        let alerts: Vec<_> = alerts.collect();
        if let Some(service) = self.services.get_mut(&service) {
            service.open.remove(&at);
        }
        if let Some(key) = own.filter(|key| self.open_keys.get(key) == Some(&at)) {
            self.open_keys.remove(&key);
        }
        for key in alerts {
            if self.open_alerts.get(&key) == Some(&at) {
                self.open_alerts.remove(&key);
            }
        }
    }

    /// Somebody takes the incident. A second press by the same person changes nothing
    /// except that it ends a snooze.
    pub(crate) fn acknowledge(&mut self, at: usize, actor: &Actor) {
        let user = actor.agent.id().to_owned();
        let again = self
            .incident(at)
            .acknowledgements
            .iter()
            .any(|(known, _)| *known == user);
        let snoozed = self.end_snooze(at);
        if again && !snoozed {
            return;
        }
        self.drop_timers(at, |timer| {
            matches!(
                timer,
                Timer::Notify { .. } | Timer::Escalate | Timer::AcknowledgementEnds
            )
        });
        let now = self.now;
        if !again {
            self.incident_mut(at).acknowledgements.push((user, now));
        }
        self.set_status(at, Status::Acknowledged, actor);
        let timeout = self.set_acknowledgement_timer(at);
        let summary = format!("Acknowledged by {}.", self.agent_name(&actor.agent));
        let mut extra = Map::new();
        extra.insert("acknowledgement_timeout".to_owned(), json!(timeout));
        self.record_with(
            at,
            "acknowledge",
            summary,
            actor,
            json!({"type": actor.channel}),
            extra,
        );
        self.publish(at, "incident.acknowledged", actor);
        if let Agent::User(user) = &actor.agent {
            // Who takes it has answered the call for help.
            self.reply(at, user, ResponderState::Joined);
        }
    }

    /// Somebody takes the incident; a resolved one is opened again for them first.
    pub(crate) fn acknowledge_or_reopen(&mut self, at: usize, actor: &Actor) {
        if let (false, Agent::User(user)) = (self.incident(at).is_open(), &actor.agent) {
            self.reopen(at, None, Some(vec![user.clone()]), actor);
        }
        self.acknowledge(at, actor);
    }

    pub(crate) fn set_acknowledgement_timer(&mut self, at: usize) -> Option<i64> {
        let service = self.services.get(&self.incident(at).service);
        let timeout = service.and_then(|service| service.acknowledgement_timeout_s);
        if let Some(seconds) = timeout {
            self.drop_timers(at, |timer| *timer == Timer::AcknowledgementEnds);
            self.set_timer(at, Timer::AcknowledgementEnds, seconds);
        }
        timeout
    }

    /// Back to triggered: by hand, by time-out or at the end of a snooze.
    pub(crate) fn unacknowledge(&mut self, at: usize, actor: &Actor) {
        if self.incident(at).status != Status::Acknowledged {
            return;
        }
        self.end_snooze(at);
        self.drop_timers(at, |timer| *timer == Timer::AcknowledgementEnds);
        self.incident_mut(at).acknowledgements.clear();
        self.set_status(at, Status::Triggered, actor);
        let summary = match &actor.agent {
            Agent::User(_) => format!("Unacknowledged by {}.", self.agent_name(&actor.agent)),
            Agent::Service(_) | Agent::Automatic(_) => "Unacknowledged due to timeout.".to_owned(),
        };
        self.record(at, "unacknowledge", summary, actor);
        self.call_people(at);
        self.set_escalation(at);
        self.publish(at, "incident.unacknowledged", actor);
    }

    /// Closes the incident with all its alerts.
    pub(crate) fn resolve(&mut self, at: usize, resolution: Option<&str>, actor: &Actor) {
        self.close(at, actor);
        let summary = match &actor.agent {
            Agent::User(_) => format!("Resolved by {}.", self.agent_name(&actor.agent)),
            Agent::Service(_) => "Resolved through the API.".to_owned(),
            Agent::Automatic(_) => "Resolved due to timeout.".to_owned(),
        };
        let mut extra = Map::new();
        if let Some(text) = resolution {
            extra.insert("note".to_owned(), Value::String(text.to_owned()));
        }
        self.record_with(
            at,
            "resolve",
            summary,
            actor,
            json!({"type": actor.channel}),
            extra,
        );
        self.publish(at, "incident.resolved", actor);
    }

    fn close(&mut self, at: usize, actor: &Actor) {
        self.mark_closed(at);
        self.drop_timers(at, |_| true);
        self.set_status(at, Status::Resolved, actor);
        let now = self.now;
        let incident = self.incident_mut(at);
        incident.assignments.clear();
        incident.acknowledgements.clear();
        incident.resolved_at = Some(now);
        for alert in &mut incident.alerts {
            alert.resolved = true;
        }
    }

    /// Opens a resolved incident again: on its policy, on another one, or for one person.
    pub(crate) fn reopen(
        &mut self,
        at: usize,
        policy: Option<&str>,
        users: Option<Vec<String>>,
        actor: &Actor,
    ) {
        let now = self.now;
        let incident = self.incident_mut(at);
        incident.resolved_at = None;
        incident.merged_into = None;
        incident.reopened_at = Some(now);
        let policy = policy.map_or_else(|| incident.policy.clone(), str::to_owned);
        self.set_status(at, Status::Triggered, actor);
        self.mark_open(at);
        self.take_policy(at, &policy);
        self.incident_mut(at).direct = users.is_some();
        let users = users
            .or_else(|| self.on_call(&self.incident(at).path))
            .unwrap_or_default();
        self.set_assignees(at, users);
        let summary = format!("Reopened by {}.", self.agent_name(&actor.agent));
        self.record(at, "reopen", summary, actor);
        self.record_assignees(at, "assign", None, actor);
        self.restart_auto_resolve(at);
        self.call_people(at);
        self.set_escalation(at);
        self.publish(at, "incident.reopened", actor);
    }
}
