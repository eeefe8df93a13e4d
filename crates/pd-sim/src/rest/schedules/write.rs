//! Making and changing schedules.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::overrides::whole_second;
use super::{full, policies};
use crate::http::{Request, Response, invalid, not_found};
use crate::ids::Ids;
use crate::rest::Answer;
use crate::rest::paging::parse;
use crate::schedule::{TURN_S_MIN, time_of_day, zone};
use crate::state::{Given, Layer, Restriction, Schedule, World};

fn invalid_schedule(reason: &str) -> Response {
    Response::error(400, 3001, "Invalid Schedule", &[reason])
}

fn asked(request: &Request) -> Answer<Value> {
    let body = request.json();
    let asked = body.and_then(|mut body| body.get_mut("schedule").map(Value::take));
    asked
        .filter(Value::is_object)
        .ok_or_else(|| invalid("Schedule is missing."))
}

pub(super) fn create(world: &mut World, request: &Request) -> Answer {
    let schedule = new(world, &asked(request)?)?;
    if world
        .schedules
        .iter()
        .any(|known| known.name == schedule.name)
    {
        return Err(invalid("Name has already been taken"));
    }
    let id = schedule.id.clone();
    world.schedules.put(schedule);
    shown(world, request, &id, 201)
}

/// What would come of it; nothing is kept.
pub(super) fn preview(world: &World, request: &Request) -> Answer {
    let mut world = world.clone();
    let schedule = new(&mut world, &asked(request)?)?;
    let id = schedule.id.clone();
    world.schedules.put(schedule);
    shown(&world, request, &id, 200)
}

fn shown(world: &World, request: &Request, id: &str, status: u16) -> Answer {
    let schedule = world.schedules.get(id).ok_or_else(not_found)?;
    let shown = full(world, request, schedule)?;
    Ok(Response::json(status, &json!({"schedule": shown})))
}

fn new(world: &mut World, asked: &Value) -> Answer<Schedule> {
    let mut schedule = Schedule {
        id: world.ids.object('P'),
        name: String::new(),
        time_zone: String::new(),
        description: None,
        layers: Vec::new(),
        overrides: Vec::new(),
        given: Given::new(),
    };
    change(world, &mut schedule, asked)?;
    if schedule.name.trim().is_empty() {
        return Err(invalid_schedule("Name can't be blank"));
    }
    if schedule.time_zone.is_empty() {
        return Err(invalid_schedule("Time zone can't be blank"));
    }
    if schedule.layers.is_empty() {
        return Err(invalid_schedule("Schedule must have at least one layer"));
    }
    Ok(schedule)
}

pub(super) fn update(world: &mut World, request: &Request, id: &str) -> Answer {
    let asked = asked(request)?;
    let mut schedule = world.schedules.get(id).ok_or_else(not_found)?.clone();
    change(world, &mut schedule, &asked)?;
    world.schedules.put(schedule);
    shown(world, request, id, 200)
}

pub(super) fn delete(world: &mut World, id: &str) -> Answer {
    let schedule = world.schedules.get(id).ok_or_else(not_found)?;
    if policies(world, schedule).next().is_some() {
        return Err(invalid_schedule("Schedule is used by an escalation policy"));
    }
    world.schedules.remove(id);
    Ok(Response::empty(204))
}

/// Takes what the request names; layers are replaced as a whole.
fn change(world: &mut World, schedule: &mut Schedule, asked: &Value) -> Answer<()> {
    let text = |name: &str| asked.get(name).and_then(Value::as_str);
    if let Some(name) = text("name") {
        name.clone_into(&mut schedule.name);
    }
    if let Some(name) = text("time_zone") {
        zone(name).ok_or_else(|| invalid_schedule("Time zone is invalid"))?;
        name.clone_into(&mut schedule.time_zone);
    }
    if let Some(description) = asked.get("description") {
        schedule.description = description.as_str().map(str::to_owned);
    }
    let Some(layers) = asked.get("schedule_layers").and_then(Value::as_array) else {
        return Ok(());
    };
    let mut new = Vec::with_capacity(layers.len());
    for (at, one) in layers.iter().enumerate() {
        new.push(layer(world, at, one)?);
    }
    // A layer cannot be deleted, only ended: those that are named no more end now.
    let now = whole_second(world.now);
    let gone = schedule
        .layers
        .drain(..)
        .filter(|old| new.iter().all(|one| one.id != old.id));
    let mut kept: Vec<Layer> = gone
        .map(|mut old| {
            old.end = Some(old.end.map_or(now, |end| end.min(now)));
            old
        })
        .collect();
    kept.append(&mut new);
    schedule.layers = kept;
    Ok(())
}

fn layer(world: &mut World, at: usize, asked: &Value) -> Answer<Layer> {
    let instant = |name: &str| asked.get(name).and_then(Value::as_str).and_then(parse);
    let need = |name: &str| -> Answer<Timestamp> {
        instant(name).ok_or_else(|| invalid_schedule(&format!("Layer {name} is invalid")))
    };
    let users = asked.get("users").and_then(Value::as_array);
    let users = users.into_iter().flatten().map(|one| {
        let id = one.pointer("/user/id").and_then(Value::as_str);
        id.filter(|id| world.users.get(id).is_some())
            .map(str::to_owned)
    });
    let users: Option<Vec<String>> = users.collect();
    let users = users.filter(|users| !users.is_empty());
    let users = users.ok_or_else(|| invalid_schedule("Layer users are invalid"))?;
    let turn = asked
        .get("rotation_turn_length_seconds")
        .and_then(Value::as_i64);
    let turn = turn.filter(|turn| (TURN_S_MIN..=366 * 86_400).contains(turn));
    let restrictions = asked.get("restrictions").and_then(Value::as_array);
    let restrictions: Option<Vec<Restriction>> = restrictions
        .into_iter()
        .flatten()
        .map(restriction)
        .collect();
    let name = asked.get("name").and_then(Value::as_str);
    let start = need("start")?;
    Ok(Layer {
        id: id(asked, &mut world.ids),
        name: name.map_or_else(|| format!("Layer {}", at + 1), str::to_owned),
        start,
        end: instant("end"),
        virtual_start: need("rotation_virtual_start")?,
        turn_s: turn
            .ok_or_else(|| invalid_schedule("Layer rotation_turn_length_seconds is invalid"))?,
        users,
        restrictions: restrictions
            .ok_or_else(|| invalid_schedule("Layer restrictions are invalid"))?,
    })
}

fn id(asked: &Value, ids: &mut Ids) -> String {
    let given = asked.get("id").and_then(Value::as_str);
    given.map_or_else(|| ids.object('P'), str::to_owned)
}

/// `None`: it makes no sense.
pub(crate) fn restriction(asked: &Value) -> Option<Restriction> {
    let day = asked.get("start_day_of_week").and_then(Value::as_i64);
    let day = day.and_then(|day| i8::try_from(day).ok());
    let duration_s = asked.get("duration_seconds").and_then(Value::as_i64)?;
    let start = time_of_day(asked.get("start_time_of_day").and_then(Value::as_str)?)?;
    let weekday = match asked.get("type").and_then(Value::as_str)? {
        "daily_restriction" => None,
        "weekly_restriction" => Some(day.filter(|day| (1..=7).contains(day))?),
        _ => return None,
    };
    (0 < duration_s && duration_s <= 7 * 86_400).then_some(Restriction {
        weekday,
        start,
        duration_s,
    })
}
