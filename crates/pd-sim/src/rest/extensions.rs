//! Extensions of services, such as webhooks of version 2, and their schemas (docs/sim.md). Nothing is delivered to them.

use serde_json::{Value, json};

use super::Answer;
use super::kept::Kind;
use super::paging::Page;
use crate::asked::Asked;
use crate::http::{Request, Response, not_found};
use crate::shelf::{Kept, Shelf};
use crate::state::{Given, World};

const EXTENSIONS: Kind = Kind {
    shelf: Shelf::Extensions,
    one: "extension",
    many: "extensions",
    path: "extensions",
    name: "name",
};
const KEPT: [&str; 3] = ["name", "endpoint_url", "config"];
/// The one schema here: id and label.
const SCHEMA: (&str, &str) = ("PJFWPEP", "Generic V2 Webhook");

pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => {
            let about = |one: &Kept, name: &str, field: &str| {
                request
                    .query(name)
                    .is_none_or(|id| match one.fields.get(field) {
                        Some(Value::Array(list)) => list.iter().any(|one| one == id),
                        other => other.and_then(Value::as_str) == Some(id),
                    })
            };
            let rows = EXTENSIONS.rows(world, request, |one| {
                about(one, "extension_object_id", "extension_objects")
                    && about(one, "extension_schema_id", "extension_schema")
            });
            Ok(Page::of(request)?.answer("extensions", &rows, |one| value(world, request, one)))
        }
        ("POST", []) => put(world, request, None),
        ("PUT", [id]) => put(world, request, Some(id)),
        ("GET", [id]) => shown(world, request, id, 200),
        ("DELETE", [id]) => EXTENSIONS.remove(world, id),
        ("POST", [id, "enable"]) => {
            let mut fields = EXTENSIONS.find(world, id)?.fields.clone();
            fields.insert("temporarily_disabled".to_owned(), false.into());
            EXTENSIONS.put(world, id, fields);
            shown(world, request, id, 200)
        }
        _ => Err(not_found()),
    }
}

/// `/extension_schemas`.
pub(super) fn schemas(world: &World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => {
            Ok(Page::of(request)?.answer("extension_schemas", &[()], |()| schema(world)))
        }
        ("GET", [id]) if *id == SCHEMA.0 => Ok(Response::json(
            200,
            &json!({"extension_schema": schema(world)}),
        )),
        _ => Err(not_found()),
    }
}

fn schema_ref(world: &World) -> Value {
    let (id, label) = SCHEMA;
    json!({
        "id": id,
        "type": "extension_schema_reference",
        "summary": label,
        "self": format!("{}/extension_schemas/{id}", world.options.base_url),
        "html_url": null,
    })
}

fn schema(world: &World) -> Value {
    let sends = [
        "trigger",
        "acknowledge",
        "resolve",
        "delegate",
        "escalate",
        "unacknowledge",
        "assign",
    ];
    let mut value = schema_ref(world);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("type".to_owned(), "extension_schema".into());
        fields.insert("key".to_owned(), "generic_v2_webhook".into());
        fields.insert("label".to_owned(), SCHEMA.1.into());
        fields.insert("send_types".to_owned(), json!(sends));
    }
    value
}

fn put(world: &mut World, request: &Request, id: Option<&str>) -> Answer {
    let mut fields = match id {
        Some(id) => EXTENSIONS.find(world, id)?.fields.clone(),
        None => Given::from_iter([
            ("endpoint_url".to_owned(), Value::Null),
            ("temporarily_disabled".to_owned(), false.into()),
            ("config".to_owned(), json!({})),
        ]),
    };
    let mut asked = Asked::of(request, "extension")?;
    let new = id.is_none();
    asked.filled("name", 255, new);
    if new || asked.names("extension_objects") {
        let list = asked.raw("extension_objects").and_then(Value::as_array);
        let ids = list
            .into_iter()
            .flatten()
            .filter_map(|one| one.get("id")?.as_str());
        let ids: Vec<String> = ids.map(str::to_owned).collect();
        if ids.is_empty() || ids.iter().any(|id| world.services.get(id).is_none()) {
            asked.wrong("Extension objects must name services");
        }
        fields.insert("extension_objects".to_owned(), json!(ids));
    }
    if new || asked.names("extension_schema") {
        let schema = asked.reference("extension_schema");
        if schema.as_deref() != Some(SCHEMA.0) {
            asked.wrong("Extension schema not found");
        }
        fields.insert("extension_schema".to_owned(), schema.into());
    }
    asked.check()?;
    asked.keep(&KEPT, &mut fields);
    let made = id.map_or_else(|| world.ids.object('P'), str::to_owned);
    EXTENSIONS.put(world, &made, fields);
    shown(world, request, &made, if new { 201 } else { 200 })
}

fn value(world: &World, request: &Request, one: &Kept) -> Value {
    let mut value = EXTENSIONS.value(world, one);
    let ids = one
        .fields
        .get("extension_objects")
        .and_then(Value::as_array);
    let ids = ids.into_iter().flatten().filter_map(Value::as_str);
    let objects: Vec<Value> = ids
        .map(|id| {
            if request.includes("extension_objects") {
                super::directory::service_value(world, &Request::new("GET", "/"), id)
            } else {
                world.service_ref(id).value()
            }
        })
        .collect();
    let whole = request.includes("extension_schemas");
    let schema = if whole {
        schema(world)
    } else {
        schema_ref(world)
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("extension_objects".to_owned(), objects.into());
        fields.insert("extension_schema".to_owned(), schema);
    }
    value
}

fn shown(world: &World, request: &Request, id: &str, status: u16) -> Answer {
    let value = value(world, request, EXTENSIONS.find(world, id)?);
    Ok(Response::json(status, &json!({"extension": value})))
}
