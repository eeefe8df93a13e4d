//! Schedules by shifts, "v3" (docs/sim.md). Their refusals are a map of fields.

mod parts;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Answer;
use super::directory::named;
use super::paging::instant;
use crate::asked::Asked;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::{local, seconds};
use crate::schedule::zone;
use crate::shelf::{Kept, Shelf};
use crate::shifts::{Assignment, assignments, member_value};
use crate::state::{Given, Target, World};

const LIMIT: (usize, usize) = (100, 1_000);
const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 14);
const WINDOW_MAX: SignedDuration = SignedDuration::from_hours(24 * 366);

/// `path` is what follows `v3/schedules`.
pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => list(world, request),
        ("POST", []) => create(world, request),
        (_, [id, ..]) if world.schedules.get(id).is_some() => {
            Err(invalid("This is a layer-based schedule: use /schedules"))
        }
        ("GET", [id]) => {
            let value = whole(world, request, find(world, id)?)?;
            Ok(Response::json(200, &json!({"schedule": value})))
        }
        ("PUT", [id]) => update(world, request, id),
        ("DELETE", [id]) => delete(world, id),
        (_, [id, rest @ ..]) => {
            let kept = find(world, id)?.clone();
            parts::route(world, request, kept, rest)
        }
        _ => Err(not_found()),
    }
}

/// 400 for whoever asks for a schedule by shifts where those by layers are.
pub(super) fn other_place(world: &World, path: &[&str]) -> Answer<()> {
    let id = path.first().copied().unwrap_or_default();
    if world.shelves.of(Shelf::SchedulesV3).get(id).is_some() {
        return Err(invalid_message(
            "This is a shift-based schedule: use the v3 schedules API, /v3/schedules",
        ));
    }
    Ok(())
}

/// Clients look for the reason in the message.
fn invalid_message(message: &str) -> Response {
    Response::error(400, 2001, message, &[message])
}

/// The refusal of one field.
fn refuse(field: &str, reason: &str) -> Response {
    let error =
        json!({"message": "Invalid Input Provided", "code": 2001, "errors": {field: [reason]}});
    Response::json(400, &json!({"error": error}))
}

fn find<'a>(world: &'a World, id: &str) -> Answer<&'a Kept> {
    world
        .shelves
        .of(Shelf::SchedulesV3)
        .get(id)
        .ok_or_else(not_found)
}

fn policies(world: &World, id: &str) -> Vec<String> {
    let policies = world.policies.iter().filter(|policy| {
        let mut targets = policy.rules.iter().flat_map(|rule| &rule.targets);
        targets.any(|target| matches!(target, Target::Schedule(own) if own == id))
    });
    policies.map(|policy| policy.id.clone()).collect()
}

fn teams(kept: &Kept) -> Vec<&str> {
    let list = kept.fields.get("teams").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// References alone.
fn list(world: &World, request: &Request) -> Answer {
    let number = |name: &str, usual: usize| {
        let number = request.query(name).map_or(Ok(usual), str::parse::<usize>);
        number.map_err(|_error| refuse(name, "must be a number"))
    };
    let (limit, offset) = (
        number("limit", LIMIT.0)?.clamp(1, LIMIT.1),
        number("offset", 0)?,
    );
    let wanted: Vec<&str> = request.query_all("team_ids[]").collect();
    let all = world.shelves.of(Shelf::SchedulesV3).iter();
    let mut rows: Vec<&Kept> = all
        .filter(|one| named(request, &[one.text("name")]))
        .filter(|one| wanted.is_empty() || teams(one).iter().any(|team| wanted.contains(team)))
        .collect();
    rows.sort_by(|a, b| a.text("name").cmp(b.text("name")));
    let page = rows.iter().skip(offset).take(limit);
    let page: Vec<Value> = page
        .map(|one| world.schedule_ref(&one.id).value())
        .collect();
    let total = (request.query("total") == Some("true")).then_some(rows.len());
    Ok(Response::json(
        200,
        &json!({"schedules": page, "limit": limit, "offset": offset, "more": offset + limit < rows.len(), "total": total}),
    ))
}

fn create(world: &mut World, request: &Request) -> Answer {
    let asked = Asked::of(request, "schedule")?;
    for part in ["rotations", "escalation_policies"] {
        if asked.names(part) {
            return Err(refuse(part, "cannot be set here"));
        }
    }
    let mut fields = Given::from_iter([
        ("description".to_owned(), "".into()),
        ("teams".to_owned(), json!([])),
        ("rotations".to_owned(), json!([])),
        ("custom_shifts".to_owned(), json!([])),
        ("overrides".to_owned(), json!([])),
    ]);
    change(world, asked, &mut fields, true)?;
    let id = world.ids.object('P');
    put(
        world,
        Kept {
            id: id.clone(),
            fields,
        },
    );
    shown(world, request, &id, 201)
}

fn update(world: &mut World, request: &Request, id: &str) -> Answer {
    let mut kept = find(world, id)?.clone();
    change(
        world,
        Asked::of(request, "schedule")?,
        &mut kept.fields,
        false,
    )?;
    put(world, kept);
    shown(world, request, id, 200)
}

fn change(world: &World, mut asked: Asked, fields: &mut Given, new: bool) -> Answer<()> {
    let mut text = |name: &'static str, most: usize| {
        let text = asked
            .text(name, most)
            .filter(|text| !text.trim().is_empty());
        let needed = new || asked.names(name);
        if needed && text.is_none() {
            return Err(refuse(name, &format!("must have 1 to {most} characters")));
        }
        Ok(text)
    };
    text("name", 255)?;
    if text("time_zone", 255)?.is_some_and(|name| zone(&name).is_none()) {
        return Err(refuse("time_zone", "is unknown"));
    }
    let long = |value: &Value| {
        value
            .as_str()
            .is_none_or(|text| text.chars().count() > 1_024)
    };
    if asked
        .raw("description")
        .is_some_and(|value| !value.is_null() && long(value))
    {
        return Err(refuse("description", "must have 1,024 characters at most"));
    }
    asked.keep(&["name", "time_zone", "description"], fields);
    if let Some(list) = asked.raw("teams").and_then(Value::as_array) {
        let ids = list.iter().filter_map(|one| one.get("id")?.as_str());
        let ids: Vec<&str> = ids.collect();
        if ids.iter().any(|id| world.teams.get(id).is_none()) {
            return Err(refuse("teams", "must name teams of this account"));
        }
        fields.insert("teams".to_owned(), json!(ids));
    }
    Ok(())
}

fn delete(world: &mut World, id: &str) -> Answer {
    find(world, id)?;
    if !policies(world, id).is_empty() {
        return Err(refuse("escalation_policies", "still use this schedule"));
    }
    if let Some(gone) = world.shelves.of_mut(Shelf::SchedulesV3).remove(id) {
        world.forget(id, gone.text("name").to_owned());
    }
    Ok(Response::empty(204))
}

fn put(world: &mut World, kept: Kept) {
    world.shelves.of_mut(Shelf::SchedulesV3).put(kept);
}

fn shown(world: &World, request: &Request, id: &str, status: u16) -> Answer {
    let value = whole(world, request, find(world, id)?)?;
    Ok(Response::json(status, &json!({"schedule": value})))
}

/// One bound that is missing is the other, two weeks on; without both it is the next two weeks.
fn window(world: &World, request: &Request) -> Answer<(Timestamp, Timestamp)> {
    let (since, until) = match (instant(request, "since")?, instant(request, "until")?) {
        (Some(since), Some(until)) => (since, until),
        (Some(since), None) => (since, since + WINDOW),
        (None, Some(until)) => (until - WINDOW, until),
        (None, None) => (world.now, world.now + WINDOW),
    };
    if until < since || until.duration_since(since) > WINDOW_MAX {
        return Err(Response::error(400, 2004, "Invalid since/until", &[]));
    }
    Ok((since, until))
}

fn whole(world: &World, request: &Request, kept: &Kept) -> Answer<Value> {
    let mut value = json!({"id": kept.id});
    let zone_name = kept.text("time_zone");
    let users = parts::users(kept);
    let users: Vec<Value> = users.iter().map(|id| world.user_ref(id).value()).collect();
    let teams: Vec<Value> = teams(kept)
        .into_iter()
        .map(|id| world.team_ref(id).value())
        .collect();
    let policies = policies(world, &kept.id);
    let policies: Vec<Value> = policies
        .iter()
        .map(|id| world.policy_ref(id).value())
        .collect();
    let shown = [
        ("type", "schedule_v3".into()),
        ("name", kept.text("name").into()),
        ("time_zone", zone_name.into()),
        ("description", kept.text("description").into()),
        ("teams", teams.into()),
        ("escalation_policies", policies.into()),
        ("users", users.into()),
        (
            "rotations",
            kept.fields.get("rotations").cloned().unwrap_or_default(),
        ),
    ];
    let Some(fields) = value.as_object_mut() else {
        return Err(not_found());
    };
    fields.extend(shown.map(|(name, value)| (name.to_owned(), value)));
    if request.includes("final_schedule") {
        let (since, until) = window(world, request)?;
        let asked = request.query("time_zone").unwrap_or(zone_name);
        let zone = zone(asked).unwrap_or(TimeZone::UTC);
        let overflow = matches!(request.query("overflow"), Some("true" | "1"));
        let all = assignments(&kept.fields, since, until);
        fields.insert(
            "final_schedule".to_owned(),
            rendered(&all, (since, until), &zone, overflow),
        );
    }
    Ok(value)
}

fn rendered(
    all: &[Assignment],
    (since, until): (Timestamp, Timestamp),
    zone: &TimeZone,
    overflow: bool,
) -> Value {
    let show = |at: Timestamp| match zone.iana_name() {
        None | Some("UTC" | "Etc/UTC") => seconds(at),
        Some(_) => local(at, zone),
    };
    let rows: Vec<Value> = all
        .iter()
        .map(|one| {
            let cut = (one.start.max(since), one.end.min(until));
            let (start, end) = if overflow { (one.start, one.end) } else { cut };
            json!({
                "type": "computed_shift_assignment",
                "start_time": show(start),
                "end_time": show(end),
                "member": member_value(one.user.as_deref()),
                "source": one.source,
            })
        })
        .collect();
    let (mut covered, mut reached) = (SignedDuration::ZERO, since);
    for one in all.iter().filter(|one| one.user.is_some()) {
        let (start, end) = (one.start.max(reached), one.end.min(until));
        if start < end {
            covered += end.duration_since(start);
            reached = end;
        }
    }
    let length = until.duration_since(since).as_secs_f64().max(1.0);
    let percent = (covered.as_secs_f64() / length * 1_000.0).round() / 10.0;
    json!({
        "type": "final_schedule",
        "rendered_coverage_percentage": percent,
        "computed_shift_assignments": rows,
    })
}
