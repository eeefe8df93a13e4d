//! Changing incidents: everything is checked before anything changes.

use serde_json::Value;

use super::incidents::{status, title};
use super::{Answer, render};
use crate::auth::Caller;
use crate::http::{Request, Response, arguments, invalid};
use crate::refs::Root;
use crate::state::{Actor, Status, World};

type Bridge = (Option<String>, Option<String>);

/// What a request wants changed, checked.
#[derive(Debug, Default)]
pub(super) struct Change {
    status: Option<Status>,
    resolution: Option<String>,
    title: Option<String>,
    priority: Option<Option<String>>,
    high_urgency: Option<bool>,
    assignees: Option<Vec<String>>,
    policy: Option<String>,
    level: Option<usize>,
    service: Option<String>,
    incident_type: Option<String>,
    conference: Option<Bridge>,
}

pub(super) fn one(world: &mut World, caller: &Caller, request: &Request, at: usize) -> Answer {
    let actor = world.rest_actor(caller, request)?;
    let body = request
        .json()
        .ok_or_else(|| invalid("params must be a Hash"))?;
    let asked = body.get("incident").filter(|asked| asked.is_object());
    let change = check(
        world,
        at,
        asked.ok_or_else(|| invalid("Incident is missing."))?,
    )?;
    apply(world, at, change, &actor);
    Ok(Response::of(
        200,
        &Root("incident", render::incident(world, request, at)),
    ))
}

/// The type is required, in full or as a reference.
pub(super) fn typed(asked: &Value) -> Result<(), Response> {
    match asked.get("type").and_then(Value::as_str) {
        Some("incident" | "incident_reference") => Ok(()),
        Some(_) | None => Err(invalid("Type must be incident or incident_reference.")),
    }
}

/// Reads a change and refuses what cannot be done.
pub(super) fn check(world: &World, at: usize, asked: &Value) -> Result<Change, Response> {
    typed(asked)?;
    let text = |key: &str| asked.get(key).and_then(Value::as_str).map(str::to_owned);
    let wanted = match asked.get("status") {
        None | Some(Value::Null) => None,
        Some(value) => Some(status(value.as_str().unwrap_or_default())?),
    };
    let service = asked
        .pointer("/service/id")
        .and_then(Value::as_str)
        .map(str::to_owned);
    if service
        .as_deref()
        .is_some_and(|id| world.services.get(id).is_none())
    {
        return Err(arguments("Service not found"));
    }
    let change = Change {
        status: wanted,
        resolution: text("resolution").filter(|_| wanted == Some(Status::Resolved)),
        title: if asked.get("title").is_some() {
            Some(title(asked.get("title"))?)
        } else {
            None
        },
        priority: priority(world, asked)?,
        high_urgency: urgency(asked)?,
        assignees: assignees(world, asked)?,
        policy: policy(world, asked)?,
        level: level(world, at, asked)?,
        service,
        incident_type: asked
            .pointer("/incident_type/name")
            .and_then(Value::as_str)
            .map(str::to_owned),
        conference: conference(asked),
    };
    refuse_closed(world, at, &change)?;
    Ok(change)
}

fn refuse_closed(world: &World, at: usize, change: &Change) -> Result<(), Response> {
    let moves = change.assignees.is_some() || change.policy.is_some() || change.level.is_some();
    let refused = match (world.incident(at).status, change.status) {
        (Status::Triggered | Status::Acknowledged, _) => false,
        (Status::Resolved, None) => moves,
        (Status::Resolved, Some(Status::Triggered | Status::Acknowledged)) => {
            !world.options.reopen_allowed
        }
        // With the old behaviour a second resolve is an error, with the new one it changes nothing.
        (Status::Resolved, Some(Status::Resolved)) => moves || !world.options.reopen_allowed,
    };
    if refused {
        return Err(Response::error(
            400,
            1001,
            "Incident Already Resolved",
            &["Incident Already Resolved"],
        ));
    }
    Ok(())
}

/// Makes a checked change.
pub(super) fn apply(world: &mut World, at: usize, change: Change, actor: &Actor) {
    if let Some(title) = change.title {
        world.rename(at, &title);
    }
    if let Some(priority) = change.priority {
        world.set_priority(at, priority, actor);
    }
    if let Some(name) = change.incident_type {
        world.set_incident_type(at, &name, actor);
    }
    if let Some(bridge) = change.conference {
        world.set_conference(at, bridge, actor);
    }
    if let Some(service) = change.service {
        world.move_service(at, &service, actor);
    }
    if let Some(high) = change.high_urgency {
        world.set_urgency(at, high, actor);
    }
    let closed = !world.incident(at).is_open();
    if closed && matches!(change.status, Some(Status::Triggered)) {
        world.reopen(at, change.policy.as_deref(), change.assignees, actor);
        return;
    }
    if !closed {
        hand_over(
            world,
            at,
            change.assignees,
            change.policy.as_deref(),
            change.level,
            actor,
        );
    }
    match change.status {
        None => {}
        Some(Status::Triggered) => world.unacknowledge(at, actor),
        Some(Status::Acknowledged) => world.acknowledge_or_reopen(at, actor),
        Some(Status::Resolved) if closed => {}
        Some(Status::Resolved) => world.resolve(at, change.resolution.as_deref(), actor),
    }
}

fn hand_over(
    world: &mut World,
    at: usize,
    users: Option<Vec<String>>,
    policy: Option<&str>,
    level: Option<usize>,
    actor: &Actor,
) {
    if let Some(policy) = policy {
        world.delegate(at, policy, actor);
    }
    if let Some(level) = level {
        world.move_to_level(at, level, actor);
    }
    if let Some(users) = users {
        world.reassign(at, users, actor);
    }
}

fn assignees(world: &World, asked: &Value) -> Result<Option<Vec<String>>, Response> {
    let Some(list) = asked.get("assignments").and_then(Value::as_array) else {
        return Ok(None);
    };
    let users: Vec<String> = list
        .iter()
        .map(|one| assignee(world, one))
        .collect::<Result<_, _>>()?;
    Ok(Some(users).filter(|users| !users.is_empty()))
}

/// The user that one assignment names.
pub(super) fn assignee(world: &World, assignment: &Value) -> Result<String, Response> {
    let id = assignment
        .pointer("/assignee/id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let user = world.users.get(id).map(|user| user.id.clone());
    user.ok_or_else(|| {
        Response::error(
            400,
            1007,
            "Assigned To User Not Found",
            &["Assigned To User Not Found"],
        )
    })
}

/// The escalation policy that a body names.
pub(super) fn policy(world: &World, asked: &Value) -> Result<Option<String>, Response> {
    let Some(id) = asked
        .pointer("/escalation_policy/id")
        .and_then(Value::as_str)
    else {
        return Ok(None);
    };
    if world.policies.get(id).is_none() {
        return Err(Response::error(
            400,
            1014,
            "Escalation Policy Not Found",
            &["Escalation Policy Not Found"],
        ));
    }
    if world.on_call(&world.snapshot(id)).is_none() {
        return Err(Response::error(
            400,
            1015,
            "Escalation Policy Has No User On Call",
            &["No one is on call"],
        ));
    }
    Ok(Some(id.to_owned()))
}

fn level(world: &World, at: usize, asked: &Value) -> Result<Option<usize>, Response> {
    let Some(level) = asked
        .get("escalation_level")
        .filter(|level| !level.is_null())
    else {
        return Ok(None);
    };
    let cannot = || {
        Response::error(
            400,
            1006,
            "Cannot Escalate",
            &["Incident cannot be escalated"],
        )
    };
    let level = level
        .as_u64()
        .and_then(|level| usize::try_from(level).ok())
        .ok_or_else(cannot)?;
    let incident = world.incident(at);
    let index = level.checked_sub(1).ok_or_else(cannot)?;
    let (_, targets) = incident.path.levels.get(index).ok_or_else(cannot)?;
    if !incident.high_urgency || world.people(targets).is_empty() {
        return Err(cannot());
    }
    Ok(Some(index))
}

/// The urgency that a body names; `true` is high.
pub(super) fn urgency(asked: &Value) -> Result<Option<bool>, Response> {
    match asked.get("urgency") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text == "high" => Ok(Some(true)),
        Some(Value::String(text)) if text == "low" => Ok(Some(false)),
        Some(_) => Err(invalid("Urgency must be high or low.")),
    }
}

/// The priority that a body names, by id or by name; null clears it.
pub(super) fn priority(world: &World, asked: &Value) -> Result<Option<Option<String>>, Response> {
    let found = match asked.get("priority") {
        None => return Ok(None),
        Some(Value::Null) => return Ok(Some(None)),
        Some(Value::String(name)) => world
            .priorities
            .iter()
            .find(|priority| priority.name == *name),
        Some(reference) => {
            let id = reference
                .get("id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            world.priorities.get(id)
        }
    };
    let priority = found
        .ok_or_else(|| Response::error(400, 1020, "Invalid Priority", &["Invalid Priority"]))?;
    Ok(Some(Some(priority.id.clone())))
}

/// The conference that a body names.
pub(super) fn conference(asked: &Value) -> Option<Bridge> {
    let bridge = asked
        .get("conference_bridge")
        .filter(|bridge| bridge.is_object())?;
    let text = |key: &str| bridge.get(key).and_then(Value::as_str).map(str::to_owned);
    Some((text("conference_number"), text("conference_url")))
}
