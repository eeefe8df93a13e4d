//! Notes of an incident.

use serde_json::{Value, json};

use super::Answer;
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::state::{Note, World};

/// PagerDuty takes no more notes than this on one incident.
const NOTES_MAX: usize = 2_000;

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    at: usize,
    path: &[&str],
) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => Ok(list(world, at)),
        ("POST", []) => create(world, caller, request, at),
        ("PUT", [id]) => edit(world, caller, request, at, id),
        ("DELETE", [id]) => {
            let position = position(world, at, id)?;
            world.incident_mut(at).notes.remove(position);
            Ok(Response::empty(204))
        }
        _ => Err(not_found()),
    }
}

fn position(world: &World, at: usize, id: &str) -> Result<usize, Response> {
    world
        .incident(at)
        .notes
        .iter()
        .position(|note| note.id == id)
        .ok_or_else(not_found)
}

/// Changes a text; no entry and no event tell of it.
fn edit(world: &mut World, caller: &Caller, request: &Request, at: usize, id: &str) -> Answer {
    world.requester(caller, request)?;
    let content = content(request)?;
    let position = position(world, at, id)?;
    let now = world.now;
    if let Some(note) = world.incident_mut(at).notes.get_mut(position) {
        note.content = content;
        note.updated_at = Some(now);
    }
    let note = world
        .incident(at)
        .notes
        .get(position)
        .map(|note| render(world, note));
    Ok(Response::json(200, &json!({"note": note})))
}

fn list(world: &World, at: usize) -> Response {
    let notes: Vec<Value> = world
        .incident(at)
        .notes
        .iter()
        .rev()
        .map(|note| render(world, note))
        .collect();
    Response::json(200, &json!({"notes": notes}))
}

fn create(world: &mut World, caller: &Caller, request: &Request, at: usize) -> Answer {
    let user = world.requester(caller, request)?;
    let actor = world.rest_actor(caller, request)?;
    let content = content(request)?;
    if world.incident(at).notes.len() >= NOTES_MAX {
        return Err(Response::error(
            400,
            2019,
            "Product Limit Reached",
            &["Too many notes"],
        ));
    }
    let position = world.add_note(at, &content, &user, &actor);
    let note = world
        .incident(at)
        .notes
        .get(position)
        .map(|note| render(world, note));
    Ok(Response::json(200, &json!({"note": note})))
}

fn content(request: &Request) -> Result<String, Response> {
    let body = request
        .json()
        .ok_or_else(|| invalid("params must be a Hash"))?;
    let content = body
        .pointer("/note/content")
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty());
    content
        .map(str::to_owned)
        .ok_or_else(|| invalid("Content cannot be empty."))
}

pub(super) fn render(world: &World, note: &Note) -> Value {
    let mut value = json!({
        "id": note.id,
        "user": world.user_ref(&note.user),
        "channel": {"summary": "The PagerDuty website or APIs"},
        "content": note.content,
        "created_at": seconds(note.at),
    });
    if let (Some(at), Some(object)) = (note.updated_at, value.as_object_mut()) {
        object.insert("updated_at".to_owned(), seconds(at).into());
    }
    value
}
