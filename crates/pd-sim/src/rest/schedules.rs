//! Schedules with layers and their overrides (docs/sim.md).
//!
//! Rendered entries are there only when `since` or `until` is given; instants are in the zone of
//! the schedule.

mod overrides;
mod write;

pub(crate) use write::restriction;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Answer;
use super::directory::{named, user_value, wanted};
use super::paging::{Page, instant};
use crate::http::{Request, Response, not_found};
use crate::refs::{Ref, local};
use crate::schedule::{Shift, coverage, layer_shifts, zone};
use crate::state::{Layer, Policy, Restriction, Schedule, Target, World};

/// The bound that is missing is so far from the other.
const WINDOW_DEFAULT: SignedDuration = SignedDuration::from_hours(24 * 14);
/// Longer windows would render more than anybody reads.
const WINDOW_MAX: SignedDuration = SignedDuration::from_hours(24 * 366);

/// What a schedule holds that is understood here; the rest is shown as it was given.
pub(crate) const UNDERSTOOD: [&str; 14] = [
    "id",
    "type",
    "summary",
    "self",
    "html_url",
    "name",
    "time_zone",
    "description",
    "schedule_layers",
    "overrides_subschedule",
    "final_schedule",
    "escalation_policies",
    "users",
    "teams",
];

type Window = (Timestamp, Timestamp);

pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => list(world, request),
        ("POST", []) => write::create(world, request),
        ("POST", ["preview"]) => write::preview(world, request),
        ("GET", [id]) => {
            let schedule = world.schedules.get(id).ok_or_else(not_found)?;
            let shown = full(world, request, schedule)?;
            Ok(Response::json(200, &json!({"schedule": shown})))
        }
        ("PUT", [id]) => write::update(world, request, id),
        ("DELETE", [id]) => write::delete(world, id),
        ("GET", [id, "users"]) => users(world, request, id),
        (_, [id, "overrides", rest @ ..]) => overrides::route(world, request, id, rest),
        _ => Err(not_found()),
    }
}

fn list(world: &World, request: &Request) -> Answer {
    let window = window(request)?;
    let rows: Vec<&Schedule> = world
        .schedules
        .iter()
        .filter(|row| {
            let teams = policies(world, row).filter_map(|policy| policy.team.as_deref());
            let teams: Vec<Option<&str>> = teams.map(Some).chain([None]).collect();
            named(request, &[&row.name])
                && teams
                    .iter()
                    .any(|team| wanted(request, "team_ids[]", *team))
        })
        .collect();
    Ok(Page::of(request)?.answer("schedules", &rows, |row| {
        let mut value = brief(world, row);
        let parts = parts(world, request, row, window);
        if let Some(object) = value.as_object_mut() {
            object.extend(
                parts
                    .into_iter()
                    .filter(|(name, _)| request.includes(name))
                    .map(|(name, part)| (name.to_owned(), part)),
            );
        }
        value
    }))
}

/// The window that entries are rendered for; none when nobody asks.
fn window(request: &Request) -> Result<Option<Window>, Response> {
    let window = match (instant(request, "since")?, instant(request, "until")?) {
        (None, None) => return Ok(None),
        (Some(since), Some(until)) => (since, until),
        (Some(since), None) => (since, since + WINDOW_DEFAULT),
        (None, Some(until)) => (until - WINDOW_DEFAULT, until),
    };
    if window.1 < window.0 || window.1.duration_since(window.0) > WINDOW_MAX {
        return Err(Response::error(400, 2004, "Invalid since/until", &[]));
    }
    Ok(Some(window))
}

fn policies<'a>(world: &'a World, schedule: &'a Schedule) -> impl Iterator<Item = &'a Policy> {
    let names_it =
        move |target: &Target| matches!(target, Target::Schedule(id) if *id == schedule.id);
    world.policies.iter().filter(move |policy| {
        let mut targets = policy.rules.iter().flat_map(|rule| &rule.targets);
        targets.any(names_it)
    })
}

fn brief(world: &World, schedule: &Schedule) -> Value {
    let refs: Vec<Value> = policies(world, schedule)
        .map(|policy| world.policy_ref(&policy.id).value())
        .collect();
    let mut teams: Vec<Value> = policies(world, schedule)
        .flat_map(|policy| world.team_refs(&policy.id))
        .map(|team| team.value())
        .collect();
    teams.dedup();
    let users = schedule.users(world.now);
    let users: Vec<Ref<'_>> = users.into_iter().map(|user| world.user_ref(user)).collect();
    let mut value = json!({
        "id": schedule.id,
        "type": "schedule",
        "summary": schedule.name,
        "self": format!("{}/schedules/{}", world.options.base_url, schedule.id),
        "html_url": format!("{}/schedules/{}", world.options.web_url, schedule.id),
        "name": schedule.name,
        "time_zone": schedule.time_zone,
        "description": schedule.description,
        "escalation_policies": refs,
        "users": users,
        "teams": teams,
    });
    if let Some(object) = value.as_object_mut() {
        let given = schedule.given.iter();
        let more = given.filter(|(name, _)| !UNDERSTOOD.contains(&name.as_str()));
        object.extend(more.map(|(name, value)| (name.clone(), value.clone())));
    }
    value
}

/// The schedule with its layers, nothing rendered.
pub(super) fn whole(world: &World, request: &Request, schedule: &Schedule) -> Value {
    let mut value = brief(world, schedule);
    if let Some(object) = value.as_object_mut() {
        let parts = parts(world, request, schedule, None);
        object.extend(parts.map(|(name, part)| (name.to_owned(), part)));
    }
    value
}

/// The schedule with its layers.
fn full(world: &World, request: &Request, schedule: &Schedule) -> Result<Value, Response> {
    let window = window(request)?;
    let mut value = brief(world, schedule);
    if let Some(object) = value.as_object_mut() {
        let parts = parts(world, request, schedule, window);
        object.extend(parts.map(|(name, part)| (name.to_owned(), part)));
    }
    Ok(value)
}

/// Layers, overrides, and what they come to.
fn parts(
    world: &World,
    request: &Request,
    schedule: &Schedule,
    window: Option<Window>,
) -> [(&'static str, Value); 3] {
    let zone = shown_zone(request, schedule);
    let overflow = matches!(request.query("overflow"), Some("true" | "1"));
    let render = |shifts: &dyn Fn(Timestamp, Timestamp) -> Vec<Shift>| {
        let Some((since, until)) = window else {
            return (Vec::new(), None);
        };
        let cut = shifts(since, until);
        let percent = coverage(&cut, since, until);
        let shown = if overflow {
            uncut(shifts, since, until)
        } else {
            cut
        };
        let entries = shown.iter().map(|shift| entry(world, shift, &zone));
        (entries.collect::<Vec<Value>>(), Some(percent))
    };
    let subschedule = |name: &str, (entries, percent): (Vec<Value>, Option<f64>)| json!({"name": name, "rendered_schedule_entries": entries, "rendered_coverage_percentage": percent});
    let own = schedule.zone();
    let layers: Vec<Value> = schedule
        .layers
        .iter()
        .rev()
        .map(|one| {
            let (entries, percent) = render(&|since, until| layer_shifts(one, &own, since, until));
            let mut value = layer(world, one, &zone);
            if let Some(object) = value.as_object_mut() {
                object.insert("rendered_schedule_entries".to_owned(), entries.into());
                object.insert("rendered_coverage_percentage".to_owned(), json!(percent));
            }
            value
        })
        .collect();
    let over = render(&|since, until| schedule.override_shifts(since, until));
    let all = render(&|since, until| schedule.final_shifts(since, until));
    [
        ("schedule_layers", layers.into()),
        ("overrides_subschedule", subschedule("Overrides", over)),
        ("final_schedule", subschedule("Final Schedule", all)),
    ]
}

/// Entries with their real ends, as `overflow=true` shows them.
fn uncut(
    shifts: &dyn Fn(Timestamp, Timestamp) -> Vec<Shift>,
    since: Timestamp,
    until: Timestamp,
) -> Vec<Shift> {
    let mut wide = shifts(since - WINDOW_DEFAULT * 4, until + WINDOW_DEFAULT * 4);
    wide.retain(|shift| shift.start < until && since < shift.end);
    wide
}

fn shown_zone(request: &Request, schedule: &Schedule) -> TimeZone {
    let asked = request.query("time_zone").and_then(zone);
    asked.unwrap_or_else(|| schedule.zone())
}

fn entry(world: &World, shift: &Shift, zone: &TimeZone) -> Value {
    json!({
        "user": world.user_ref(&shift.user),
        "start": local(shift.start, zone),
        "end": local(shift.end, zone),
    })
}

fn layer(world: &World, layer: &Layer, zone: &TimeZone) -> Value {
    let users = layer.users.iter();
    let users: Vec<Value> = users
        .map(|id| json!({"user": world.user_ref(id)}))
        .collect();
    let restrictions: Vec<Value> = layer.restrictions.iter().map(restriction_value).collect();
    json!({
        "id": layer.id,
        "name": layer.name,
        "start": local(layer.start, zone),
        "end": layer.end.map(|end| local(end, zone)),
        "rotation_virtual_start": local(layer.virtual_start, zone),
        "rotation_turn_length_seconds": layer.turn_s,
        "users": users,
        "restrictions": restrictions,
    })
}

fn restriction_value(restriction: &Restriction) -> Value {
    let start = restriction.start.strftime("%H:%M:%S").to_string();
    match restriction.weekday {
        None => json!({
            "type": "daily_restriction",
            "start_time_of_day": start,
            "duration_seconds": restriction.duration_s,
        }),
        Some(day) => json!({
            "type": "weekly_restriction",
            "start_time_of_day": start,
            "duration_seconds": restriction.duration_s,
            "start_day_of_week": day,
        }),
    }
}

/// Everybody who is on call within the window; without one, everybody in it.
fn users(world: &World, request: &Request, id: &str) -> Answer {
    let schedule = world.schedules.get(id).ok_or_else(not_found)?;
    let mut ids: Vec<String> = Vec::new();
    match window(request)? {
        None => ids.extend(schedule.users(world.now).into_iter().map(str::to_owned)),
        Some((since, until)) => {
            for shift in schedule.final_shifts(since, until) {
                if !ids.contains(&shift.user) {
                    ids.push(shift.user);
                }
            }
        }
    }
    let users: Vec<Value> = ids
        .iter()
        .map(|id| user_value(world, request, id))
        .collect();
    Ok(Response::json(200, &json!({"users": users})))
}
