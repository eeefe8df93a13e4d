//! What one does with incidents beyond their fields: bulk changes, merge, snooze, status
//! updates, custom field values.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::paging::Page;
use super::{Answer, directory, find, render, update};
use crate::auth::Caller;
use crate::http::{Request, Response, invalid};
use crate::refs::Root;
use crate::state::{Actor, Agent, FieldDefinition, Status, World};

/// One request changes at most so many.
const BULK_MAX: usize = 250;
const SNOOZE_S_MAX: i64 = 604_800;
const MERGED_ALERTS_MAX: usize = 1_000;
const FIELD_CHARS_MAX: usize = 200;
/// A field of several values has at most so many, each once.
const VALUES_MAX: usize = 10;

pub(super) fn body(request: &Request) -> Result<Value, Response> {
    request
        .json()
        .filter(Value::is_object)
        .ok_or_else(|| invalid("params must be a Hash"))
}

/// `PUT /incidents`: all or nothing.
pub(super) fn update_many(world: &mut World, caller: &Caller, request: &Request) -> Answer {
    let actor = world.rest_actor(caller, request)?;
    let body = body(request)?;
    let asked = body.get("incidents").and_then(Value::as_array);
    let asked = asked.ok_or_else(|| invalid("Incidents must be a list."))?;
    if asked.len() > BULK_MAX {
        return Err(Response::error(
            413,
            2001,
            "Invalid Input Provided",
            &["Too many incidents"],
        ));
    }
    let mut changes = Vec::with_capacity(asked.len());
    for one in asked {
        let at = find(
            world,
            caller,
            one.get("id").and_then(Value::as_str).unwrap_or_default(),
        )?;
        let mut one = one.clone();
        if let Some(object) = one.as_object_mut() {
            object.remove("service"); // only a single change moves an incident
        }
        changes.push((at, update::check(world, at, &one)?));
    }
    let rows: Vec<usize> = changes.iter().map(|(at, _)| *at).collect();
    for (at, change) in changes {
        update::apply(world, at, change, &actor);
    }
    Ok(Page::whole("incidents", &rows, |at| {
        render::incident(world, request, *at)
    }))
}

pub(super) fn merge(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    target: usize,
) -> Answer {
    let actor = world.rest_actor(caller, request)?;
    let body = body(request)?;
    let listed = body
        .get("source_incidents")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut sources = Vec::new();
    let mut seen = HashSet::from([target]);
    for one in listed {
        let at = find(
            world,
            caller,
            one.get("id").and_then(Value::as_str).unwrap_or_default(),
        )?;
        if world.incident(at).merged_into.is_some() {
            return Err(Response::error(
                400,
                1019,
                "Incident Already Merged",
                &["Incident Already Merged"],
            ));
        }
        if !seen.insert(at) {
            return Err(invalid("An incident cannot be merged into itself."));
        }
        sources.push(at);
    }
    if sources.is_empty() {
        return Err(invalid("Source incidents cannot be empty."));
    }
    if !world.incident(target).is_open() {
        return Err(Response::error(
            400,
            1001,
            "Incident Already Resolved",
            &["Incident Already Resolved"],
        ));
    }
    let alerts: usize = sources
        .iter()
        .chain([&target])
        .map(|at| world.incident(*at).alerts.len())
        .sum();
    if alerts > MERGED_ALERTS_MAX {
        return Err(invalid("Too many alerts."));
    }
    world.merge(target, &sources, &actor);
    Ok(Response::json(
        200,
        &json!({"incident": world.incident_ref(target)}),
    ))
}

pub(super) fn snooze(world: &mut World, caller: &Caller, request: &Request, at: usize) -> Answer {
    let actor = world.rest_actor(caller, request)?;
    let body = body(request)?;
    let duration = body
        .get("duration")
        .and_then(Value::as_i64)
        .filter(|s| (1..=SNOOZE_S_MAX).contains(s));
    let reason = "Snooze Duration is Invalid";
    let duration_s = duration.ok_or_else(|| Response::error(400, 1013, reason, &[reason]))?;
    match world.incident(at).status {
        Status::Acknowledged => {}
        Status::Triggered => {
            let reason = "Incident is not Acknowledged";
            return Err(Response::error(400, 1012, reason, &[reason]));
        }
        Status::Resolved => {
            let reason = "Incident Already Resolved";
            return Err(Response::error(400, 1001, reason, &[reason]));
        }
    }
    world.snooze(at, duration_s, &actor);
    Ok(Response::of(
        201,
        &Root("incident", render::incident(world, request, at)),
    ))
}

pub(super) fn status_update(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    at: usize,
) -> Answer {
    let user = world.requester(caller, request)?;
    let actor = world.rest_actor(caller, request)?;
    let body = body(request)?;
    let message = body
        .get("message")
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty());
    let message = message.ok_or_else(|| invalid("Message cannot be empty."))?;
    let said = |key: &str| body.get(key).is_some_and(|value| !value.is_null());
    if said("subject") != said("html_message") {
        return Err(invalid("Subject and html message go together."));
    }
    let mut posted = world.post_status_update(at, message, &user, &actor);
    if let Some(object) = posted.as_object_mut() {
        let optional = ["subject", "html_message"].map(|key| (key, body.get(key)));
        for (key, value) in optional {
            object.extend(value.map(|value| (key.to_owned(), value.clone())));
        }
    }
    Ok(Response::json(200, &json!({"status_update": posted})))
}

pub(super) fn set_fields(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    at: usize,
) -> Answer {
    let body = body(request)?;
    let asked = body.get("custom_fields").and_then(Value::as_array);
    let asked = asked.ok_or_else(|| invalid("Custom fields must be a list."))?;
    let mut values = Vec::new();
    for one in asked {
        let name = |key: &str| one.get(key).and_then(Value::as_str);
        let known = |field: &&FieldDefinition| {
            Some(field.id.as_str()) == name("id") || Some(field.name.as_str()) == name("name")
        };
        let fields = world.fields_of(at);
        let field = fields
            .into_iter()
            .find(|field| known(field))
            .ok_or_else(|| invalid("Custom field not found."))?;
        let value = one.get("value").cloned().unwrap_or_default();
        if !fits(field, &value) {
            return Err(invalid(&format!("Value of {} is invalid.", field.name)));
        }
        values.push((field.id.clone(), value));
    }
    // `From` is not asked for here; who did it is known only from a user key or by courtesy.
    let actor = match world.requester(caller, request) {
        Ok(user) => Actor::person(&user, "api"),
        Err(_) => Actor {
            agent: Agent::Automatic(world.incident(at).service.clone()),
            channel: "api",
            client: None,
        },
    };
    world.set_fields(at, values, &actor);
    Ok(Response::json(
        201,
        &json!({"custom_fields": directory::field_values(world, at)}),
    ))
}

pub(super) fn fits(field: &FieldDefinition, value: &Value) -> bool {
    let listed = |value: &Value| {
        field.options.is_empty() || field.options.iter().any(|option| *value == option.value)
    };
    match (field.data_type.as_str(), value) {
        (_, Value::Null) => true,
        ("boolean", value) => value.is_boolean(),
        ("integer", value) => value.is_i64(),
        ("float", value) => value.is_number(),
        (_, Value::String(text)) => text.chars().count() <= FIELD_CHARS_MAX && listed(value),
        (_, Value::Array(list)) => {
            let again = |(at, one): (usize, &Value)| list.iter().take(at).any(|other| other == one);
            field.field_type.starts_with("multi")
                && list.len() <= VALUES_MAX
                && list.iter().all(listed)
                && !list.iter().enumerate().any(again)
        }
        _ => false,
    }
}
