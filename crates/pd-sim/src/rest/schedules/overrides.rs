//! Overrides: somebody stands in for whoever would be on call.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Window, shown_zone, window};
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::local;
use crate::rest::Answer;
use crate::rest::paging::parse;
use crate::state::{Override, Schedule, World};

pub(super) fn route(world: &mut World, request: &Request, id: &str, path: &[&str]) -> Answer {
    let schedule = world.schedules.get(id).ok_or_else(not_found)?;
    match (request.method.as_str(), path) {
        ("GET", []) => list(world, request, schedule),
        ("POST", []) => create(world, request, id),
        ("DELETE", [one]) => delete(world, id, one),
        _ => Err(not_found()),
    }
}

fn list(world: &World, request: &Request, schedule: &Schedule) -> Answer {
    let both = request.query("since").is_some() && request.query("until").is_some();
    let (since, until): Window = window(request)?
        .filter(|_| both)
        .ok_or_else(|| invalid("Since and until are required."))?;
    let editable = matches!(request.query("editable"), Some("true" | "1"));
    let overflow = matches!(request.query("overflow"), Some("true" | "1"));
    let rows = schedule
        .overrides
        .iter()
        .filter(|one| one.start < until && since < one.end && (!editable || one.end > world.now));
    let rows: Vec<Value> = rows
        .map(|one| {
            let mut shown = one.clone();
            if !overflow {
                shown.start = one.start.max(since);
                shown.end = one.end.min(until);
            }
            value(world, request, schedule, &shown)
        })
        .collect();
    Ok(Response::json(200, &json!({"overrides": rows})))
}

fn value(world: &World, request: &Request, schedule: &Schedule, one: &Override) -> Value {
    let zone = shown_zone(request, schedule);
    json!({
        "id": one.id,
        "start": local(one.start, &zone),
        "end": local(one.end, &zone),
        "user": world.user_ref(&one.user),
    })
}

/// Each override is taken or refused for itself; the legacy form has one without a list.
fn create(world: &mut World, request: &Request, id: &str) -> Answer {
    let body = request
        .json()
        .ok_or_else(|| invalid("params must be a Hash"))?;
    if let Some(asked) = body.get("override") {
        return match check(world, asked) {
            Ok(one) => {
                let shown = put(world, request, id, one)?;
                Ok(Response::json(201, &json!({"override": shown})))
            }
            Err(reason) => Err(Response::error(400, 4004, "Invalid Override", &[reason])),
        };
    }
    let asked = body.get("overrides").and_then(Value::as_array);
    let asked = asked.ok_or_else(|| invalid("Overrides must be a list."))?;
    let mut answers = Vec::with_capacity(asked.len());
    for one in asked {
        answers.push(match check(world, one) {
            Ok(checked) => {
                let shown = put(world, request, id, checked)?;
                json!({"status": 201, "override": shown})
            }
            Err(reason) => json!({"status": 400, "errors": [reason], "override": one}),
        });
    }
    Ok(Response::json(201, &Value::Array(answers)))
}

/// An override without its id, or why it cannot be.
fn check(world: &World, asked: &Value) -> Result<Override, &'static str> {
    let instant = |name: &str| asked.get(name).and_then(Value::as_str).and_then(parse);
    let user = asked.pointer("/user/id").and_then(Value::as_str);
    let user = user.filter(|id| world.users.get(id).is_some());
    let (Some(start), Some(end)) = (instant("start"), instant("end")) else {
        return Err("Override must have a start and an end");
    };
    if end <= start {
        return Err("Override must end after its start");
    }
    if end <= world.now {
        return Err("Override must end in the future");
    }
    Ok(Override {
        id: String::new(),
        user: user.ok_or("Override must have a user")?.to_owned(),
        start: start.max(whole_second(world.now)),
        end,
    })
}

fn put(world: &mut World, request: &Request, id: &str, one: Override) -> Answer<Value> {
    let one = Override {
        id: world.ids.incident(),
        ..one
    };
    let schedule = world.schedules.get_mut(id).ok_or_else(not_found)?;
    schedule.overrides.push(one.clone());
    let schedule = world.schedules.get(id).ok_or_else(not_found)?;
    Ok(value(world, request, schedule, &one))
}

/// PagerDuty knows no fractions of a second here.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// A future one goes, a running one ends now, a past one stays.
fn delete(world: &mut World, id: &str, one: &str) -> Answer {
    let now = world.now;
    let missing = || Response::error(404, 4004, "Override Not Found", &[]);
    let schedule = world.schedules.get_mut(id).ok_or_else(not_found)?;
    let at = schedule.overrides.iter().position(|known| known.id == one);
    let at = at.ok_or_else(missing)?;
    let known = schedule.overrides.get_mut(at).ok_or_else(missing)?;
    if known.end <= now {
        let reason = "Override is over and cannot be removed";
        return Err(Response::error(400, 4004, "Invalid Override", &[reason]));
    }
    if known.start > now {
        schedule.overrides.remove(at);
        return Ok(Response::empty(204));
    }
    known.end = whole_second(now);
    Ok(Response::empty(200))
}
