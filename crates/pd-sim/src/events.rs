//! The Events API: version 2, change events, and version 1.
//!
//! The key in the body is the only credential. What is accepted is worked on at once; a real
//! account does it a little later. What PagerDuty drops silently is dropped silently here.

use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::lifecycle::{NewAlert, NewIncident, high_severity};
use crate::state::{Actor, Agent, Integration, World};

const KEY_CHARS: usize = 32;
const DEDUP_KEY_CHARS_MAX: usize = 255;
const SUMMARY_CHARS_MAX: usize = 1_024;
/// Links of a change event.
const LINKS_MAX: usize = 50;
/// The whole request; above it, 413.
const BYTES_MAX: usize = 512 * 1_024;

/// Answers an event; `None` when the path is none of the Events API.
pub(crate) fn route(world: &mut World, request: &Request) -> Option<Response> {
    let path = request.path.trim_end_matches('/');
    let is_event = matches!(
        path,
        "/v2/enqueue" | "/v2/change/enqueue" | "/generic/2010-04-15/create_event.json"
    );
    if is_event && request.body.len() > BYTES_MAX {
        let mut refused = refuse(&["Event is too large (maximum is 512 KB)".to_owned()]);
        refused.status = 413;
        return Some(refused);
    }
    match path {
        "/v2/enqueue" => Some(enqueue(world, request, Version::Two)),
        "/v2/change/enqueue" => Some(change(world, request)),
        "/generic/2010-04-15/create_event.json" => Some(enqueue(world, request, Version::One)),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// Names of routing key, action and dedup key.
    const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::One => ("service_key", "event_type", "incident_key"),
            Self::Two => ("routing_key", "event_action", "dedup_key"),
        }
    }
}

fn refuse(errors: &[String]) -> Response {
    Response::json(
        400,
        &json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors}),
    )
}

fn unreadable() -> Response {
    let message = "Event object format is unrecognized";
    Response::json(
        400,
        &json!({"status": "Unrecognized object", "message": message, "errors": ["JSON parse error"]}),
    )
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The integration behind the key of a body.
fn integration(world: &World, body: &Value, version: Version) -> Result<Integration, Response> {
    let (name, ..) = version.names();
    let key = body.get(name).and_then(Value::as_str).unwrap_or_default();
    let error = if key.chars().count() != KEY_CHARS {
        match version {
            Version::One => "Service key is the wrong length (should be 32 characters)".to_owned(),
            Version::Two => format!("Length of '{name}' is incorrect (should be 32 characters)"),
        }
    } else if !key.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        format!("'{name}' cannot contain non-alphanumeric characters.")
    } else if let Some(found) = world
        .integrations
        .iter()
        .find(|integration| integration.key == key)
    {
        return Ok(found.clone());
    } else {
        "Invalid routing key".to_owned()
    };
    Err(refuse(&[error]))
}

fn enqueue(world: &mut World, request: &Request, version: Version) -> Response {
    let Some(body) = request.json().filter(Value::is_object) else {
        return unreadable();
    };
    let integration = match integration(world, &body, version) {
        Ok(integration) => integration,
        Err(refused) => return refused,
    };
    let errors = errors(&body, version);
    if !errors.is_empty() {
        return refuse(&errors);
    }
    let (_, action, dedup) = version.names();
    let key = body
        .get(dedup)
        .and_then(Value::as_str)
        .filter(|key| !key.is_empty());
    let key = key.map_or_else(|| world.ids.key32(), str::to_owned);
    let actor = Actor {
        agent: Agent::Service(integration.service.clone()),
        channel: "api",
        client: client(&body),
    };
    let known = world
        .open_alerts
        .get(&(integration.id.clone(), key.clone()))
        .copied();
    match (body.get(action).and_then(Value::as_str), known) {
        (Some("trigger"), known) => {
            trigger(world, &body, version, &integration, &key, known, &actor);
        }
        (Some("acknowledge"), Some(at)) => world.acknowledge(at, &actor),
        (Some("resolve"), Some(at)) => {
            let alerts = &world.incident(at).alerts;
            let alert = alerts
                .iter()
                .position(|alert| !alert.resolved && alert.key == key);
            if let Some(alert) = alert {
                world.resolve_alert(at, alert, &actor);
            }
        }
        // Nothing is open under this key: dropped, and nobody is told.
        _ => {}
    }
    let status = match version {
        Version::One => 200,
        Version::Two => 202,
    };
    let body = json!({"status": "success", "message": "Event processed", dedup: key});
    Response::json(status, &body)
}

fn client(body: &Value) -> Option<Value> {
    let name = body.get("client").and_then(Value::as_str)?;
    Some(match body.get("client_url").and_then(Value::as_str) {
        Some(url) => json!({"name": name, "url": url}),
        None => json!({"name": name}),
    })
}

fn errors(body: &Value, version: Version) -> Vec<String> {
    let (_, action_name, dedup) = version.names();
    let action = body
        .get(action_name)
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut errors = Vec::new();
    let mut need = |name: &str, value: &str| {
        if value.trim().is_empty() {
            errors.push(format!("'{name}' is missing or blank"));
        }
    };
    need(action_name, action);
    match (version, action) {
        (Version::Two, "trigger") => {
            need("payload.summary", text(body, "/payload/summary"));
            need("payload.source", text(body, "/payload/source"));
            need("payload.severity", text(body, "/payload/severity"));
        }
        (Version::One, "trigger") => need("description", text(body, "/description")),
        (_, "acknowledge" | "resolve") => need(
            dedup,
            body.get(dedup).and_then(Value::as_str).unwrap_or_default(),
        ),
        _ => {}
    }
    if !matches!(action, "" | "trigger" | "acknowledge" | "resolve") {
        errors.push(format!(
            "{action_name} is invalid (must be one of: trigger acknowledge resolve)"
        ));
    }
    let severity = text(body, "/payload/severity");
    if version == Version::Two
        && action == "trigger"
        && !matches!(severity, "" | "critical" | "warning" | "error" | "info")
    {
        let choices = "'critical', 'warning', 'error' or 'info'";
        errors.push(format!(
            "'payload.severity' is invalid (must be one of the following: {choices})"
        ));
    }
    let summary = match version {
        Version::One => "description",
        Version::Two => "payload.summary",
    };
    let limits = [(dedup, DEDUP_KEY_CHARS_MAX), (summary, SUMMARY_CHARS_MAX)];
    for (name, most) in limits {
        let value = text(body, &format!("/{}", name.replace('.', "/")));
        if value.chars().count() > most {
            errors.push(format!(
                "'{name}' is too long (maximum is {most} characters)"
            ));
        }
    }
    errors
}

fn trigger(
    world: &mut World,
    body: &Value,
    version: Version,
    integration: &Integration,
    key: &str,
    known: Option<usize>,
    actor: &Actor,
) {
    let (summary, severity, details) = match version {
        Version::One => (text(body, "/description"), "critical", body.get("details")),
        Version::Two => (
            text(body, "/payload/summary"),
            text(body, "/payload/severity"),
            body.pointer("/payload/custom_details"),
        ),
    };
    let summary = summary.to_owned();
    let details = details.cloned().unwrap_or_else(|| json!({}));
    let alert = NewAlert {
        key: key.to_owned(),
        summary: summary.clone(),
        severity: severity.to_owned(),
        integration: integration.id.clone(),
        details: details.clone(),
        contexts: contexts(body),
    };
    let channel = json!({
        "type": "api",
        "summary": summary,
        "service_key": integration.key,
        "description": summary,
        "incident_key": key,
        "details": details,
        "client": body.get("client"),
        "client_url": body.get("client_url"),
        "details_omitted": false,
    });
    if let Some(at) = known {
        world.trigger_again(at, &alert, actor, channel);
        return;
    }
    let by_severity = world
        .services
        .get(&integration.service)
        .is_some_and(|row| world.urgency_now(row) == "severity_based");
    let new = NewIncident {
        service: integration.service.clone(),
        title: summary,
        high_urgency: by_severity.then(|| high_severity(severity)),
        alert: Some(alert),
        ..NewIncident::default()
    };
    if world.services.get(&integration.service).is_some() {
        // Nobody on call, disabled, in maintenance: the sender is not told.
        let _silent = world.trigger(new, actor, channel);
    }
}

/// Links and images, as alerts show them.
fn contexts(body: &Value) -> Value {
    let list = |name: &str| {
        body.get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let with_type = |kind: &str, item: &Value| {
        let mut item = item.clone();
        if let Some(object) = item.as_object_mut() {
            object.insert("type".to_owned(), kind.into());
        }
        item
    };
    let links = list("links").map(|item| with_type("link", item));
    links
        .chain(list("images").map(|item| with_type("image", item)))
        .collect()
}

fn change(world: &mut World, request: &Request) -> Response {
    let Some(body) = request.json().filter(Value::is_object) else {
        return unreadable();
    };
    let integration = match integration(world, &body, Version::Two) {
        Ok(integration) => integration,
        Err(refused) => return refused,
    };
    let summary = text(&body, "/payload/summary");
    if summary.trim().is_empty() {
        return refuse(&["'payload.summary' is missing or blank".to_owned()]);
    }
    if summary.chars().count() > SUMMARY_CHARS_MAX {
        let why = "'payload.summary' is too long (maximum is 1024 characters)";
        return refuse(&[why.to_owned()]);
    }
    let links = body.get("links").and_then(Value::as_array);
    if links.is_some_and(|links| links.len() > LINKS_MAX) {
        // This one refusal has another shape.
        let why = format!("links should have at most {LINKS_MAX} item(s)");
        return Response::json(400, &json!({"error": [why]}));
    }
    let id = world.ids.incident();
    world.changes.push(crate::state::ChangeEvent {
        id,
        service: integration.service,
        integration: integration.id,
        at: world.now,
        body,
    });
    Response::json(
        202,
        &json!({"status": "success", "message": "Change event processed"}),
    )
}
