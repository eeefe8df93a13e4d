//! Alerts of an incident.

use serde_json::{Value, json};

use super::Answer;
use super::paging::Page;
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::state::{Alert, World};

/// One request changes at most so many.
const BULK_MAX: usize = 250;
/// One incident has at most so many.
const ALERTS_MAX: usize = 1_000;

pub(super) fn list(world: &World, request: &Request, at: usize) -> Answer {
    let statuses: Vec<&str> = request.query_all("statuses[]").collect();
    let mut rows: Vec<&Alert> = world
        .incident(at)
        .alerts
        .iter()
        .filter(|alert| {
            request
                .query("alert_key")
                .is_none_or(|key| key == alert.key)
                && (statuses.is_empty() || statuses.contains(&status(alert)))
        })
        .collect();
    // An alert does not say when it ended: those that are open come first, the others by age.
    match request.query("sort_by").unwrap_or("created_at") {
        "created_at" | "created_at:asc" => {}
        "created_at:desc" => rows.reverse(),
        "resolved_at" | "resolved_at:asc" => rows.sort_by_key(|alert| !alert.resolved),
        "resolved_at:desc" => rows.sort_by_key(|alert| alert.resolved),
        _ => return Err(invalid("Sort by must name created_at or resolved_at.")),
    }
    Ok(Page::of(request)?.answer("alerts", &rows, |alert| shown(world, request, at, alert)))
}

/// With the whole of what `include[]` names.
fn shown(world: &World, request: &Request, at: usize, alert: &Alert) -> Value {
    let mut value = render(world, at, alert);
    let Some(fields) = value.as_object_mut() else {
        return value;
    };
    let plain = Request::new("GET", "/");
    if request.includes("services") && world.services.get(&alert.service).is_some() {
        let service = super::directory::service_value(world, &plain, &alert.service);
        fields.insert("service".to_owned(), service);
    }
    if request.includes("incidents") {
        let incident = json!(super::render::incident(world, &plain, at));
        fields.insert("incident".to_owned(), incident);
    }
    let trigger = world.log_by_id.get(&alert.log_entry);
    let trigger = trigger.and_then(|index| world.log.get(*index));
    if let Some(trigger) = trigger.filter(|_| request.includes("first_trigger_log_entries")) {
        let trigger = super::log_entries::render(world, &plain, trigger);
        fields.insert("first_trigger_log_entry".to_owned(), json!(trigger));
    }
    value
}

pub(super) fn get(world: &World, at: usize, id: &str) -> Answer {
    let alert = world
        .incident(at)
        .alerts
        .iter()
        .find(|alert| alert.id == id)
        .ok_or_else(not_found)?;
    Ok(Response::json(
        200,
        &json!({"alert": render(world, at, alert)}),
    ))
}

pub(super) fn update_one(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    at: usize,
    id: &str,
) -> Answer {
    let actor = world.rest_actor(caller, request)?;
    let body = request
        .json()
        .ok_or_else(|| invalid("params must be a Hash"))?;
    let change = check(world, at, id, body.get("alert").unwrap_or(&Value::Null))?;
    let at = apply(world, at, &change, &actor);
    get(world, at, id)
}

pub(super) fn update_many(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    at: usize,
) -> Answer {
    let actor = world.rest_actor(caller, request)?;
    let body = request
        .json()
        .ok_or_else(|| invalid("params must be a Hash"))?;
    let asked = body
        .get("alerts")
        .and_then(Value::as_array)
        .ok_or_else(|| invalid("Alerts must be a list."))?;
    if asked.len() > BULK_MAX {
        return Err(Response::error(
            413,
            2001,
            "Invalid Input Provided",
            &["Too many alerts"],
        ));
    }
    let id = |change: &Value| {
        change
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let changes: Vec<_> = asked
        .iter()
        .map(|change| check(world, at, &id(change), change))
        .collect::<Result<_, _>>()?;
    let coming = changes
        .iter()
        .filter(|change| change.target.is_some())
        .count();
    let target = changes.iter().find_map(|change| change.target);
    if target.is_some_and(|to| world.incident(to).alerts.len() + coming > ALERTS_MAX) {
        return Err(invalid("Too many alerts."));
    }
    let places: Vec<(usize, String)> = changes
        .into_iter()
        .map(|change| (apply(world, at, &change, &actor), change.alert))
        .collect();
    let rows: Vec<(usize, &Alert)> = places
        .iter()
        .filter_map(|(at, id)| {
            let mut alerts = world.incident(*at).alerts.iter();
            Some((*at, alerts.find(|alert| alert.id == *id)?))
        })
        .collect();
    Ok(Page::of(request)?.answer("alerts", &rows, |(at, alert)| render(world, *at, alert)))
}

/// What is to happen to one alert.
struct Change {
    alert: String,
    resolve: Option<bool>,
    /// The incident it goes to.
    target: Option<usize>,
}

fn check(world: &World, at: usize, id: &str, asked: &Value) -> Result<Change, Response> {
    let known = world.incident(at).alerts.iter().any(|alert| alert.id == id);
    if !known {
        return Err(not_found());
    }
    let resolve = match asked.get("status").and_then(Value::as_str) {
        None => None,
        Some("resolved") => Some(true),
        Some("triggered") => Some(false),
        Some(_) => return Err(invalid("Status must be triggered or resolved.")),
    };
    let target = match asked.pointer("/incident/id").and_then(Value::as_str) {
        None => None,
        Some(target) => Some(world.find(target).ok_or_else(not_found)?).filter(|to| *to != at),
    };
    if let Some(target) = target.map(|target| world.incident(target)) {
        if !target.is_open() {
            let reason = "Incident Already Resolved";
            return Err(Response::error(400, 1001, reason, &[reason]));
        }
        if target.alerts.len() >= ALERTS_MAX {
            return Err(invalid("Too many alerts."));
        }
    }
    Ok(Change {
        alert: id.to_owned(),
        resolve,
        target,
    })
}

/// Makes a checked change; says where the alert is now.
fn apply(world: &mut World, at: usize, change: &Change, actor: &crate::state::Actor) -> usize {
    let alerts = world.incident(at).alerts.iter();
    let position = alerts
        .map(|alert| &alert.id)
        .position(|id| *id == change.alert);
    // The same alert may be named twice, and may have gone with the first.
    let Some(alert) = position else {
        return change.target.unwrap_or(at);
    };
    match change.resolve {
        Some(true) => world.resolve_alert(at, alert, actor),
        Some(false) if world.incident(at).is_open() => world.reopen_alert(at, alert),
        Some(false) | None => {}
    }
    if let Some(target) = change.target {
        world.move_alert(at, alert, target, actor);
        return target;
    }
    at
}

const fn status(alert: &Alert) -> &'static str {
    if alert.resolved {
        "resolved"
    } else {
        "triggered"
    }
}

pub(super) fn render(world: &World, at: usize, alert: &Alert) -> Value {
    let incident = world.incident(at);
    let integration = world.integrations.get(&alert.integration);
    let trigger = world
        .log_by_id
        .get(&alert.log_entry)
        .and_then(|index| world.log.get(*index));
    json!({
        "id": alert.id,
        "type": "alert",
        "summary": alert.summary,
        "self": format!("{}/alerts/{}", world.options.base_url, alert.id),
        "html_url": format!("{}/alerts/{}", world.options.web_url, alert.id),
        "created_at": seconds(alert.at),
        "status": status(alert),
        "alert_key": alert.key,
        "service": world.service_ref(&alert.service),
        "first_trigger_log_entry": {
            "id": alert.log_entry,
            "type": "trigger_log_entry_reference",
            "summary": trigger.map(|entry| &entry.summary),
            "self": format!("{}/log_entries/{}?incident_id={}", world.options.base_url, alert.log_entry, incident.id),
            "html_url": format!("{}/incidents/{}/log_entries/{}", world.options.web_url, incident.id, alert.log_entry),
        },
        "incident": world.incident_ref(at),
        "suppressed": false,
        "severity": alert.severity,
        "integration": integration.map(|integration| super::directory::integration_ref(world, integration)),
        "body": {"type": "alert_body", "contexts": alert.contexts, "details": alert.details},
    })
}
