//! Asking for help and taking it back (docs/sim.md).

use serde_json::{Value, json};

use super::actions::body;
use super::{Answer, directory};
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::state::{Actor, World};

/// Responders of one incident.
const RESPONDERS_MAX: usize = 500;

/// Refuses the feature when the plan lacks it, and a requester who is not there.
fn requester(world: &World, body: &Value) -> Result<String, Response> {
    const ABILITY: &str = "coordinated_responding";
    if !world.options.abilities.iter().any(|have| have == ABILITY) {
        return Err(directory::missing_ability(ABILITY));
    }
    let requester = body.get("requester_id").and_then(Value::as_str);
    let requester = requester.unwrap_or_default();
    if world.users.get(requester).is_none() {
        return Err(Response::error(400, 2011, "must specify requester_id", &[]));
    }
    Ok(requester.to_owned())
}

fn targets(body: &Value) -> impl Iterator<Item = &Value> {
    let listed = body
        .get("responder_request_targets")
        .and_then(Value::as_array);
    listed.into_iter().flatten()
}

pub(super) fn ask(world: &mut World, request: &Request, at: usize) -> Answer {
    let body = body(request)?;
    let requester = requester(world, &body)?;
    let message = body
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut asked = Vec::new();
    for one in targets(&body) {
        let id = one
            .pointer("/responder_request_target/id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if world.users.get(id).is_some() {
            asked.push((id.to_owned(), "user_reference", world.user_ref(id).value()));
        } else if world.policies.get(id).is_some() {
            asked.push((
                id.to_owned(),
                "escalation_policy_reference",
                world.policy_ref(id).value(),
            ));
        } else {
            return Err(not_found());
        }
    }
    if asked.is_empty() {
        return Err(invalid("Responder request targets cannot be empty."));
    }
    if world.incident(at).responders.len() + asked.len() > RESPONDERS_MAX {
        return Err(Response::error(
            400,
            2019,
            "Product Limit Reached",
            &["Too many responders"],
        ));
    }
    let actor = Actor::person(&requester, "api");
    let shown: Vec<Value> = asked.into_iter().map(|(id, kind, reference)| {
        let responders = world.add_responder(at, &id, kind, message, &actor);
        json!({"responder_request_target": {
            "id": id, "type": kind, "summary": reference.get("summary"), "incident_responders": responders,
        }})
    }).collect();
    Ok(Response::json(
        200,
        &json!({"responder_request": {
            "incident": world.incident_ref(at),
            "requester": world.user_ref(&requester),
            "requested_at": seconds(world.now),
            "message": message,
            "responder_request_targets": shown,
        }}),
    ))
}

/// `PUT …/cancel`: only what nobody has answered can be taken back.
pub(super) fn cancel(world: &mut World, request: &Request, at: usize) -> Answer {
    let body = body(request)?;
    requester(world, &body)?;
    let mut results = Vec::new();
    for target in targets(&body) {
        let text = |key: &str| target.get(key).and_then(Value::as_str).unwrap_or_default();
        let (id, kind) = (text("id"), text("type"));
        let responders = &world.incident(at).responders;
        let users: Vec<String> = responders
            .iter()
            .filter(|one| one.policy.as_deref() == Some(id) || one.user == id)
            .map(|one| one.user.clone())
            .collect();
        let of_target = if users.is_empty() {
            vec!["not_found"]
        } else {
            world.cancel_requests(at, &users)
        };
        let result = of_target.first().copied().unwrap_or("not_found");
        results.push(json!({"type": kind, "id": id, "result": result}));
    }
    if results.is_empty() {
        return Err(invalid("Responder request targets cannot be empty."));
    }
    Ok(Response::json(
        200,
        &json!({"responder_request_targets": results}),
    ))
}
