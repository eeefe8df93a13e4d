//! Asking more people for help.

use serde_json::{Map, Value, json};

use crate::refs::seconds;
use crate::state::{Actor, World};

impl World {
    /// Asks a user, or the first level of a policy, to help; returns them as REST shows them.
    pub(crate) fn add_responder(
        &mut self,
        at: usize,
        id: &str,
        kind: &str,
        message: &str,
        actor: &Actor,
    ) -> Vec<Value> {
        let by_policy = kind == "escalation_policy_reference";
        let users = if by_policy {
            self.on_call(&self.snapshot(id)).unwrap_or_default()
        } else {
            vec![id.to_owned()]
        };
        let policy = if by_policy {
            self.policy_ref(id).value()
        } else {
            Value::Null
        };
        let mut shown = Vec::new();
        for user in users {
            let reference = self.user_ref(&user).value();
            let summary = format!("Help requested by {}.", self.agent_name(&actor.agent));
            let channel = json!({"type": actor.channel, "summary": message});
            let mut extra = Map::new();
            extra.insert("assignees".to_owned(), json!([reference]));
            self.record_with(at, "responder_request", summary, actor, channel, extra);
            let data = json!({
                "incident": self.incident_event_ref(at, true),
                "user": reference,
                "escalation_policy": policy,
                "message": message,
                "state": "pending",
                "type": "incident_responder",
            });
            self.publish_data(at, "incident.responder.added", actor, &data);
            shown.push(json!({
                "state": "pending",
                "user": reference,
                "incident": self.incident_ref(at),
                "updated_at": seconds(self.now),
                "message": message,
                "requester": self.agent_ref(&actor.agent),
                "requested_at": seconds(self.now),
            }));
        }
        shown
    }
}
