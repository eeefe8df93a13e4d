//! The stand-in's past: the plan, as it happened there. An account that has nothing to show explains
//! nothing.

use jiff::{SignedDuration, Timestamp};
use pd_sim::{Account, Options, Request, Sim, Trouble, account};
use serde_json::{Value, json};

use super::plan::{Act, Incident, Plan};

/// A turn on call.
const WEEK_S: i64 = 7 * 86_400;
/// PagerDuty's usual time until an incident ends by itself.
const AUTO_RESOLVE_S: i64 = 4 * 3_600;
/// Until somebody who has taken it is asked again, where that is so.
const ACKNOWLEDGED_S: i64 = 3_600;

/// An account with a past.
pub(super) struct Past {
    pub(super) sim: Sim,
    pub(super) account: Account,
    /// PagerDuty's id of each incident of the plan, in its order.
    pub(super) twins: Vec<Option<String>>,
    /// Who took each last.
    takers: Vec<Option<String>>,
    /// What could not happen, and why.
    refused: Vec<String>,
}

/// A step of the past.
#[derive(Clone, Copy)]
enum Step {
    Begins,
    Act(Act),
}

impl Past {
    /// An account with people, services and a quarter behind it.
    pub(super) fn new(options: Options, plan: &Plan) -> Self {
        let mut sim = Sim::new(options, plan.since);
        let account = account::lively(&mut sim, plan.since);
        let mut past = Self {
            sim,
            account,
            twins: vec![None; plan.incidents.len()],
            takers: vec![None; plan.incidents.len()],
            refused: Vec::new(),
        };
        past.arrange(plan.since);
        let mut steps = Vec::new();
        for (index, incident) in plan.incidents.iter().enumerate() {
            steps.push((incident.at, index, Step::Begins));
            let acts = incident.acts.iter();
            steps.extend(acts.map(|(at, act)| (*at, index, Step::Act(*act))));
        }
        // What happens to one incident at one instant stays in order.
        steps.sort_by_key(|(at, index, _)| (*at, *index));
        let until = steps.partition_point(|(at, ..)| *at < plan.rota);
        let (before, after) = steps.split_at(until);
        past.play(plan, before);
        past.new_rota(plan.rota);
        past.play(plan, after);
        for why in &past.refused {
            tracing::warn!("the past is incomplete: {why}");
        }
        past
    }

    /// The urgency of an incident goes by what monitoring says, and only mail asks again.
    fn arrange(&mut self, now: Timestamp) {
        for (id, name, _) in self.account.services.clone() {
            let rule = json!({"type": "constant", "urgency": "severity_based"});
            let body = json!({"service": {"incident_urgency_rule": rule}});
            self.put(&format!("/services/{id}"), &body, now);
            let again = (name == "Notifications").then_some(ACKNOWLEDGED_S);
            self.sim.set_timeouts(&id, again, Some(AUTO_RESOLVE_S));
        }
    }

    /// From now on people take turns, where one was always called first.
    fn new_rota(&mut self, now: Timestamp) {
        let users = self.account.users.clone();
        let ids: Vec<&str> = users.iter().map(|(id, ..)| id.as_str()).collect();
        let [ines, bram, yuki, carla, dmitri, freya] = ids.as_slice() else {
            return;
        };
        let turns = [
            ("Shop", [*yuki, bram, ines], 15),
            ("Platform", [*dmitri, freya, carla], 10),
        ];
        for (index, (team, [first, second, third], delay)) in turns.into_iter().enumerate() {
            let turns = [
                (format!("{team} weekly"), [first, second, third]),
                (format!("{team} second line"), [second, third, first]),
            ];
            let mut rules = Vec::new();
            for (line, people) in turns {
                let schedule = self.sim.add_schedule(&line, &people, WEEK_S, now);
                rules.push(json!({
                    "escalation_delay_in_minutes": delay,
                    "targets": [{"id": schedule, "type": "schedule_reference"}],
                }));
                self.account.schedules.push((schedule, line));
            }
            let Some((policy, _)) = self.account.policies.get(index) else {
                return;
            };
            let path = format!("/escalation_policies/{policy}");
            let body = json!({"escalation_policy": {"escalation_rules": rules}});
            self.put(&path, &body, now);
        }
    }

    /// Changes a thing as somebody with the account's key would.
    fn put(&mut self, path: &str, body: &Value, now: Timestamp) {
        let key = format!("Token token={}", self.account.api_key);
        let request = Request::new("PUT", path)
            .with_header("Authorization", &key)
            .with_json(body);
        let answer = self.sim.handle(&request, now).response;
        if answer.status != 200 {
            self.refused.push(format!("{path}: HTTP {}", answer.status));
        }
    }

    fn play(&mut self, plan: &Plan, steps: &[(Timestamp, usize, Step)]) {
        for (at, index, step) in steps {
            let Some(incident) = plan.incidents.get(*index) else {
                continue;
            };
            let done = match step {
                Step::Begins => self.begin(*index, incident),
                Step::Act(act) => self.act(*index, *act, *at),
            };
            if let Err(why) = done {
                self.refused.push(format!("`{}`: {why}", incident.title));
            }
        }
    }

    fn begin(&mut self, index: usize, incident: &Incident) -> Result<(), String> {
        let (service, ..) = self
            .account
            .services
            .get(incident.service)
            .ok_or("there is no such service")?;
        let priority = incident.priority;
        let priority = priority.and_then(|index| self.account.priorities.get(index));
        let priority = priority.map(|(id, _)| id.as_str());
        let at = incident.at;
        let made = if let Some(severity) = incident.severity {
            let trouble = Trouble {
                service,
                title: incident.title,
                severity,
                priority,
            };
            self.sim.alert(trouble, at).ok_or("PagerDuty made none")?
        } else {
            let user = self.user(index)?;
            let made = self.sim.declare(&user, service, incident.title, at)?;
            self.sim
                .set_priority(&user, &made, priority, at + SignedDuration::from_secs(30))?;
            made
        };
        if let Some(twin) = self.twins.get_mut(index) {
            *twin = Some(made);
        }
        Ok(())
    }

    /// A person of the account; the index goes round.
    fn user(&self, index: usize) -> Result<String, String> {
        let users = &self.account.users;
        let index = index.checked_rem(users.len()).unwrap_or(0);
        let user = users.get(index).map(|(id, ..)| id.clone());
        user.ok_or_else(|| "the account has no people".to_owned())
    }

    /// Does what is planned, unless the incident is over already: nobody repairs what is whole.
    fn act(&mut self, index: usize, act: Act, at: Timestamp) -> Result<(), String> {
        let twin = self.twins.get(index).cloned().flatten();
        let twin = twin.ok_or("it never began")?;
        // What is due by then comes first.
        self.sim.due(at);
        let seen = self.sim.incident(&twin).ok_or("it is gone")?;
        let is_over = seen.status == "resolved";
        if is_over != matches!(act, Act::Reopen) && !matches!(act, Act::Note(_)) {
            return Ok(());
        }
        let taker = self.takers.get(index).cloned().flatten();
        let holder = seen.assignees.first().cloned().or(taker);
        let holder = holder.map_or_else(|| self.user(index), Ok)?;
        let (sim, id) = (&mut self.sim, twin.as_str());
        match act {
            Act::Take => {
                sim.acknowledge(&holder, id, at)?;
                self.took(index, holder);
            }
            Act::TakeAs(person) => {
                let person = self.user(person)?;
                self.sim.acknowledge(&person, id, at)?;
            }
            Act::Note(text) => sim.note(&holder, id, text, at)?,
            Act::Pass(person) => {
                let person = self.user(person)?;
                self.sim.reassign(&holder, id, &person, at)?;
            }
            Act::Escalate => sim.escalate(&holder, id, 2, at)?,
            Act::Delegate(policy) => {
                let policy = self.account.policies.get(policy);
                let (policy, _) = policy.ok_or("there is no such policy")?;
                sim.delegate(&holder, id, policy, at)?;
            }
            Act::Ask(person) => self.ask(&holder, id, person, at)?,
            Act::Priority(priority) => {
                let priority = self.account.priorities.get(priority);
                let priority = priority.map(|(id, _)| id.as_str());
                sim.set_priority(&holder, id, priority, at)?;
            }
            Act::Snooze(seconds) => sim.snooze(&holder, id, seconds, at)?,
            Act::MergeInto(target) => {
                let target = self.twins.get(target).cloned().flatten();
                let target = target.ok_or("there is nothing to merge into")?;
                sim.merge(&holder, &target, id, at)?;
            }
            Act::Resolve => {
                sim.resolve(&holder, id, at)?;
                self.took(index, holder);
            }
            Act::Calm => sim.calm(id, at)?,
            Act::Reopen => sim.reopen(&holder, id, at)?,
        }
        Ok(())
    }

    fn took(&mut self, index: usize, who: String) {
        if let Some(taker) = self.takers.get_mut(index) {
            *taker = Some(who);
        }
    }

    /// Somebody else is asked, and comes.
    fn ask(&mut self, holder: &str, id: &str, person: usize, at: Timestamp) -> Result<(), String> {
        let person = self.user(person)?;
        if person == holder {
            return Ok(());
        }
        let sim = &mut self.sim;
        sim.request_help(holder, id, &person, "Can you have a look?", at)?;
        sim.accept(&person, id, at + SignedDuration::from_secs(50))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::SEED;

    /// A Monday morning, the night in which clocks are set back, a leap day, a Sunday.
    const DAYS: [&str; 4] = [
        "2026-11-30T00:05:00Z",
        "2026-10-25T01:30:00Z",
        "2028-02-29T12:00:00Z",
        "2027-06-06T21:59:00Z",
    ];

    fn past(now: &str) -> (Plan, Past) {
        let plan = Plan::new(SEED, now.parse().unwrap());
        let past = Past::new(Options::default(), &plan);
        (plan, past)
    }

    #[test]
    fn what_is_planned_can_happen_whatever_the_day() {
        for day in DAYS {
            let now: Timestamp = day.parse().unwrap();
            let (plan, past) = past(day);
            assert_eq!(past.refused, Vec::<String>::new(), "{day}");
            assert!(past.twins.iter().all(Option::is_some), "{day}");
            let passed = now.duration_since(plan.since);
            assert!(
                passed >= SignedDuration::from_hours(24 * 7 * 13 - 1),
                "{day}"
            );
            let mut log = past.sim.log_entries();
            assert!(
                log.all(|entry| (plan.since..=now).contains(&entry.at)),
                "{day}"
            );
            let open = past.sim.open_incidents();
            let open: Vec<_> = open.map(|one| (one.title, one.status)).collect();
            let expected = [
                ("Checkout: payment page is blank for some", "triggered"),
                ("Search: error rate above 2 %", "acknowledged"),
            ];
            assert_eq!(
                open,
                expected.map(|(title, status)| (title.to_owned(), status)),
                "{day}"
            );
            let finished = plan.deployments.iter().filter_map(|one| one.finished_at);
            assert!(finished.max().unwrap() <= now, "{day}");
        }
    }

    #[test]
    fn the_same_instant_gives_the_same_past() {
        let told = |now| {
            let (plan, past) = past(now);
            let document = crate::demo::settled::document(&plan, &past.account, &past.twins);
            (past.sim.log_entries().collect::<Vec<_>>(), document)
        };
        assert_eq!(told(DAYS[0]), told(DAYS[0]));
    }

    #[test]
    fn much_of_what_can_happen_happens() {
        let (_, past) = past(DAYS[0]);
        let kinds: BTreeSet<&str> = past.sim.log_entries().map(|entry| entry.kind).collect();
        let wanted = [
            "acknowledge",
            "annotate",
            "assign",
            "delegate",
            "escalate",
            "merge",
            "notify",
            "priority_change",
            "reopen",
            "resolve",
            "responder_reply",
            "snooze",
            "trigger",
        ];
        let missing: Vec<_> = wanted
            .into_iter()
            .filter(|kind| !kinds.contains(kind))
            .collect();
        assert_eq!(missing, Vec::<&str>::new());
        let ends = past
            .sim
            .log_entries()
            .filter(|entry| entry.kind == "resolve");
        let ends: BTreeSet<String> = ends.map(|entry| entry.summary).collect();
        assert!(ends.contains("Resolved due to timeout."));
        assert!(ends.contains("Resolved through the API."));
    }
}
