//! What people do in PagerDuty's own pages and on their phones.
//!
//! Each act is the real thing: the agent is that user, the channel `website` or `mobile`, and
//! log entries and webhooks come as they would. An `Err` says in words why the page refuses.

use jiff::Timestamp;
use serde_json::json;

use crate::Sim;
use crate::lifecycle::NewIncident;
use crate::state::{Actor, ResponderState, Status};

type Done = Result<(), String>;

impl Sim {
    fn act(
        &mut self,
        user: &str,
        incident: &str,
        now: Timestamp,
    ) -> Result<(usize, Actor), String> {
        self.world.run_until(now);
        let person = self
            .world
            .users
            .get(user)
            .ok_or_else(|| format!("nobody is {user}"))?;
        let channel = if person.mobile { "mobile" } else { "website" };
        let at = self
            .world
            .find(incident)
            .ok_or_else(|| format!("there is no incident {incident}"))?;
        Ok((at, Actor::person(user, channel)))
    }

    fn act_on_open(
        &mut self,
        user: &str,
        incident: &str,
        now: Timestamp,
    ) -> Result<(usize, Actor), String> {
        let (at, actor) = self.act(user, incident, now)?;
        if self.world.incident(at).is_open() {
            Ok((at, actor))
        } else {
            Err("it is resolved".to_owned())
        }
    }

    /// Takes the incident.
    pub fn acknowledge(&mut self, user: &str, incident: &str, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        self.world.acknowledge(at, &actor);
        Ok(())
    }

    /// Gives an acknowledged incident back.
    pub fn unacknowledge(&mut self, user: &str, incident: &str, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        if self.world.incident(at).status != Status::Acknowledged {
            return Err("it is not acknowledged".to_owned());
        }
        self.world.unacknowledge(at, &actor);
        Ok(())
    }

    /// Resolves the incident.
    pub fn resolve(&mut self, user: &str, incident: &str, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        self.world.resolve(at, None, &actor);
        Ok(())
    }

    /// Opens a resolved incident again.
    pub fn reopen(&mut self, user: &str, incident: &str, now: Timestamp) -> Done {
        let (at, actor) = self.act(user, incident, now)?;
        if self.world.incident(at).is_open() {
            return Err("it is open".to_owned());
        }
        if !self.world.options.reopen_allowed {
            return Err("this account cannot reopen".to_owned());
        }
        self.world.reopen(at, None, None, &actor);
        Ok(())
    }

    /// Adds a note.
    pub fn note(&mut self, user: &str, incident: &str, content: &str, now: Timestamp) -> Done {
        let (at, actor) = self.act(user, incident, now)?;
        self.world.add_note(at, content, user, &actor);
        Ok(())
    }

    /// Changes the title.
    pub fn rename(&mut self, user: &str, incident: &str, title: &str, now: Timestamp) -> Done {
        let (at, _) = self.act(user, incident, now)?;
        self.world.rename(at, title);
        Ok(())
    }

    /// Gives the incident to `assignee`.
    pub fn reassign(&mut self, user: &str, incident: &str, assignee: &str, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        self.world
            .users
            .get(assignee)
            .ok_or_else(|| format!("nobody is {assignee}"))?;
        self.world.reassign(at, vec![assignee.to_owned()], &actor);
        Ok(())
    }

    /// Gives the incident to another escalation policy.
    pub fn delegate(&mut self, user: &str, incident: &str, policy: &str, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        self.world
            .policies
            .get(policy)
            .ok_or_else(|| format!("there is no policy {policy}"))?;
        self.world.delegate(at, policy, &actor);
        Ok(())
    }

    /// Moves the incident to a level of its policy; the first is 1.
    pub fn escalate(&mut self, user: &str, incident: &str, level: usize, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        let index = level.checked_sub(1).ok_or("levels start at 1")?;
        let state = self.world.incident(at);
        if !state.high_urgency || state.path.levels.get(index).is_none() {
            return Err("it cannot be escalated".to_owned());
        }
        self.world.move_to_level(at, index, &actor);
        Ok(())
    }

    /// Puts an acknowledged incident aside.
    pub fn snooze(&mut self, user: &str, incident: &str, duration_s: i64, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        if self.world.incident(at).status != Status::Acknowledged {
            self.world.acknowledge(at, &actor);
        }
        self.world.snooze(at, duration_s, &actor);
        Ok(())
    }

    /// Sets or clears the priority.
    pub fn set_priority(
        &mut self,
        user: &str,
        incident: &str,
        priority: Option<&str>,
        now: Timestamp,
    ) -> Done {
        let (at, actor) = self.act(user, incident, now)?;
        if priority.is_some_and(|id| self.world.priorities.get(id).is_none()) {
            return Err("there is no such priority".to_owned());
        }
        self.world
            .set_priority(at, priority.map(str::to_owned), &actor);
        Ok(())
    }

    /// Sets the urgency to high or low.
    pub fn set_urgency(&mut self, user: &str, incident: &str, high: bool, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        self.world.set_urgency(at, high, &actor);
        Ok(())
    }

    /// Moves the incident to another service.
    pub fn move_service(
        &mut self,
        user: &str,
        incident: &str,
        service: &str,
        now: Timestamp,
    ) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        self.world
            .services
            .get(service)
            .ok_or_else(|| format!("there is no service {service}"))?;
        self.world.move_service(at, service, &actor);
        Ok(())
    }

    /// Merges `source` into `target`.
    pub fn merge(&mut self, user: &str, target: &str, source: &str, now: Timestamp) -> Done {
        let (at, actor) = self.act_on_open(user, target, now)?;
        let source = self
            .world
            .find(source)
            .ok_or_else(|| format!("there is no incident {source}"))?;
        if source == at || self.world.incident(source).merged_into.is_some() {
            return Err("it cannot be merged".to_owned());
        }
        self.world.merge(at, &[source], &actor);
        Ok(())
    }

    /// Posts a status update.
    pub fn status_update(
        &mut self,
        user: &str,
        incident: &str,
        message: &str,
        now: Timestamp,
    ) -> Done {
        let (at, actor) = self.act(user, incident, now)?;
        self.world.post_status_update(at, message, user, &actor);
        Ok(())
    }

    /// Asks a user, or whoever is on call for an escalation policy, to help.
    pub fn request_help(
        &mut self,
        user: &str,
        incident: &str,
        target: &str,
        message: &str,
        now: Timestamp,
    ) -> Done {
        let (at, actor) = self.act_on_open(user, incident, now)?;
        let kind = if self.world.users.get(target).is_some() {
            "user_reference"
        } else if self.world.policies.get(target).is_some() {
            "escalation_policy_reference"
        } else {
            return Err(format!(
                "{target} is neither a user nor an escalation policy"
            ));
        };
        self.world.add_responder(at, target, kind, message, &actor);
        Ok(())
    }

    /// Accepts a request for help.
    pub fn accept(&mut self, user: &str, incident: &str, now: Timestamp) -> Done {
        self.reply(user, incident, ResponderState::Joined, now)
    }

    /// Declines a request for help.
    pub fn decline(&mut self, user: &str, incident: &str, now: Timestamp) -> Done {
        self.reply(user, incident, ResponderState::Declined, now)
    }

    fn reply(&mut self, user: &str, incident: &str, to: ResponderState, now: Timestamp) -> Done {
        let (at, _) = self.act_on_open(user, incident, now)?;
        if self.world.reply(at, user, to) {
            Ok(())
        } else {
            Err(format!("{user} was not asked to help, or has answered"))
        }
    }

    /// Triggers an incident by hand; returns its id. It has no alert.
    pub fn declare(
        &mut self,
        user: &str,
        service: &str,
        title: &str,
        now: Timestamp,
    ) -> Result<String, String> {
        self.world.run_until(now);
        self.world
            .users
            .get(user)
            .ok_or_else(|| format!("nobody is {user}"))?;
        self.world
            .services
            .get(service)
            .ok_or_else(|| format!("there is no service {service}"))?;
        let new = NewIncident {
            service: service.to_owned(),
            title: title.to_owned(),
            ..NewIncident::default()
        };
        let actor = Actor::person(user, "website");
        let channel = json!({"type": "web_trigger", "summary": title, "subject": title});
        let made = self.world.trigger(new, &actor, channel);
        let at = made.map_err(|refusal| refusal.words().to_owned())?;
        Ok(self.world.incident(at).id.clone())
    }
}
