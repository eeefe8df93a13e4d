//! What the trail of one incident comes to.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::schedule::zone;
use crate::state::{Agent, Entry, Means, World};

/// Notifications of one user within this are one interruption.
pub(super) const BUNDLE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// The index of the incident.
    pub(super) at: usize,
    pub(super) status: &'static str,
    pub(super) created_at: Timestamp,
    pub(super) resolved_at: Option<Timestamp>,
    /// When the pipeline saw the last step.
    pub(super) updated_at: Timestamp,
    /// The end of what is counted: the end of the incident, or what the pipeline has seen.
    until: Timestamp,
    pub(super) resolved_by: Option<String>,
    pub(super) auto_resolved: bool,
    pub(super) major: bool,
    pub(super) first_ack: Option<Timestamp>,
    pub(super) acknowledgements: usize,
    pub(super) acknowledgers: Vec<String>,
    pub(super) assignments: usize,
    pub(super) assignees: Vec<String>,
    /// Who acknowledged or came to help, and when first.
    pub(super) engaged: Vec<(String, Timestamp)>,
    /// Who came to help, and when.
    pub(super) helpers: Vec<(String, Timestamp)>,
    pub(super) manual_escalations: usize,
    pub(super) timeout_escalations: usize,
    pub(super) reassignments: usize,
    pub(super) snoozed_s: i64,
    pub(super) notifications: usize,
    /// In business hours, off hours and sleep hours.
    pub(super) interruptions: [usize; 3],
    snooze: Option<(Timestamp, Timestamp)>,
    rung: Vec<(String, Timestamp)>,
}

impl Facts {
    /// All incidents that the pipeline has seen, oldest first.
    pub(super) fn all(world: &World) -> Vec<Self> {
        let lag = SignedDuration::from_secs(world.options.analytics_lag_s);
        let seen = world.now.saturating_sub(lag).unwrap_or(Timestamp::MIN);
        let all = 0..world.incidents.len();
        all.filter(|at| world.incident(*at).created_at <= seen)
            .map(|at| Self::of(world, at, seen, lag))
            .collect()
    }

    fn of(world: &World, at: usize, seen: Timestamp, lag: SignedDuration) -> Self {
        let incident = world.incident(at);
        let mut facts = Self {
            at,
            status: "triggered",
            created_at: incident.created_at,
            ..Self::default()
        };
        let entries = incident
            .log
            .iter()
            .filter_map(|index| world.log.get(*index));
        let mut last = incident.created_at;
        for entry in entries.filter(|entry| entry.at <= seen) {
            facts.step(entry);
            last = last.max(entry.at);
        }
        facts.updated_at = last.saturating_add(lag).unwrap_or(Timestamp::MAX);
        facts.until = facts.resolved_at.unwrap_or(seen);
        facts.end_snooze(facts.until);
        facts.count_interruptions(world);
        let rank = incident.priority.as_deref();
        let rank = rank.and_then(|id| world.priorities.iter().position(|one| one.id == id));
        facts.major = rank.is_some_and(|rank| rank < 2) || facts.helpers.len() > 1;
        facts
    }

    fn step(&mut self, entry: &Entry) {
        let user = match &entry.agent {
            Agent::User(id) => Some(id.clone()),
            Agent::Service(_) | Agent::Automatic(_) => None,
        };
        if matches!(
            entry.kind,
            "acknowledge" | "unacknowledge" | "resolve" | "assign"
        ) {
            self.end_snooze(entry.at);
        }
        match entry.kind {
            "acknowledge" => {
                self.status = "acknowledged";
                self.acknowledgements += 1;
                self.first_ack.get_or_insert(entry.at);
                if let Some(user) = user {
                    once(&mut self.acknowledgers, &user);
                    self.engage(user, entry.at);
                }
            }
            "unacknowledge" => self.status = "triggered",
            "reopen" => (self.status, self.resolved_at) = ("triggered", None),
            "resolve" => {
                self.status = "resolved";
                self.resolved_at = Some(entry.at);
                self.auto_resolved = user.is_none();
                self.resolved_by = user;
            }
            "assign" | "delegate" => {
                self.reassignments += usize::from(user.is_some() && self.assignments > 0);
                self.assign(entry);
            }
            "escalate" => {
                self.manual_escalations += usize::from(user.is_some());
                self.timeout_escalations += usize::from(user.is_none());
                self.assign(entry);
            }
            "snooze" => {
                let length = SignedDuration::from_secs(channel(entry).duration.unwrap_or(0));
                let ends = entry.at.saturating_add(length).unwrap_or(Timestamp::MAX);
                self.snooze = Some((entry.at, ends));
            }
            "responder_reply" if channel(entry).summary.as_deref() == Some("accepted") => {
                if let Some(user) = user {
                    self.helpers.push((user.clone(), entry.at));
                    self.engage(user, entry.at);
                }
            }
            "notify" => self.notified(entry),
            _ => {}
        }
    }

    fn engage(&mut self, user: String, at: Timestamp) {
        if self.engaged.iter().all(|(known, _)| *known != user) {
            self.engaged.push((user, at));
        }
    }

    fn assign(&mut self, entry: &Entry) {
        for user in people(entry, "assignees") {
            self.assignments += 1;
            once(&mut self.assignees, &user);
        }
    }

    fn notified(&mut self, entry: &Entry) {
        self.notifications += 1;
        let means = channel(entry).notification.and_then(|sent| sent.kind);
        let rings = means.is_some_and(|means| means != Means::Email.name());
        let user = people(entry, "user").into_iter().next();
        self.rung
            .extend(user.filter(|_| rings).map(|user| (user, entry.at)));
    }

    fn end_snooze(&mut self, at: Timestamp) {
        if let Some((from, ends)) = self.snooze.take() {
            self.snoozed_s += ends.min(at).duration_since(from).as_secs().max(0);
        }
    }

    fn count_interruptions(&mut self, world: &World) {
        let mut last: Vec<(String, Timestamp)> = Vec::new();
        for (user, at) in std::mem::take(&mut self.rung) {
            let known = last.iter_mut().find(|(known, _)| *known == user);
            match known {
                Some((_, first)) if at.duration_since(*first) <= BUNDLE => continue,
                Some((_, first)) => *first = at,
                None => last.push((user.clone(), at)),
            }
            let name = world.users.get(&user).map(|user| user.time_zone.as_str());
            let hours = hours(at, name.unwrap_or(&world.options.time_zone));
            if let Some(count) = self.interruptions.get_mut(hours) {
                *count += 1;
            }
        }
    }

    pub(super) fn seconds_to(&self, at: Option<Timestamp>) -> Option<i64> {
        at.map(|at| at.duration_since(self.created_at).as_secs())
    }

    /// From the first to the last engagement; nothing with one.
    pub(super) fn seconds_to_engage(&self) -> Option<i64> {
        let ([(_, first), .., (_, last)], true) = (self.engaged.as_slice(), self.engaged.len() > 1)
        else {
            return None;
        };
        Some(last.duration_since(*first).as_secs())
    }

    /// From the start to the last helper; nothing with one engaged.
    pub(super) fn seconds_to_mobilize(&self) -> Option<i64> {
        let last = self.helpers.last().filter(|_| self.engaged.len() > 1);
        self.seconds_to(last.map(|(_, at)| *at))
    }

    pub(super) fn engaged_s(&self) -> i64 {
        let each = self
            .engaged
            .iter()
            .map(|(_, at)| self.until.duration_since(*at).as_secs().max(0));
        each.sum()
    }

    pub(super) fn escalations(&self) -> usize {
        self.manual_escalations + self.timeout_escalations
    }

    pub(super) fn until(&self) -> Timestamp {
        self.until
    }
}

/// 0: business, Monday to Friday from 8 to 18; 2: sleep, from 22 to 8; 1: the rest.
pub(super) fn hours(at: Timestamp, name: &str) -> usize {
    let local = zone(name)
        .unwrap_or(jiff::tz::TimeZone::UTC)
        .to_datetime(at);
    let weekday = local.date().weekday().to_monday_one_offset();
    match local.hour() {
        0..8 | 22.. => 2,
        8..18 if weekday <= 5 => 0,
        _ => 1,
    }
}

fn once(list: &mut Vec<String>, id: &str) {
    if list.iter().all(|known| known != id) {
        list.push(id.to_owned());
    }
}

/// What is read of a channel.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Channel {
    pub(super) summary: Option<String>,
    duration: Option<i64>,
    pub(super) notification: Option<Notification>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Notification {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

pub(super) fn channel(entry: &Entry) -> Channel {
    serde_json::from_str(entry.channel.get()).unwrap_or_default()
}

/// The ids of whoever a field names, one or several.
pub(super) fn people(entry: &Entry, name: &str) -> Vec<String> {
    let found = entry.extra.iter().find(|(field, _)| field == name);
    let value = found.and_then(|(_, raw)| serde_json::from_str(raw.get()).ok());
    let list = match value {
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let ids = list.iter().filter_map(|one| one.get("id")?.as_str());
    ids.map(str::to_owned).collect()
}
