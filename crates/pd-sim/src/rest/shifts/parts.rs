//! What a schedule by shifts is made of: rotations with events, single shifts, and stand-ins.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{put, refuse};
use crate::http::{Request, Response, not_found};
use crate::refs::seconds;
use crate::rest::Answer;
use crate::rest::paging::instant as asked_instant;
use crate::shelf::Kept;
use crate::shifts::{Event, instant, list, member};
use crate::state::World;

const ROTATIONS_MAX: usize = 10;
const EVENTS_MAX: usize = 5;
/// How far ahead events of a rotation are compared.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 7 * 8);

pub(super) fn route(world: &mut World, request: &Request, kept: Kept, path: &[&str]) -> Answer {
    match path {
        ["rotations", rest @ ..] => rotations(world, request, kept, rest),
        ["custom_shifts", rest @ ..] => times(world, request, kept, &SHIFTS, rest),
        ["overrides", rest @ ..] => times(world, request, kept, &OVERRIDES, rest),
        _ => Err(not_found()),
    }
}

/// Everybody who is named in a rotation or a shift.
pub(super) fn users(kept: &Kept) -> Vec<String> {
    let mut users: Vec<String> = Vec::new();
    let rotations = rows(kept, "rotations").iter();
    let events = rotations.flat_map(|one| list(one, "events"));
    let strategies = events.filter_map(|one| one.get("assignment_strategy"));
    let rotating = strategies.flat_map(|one| list(one, "members"));
    let shifts = rows(kept, "custom_shifts").iter();
    let single = shifts
        .flat_map(|one| list(one, "assignments"))
        .filter_map(|one| one.get("member"));
    for user in rotating
        .chain(single)
        .filter_map(|one| member(one).flatten())
    {
        if !users.contains(&user) {
            users.push(user);
        }
    }
    users
}

fn rows<'a>(kept: &'a Kept, name: &str) -> &'a [Value] {
    let list = kept.fields.get(name).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn rows_mut<'a>(kept: &'a mut Kept, name: &str) -> &'a mut Vec<Value> {
    let list = kept.fields.entry(name).or_insert_with(|| json!([]));
    if !list.is_array() {
        *list = json!([]);
    }
    list.as_array_mut().expect("it was made a list")
}

fn place(rows: &[Value], id: &str) -> Answer<usize> {
    let found = rows
        .iter()
        .position(|one| one.get("id").and_then(Value::as_str) == Some(id));
    found.ok_or_else(not_found)
}

fn answer(status: u16, name: &str, value: &Value) -> Response {
    Response::json(status, &json!({ name: value }))
}

fn rotations(world: &mut World, request: &Request, mut kept: Kept, path: &[&str]) -> Answer {
    let all = rows(&kept, "rotations");
    match (request.method.as_str(), path) {
        ("GET", []) => Ok(answer(200, "rotations", &json!(all))),
        ("POST", []) => {
            if all.len() >= ROTATIONS_MAX {
                return Err(refuse("rotations", "can be 10 at most"));
            }
            let id = world.ids.object('P');
            let made = json!({"id": id, "type": "schedule_rotation", "events": []});
            rows_mut(&mut kept, "rotations").push(made.clone());
            put(world, kept);
            Ok(answer(201, "rotation", &made))
        }
        ("GET", [id]) => {
            let one = all.get(place(all, id)?);
            Ok(answer(200, "rotation", &json!(one)))
        }
        ("DELETE", [id]) => {
            let at = place(all, id)?;
            rows_mut(&mut kept, "rotations").remove(at);
            rows_mut(&mut kept, "overrides")
                .retain(|one| one.get("rotation_id").and_then(Value::as_str) != Some(id));
            put(world, kept);
            Ok(Response::empty(204))
        }
        (_, [id, "events", rest @ ..]) => {
            let at = place(all, id)?;
            let events = all.get(at).map(|one| list(one, "events").to_vec());
            let (events, response) = events_of(world, request, events.unwrap_or_default(), rest)?;
            if let Some(rotation) = rows_mut(&mut kept, "rotations")
                .get_mut(at)
                .and_then(Value::as_object_mut)
            {
                rotation.insert("events".to_owned(), events.into());
            }
            put(world, kept);
            Ok(response)
        }
        _ => Err(not_found()),
    }
}

/// The events afterwards, and the answer.
fn events_of(
    world: &mut World,
    request: &Request,
    mut events: Vec<Value>,
    path: &[&str],
) -> Answer<(Vec<Value>, Response)> {
    let now = world.now;
    let response = match (request.method.as_str(), path) {
        ("GET", []) => answer(200, "events", &json!(events)),
        ("GET", [id]) => answer(200, "event", &json!(events.get(place(&events, id)?))),
        ("POST", []) => {
            if events.len() >= EVENTS_MAX {
                return Err(refuse("events", "can be 5 at most"));
            }
            let mut event = event(world, request)?;
            apart(&event, &events)?;
            set(&mut event, "id", world.ids.object('P').into());
            events.push(event.clone());
            answer(201, "event", &event)
        }
        ("PUT", [id]) => {
            let at = place(&events, id)?;
            let old = events.get(at).cloned().unwrap_or_default();
            let read = Event::read(&old).map_err(|(field, reason)| refuse(field, &reason))?;
            if read.until().is_some_and(|until| until <= now) {
                return Err(refuse(
                    "effective_until",
                    "is past: the event cannot change",
                ));
            }
            let mut new = event(world, request)?;
            if read.since() <= now {
                // It has begun: only its end may change.
                let until = new.get("effective_until").cloned().unwrap_or_default();
                new = old;
                set(&mut new, "effective_until", until);
            }
            set(&mut new, "id", (*id).into());
            events.remove(at);
            apart(&new, &events)?;
            events.insert(at, new.clone());
            answer(200, "event", &new)
        }
        ("DELETE", [id]) => {
            let at = place(&events, id)?;
            let begun = events
                .get(at)
                .and_then(|one| instant(one, "effective_since"));
            match events.get_mut(at) {
                Some(event) if begun.is_some_and(|begun| begun < now) => {
                    set(event, "effective_until", seconds(now).into());
                }
                _ => drop(events.remove(at)),
            }
            Response::empty(204)
        }
        _ => return Err(not_found()),
    };
    Ok((events, response))
}

fn set(value: &mut Value, name: &str, to: Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), to);
    }
}

/// The event that a request names, checked; it begins now at the earliest.
fn event(world: &World, request: &Request) -> Answer<Value> {
    let body = request.json().unwrap_or_default();
    let asked = body
        .get("event")
        .ok_or_else(|| refuse("event", "is missing"))?;
    let name = asked
        .get("name")
        .and_then(Value::as_str)
        .filter(|name| !name.trim().is_empty());
    name.ok_or_else(|| refuse("name", "can't be blank"))?;
    let since = instant(asked, "effective_since")
        .unwrap_or(world.now)
        .max(world.now);
    let part = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let made = json!({
        "type": "schedule_event",
        "name": name,
        "start_time": part("start_time"),
        "end_time": part("end_time"),
        "effective_since": seconds(since),
        "effective_until": part("effective_until"),
        "recurrence": part("recurrence"),
        "assignment_strategy": part("assignment_strategy"),
    });
    Event::read(&made).map_err(|(field, reason)| refuse(field, &reason))?;
    let strategy = made.get("assignment_strategy").unwrap_or(&Value::Null);
    let mut users = list(strategy, "members")
        .iter()
        .filter_map(|one| member(one).flatten());
    if users.any(|user| world.users.get(&user).is_none()) {
        return Err(refuse(
            "assignment_strategy",
            "names somebody who is not there",
        ));
    }
    Ok(made)
}

/// Events of one rotation may not overlap.
fn apart(event: &Value, others: &[Value]) -> Answer<()> {
    let Ok(event) = Event::read(event) else {
        return Ok(());
    };
    for other in others.iter().filter_map(|other| Event::read(other).ok()) {
        let from = event.since().max(other.since());
        let to = from.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        let (mine, theirs) = (event.times(from, to), other.times(from, to));
        let clash = mine
            .iter()
            .any(|(_, start, end)| theirs.iter().any(|(_, from, to)| start < to && from < end));
        if clash {
            return Err(refuse(
                "start_time",
                "overlaps another event of the rotation",
            ));
        }
    }
    Ok(())
}

/// Single shifts and stand-ins have times of their own.
struct Kind {
    many: &'static str,
    one: &'static str,
    check: fn(&World, &Kept, &Value) -> Answer<Value>,
}

const SHIFTS: Kind = Kind {
    many: "custom_shifts",
    one: "custom_shift",
    check: shift,
};
const OVERRIDES: Kind = Kind {
    many: "overrides",
    one: "override",
    check: stand_in,
};

fn times(
    world: &mut World,
    request: &Request,
    mut kept: Kept,
    kind: &Kind,
    path: &[&str],
) -> Answer {
    let body = request.json().unwrap_or_default();
    let all = rows(&kept, kind.many);
    match (request.method.as_str(), path) {
        ("GET", []) => {
            let bound = |name: &str| {
                asked_instant(request, name)?.ok_or_else(|| refuse(name, "is required"))
            };
            let (since, until) = (bound("since")?, bound("until")?);
            let inside = |one: &&Value| {
                instant(one, "start_time").is_some_and(|start| start < until)
                    && instant(one, "end_time").is_some_and(|end| since < end)
            };
            let shown: Vec<&Value> = all.iter().filter(inside).collect();
            Ok(answer(200, kind.many, &json!(shown)))
        }
        ("POST", []) => {
            let asked = list(&body, kind.many);
            if asked.is_empty() {
                return Err(refuse(kind.many, "must name at least one"));
            }
            let made = asked.iter().map(|one| (kind.check)(world, &kept, one));
            let mut made = made.collect::<Answer<Vec<Value>>>()?;
            for one in &mut made {
                set(one, "id", world.ids.object('P').into());
            }
            rows_mut(&mut kept, kind.many).extend(made.iter().cloned());
            put(world, kept);
            Ok(answer(201, kind.many, &json!(made)))
        }
        (method, [id]) => {
            let at = place(all, id)?;
            let old = all.get(at).cloned().unwrap_or_default();
            one_time(world, method, kept, kind, (at, old), &body)
        }
        _ => Err(not_found()),
    }
}

fn one_time(
    world: &mut World,
    method: &str,
    mut kept: Kept,
    kind: &Kind,
    (at, old): (usize, Value),
    body: &Value,
) -> Answer {
    let now = world.now;
    let begun = instant(&old, "start_time").is_some_and(|start| start <= now);
    let over = instant(&old, "end_time").is_some_and(|end| end <= now);
    match method {
        "GET" => return Ok(answer(200, kind.one, &old)),
        "PUT" | "DELETE" if over => return Err(refuse("end_time", "is past: it cannot change")),
        "PUT" => {
            let mut asked = body
                .get(kind.one)
                .cloned()
                .ok_or_else(|| refuse(kind.one, "is missing"))?;
            for fixed in ["id", "rotation_id", "custom_shift_id"] {
                if let Some(value) = old.get(fixed) {
                    set(&mut asked, fixed, value.clone());
                }
            }
            let mut new = (kind.check)(world, &kept, &asked)?;
            if begun {
                let end = new.get("end_time").cloned().unwrap_or_default();
                new = old.clone();
                set(&mut new, "end_time", end);
            }
            set(&mut new, "id", old.get("id").cloned().unwrap_or_default());
            if let Some(row) = rows_mut(&mut kept, kind.many).get_mut(at) {
                row.clone_from(&new);
            }
            put(world, kept);
            return Ok(answer(200, kind.one, &new));
        }
        "DELETE" if begun => {
            if let Some(row) = rows_mut(&mut kept, kind.many).get_mut(at) {
                set(row, "end_time", seconds(now).into());
            }
        }
        "DELETE" => drop(rows_mut(&mut kept, kind.many).remove(at)),
        _ => return Err(not_found()),
    }
    put(world, kept);
    Ok(Response::empty(204))
}

fn span(value: &Value) -> Answer<(Timestamp, Timestamp)> {
    let bound = |name: &str| instant(value, name).ok_or_else(|| refuse(name, "must be an instant"));
    let (start, end) = (bound("start_time")?, bound("end_time")?);
    if end <= start {
        return Err(refuse("end_time", "must be after start_time"));
    }
    Ok((start, end))
}

fn person(world: &World, value: Option<&Value>, field: &str) -> Answer<Value> {
    let member = value.filter(|value| {
        member(value).is_some_and(|user| user.is_none_or(|user| world.users.get(&user).is_some()))
    });
    member
        .cloned()
        .ok_or_else(|| refuse(field, "must be a known user or empty"))
}

fn shift(world: &World, _kept: &Kept, asked: &Value) -> Answer<Value> {
    let (start, end) = span(asked)?;
    let [one] = list(asked, "assignments") else {
        return Err(refuse("assignments", "must be exactly one"));
    };
    let who = person(world, one.get("member"), "assignments")?;
    Ok(json!({
        "type": "custom_shift",
        "start_time": seconds(start),
        "end_time": seconds(end),
        "assignments": [{"type": "shift_assignment", "member": who}],
    }))
}

fn stand_in(world: &World, kept: &Kept, asked: &Value) -> Answer<Value> {
    let (start, end) = span(asked)?;
    let id = |name: &str| asked.get(name).and_then(Value::as_str);
    let (name, id, among) = match (id("rotation_id"), id("custom_shift_id")) {
        (Some(id), None) => ("rotation_id", id, "rotations"),
        (None, Some(id)) => ("custom_shift_id", id, "custom_shifts"),
        _ => {
            return Err(refuse(
                "rotation_id",
                "or custom_shift_id is needed, not both",
            ));
        }
    };
    if place(rows(kept, among), id).is_err() {
        return Err(refuse(name, "is not part of this schedule"));
    }
    Ok(json!({
        "type": "override_shift",
        name: id,
        "start_time": seconds(start),
        "end_time": seconds(end),
        "overridden_member": person(world, asked.get("overridden_member"), "overridden_member")?,
        "overriding_member": person(world, asked.get("overriding_member"), "overriding_member")?,
    }))
}
