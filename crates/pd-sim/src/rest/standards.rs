//! Standards of services and how services do by them (docs/sim.md). The one standard here asks for a description.

use serde_json::{Value, json};

use super::Answer;
use crate::http::{Request, Response, invalid, not_found};
use crate::shelf::{Kept, Shelf};
use crate::state::{Given, World};

const ID: &str = "01HLSTD0000000000000000001";
const KIND: &str = "has_technical_service_description";
const RESOURCE: &str = "technical_service";
const SCORES_MAX: usize = 100;

pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => {
            let standard = standard(world);
            let active = request
                .query("active")
                .map(|text| matches!(text, "true" | "1"));
            let wanted = active.is_none_or(|active| standard.get("active") == Some(&active.into()))
                && request
                    .query("resource_type")
                    .is_none_or(|kind| kind == RESOURCE);
            let rows: Vec<Value> = wanted.then_some(standard).into_iter().collect();
            Ok(Response::json(200, &json!({"standards": rows})))
        }
        ("PUT", [ID]) => {
            let body = request.json().filter(Value::is_object);
            let body = body.ok_or_else(|| invalid("params must be a Hash"))?;
            let asked = body.get("standard").unwrap_or(&body);
            if asked
                .get("active")
                .is_some_and(|active| !active.is_boolean())
            {
                return Err(invalid("Active must be true or false"));
            }
            let kept = world.shelves.of(Shelf::Standards).get(ID);
            let mut fields = kept.map_or_else(Given::new, |kept| kept.fields.clone());
            for name in ["active", "inclusions", "exclusions"] {
                if let Some(value) = asked.get(name) {
                    fields.insert(name.to_owned(), value.clone());
                }
            }
            let id = ID.to_owned();
            world
                .shelves
                .of_mut(Shelf::Standards)
                .put(Kept { id, fields });
            Ok(Response::json(200, &standard(world)))
        }
        ("GET", ["scores", "technical_services"]) => {
            let ids = request.query("ids").unwrap_or_default().split(',');
            let ids: Vec<&str> = ids
                .chain(request.query_all("ids[]"))
                .filter(|id| !id.is_empty())
                .collect();
            if ids.is_empty() || ids.len() > SCORES_MAX {
                return Err(invalid("ids must name 1 to 100 services"));
            }
            let known = ids
                .into_iter()
                .filter(|id| world.services.get(id).is_some());
            let rows: Vec<Value> = known.map(|id| score(world, id)).collect();
            Ok(Response::json(200, &json!({"resources": rows})))
        }
        ("GET", ["scores", "technical_services", id]) => {
            world.services.get(id).ok_or_else(not_found)?;
            Ok(Response::json(200, &score(world, id)))
        }
        _ => Err(not_found()),
    }
}

fn standard(world: &World) -> Value {
    let own = json!({
        "id": ID,
        "type": KIND,
        "name": "Service has a description",
        "description": "The service says what it is for",
        "active": true,
        "resource_type": RESOURCE,
        "exclusions": [],
        "inclusions": [],
    });
    let kept = world.shelves.of(Shelf::Standards).get(ID);
    match kept {
        Some(kept) => super::with_given(own, &kept.fields),
        None => own,
    }
}

fn score(world: &World, id: &str) -> Value {
    let service = world.services.get(id);
    let pass = service.is_some_and(|service| {
        service
            .description
            .as_deref()
            .is_some_and(|text| !text.trim().is_empty())
    });
    let mut row = standard(world);
    let active = row.get("active") == Some(&true.into());
    if let Some(fields) = row.as_object_mut() {
        fields.insert("pass".to_owned(), pass.into());
    }
    json!({
        "resource_id": id,
        "resource_type": RESOURCE,
        "score": {"passing": usize::from(active && pass), "total": usize::from(active)},
        "standards": [row],
    })
}
