//! What incidents asked of each person: `/analytics/metrics/responders/all` and `…/teams`.
//!
//! With `all` one row a person, with `teams` one for each team of the incidents. Time on call is of
//! the policies as they are now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::facts::{BUNDLE, channel, hours, people};
use super::{Asked, WINDOW_MAX};
use crate::http::Response;
use crate::rest::Answer;
use crate::state::{Agent, Entry, Incident, Means, Target, World};

/// What is looked at when no range is asked for.
const RANGE_USUAL: SignedDuration = SignedDuration::from_hours(24 * 30);

/// What one person did.
#[derive(Debug, Clone, Default)]
struct Load {
    incidents: BTreeSet<usize>,
    /// Seconds to the first acknowledgement of each incident.
    acknowledged: BTreeMap<usize, i64>,
    engaged_s: BTreeMap<usize, i64>,
    /// Manual and by time-out, away from and to this person.
    escalated: [[usize; 2]; 2],
    /// Away from and to this person.
    reassigned: [usize; 2],
    notifications: usize,
    interruptions: [usize; 3],
    rung: Option<Timestamp>,
}

type Loads = BTreeMap<(Option<String>, String), Load>;

pub(super) fn list(world: &World, asked: &Asked, by_team: bool) -> Answer {
    let lag = SignedDuration::from_secs(world.options.analytics_lag_s);
    let seen = world.now.saturating_sub(lag).unwrap_or(Timestamp::MIN);
    let end = asked.instant("date_range_end")?.unwrap_or(seen);
    let start = asked.instant("date_range_start")?;
    let start = start.unwrap_or_else(|| end.saturating_sub(RANGE_USUAL).unwrap_or(end));
    if end < start || end.duration_since(start) > WINDOW_MAX {
        return Err(Response::error(400, 2005, "Invalid Query Date Range", &[]));
    }
    let end = end.min(seen).max(start);
    let mut loads = Loads::new();
    for (at, incident) in world.incidents.iter().enumerate() {
        if (start..end).contains(&incident.created_at) && wanted(world, asked, incident) {
            let team = world.team_of_policy(&incident.policy).filter(|_| by_team);
            add(
                world,
                &mut loads,
                at,
                team.map(|team| team.id.as_str()),
                end,
            );
        }
    }
    let only = asked.ids("responder_ids");
    let rows = loads.iter().filter(|((_, user), _)| {
        only.as_ref()
            .is_none_or(|only| only.contains(&user.as_str()))
    });
    let mut rows: Vec<Value> = rows
        .map(|((team, user), load)| row(world, (team.as_deref(), user), load, (start, end)))
        .collect();
    let order_by = asked.text("order_by").unwrap_or("total_incident_count");
    let key = |row: &Value| row.get(order_by).and_then(Value::as_f64).unwrap_or(0.0);
    rows.sort_by(|a, b| key(a).total_cmp(&key(b)));
    if asked.text("order") != Some("asc") {
        rows.reverse();
    }
    let mut answer = asked.repeated("total_incident_count");
    answer.insert("data".to_owned(), rows.into());
    Ok(Response::json(200, &answer.into()))
}

fn wanted(world: &World, asked: &Asked, incident: &Incident) -> bool {
    let among = |name: &str, have: Option<&str>| {
        asked
            .ids(name)
            .is_none_or(|ids| have.is_some_and(|have| ids.contains(&have)))
    };
    let priority = incident.priority.as_deref();
    let name = priority.and_then(|id| Some(world.priorities.get(id)?.name.as_str()));
    let team = world.team_of_policy(&incident.policy);
    let urgency = asked.filter("urgency").and_then(Value::as_str);
    urgency.is_none_or(|urgency| urgency == incident.urgency())
        && among("team_ids", team.map(|team| team.id.as_str()))
        && among("priority_ids", priority)
        && among("priority_names", name)
}

/// One incident while its trail is read.
struct Reading<'a> {
    world: &'a World,
    at: usize,
    team: Option<String>,
    holders: Vec<String>,
    engaged: BTreeMap<String, Timestamp>,
    ended: Timestamp,
}

fn add(world: &World, loads: &mut Loads, at: usize, team: Option<&str>, seen: Timestamp) {
    let incident = world.incident(at);
    let mut reading = Reading {
        world,
        at,
        team: team.map(str::to_owned),
        holders: Vec::new(),
        engaged: BTreeMap::new(),
        ended: seen,
    };
    let entries = incident
        .log
        .iter()
        .filter_map(|index| world.log.get(*index));
    for entry in entries.filter(|entry| entry.at <= seen) {
        reading.step(loads, entry, incident.created_at);
    }
    for (user, since) in &reading.engaged {
        let engaged = reading.ended.duration_since(*since).as_secs().max(0);
        reading.load(loads, user).engaged_s.insert(at, engaged);
    }
}

impl Reading<'_> {
    fn load<'a>(&self, loads: &'a mut Loads, user: &str) -> &'a mut Load {
        loads
            .entry((self.team.clone(), user.to_owned()))
            .or_default()
    }

    fn step(&mut self, loads: &mut Loads, entry: &Entry, created_at: Timestamp) {
        let by = match &entry.agent {
            Agent::User(id) => Some(id.clone()),
            Agent::Service(_) | Agent::Automatic(_) => None,
        };
        match entry.kind {
            "acknowledge" => {
                if let Some(user) = by {
                    let seconds = entry.at.duration_since(created_at).as_secs();
                    let load = self.load(loads, &user);
                    load.acknowledged.entry(self.at).or_insert(seconds);
                    self.engaged.entry(user).or_insert(entry.at);
                }
            }
            "responder_reply" if channel(entry).summary.as_deref() == Some("accepted") => {
                if let Some(user) = by {
                    self.load(loads, &user).incidents.insert(self.at);
                    self.engaged.entry(user).or_insert(entry.at);
                }
            }
            "escalate" => self.hand_over(loads, entry, |load, to| {
                if let Some(count) = load.escalated.get_mut(usize::from(by.is_none())) {
                    *count.get_mut(to).expect("from and to are two") += 1;
                }
            }),
            "assign" | "delegate" => {
                let again = by.is_some() && !self.holders.is_empty();
                self.hand_over(loads, entry, |load, to| {
                    if let Some(count) = load.reassigned.get_mut(to).filter(|_| again) {
                        *count += 1;
                    }
                });
            }
            "resolve" => self.ended = entry.at,
            "notify" => self.notified(loads, entry),
            _ => {}
        }
    }

    /// From those who had it to those who have it now.
    fn hand_over(&mut self, loads: &mut Loads, entry: &Entry, count: impl Fn(&mut Load, usize)) {
        for user in std::mem::take(&mut self.holders) {
            count(self.load(loads, &user), 0);
        }
        for user in people(entry, "assignees") {
            let load = self.load(loads, &user);
            load.incidents.insert(self.at);
            count(load, 1);
            self.holders.push(user);
        }
    }

    fn notified(&self, loads: &mut Loads, entry: &Entry) {
        let Some(user) = people(entry, "user").into_iter().next() else {
            return;
        };
        let zone = self
            .world
            .users
            .get(&user)
            .map(|user| user.time_zone.as_str());
        let hours = hours(entry.at, zone.unwrap_or(&self.world.options.time_zone));
        let means = channel(entry).notification.and_then(|sent| sent.kind);
        let load = self.load(loads, &user);
        load.notifications += 1;
        let near = load
            .rung
            .is_some_and(|last| entry.at.duration_since(last).abs() <= BUNDLE);
        if means.is_some_and(|means| means != Means::Email.name()) && !near {
            load.rung = Some(entry.at);
            if let Some(count) = load.interruptions.get_mut(hours) {
                *count += 1;
            }
        }
    }
}

fn mean(values: &BTreeMap<usize, i64>) -> Option<i64> {
    let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
    values.values().sum::<i64>().checked_div(count)
}

fn row(
    world: &World,
    (team, user): (Option<&str>, &str),
    load: &Load,
    range: (Timestamp, Timestamp),
) -> Value {
    let [[manual_from, manual_to], [timeout_from, timeout_to]] = load.escalated;
    let [reassigned_from, reassigned_to] = load.reassigned;
    let [business, off, sleep] = load.interruptions;
    let first = on_call_s(world, team, user, range, |level| level == 0);
    let later = on_call_s(world, team, user, range, |level| level > 0);
    let all = on_call_s(world, team, user, range, |_| true);
    let fields = [
        ("responder_id", json!(user)),
        ("responder_name", json!(world.user_ref(user).name())),
        ("team_id", json!(team)),
        (
            "team_name",
            json!(team.and_then(|id| world.team_ref(id).name())),
        ),
        ("mean_engaged_seconds", json!(mean(&load.engaged_s))),
        (
            "mean_time_to_acknowledge_seconds",
            json!(mean(&load.acknowledged)),
        ),
        ("total_incident_count", json!(load.incidents.len())),
        (
            "total_incidents_acknowledged",
            json!(load.acknowledged.len()),
        ),
        ("total_incidents_manual_escalated_from", json!(manual_from)),
        ("total_incidents_manual_escalated_to", json!(manual_to)),
        (
            "total_incidents_timeout_escalated_from",
            json!(timeout_from),
        ),
        ("total_incidents_timeout_escalated_to", json!(timeout_to)),
        ("total_incidents_reassigned_from", json!(reassigned_from)),
        ("total_incidents_reassigned_to", json!(reassigned_to)),
        ("total_business_hour_interruptions", json!(business)),
        ("total_off_hour_interruptions", json!(off)),
        ("total_sleep_hour_interruptions", json!(sleep)),
        ("total_interruptions", json!(business + off + sleep)),
        ("total_notifications", json!(load.notifications)),
        (
            "total_engaged_seconds",
            json!(load.engaged_s.values().sum::<i64>()),
        ),
        ("total_seconds_on_call", json!(all)),
        ("total_seconds_on_call_level_1", json!(first)),
        ("total_seconds_on_call_level_2_plus", json!(later)),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Value::Object(fields.into_iter().collect::<Map<String, Value>>())
}

/// How long somebody was on call on such levels; what overlaps counts once.
fn on_call_s(
    world: &World,
    team: Option<&str>,
    user: &str,
    (start, end): (Timestamp, Timestamp),
    level: impl Fn(usize) -> bool,
) -> i64 {
    let mut times = Vec::new();
    let policies = world.policies.iter();
    for policy in policies.filter(|policy| team.is_none() || policy.team.as_deref() == team) {
        let rules = policy.rules.iter().enumerate().filter(|(at, _)| level(*at));
        for target in rules.flat_map(|(_, rule)| &rule.targets) {
            match target {
                Target::User(id) if id == user => times.push((start, end)),
                Target::User(_) => {}
                Target::Schedule(id) => {
                    let shifts = world.shifts_around(id, start, end).into_iter();
                    let own = shifts.filter(|shift| shift.user == user);
                    times.extend(own.map(|shift| (shift.start.max(start), shift.end.min(end))));
                }
            }
        }
    }
    times.sort_unstable();
    let (mut total, mut reached) = (0, start);
    for (from, to) in times {
        let from = from.max(reached);
        if from < to {
            total += to.duration_since(from).as_secs();
            reached = to;
        }
    }
    total
}
