//! Who has the incident: levels of a policy, direct assignment, delegation.

use serde_json::{Map, Value};

use crate::state::{Actor, Agent, Path, Status, Target, World};
use crate::timers::Timer;

impl World {
    /// The policy as it is now, at its first level.
    pub(crate) fn snapshot(&self, policy: &str) -> Path {
        let Some(policy) = self.policies.get(policy) else {
            return Path::default();
        };
        let levels = policy
            .rules
            .iter()
            .map(|rule| (rule.delay_min, rule.targets.clone()))
            .collect();
        let mut path = Path {
            levels,
            level: 0,
            loops_left: policy.num_loops,
            exhausted: false,
        };
        path.level = self.next_level(&path, 0).unwrap_or(0);
        path
    }

    /// The first level from `from` on where somebody is on call.
    fn next_level(&self, path: &Path, from: usize) -> Option<usize> {
        let later = path.levels.iter().enumerate().skip(from);
        later
            .into_iter()
            .find(|(_, (_, targets))| !self.people(targets).is_empty())
            .map(|(level, _)| level)
    }

    /// Whom these targets mean now.
    pub(crate) fn people(&self, targets: &[Target]) -> Vec<String> {
        let mut people = Vec::new();
        for target in targets {
            let users = match target {
                Target::User(id) => self
                    .users
                    .get(id)
                    .map(|user| user.id.clone())
                    .into_iter()
                    .collect(),
                Target::Schedule(id) => self.on_call_of_schedule(id),
            };
            for user in users {
                if !people.contains(&user) {
                    people.push(user);
                }
            }
        }
        people
    }

    /// Who is on call on the current level; `None` when nobody is.
    pub(crate) fn on_call(&self, path: &Path) -> Option<Vec<String>> {
        let (_, targets) = path.levels.get(path.level)?;
        Some(self.people(targets)).filter(|people| !people.is_empty())
    }

    pub(crate) fn set_assignees(&mut self, at: usize, users: Vec<String>) {
        let now = self.now;
        self.incident_mut(at).assignments = users.into_iter().map(|user| (user, now)).collect();
        self.touch(at);
    }

    /// Logs who has the incident now.
    pub(crate) fn record_assignees(
        &mut self,
        at: usize,
        kind: &'static str,
        summary: Option<String>,
        actor: &Actor,
    ) {
        let assignments = &self.incident(at).assignments;
        let names: Vec<String> = assignments
            .iter()
            .map(|(user, _)| self.agent_name(&Agent::User(user.clone())))
            .collect();
        let refs: Vec<Value> = assignments
            .iter()
            .map(|(user, _)| self.user_ref(user).value())
            .collect();
        let summary = summary.unwrap_or_else(|| format!("Assigned to {}.", names.join(", ")));
        let mut extra = Map::new();
        extra.insert("assignees".to_owned(), Value::Array(refs));
        let channel = serde_json::json!({"type": actor.channel});
        self.record_with(at, kind, summary, actor, channel, extra);
    }

    fn assignee_names(&self, at: usize) -> String {
        let names = self
            .incident(at)
            .assignments
            .iter()
            .map(|(user, _)| self.agent_name(&Agent::User(user.clone())));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Starts the wait for the next level, when there is one to wait for.
    pub(crate) fn set_escalation(&mut self, at: usize) {
        self.drop_timers(at, |timer| *timer == Timer::Escalate);
        let incident = self.incident(at);
        let waits = incident.status == Status::Triggered
            && incident.high_urgency
            && !incident.direct
            && !incident.path.exhausted;
        if let (true, Some((delay_min, _))) = (waits, incident.path.levels.get(incident.path.level))
        {
            let seconds = delay_min * 60;
            self.set_timer(at, Timer::Escalate, seconds);
        }
    }

    /// The level did not answer in time.
    pub(crate) fn escalate_by_timeout(&mut self, at: usize, actor: &Actor) {
        let path = &self.incident(at).path;
        let next = self.next_level(path, path.level + 1);
        let by_itself = Actor {
            channel: "auto",
            ..actor.clone()
        };
        let level = match next {
            Some(level) => level,
            None if path.loops_left > 0 => {
                let first = self.next_level(path, 0).unwrap_or(0);
                self.incident_mut(at).path.loops_left -= 1;
                self.record(
                    at,
                    "repeat_escalation_path",
                    "Escalation path repeated.".to_owned(),
                    &by_itself,
                );
                first
            }
            None => {
                self.incident_mut(at).path.exhausted = true;
                self.record(
                    at,
                    "exhaust_escalation_path",
                    "Escalation path exhausted.".to_owned(),
                    &by_itself,
                );
                return;
            }
        };
        self.move_to_level(at, level, actor);
    }

    /// Gives the incident to a level of its policy.
    pub(crate) fn move_to_level(&mut self, at: usize, level: usize, actor: &Actor) {
        let incident = self.incident_mut(at);
        incident.path.level = level;
        incident.direct = false;
        let users = self.on_call(&self.incident(at).path).unwrap_or_default();
        self.hand_over(at, users);
        let names = self.assignee_names(at);
        let summary = match &actor.agent {
            Agent::User(_) => format!("Escalated to {names} by {}.", self.agent_name(&actor.agent)),
            Agent::Service(_) | Agent::Automatic(_) => {
                format!("Escalated to {names} due to timeout.")
            }
        };
        self.record_assignees(at, "escalate", Some(summary), actor);
        self.publish(at, "incident.escalated", actor);
    }

    /// Gives the incident to people outside of any policy; it does not escalate any more.
    pub(crate) fn reassign(&mut self, at: usize, users: Vec<String>, actor: &Actor) {
        self.incident_mut(at).direct = true;
        self.hand_over(at, users);
        let summary = format!(
            "Reassigned to {} by {}.",
            self.assignee_names(at),
            self.agent_name(&actor.agent)
        );
        self.record_assignees(at, "assign", Some(summary), actor);
        self.publish(at, "incident.reassigned", actor);
    }

    /// Gives the incident to another policy, from its first level on.
    pub(crate) fn delegate(&mut self, at: usize, policy: &str, actor: &Actor) {
        self.take_policy(at, policy);
        let users = self.on_call(&self.incident(at).path).unwrap_or_default();
        self.hand_over(at, users);
        let name = self
            .policies
            .get(policy)
            .map(|policy| policy.name.clone())
            .unwrap_or_default();
        let summary = format!("Reassigned to {name} by {}.", self.agent_name(&actor.agent));
        self.record_assignees(at, "delegate", Some(summary), actor);
        self.publish(at, "incident.delegated", actor);
    }

    /// Puts the incident on the first level of a policy as it is now.
    pub(crate) fn take_policy(&mut self, at: usize, policy: &str) {
        let path = self.snapshot(policy);
        let incident = self.incident_mut(at);
        incident.direct = false;
        incident.path = path;
        policy.clone_into(&mut incident.policy);
    }

    fn hand_over(&mut self, at: usize, users: Vec<String>) {
        self.end_snooze(at);
        self.set_assignees(at, users);
        if self.options.reassign_retriggers && self.incident(at).status == Status::Acknowledged {
            self.drop_timers(at, |timer| *timer == Timer::AcknowledgementEnds);
            let now = self.now;
            let incident = self.incident_mut(at);
            incident.status = Status::Triggered;
            incident.status_changed_at = now;
            incident.acknowledgements.clear();
        }
        self.call_people(at);
        self.set_escalation(at);
    }
}
