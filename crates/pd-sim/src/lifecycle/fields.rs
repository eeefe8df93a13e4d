//! Changes that leave the status alone: title, priority, urgency, service, notes and more.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::record::trimmed;
use crate::refs::seconds;
use crate::state::{Actor, Note, Status, World};
use crate::timers::Timer;

impl World {
    /// PagerDuty tells nobody of a new title: no log entry, no event.
    pub(crate) fn rename(&mut self, at: usize, title: &str) {
        if self.incident(at).title != title {
            title.clone_into(&mut self.incident_mut(at).title);
            self.touch(at);
        }
    }

    /// Sets or clears the priority.
    pub(crate) fn set_priority(&mut self, at: usize, priority: Option<String>, actor: &Actor) {
        let old = self.incident(at).priority.clone();
        if old == priority {
            return;
        }
        let name = |world: &Self, id: &Option<String>| {
            let found = id.as_deref().and_then(|id| world.priorities.get(id));
            found.map_or_else(|| "None".to_owned(), |priority| priority.name.clone())
        };
        let summary = format!(
            "Priority changed from \"{}\" to \"{}\".",
            name(self, &old),
            name(self, &priority)
        );
        let channel = json!({
            "type": actor.channel,
            "old_priority": self.priority_value(old.as_deref()),
            "new_priority": self.priority_value(priority.as_deref()),
        });
        self.incident_mut(at).priority = priority;
        self.touch(at);
        self.record_with(at, "priority_change", summary, actor, channel, Map::new());
        self.publish(at, "incident.priority_updated", actor);
    }

    /// Sets the urgency. Raising it takes an acknowledgement back.
    pub(crate) fn set_urgency(&mut self, at: usize, high: bool, actor: &Actor) {
        if self.incident(at).high_urgency == high {
            return;
        }
        self.incident_mut(at).high_urgency = high;
        self.touch(at);
        let word = self.incident(at).urgency();
        let summary = format!(
            "Urgency changed to {word} by {}.",
            self.agent_name(&actor.agent)
        );
        self.record(at, "urgency_change", summary, actor);
        if high && self.incident(at).status == Status::Acknowledged {
            self.unacknowledge(at, actor);
        } else if self.incident(at).is_open() {
            self.call_people(at);
            self.set_escalation(at);
        }
    }

    /// Moves the incident to another service; its policy stays.
    pub(crate) fn move_service(&mut self, at: usize, service: &str, actor: &Actor) {
        if self.incident(at).service == service {
            return;
        }
        let open = self.incident(at).is_open();
        if open {
            self.mark_closed(at);
        }
        service.clone_into(&mut self.incident_mut(at).service);
        if open {
            self.mark_open(at);
        }
        self.touch(at);
        self.publish(at, "incident.service_updated", actor);
    }

    /// Sets the incident type.
    pub(crate) fn set_incident_type(&mut self, at: usize, name: &str, actor: &Actor) {
        if self.incident(at).kind != name {
            name.clone_into(&mut self.incident_mut(at).kind);
            self.touch(at);
            self.publish(at, "incident.incident_type.changed", actor);
        }
    }

    /// Sets number and address of the conference.
    pub(crate) fn set_conference(
        &mut self,
        at: usize,
        bridge: (Option<String>, Option<String>),
        actor: &Actor,
    ) {
        if self.incident(at).conference.as_ref() == Some(&bridge) {
            return;
        }
        let (number, url) = bridge.clone();
        self.incident_mut(at).conference = Some(bridge);
        self.touch(at);
        let numbers: Vec<Value> = number
            .into_iter()
            .map(|number| json!({"label": "", "number": number}))
            .collect();
        let data = json!({
            "incident": self.incident_event_ref(at, true),
            "conference_numbers": numbers,
            "conference_url": url,
            "type": "incident_conference_bridge",
        });
        self.publish_data(at, "incident.conference_bridge.updated", actor, &data);
    }

    /// Adds a note and returns its position.
    pub(crate) fn add_note(
        &mut self,
        at: usize,
        content: &str,
        user: &str,
        actor: &Actor,
    ) -> usize {
        let id = self.ids.object('P');
        let note = Note {
            id: id.clone(),
            user: user.to_owned(),
            content: content.to_owned(),
            at: self.now,
            updated_at: None,
        };
        let notes = &mut self.incident_mut(at).notes;
        let position = notes.len();
        notes.push(note);
        let summary = format!("Note added by {}.", self.agent_name(&actor.agent));
        let channel = json!({"type": "note", "summary": content});
        self.record_with(at, "annotate", summary, actor, channel, Map::new());
        let (content, cut) = trimmed(content);
        let data = json!({
            "incident": self.incident_event_ref(at, true),
            "id": id,
            "content": content,
            "trimmed": cut,
            "type": "incident_note",
        });
        self.publish_data(at, "incident.annotated", actor, &data);
        position
    }

    /// Posts a status update and returns it as REST shows it.
    pub(crate) fn post_status_update(
        &mut self,
        at: usize,
        message: &str,
        user: &str,
        actor: &Actor,
    ) -> Value {
        let id = self.ids.object('P');
        let summary = format!("Status update posted by {}.", self.agent_name(&actor.agent));
        let channel = json!({"type": actor.channel, "summary": message});
        self.record_with(at, "status_update", summary, actor, channel, Map::new());
        let (text, cut) = trimmed(message);
        let data = json!({
            "incident": self.incident_event_ref(at, true),
            "id": id,
            "message": text,
            "trimmed": cut,
            "type": "incident_status_update",
        });
        self.publish_data(at, "incident.status_update_published", actor, &data);
        json!({
            "id": id,
            "message": message,
            "sender": self.user_ref(user),
            "created_at": seconds(self.now),
        })
    }

    /// What the incident will do by itself, soonest first.
    pub(crate) fn pending(&self, at: usize) -> Vec<(&'static str, Timestamp)> {
        let mut pending: Vec<_> = self.incident(at).timers.iter().collect();
        pending.sort_by_key(|(key, _)| *key);
        let name = |timer: &Timer| match timer {
            Timer::AcknowledgementEnds | Timer::SnoozeEnds => Some("unacknowledge"),
            Timer::AutoResolve => Some("resolve"),
            Timer::Escalate => Some("escalate"),
            Timer::Notify { .. } => None,
        };
        pending
            .into_iter()
            .filter_map(|((due, _), timer)| Some((name(timer)?, *due)))
            .collect()
    }

    /// The same as `pending_actions`.
    pub(crate) fn pending_actions(&self, at: usize) -> Vec<Value> {
        self.pending(at)
            .into_iter()
            .map(|(name, due)| json!({"type": name, "at": seconds(due)}))
            .collect()
    }
}
