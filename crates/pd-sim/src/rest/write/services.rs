//! Services, and the webhooks that tell of their changes.

use serde_json::{Value, json};

use super::{Asked, actor, urgency};
use crate::auth::Caller;
use crate::http::{Request, Response, not_found};
use crate::rest::Answer;
use crate::rest::directory::service_value;
use crate::state::{Actor, Service, World};

/// What is kept and shown as it came.
const KEPT: [&str; 6] = [
    "alert_creation",
    "alert_grouping",
    "alert_grouping_timeout",
    "alert_grouping_parameters",
    "auto_pause_notifications_parameters",
    "response_play",
];
/// Time-outs in seconds.
const TIMEOUT_S: (i64, i64) = (0, 31_536_000);

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    path: &[&str],
) -> Answer {
    let by = actor(world, caller, request);
    match (request.method.as_str(), path) {
        ("POST", []) => create(world, request, by.as_ref()),
        ("PUT", [id]) => update(world, request, id, by.as_ref()),
        ("DELETE", [id]) => delete(world, id, by.as_ref()),
        _ => Err(not_found()),
    }
}

fn create(world: &mut World, request: &Request, by: Option<&Actor>) -> Answer {
    let mut asked = Asked::of(request, "service")?;
    let mut service = Service::new(world.ids.object('P'), world.now);
    asked.word("status", &["active"]);
    if !asked.names("escalation_policy") {
        asked.wrong("Escalation policy can't be blank");
    }
    change(world, &mut service, asked, true)?;
    let id = service.id.clone();
    world.services.put(service);
    world.publish_service(&id, "service.created", by);
    Ok(shown(world, request, &id, 201))
}

fn update(world: &mut World, request: &Request, id: &str, by: Option<&Actor>) -> Answer {
    let mut service = world.services.get(id).ok_or_else(not_found)?.clone();
    let mut asked = Asked::of(request, "service")?;
    // What REST shows while incidents are open or a window runs comes back from careful clients.
    let states = ["active", "warning", "critical", "maintenance", "disabled"];
    if let Some(status) = asked.word("status", &states) {
        service.disabled = status == "disabled";
    }
    change(world, &mut service, asked, false)?;
    service.updated_at = world.now;
    world.services.put(service);
    world.publish_service(id, "service.updated", by);
    Ok(shown(world, request, id, 200))
}

fn shown(world: &World, request: &Request, id: &str, status: u16) -> Response {
    Response::json(
        status,
        &json!({"service": service_value(world, request, id)}),
    )
}

fn change(world: &World, service: &mut Service, mut asked: Asked, new: bool) -> Answer<()> {
    let others = world.services.iter().filter(|other| other.id != service.id);
    let others = others.map(|other| other.name.as_str());
    if let Some(name) = asked.name(others, 255, new) {
        service.name = name;
    }
    if asked.names("description") {
        service.description = asked.text("description", 1_024);
    }
    if asked.names("escalation_policy") {
        match asked.reference("escalation_policy") {
            Some(id) if world.policies.get(&id).is_some() => service.policy = id,
            _ => asked.wrong("Escalation policy not found"),
        }
    }
    if asked.names("acknowledgement_timeout") {
        service.acknowledgement_timeout_s = timeout(&mut asked, "acknowledgement_timeout");
    }
    if asked.names("auto_resolve_timeout") {
        service.auto_resolve_timeout_s = timeout(&mut asked, "auto_resolve_timeout");
    }
    asked.word(
        "alert_creation",
        &["create_alerts_and_incidents", "create_incidents"],
    );
    asked.keep(&KEPT, &mut service.given);
    urgency::change(world, service, &mut asked)?;
    asked.check()
}

/// Null and 0 switch it off; one client writes null as a text.
fn timeout(asked: &mut Asked, name: &str) -> Option<i64> {
    if asked.raw(name).and_then(Value::as_str) == Some("null") {
        return None;
    }
    asked.number(name, TIMEOUT_S).filter(|seconds| *seconds > 0)
}

/// Its open incidents end, its keys are nobody's.
fn delete(world: &mut World, id: &str, by: Option<&Actor>) -> Answer {
    let service = world.services.get(id).ok_or_else(not_found)?;
    let (name, open) = (service.name.clone(), service.open.clone());
    for at in open {
        world.resolve(at, None, &Actor::automatic(id, "auto"));
    }
    world.publish_service(id, "service.deleted", by);
    world.forget(id, name);
    world.services.remove(id);
    let keys: Vec<String> = world
        .integrations
        .iter()
        .filter(|one| one.service == id)
        .map(|one| one.id.clone())
        .collect();
    for key in keys {
        world.integrations.remove(&key);
    }
    for window in world.windows.iter_mut() {
        window.services.retain(|service| service != id);
    }
    Ok(Response::empty(204))
}
