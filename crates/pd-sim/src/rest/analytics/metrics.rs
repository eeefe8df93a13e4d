//! Sums and means over incidents, by service, team or policy and by time.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde_json::{Map, Value, json};

use super::{Asked, Facts};
use crate::http::{Response, invalid};
use crate::rest::Answer;
use crate::state::World;

/// What rows are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    All,
    Service,
    Team,
    Policy,
}

impl By {
    /// The rest of the path; with `all` behind it, one row sums all of them.
    pub(super) fn of(path: &[&str]) -> Option<Self> {
        match path {
            ["all" | "services" | "teams" | "escalation_policies", "all"] | ["all"] => {
                Some(Self::All)
            }
            ["services"] => Some(Self::Service),
            ["teams"] => Some(Self::Team),
            ["escalation_policies"] => Some(Self::Policy),
            _ => None,
        }
    }

    /// Id and name of what an incident counts for.
    fn key(self, world: &World, facts: &Facts) -> (String, String) {
        let incident = world.incident(facts.at);
        let named =
            |id: &str, name: Option<&str>| (id.to_owned(), name.unwrap_or_default().to_owned());
        match self {
            Self::All => named("", None),
            Self::Service => named(
                &incident.service,
                world.service_ref(&incident.service).name(),
            ),
            Self::Policy => named(&incident.policy, world.policy_ref(&incident.policy).name()),
            Self::Team => world
                .team_of_policy(&incident.policy)
                .map_or_else(|| named("", None), |team| named(&team.id, Some(&team.name))),
        }
    }

    const fn word(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Service => Some("service"),
            Self::Team => Some("team"),
            Self::Policy => Some("escalation_policy"),
        }
    }
}

pub(super) fn list(world: &World, asked: &Asked, facts: Vec<Facts>, by: By) -> Answer {
    let unit = asked.text("aggregate_unit");
    if unit.is_some_and(|unit| !matches!(unit, "day" | "week" | "month")) {
        return Err(invalid("aggregate_unit must be one of day, week, month"));
    }
    let mut groups: BTreeMap<(Option<String>, String, String), Vec<Facts>> = BTreeMap::new();
    for facts in facts {
        if !asked.wants(world, &facts)? {
            continue;
        }
        let date = asked.zone.to_datetime(facts.created_at).date();
        let start = unit.map(|unit| format!("{}T00:00:00.000000", first_day(date, unit)));
        let (id, name) = by.key(world, &facts);
        groups.entry((start, id, name)).or_default().push(facts);
    }
    let rows = groups.into_iter().map(|((start, id, name), facts)| {
        let mut row = sums(&facts);
        row.extend(means(&facts));
        if let Some(start) = start {
            row.insert("range_start".to_owned(), start.into());
        }
        if let Some(word) = by.word() {
            row.insert(format!("{word}_id"), id.into());
            row.insert(format!("{word}_name"), name.into());
        }
        row.insert("up_time_pct".to_owned(), up_time(asked, &facts).into());
        Value::Object(row)
    });
    let mut rows: Vec<Value> = rows.collect();
    let order_by = asked.text("order_by").unwrap_or("total_incident_count");
    let key = |row: &Value| row.get(order_by).and_then(Value::as_f64).unwrap_or(0.0);
    rows.sort_by(|a, b| key(a).total_cmp(&key(b)));
    if asked.text("order") != Some("asc") {
        rows.reverse();
    }
    let mut answer = asked.repeated("total_incident_count");
    answer.insert("data".to_owned(), rows.into());
    answer.insert("aggregate_unit".to_owned(), json!(unit));
    Ok(Response::json(200, &Value::Object(answer)))
}

fn first_day(date: Date, unit: &str) -> Date {
    match unit {
        "month" => date.first_of_month(),
        "week" => {
            let since_monday = date.weekday().to_monday_zero_offset();
            date.saturating_sub(Span::new().days(since_monday))
        }
        _ => date,
    }
}

fn sums(facts: &[Facts]) -> Map<String, Value> {
    let count = |which: fn(&Facts) -> bool| facts.iter().filter(|one| which(one)).count();
    let total = |of: fn(&Facts) -> usize| facts.iter().map(of).sum::<usize>();
    let seconds = |of: fn(&Facts) -> i64| facts.iter().map(of).sum::<i64>();
    let fields = [
        (
            "business_hour_interruptions",
            json!(total(|one| one.interruptions[0])),
        ),
        (
            "off_hour_interruptions",
            json!(total(|one| one.interruptions[1])),
        ),
        (
            "sleep_hour_interruptions",
            json!(total(|one| one.interruptions[2])),
        ),
        (
            "interruptions",
            json!(total(|one| one.interruptions.iter().sum())),
        ),
        ("notifications", json!(total(|one| one.notifications))),
        ("incident_count", json!(facts.len())),
        (
            "incidents_acknowledged",
            json!(count(|one| one.first_ack.is_some())),
        ),
        (
            "incidents_auto_resolved",
            json!(count(|one| one.auto_resolved)),
        ),
        (
            "incidents_manual_escalated",
            json!(count(|one| one.manual_escalations > 0)),
        ),
        (
            "incidents_reassigned",
            json!(count(|one| one.reassignments > 0)),
        ),
        (
            "incidents_timeout_escalated",
            json!(count(|one| one.timeout_escalations > 0)),
        ),
        ("escalation_count", json!(total(Facts::escalations))),
        ("engaged_seconds", json!(seconds(Facts::engaged_s))),
        ("snoozed_seconds", json!(seconds(|one| one.snoozed_s))),
        ("user_defined_engaged_seconds", json!(0)),
    ];
    let fields = fields.map(|(name, value)| (format!("total_{name}"), value));
    fields.into_iter().collect()
}

fn means(facts: &[Facts]) -> Map<String, Value> {
    type Of = fn(&Facts) -> Option<i64>;
    let whole = |count: usize| i64::try_from(count).ok();
    let each = |of: &dyn Fn(&Facts) -> Option<i64>| -> Vec<i64> {
        let mut values: Vec<i64> = facts.iter().filter_map(of).collect();
        values.sort_unstable();
        values
    };
    let to_ack: Of = |one| one.seconds_to(one.first_ack);
    let to_resolve: Of = |one| one.seconds_to(one.resolved_at);
    let mut row = Map::new();
    let fields = [
        ("assignment_count", each(&|one| whole(one.assignments))),
        ("engaged_seconds", each(&|one| Some(one.engaged_s()))),
        ("engaged_user_count", each(&|one| whole(one.engaged.len()))),
        ("seconds_to_engage", each(&Facts::seconds_to_engage)),
        ("seconds_to_first_ack", each(&to_ack)),
        ("seconds_to_mobilize", each(&Facts::seconds_to_mobilize)),
        ("seconds_to_resolve", each(&to_resolve)),
        ("user_defined_engaged_seconds", Vec::new()),
    ];
    for (name, values) in fields {
        let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
        let mean = values.iter().sum::<i64>().checked_div(count);
        row.insert(format!("mean_{name}"), json!(mean));
        if !matches!(name, "seconds_to_first_ack" | "seconds_to_resolve") {
            continue;
        }
        for percent in [50, 75, 90, 95] {
            // The nearest rank.
            let rank = (values.len() * percent).div_ceil(100);
            let value = rank.checked_sub(1).and_then(|at| values.get(at));
            row.insert(format!("p{percent}_{name}"), json!(value));
        }
    }
    row
}

/// How much of the asked range had no major incident; all of it without a range.
fn up_time(asked: &Asked, facts: &[Facts]) -> f64 {
    let bound = |name: &str| asked.instant(name).ok().flatten();
    let (Some(start), Some(end)) = (bound("created_at_start"), bound("created_at_end")) else {
        return 100.0;
    };
    let (mut down, mut reached) = (0.0, start);
    for one in facts.iter().filter(|one| one.major) {
        let (from, to): (Timestamp, Timestamp) =
            (one.created_at.max(reached), one.until().min(end));
        if from < to {
            down += to.duration_since(from).as_secs_f64();
            reached = to;
        }
    }
    let length = end.duration_since(start).as_secs_f64().max(1.0);
    ((1.0 - down / length) * 100_000.0).round() / 1_000.0
}
