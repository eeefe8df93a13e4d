//! Asking more people for help, and what they answer.
//!
//! A reply writes a `responder_reply` entry: PagerDuty does not publish the type of its own.

use serde_json::{Map, Value, json};

use crate::refs::seconds;
use crate::state::{Actor, Agent, Responder, ResponderState, World};
use crate::timers::Timer;

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
        let mut shown = Vec::new();
        for user in users {
            let reference = self.user_ref(&user).value();
            let summary = format!("Help requested by {}.", self.agent_name(&actor.agent));
            let channel = json!({"type": actor.channel, "summary": message});
            let mut extra = Map::new();
            extra.insert("assignees".to_owned(), json!([reference]));
            self.record_with(at, "responder_request", summary, actor, channel, extra);
            let responder = Responder {
                user,
                policy: by_policy.then(|| id.to_owned()),
                message: message.to_owned(),
                requester: actor.agent.id().to_owned(),
                requested_at: self.now,
                updated_at: self.now,
                state: ResponderState::Pending,
            };
            self.call_responder(at, &responder.user);
            let responders = &mut self.incident_mut(at).responders;
            responders.retain(|known| known.user != responder.user);
            responders.push(responder.clone());
            self.publish_responder(at, "incident.responder.added", &responder, actor);
            shown.push(self.responder_value(at, &responder));
        }
        self.touch(at);
        shown
    }

    /// Who is asked for help is told by the rules for high urgency, whatever the incident's is.
    fn call_responder(&mut self, at: usize, user: &str) {
        let person = self.users.get(user).into_iter();
        let plan: Vec<_> = person.flat_map(|person| person.plan("high")).collect();
        for (means, delay_min) in plan {
            let user = user.to_owned();
            self.set_timer(at, Timer::Notify { user, means }, delay_min * 60);
        }
    }

    /// Records what a responder said; `false`: nobody waits for that.
    pub(crate) fn reply(&mut self, at: usize, user: &str, to: ResponderState) -> bool {
        let now = self.now;
        let mut waiting = self.incident_mut(at).responders.iter_mut();
        let waits = |one: &&mut Responder| one.user == user && one.state == ResponderState::Pending;
        let Some(responder) = waiting.find(waits) else {
            return false;
        };
        responder.state = to;
        responder.updated_at = now;
        let responder = responder.clone();
        self.drop_timers(
            at,
            |timer| matches!(timer, Timer::Notify { user: called, .. } if called == user),
        );
        let channel = match self.users.get(user) {
            Some(person) if person.mobile => "mobile",
            Some(_) | None => "website",
        };
        let actor = Actor::person(user, channel);
        let name = self.agent_name(&Agent::User(user.to_owned()));
        let word = match to {
            ResponderState::Joined => "accepted",
            ResponderState::Declined => "declined",
            ResponderState::Pending | ResponderState::Cancelled => "left",
        };
        let summary = format!("{name} {word} the request for help.");
        let said = json!({"type": channel, "summary": word});
        self.record_with(at, "responder_reply", summary, &actor, said, Map::new());
        self.publish_responder(at, "incident.responder.replied", &responder, &actor);
        self.touch(at);
        true
    }

    /// Takes requests back that nobody answered; says what each user's request is now.
    pub(crate) fn cancel_requests(&mut self, at: usize, users: &[String]) -> Vec<&'static str> {
        let now = self.now;
        let responders = &mut self.incident_mut(at).responders;
        users
            .iter()
            .map(|user| {
                let found = responders.iter_mut().find(|one| one.user == *user);
                let Some(responder) = found else {
                    return "not_found";
                };
                match responder.state {
                    ResponderState::Pending => {
                        responder.state = ResponderState::Cancelled;
                        responder.updated_at = now;
                        "cancelled"
                    }
                    ResponderState::Joined => "joined",
                    ResponderState::Declined => "declined",
                    ResponderState::Cancelled => "not_found",
                }
            })
            .collect()
    }

    /// A responder as REST shows it.
    pub(crate) fn responder_value(&self, at: usize, responder: &Responder) -> Value {
        json!({
            "state": responder.state.name(),
            "user": self.user_ref(&responder.user),
            "incident": self.incident_ref(at),
            "updated_at": seconds(responder.updated_at),
            "message": responder.message,
            "requester": self.user_ref(&responder.requester),
            "requested_at": seconds(responder.requested_at),
        })
    }

    fn publish_responder(&mut self, at: usize, event: &'static str, of: &Responder, by: &Actor) {
        let policy = of.policy.as_deref().map(|id| self.policy_ref(id).value());
        let data = json!({
            "incident": self.incident_event_ref(at, true),
            "user": self.user_ref(&of.user),
            "escalation_policy": policy,
            "message": of.message,
            "state": of.state.name(),
            "type": "incident_responder",
        });
        self.publish_data(at, event, by, &data);
    }
}
