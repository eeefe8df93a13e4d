//! Change events, newest first.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::rest::Answer;
use crate::rest::paging::Page;
use crate::state::{ChangeEvent, World};

pub(super) fn route(world: &World, request: &Request, path: &[&str]) -> Answer {
    match path {
        [] => list(world, request, None),
        [id] => {
            let found = world.changes.iter().find(|change| change.id == *id);
            let found = render(world, found.ok_or_else(not_found)?);
            Ok(Response::json(200, &json!({"change_event": found})))
        }
        _ => Err(not_found()),
    }
}

pub(super) fn list(world: &World, request: &Request, service: Option<&str>) -> Answer {
    let (since, until) = (utc(request, "since")?, utc(request, "until")?);
    let rows = world.changes.iter().rev().filter(|change| {
        service.is_none_or(|service| change.service == service)
            && since.is_none_or(|since| since <= change.at)
            && until.is_none_or(|until| change.at <= until)
    });
    let rows: Vec<&ChangeEvent> = rows.collect();
    Ok(Page::of(request)?.answer("change_events", &rows, |row| render(world, row)))
}

/// Here only UTC with its `Z` is taken.
fn utc(request: &Request, name: &str) -> Answer<Option<Timestamp>> {
    let Some(text) = request.query(name) else {
        return Ok(None);
    };
    let at = text
        .parse()
        .ok()
        .filter(|_: &Timestamp| text.ends_with('Z'));
    at.map(Some).ok_or_else(|| {
        invalid(&format!(
            "{name} must be in UTC, such as 2026-03-10T08:00:00Z"
        ))
    })
}

pub(crate) fn render(world: &World, change: &ChangeEvent) -> Value {
    let part = |pointer: &str| change.body.pointer(pointer).cloned();
    let list = |pointer: &str| part(pointer).filter(Value::is_array).unwrap_or(json!([]));
    json!({
        "id": change.id,
        "type": "change_event",
        "summary": part("/payload/summary"),
        "timestamp": seconds(change.at),
        "source": part("/payload/source"),
        "services": [world.service_ref(&change.service)],
        "integration": {"id": change.integration, "type": "inbound_integration_reference"},
        "routing_key": part("/routing_key"),
        "links": list("/links"),
        "images": list("/images"),
        "custom_details": part("/payload/custom_details"),
    })
}
