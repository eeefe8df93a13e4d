//! Custom fields of services and their values (docs/sim.md).
//!
//! Values that are left out stay, null resets to the default, and one that is wrong refuses all.

use serde_json::{Map, Value, json};

use super::{Answer, actions, types};
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::shelf::{Kept, Shelf};
use crate::state::{FieldDefinition, World};

/// What stands for the type of incidents in a field of services.
pub(super) const SERVICES: &str = "services";

/// `/services/custom_fields`.
pub(super) fn definitions(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    path: &[&str],
) -> Answer {
    if request.method != "GET" && !super::write::may_manage(world, caller) {
        return Err(Response::error(403, 2010, "Access Denied", &[]));
    }
    types::fields_route(world, request, SERVICES, path)
}

/// `/services/{id}/custom_fields/values`.
pub(super) fn values(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    service: &str,
) -> Answer {
    world.services.get(service).ok_or_else(not_found)?;
    match request.method.as_str() {
        "GET" => {}
        "PUT" if super::write::may_manage(world, caller) => {
            change(world, caller, request, service)?;
        }
        "PUT" => return Err(Response::error(403, 2010, "Access Denied", &[])),
        _ => return Err(not_found()),
    }
    let rows: Vec<Value> = fields(world)
        .map(|field| value(field, set(world, service, field), true))
        .collect();
    Ok(Response::json(200, &json!({"custom_fields": rows})))
}

fn fields(world: &World) -> impl Iterator<Item = &FieldDefinition> {
    world
        .fields
        .iter()
        .filter(|field| field.incident_type == SERVICES)
}

fn place(service: &str, field: &str) -> String {
    format!("{service}/{field}")
}

/// What is set, else the default.
fn set(world: &World, service: &str, field: &FieldDefinition) -> Value {
    let kept = world
        .shelves
        .of(Shelf::ServiceFieldValues)
        .get(&place(service, &field.id));
    let value = kept.and_then(|kept| kept.fields.get("value"));
    let value = value.or_else(|| field.given.get("default_value"));
    value.cloned().unwrap_or_default()
}

fn value(field: &FieldDefinition, value: Value, whole: bool) -> Value {
    let mut row = Map::from_iter([
        ("id".to_owned(), field.id.clone().into()),
        ("name".to_owned(), field.name.clone().into()),
        ("type".to_owned(), "field_value".into()),
        ("data_type".to_owned(), field.data_type.clone().into()),
        ("field_type".to_owned(), field.field_type.clone().into()),
        ("value".to_owned(), value),
    ]);
    if whole {
        row.insert("display_name".to_owned(), field.display_name.clone().into());
        let description = field.given.get("description").cloned();
        row.insert("description".to_owned(), description.unwrap_or_default());
    }
    row.into()
}

fn change(world: &mut World, caller: &Caller, request: &Request, service: &str) -> Answer<()> {
    let body = request.json().unwrap_or_default();
    let asked = body.get("custom_fields").and_then(Value::as_array);
    let asked = asked.ok_or_else(|| invalid("Custom fields must be a list."))?;
    let mut wanted = Vec::new();
    for one in asked {
        let text = |key: &str| one.get(key).and_then(Value::as_str);
        let mut all = fields(world);
        let field = all.find(|field| {
            Some(field.id.as_str()) == text("id") || Some(field.name.as_str()) == text("name")
        });
        let field = field.ok_or_else(|| invalid("Custom field not found."))?;
        let new = one.get("value").cloned().unwrap_or_default();
        if !actions::fits(field, &new) {
            return Err(invalid(&format!("Value of {} is invalid.", field.name)));
        }
        let old = set(world, service, field);
        if old != new {
            wanted.push((field.id.clone(), new, value(field, old, false)));
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let mut before = Vec::new();
    for (field, new, old) in wanted {
        let id = place(service, &field);
        let table = world.shelves.of_mut(Shelf::ServiceFieldValues);
        if new.is_null() {
            table.remove(&id);
        } else {
            let fields = Map::from_iter([("value".to_owned(), new)]);
            table.put(Kept { id, fields });
        }
        before.push(old);
    }
    let now: Vec<Value> = fields(world)
        .map(|field| value(field, set(world, service, field), false))
        .collect();
    let by = super::write::actor(world, caller, request);
    world.publish_service_fields(service, &now, &before, by.as_ref());
    Ok(())
}
