//! Analytics: what a pipeline made of the trail, some time ago (docs/sim.md).
//!
//! Invariants
//! - Nothing younger than `Options::analytics_lag_s` is told, neither incidents nor steps of them.
//! - Rows come from log entries alone, but for title, urgency, priority, service and policy, which
//!   are those of now.
//! - Interruptions are pushes, messages and calls; those of one user within a minute are one.

mod facts;
mod metrics;
mod raw;
mod responders;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::Answer;
use super::paging::parse;
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::schedule::zone;
use crate::state::World;
use facts::Facts;

/// The widest window: a year.
const WINDOW_MAX: SignedDuration = SignedDuration::from_hours(24 * 366);

pub(super) fn route(world: &World, caller: &Caller, request: &Request, path: &[&str]) -> Answer {
    let facts = Facts::all;
    match (request.method.as_str(), path) {
        ("GET", ["raw", "incidents", id]) => Ok(raw::one(world, &found(world, facts(world), id)?)),
        ("GET", ["raw", "incidents", id, "responses"]) => {
            Ok(raw::responses(world, &found(world, facts(world), id)?))
        }
        ("POST", ["raw", "incidents"]) => {
            let asked = Asked::of(caller, request)?;
            raw::list(world, &asked, facts(world))
        }
        ("POST", ["metrics", "responders", by @ ("all" | "teams")]) => {
            responders::list(world, &Asked::of(caller, request)?, *by == "teams")
        }
        ("POST", ["metrics", "incidents", by @ ..]) => {
            let asked = Asked::of(caller, request)?;
            let by = metrics::By::of(by).ok_or_else(not_found)?;
            metrics::list(world, &asked, facts(world), by)
        }
        _ => Err(not_found()),
    }
}

/// The facts of one incident; what the pipeline has not seen is not there.
fn found(world: &World, facts: Vec<Facts>, id: &str) -> Answer<Facts> {
    let at = world.find(id).ok_or_else(not_found)?;
    let found = facts.into_iter().find(|facts| facts.at == at);
    found.ok_or_else(not_found)
}

/// The body of a request.
struct Asked {
    body: Value,
    zone: TimeZone,
}

impl Asked {
    fn of(caller: &Caller, request: &Request) -> Answer<Self> {
        let body = request.json().filter(Value::is_object);
        let body = body.ok_or_else(|| invalid("params must be a Hash"))?;
        let name = body.get("time_zone").and_then(Value::as_str);
        let zone = match name {
            None => TimeZone::UTC,
            Some(name) => zone(name).ok_or_else(|| invalid("time_zone is unknown"))?,
        };
        let asked = Self { body, zone };
        if caller.user.is_some()
            && asked.ids("team_ids").is_none()
            && asked.ids("service_ids").is_none()
        {
            return Err(invalid(
                "team_ids or service_ids are required for this token",
            ));
        }
        let window = (
            asked.instant("created_at_start")?,
            asked.instant("created_at_end")?,
        );
        if let (Some(start), Some(end)) = window
            && (end < start || end.duration_since(start) > WINDOW_MAX)
        {
            return Err(Response::error(400, 2005, "Invalid Query Date Range", &[]));
        }
        Ok(asked)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    fn filter(&self, name: &str) -> Option<&Value> {
        let value = self.body.get("filters")?.get(name)?;
        Some(value).filter(|value| !value.is_null())
    }

    /// A list that is not empty.
    fn ids(&self, name: &str) -> Option<Vec<&str>> {
        let list = self.filter(name)?.as_array()?;
        let list: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        (!list.is_empty()).then_some(list)
    }

    fn instant(&self, name: &str) -> Answer<Option<Timestamp>> {
        let Some(text) = self.filter(name).and_then(Value::as_str) else {
            return Ok(None);
        };
        let naive = text.parse::<DateTime>().ok();
        let naive = naive.and_then(|at| self.zone.to_timestamp(at).ok());
        let at = text.parse().ok().or(naive).or_else(|| parse(text));
        at.map(Some)
            .ok_or_else(|| invalid(&format!("{name} is no instant")))
    }

    fn wants(&self, world: &World, facts: &Facts) -> Answer<bool> {
        let incident = world.incident(facts.at);
        let among = |name: &str, have: Option<&str>| {
            let ids = self.ids(name);
            ids.is_none_or(|ids| have.is_some_and(|have| ids.contains(&have)))
        };
        let priority = incident.priority.as_deref();
        let priority_name = priority.and_then(|id| Some(world.priorities.get(id)?.name.as_str()));
        let team = world.team_of_policy(&incident.policy);
        let urgency = self.filter("urgency").and_then(Value::as_str);
        let major = self.filter("major").and_then(Value::as_bool);
        let (start, end) = (
            self.instant("created_at_start")?,
            self.instant("created_at_end")?,
        );
        let updated = self.instant("updated_after")?;
        Ok(start.is_none_or(|start| start <= incident.created_at)
            && end.is_none_or(|end| incident.created_at < end)
            && updated.is_none_or(|after| after < facts.updated_at)
            && urgency.is_none_or(|urgency| urgency == incident.urgency())
            && major.is_none_or(|major| major == facts.major)
            && among("team_ids", team.map(|team| team.id.as_str()))
            && among("service_ids", Some(&incident.service))
            && among("escalation_policy_ids", Some(&incident.policy))
            && among("priority_ids", priority)
            && among("priority_names", priority_name))
    }

    /// What every answer repeats of its request.
    fn repeated(&self, order_by: &str) -> Map<String, Value> {
        let or = |name: &str, usual: &str| Value::from(self.text(name).unwrap_or(usual));
        let filters = self.body.get("filters").cloned();
        let fields = [
            ("filters", filters.unwrap_or_else(|| Map::new().into())),
            ("time_zone", or("time_zone", "Etc/UTC")),
            ("order", or("order", "desc")),
            ("order_by", or("order_by", order_by)),
        ];
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }
}
