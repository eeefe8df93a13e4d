//! Listing, reading and creating incidents.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::paging::{Page, instant};
use super::{Answer, render};
use crate::auth::Caller;
use crate::http::{Request, Response, arguments, invalid};
use crate::lifecycle::{NewIncident, Refusal};
use crate::refs::Root;
use crate::state::{Incident, Status, World};

/// A list without `since` looks back this far.
const WINDOW_DEFAULT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The widest window.
const WINDOW_MAX: SignedDuration = SignedDuration::from_hours(24 * 184);
const TITLE_CHARS_MAX: usize = 1_024;

pub(super) fn get(world: &World, request: &Request, at: usize) -> Response {
    let incident = render::incident(world, request, at);
    Response::of(200, &Root("incident", incident))
}

pub(super) fn list(world: &World, caller: &Caller, request: &Request) -> Answer {
    super::directory::needs(world, request, "team_ids[]", "teams")?;
    super::directory::needs(world, request, "urgencies[]", "urgencies")?;
    let page = Page::of(request)?;
    let window = window(world, request)?;
    let filter = Filter::of(request)?;
    let mut rows: Vec<usize> = candidates(world, request, &filter);
    rows.retain(|at| {
        let incident = world.incident(*at);
        let inside = window.is_none_or(|(since, until)| {
            let shown = Timestamp::from_second(incident.created_at.as_second())
                .unwrap_or(incident.created_at);
            since <= shown && shown <= until
        });
        inside && filter.fits(world, incident) && world.sees(caller.user.as_deref(), *at)
    });
    sort(world, request, &mut rows)?;
    Ok(page.answer("incidents", &rows, |at| {
        render::incident(world, request, *at)
    }))
}

/// The smallest index that holds all answers, in the order of creation.
fn candidates(world: &World, request: &Request, filter: &Filter<'_>) -> Vec<usize> {
    match request.query("incident_key") {
        // An empty key means all open incidents.
        Some("") => world.open.iter().copied().collect(),
        Some(key) => {
            let found = world.by_key.get(key).into_iter().flatten().copied();
            found.collect::<BTreeSet<usize>>().into_iter().collect()
        }
        None if filter.only_open() => world.open.iter().copied().collect(),
        None => (0..world.incidents.len()).collect(),
    }
}

fn window(world: &World, request: &Request) -> Result<Option<(Timestamp, Timestamp)>, Response> {
    if request.query("date_range") == Some("all") {
        return Ok(None);
    }
    let until = instant(request, "until")?.unwrap_or(world.now);
    let since = instant(request, "since")?.unwrap_or(until - WINDOW_DEFAULT);
    if since > until || until.duration_since(since) > WINDOW_MAX {
        return Err(Response::error(400, 2005, "Invalid Query Date Range", &[]));
    }
    Ok(Some((since, until)))
}

struct Filter<'a> {
    statuses: Vec<&'a str>,
    services: Vec<&'a str>,
    teams: Vec<&'a str>,
    users: Vec<&'a str>,
    urgencies: Vec<&'a str>,
    priorities: Vec<&'a str>,
}

impl<'a> Filter<'a> {
    fn of(request: &'a Request) -> Result<Self, Response> {
        let all = |name: &'a str| request.query_all(name).collect::<Vec<_>>();
        let filter = Self {
            statuses: all("statuses[]"),
            services: all("service_ids[]"),
            teams: all("team_ids[]"),
            users: all("user_ids[]"),
            urgencies: all("urgencies[]"),
            priorities: all("priority_ids[]"),
        };
        let known = |status: &&str| matches!(*status, "triggered" | "acknowledged" | "resolved");
        if filter.statuses.iter().all(known) {
            Ok(filter)
        } else {
            Err(bad_status())
        }
    }

    fn only_open(&self) -> bool {
        !self.users.is_empty() || !(self.statuses.is_empty() || self.statuses.contains(&"resolved"))
    }

    fn fits(&self, world: &World, incident: &Incident) -> bool {
        let any = |wanted: &[&str], have: &str| wanted.is_empty() || wanted.contains(&have);
        let team = || {
            world
                .team_of_policy(&incident.policy)
                .map_or("", |team| team.id.as_str())
        };
        any(&self.statuses, incident.status.name())
            && any(&self.services, &incident.service)
            && any(&self.urgencies, incident.urgency())
            && any(
                &self.priorities,
                incident.priority.as_deref().unwrap_or_default(),
            )
            && (self.teams.is_empty() || any(&self.teams, team()))
            && (self.users.is_empty()
                || incident
                    .assignments
                    .iter()
                    .any(|(user, _)| any(&self.users, user)))
    }
}

pub(super) fn bad_status() -> Response {
    invalid("Status must be a list of triggered, acknowledged, or resolved.")
}

fn sort(world: &World, request: &Request, rows: &mut [usize]) -> Result<(), Response> {
    let Some(keys) = request.query("sort_by") else {
        return Ok(());
    };
    let keys: Vec<&str> = keys.split(',').collect();
    if keys.len() > 2 {
        return Err(invalid("Sort by takes at most two fields."));
    }
    // The last key first: the sort is stable.
    for key in keys.into_iter().rev() {
        let (field, direction) = key.split_once(':').unwrap_or((key, "asc"));
        match field {
            "incident_number" => rows.sort_by_key(|at| world.incident(*at).number),
            "created_at" => rows.sort_by_key(|at| world.incident(*at).created_at),
            "resolved_at" => rows.sort_by_key(|at| world.incident(*at).resolved_at),
            "urgency" => rows.sort_by_key(|at| world.incident(*at).high_urgency),
            _ => {
                return Err(invalid(
                    "Sort by must name incident_number, created_at, resolved_at or urgency.",
                ));
            }
        }
        if direction == "desc" {
            rows.reverse();
        }
    }
    Ok(())
}

pub(super) fn create(world: &mut World, caller: &Caller, request: &Request) -> Answer {
    let actor = world.rest_actor(caller, request)?;
    let body = request
        .json()
        .ok_or_else(|| invalid("params must be a Hash"))?;
    let asked = body.get("incident").filter(|asked| asked.is_object());
    let new = new_incident(world, asked.ok_or_else(|| invalid("Incident is missing."))?)?;
    if let Some(key) = &new.key
        && world
            .open_keys
            .contains_key(&(new.service.clone(), key.clone()))
    {
        return Err(arguments(
            "Open incident with matching dedup key already exists on this service",
        ));
    }
    let channel = json!({
        "type": "api",
        "summary": new.title,
        "description": new.title,
        "incident_key": new.key,
        "details": new.body,
        "details_omitted": false,
    });
    let at = world.trigger(new, &actor, channel).map_err(refused)?;
    Ok(Response::of(
        201,
        &Root("incident", render::incident(world, request, at)),
    ))
}

fn refused(refusal: Refusal) -> Response {
    let (code, message, reason) = match refusal {
        Refusal::NobodyOnCall => (
            1015,
            "Escalation Policy Has No User On Call",
            "No one is on call",
        ),
        Refusal::ServiceDisabled => (2001, "Incident could not be created", "Service is disabled"),
        Refusal::Maintenance => (
            2001,
            "Incident could not be created",
            "Service is in maintenance",
        ),
    };
    Response::error(400, code, message, &[reason])
}

fn new_incident(world: &World, asked: &Value) -> Result<NewIncident, Response> {
    super::update::typed(asked)?;
    let service = asked
        .pointer("/service/id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if world.services.get(service).is_none() {
        return Err(arguments("Service not found"));
    }
    let assignee = match asked
        .get("assignments")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        None | Some([]) => None,
        Some([one]) => Some(super::update::assignee(world, one)?),
        Some(_) => return Err(invalid("Only one assignee is allowed.")),
    };
    let policy = super::update::policy(world, asked)?;
    if policy.is_some() && assignee.is_some() {
        return Err(invalid(
            "Assignments and escalation policy exclude each other.",
        ));
    }
    let key = asked
        .get("incident_key")
        .and_then(Value::as_str)
        .filter(|key| !key.is_empty());
    if key.is_some_and(|key| key.chars().count() > 255) {
        return Err(invalid("Incident key is too long."));
    }
    let body = asked.pointer("/body/details");
    if body.is_some_and(|details| !details.is_string() && !details.is_null()) {
        return Err(invalid("Body details must be a string."));
    }
    Ok(NewIncident {
        service: service.to_owned(),
        title: title(asked.get("title"))?,
        key: key.map(str::to_owned),
        policy,
        assignee,
        high_urgency: super::update::urgency(asked)?,
        priority: super::update::priority(world, asked)?.flatten(),
        body: body.and_then(Value::as_str).map(str::to_owned),
        incident_type: asked
            .pointer("/incident_type/name")
            .and_then(Value::as_str)
            .map(str::to_owned),
        conference: super::update::conference(asked),
        alert: None,
    })
}

/// A title that PagerDuty takes.
pub(super) fn title(asked: Option<&Value>) -> Result<String, Response> {
    let title = asked.and_then(Value::as_str).unwrap_or_default();
    if title.trim().is_empty() {
        return Err(invalid("Title cannot be empty."));
    }
    if title.chars().count() > TITLE_CHARS_MAX {
        return Err(invalid("Title is too long."));
    }
    Ok(title.to_owned())
}

/// Reads a status word.
pub(super) fn status(text: &str) -> Result<Status, Response> {
    match text {
        "triggered" => Ok(Status::Triggered),
        "acknowledged" => Ok(Status::Acknowledged),
        "resolved" => Ok(Status::Resolved),
        _ => Err(bad_status()),
    }
}
