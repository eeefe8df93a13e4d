//! Custom fields of a type of incidents, and the values they may have.

use serde_json::{Value, json};

use super::World;
use crate::asked::Asked;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::rest::Answer;
use crate::rest::service_fields::SERVICES;
use crate::state::{FieldDefinition, FieldOption, Given};

/// What a value may be (a type of text of several lines was announced; it is text here).
const DATA_TYPES: [&str; 6] = ["boolean", "integer", "float", "string", "datetime", "url"];
const FIELD_TYPES: [&str; 4] = [
    "single_value",
    "single_value_fixed",
    "multi_value",
    "multi_value_fixed",
];
const OPTION_CHARS_MAX: usize = 100;

/// `path` is what follows `custom_fields`.
pub(super) fn route(world: &mut World, request: &Request, kind: &str, path: &[&str]) -> Answer {
    let method = request.method.as_str();
    match (method, path) {
        ("GET", []) => {
            let own = world
                .fields
                .iter()
                .filter(|field| field.incident_type == kind);
            let fields: Vec<Value> = own.map(|field| value(world, field)).collect();
            Ok(Response::json(200, &json!({"fields": fields})))
        }
        ("POST", []) => create(world, request, kind),
        (_, [id, rest @ ..]) => {
            let field = world
                .fields
                .get(id)
                .filter(|field| field.incident_type == kind);
            let field = field.ok_or_else(not_found)?.clone();
            match (method, rest) {
                ("GET", []) => Ok(shown(world, &field, 200)),
                ("PUT", []) => update(world, request, field),
                ("DELETE", []) => {
                    world.fields.remove(id);
                    Ok(Response::empty(204))
                }
                (_, ["field_options", rest @ ..]) => options(world, request, field, rest),
                _ => Err(not_found()),
            }
        }
        _ => Err(not_found()),
    }
}

fn option_value(world: &World, field: &FieldDefinition, option: &FieldOption) -> Value {
    json!({
        "id": option.id,
        "type": "field_option",
        "created_at": since(world, field),
        "updated_at": seconds(field.updated_at),
        "data": {"data_type": "string", "value": option.value},
    })
}

fn since(world: &World, field: &FieldDefinition) -> String {
    seconds(field.created_at.min(world.now))
}

fn value(world: &World, field: &FieldDefinition) -> Value {
    let options = field.options.iter();
    let options: Vec<Value> = options.map(|one| option_value(world, field, one)).collect();
    let kind = &field.incident_type;
    let (place, shown_type) = if kind == SERVICES {
        ("services/custom_fields".to_owned(), "custom_fields_field")
    } else {
        (format!("incidents/types/{kind}/custom_fields"), "field")
    };
    let mut own = json!({
        "id": field.id,
        "type": shown_type,
        "summary": field.display_name,
        "self": format!("{}/{place}/{}", world.options.base_url, field.id),
        "name": field.name,
        "display_name": field.display_name,
        "description": null,
        "data_type": field.data_type,
        "field_type": field.field_type,
        "default_value": null,
        "enabled": true,
        "incident_type": kind,
        "created_at": since(world, field),
        "updated_at": seconds(field.updated_at),
        "field_options": options,
    });
    if kind == SERVICES
        && let Some(fields) = own.as_object_mut()
    {
        fields.remove("incident_type");
    }
    crate::rest::with_given(own, &field.given)
}

fn shown(world: &World, field: &FieldDefinition, status: u16) -> Response {
    Response::json(status, &json!({"field": value(world, field)}))
}

fn create(world: &mut World, request: &Request, kind: &str) -> Answer {
    let mut asked = Asked::of(request, "field")?;
    let own = world
        .fields
        .iter()
        .filter(|field| field.incident_type == kind);
    let name = asked.name(own.map(|field| field.name.as_str()), 50, true);
    let plain = |name: &str| {
        name.chars()
            .all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '_'))
    };
    if name.as_deref().is_some_and(|name| !plain(name)) {
        asked.wrong("Name may have lower-case letters, digits and underscores only");
    }
    asked.filled("display_name", 50, true);
    for (word, words) in [
        ("data_type", &DATA_TYPES[..]),
        ("field_type", &FIELD_TYPES[..]),
    ] {
        if asked.word(word, words).is_none() && !asked.names(word) {
            asked.wrong(format!("{word} is required"));
        }
    }
    let text = |asked: &Asked, name: &str| {
        asked
            .raw(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let values: Vec<String> = {
        let given = asked.raw("field_options").and_then(Value::as_array);
        let given = given.into_iter().flatten();
        given
            .filter_map(|one| Some(one.pointer("/data/value")?.as_str()?.to_owned()))
            .collect()
    };
    if text(&asked, "field_type").ends_with("_fixed") && values.is_empty() {
        asked.wrong("Field options must have at least one value");
    }
    if values
        .iter()
        .any(|value| value.chars().count() > OPTION_CHARS_MAX)
    {
        asked.wrong("Field options are too long");
    }
    let mut field = FieldDefinition {
        id: String::new(),
        name: name.unwrap_or_default(),
        display_name: String::new(),
        data_type: text(&asked, "data_type"),
        field_type: text(&asked, "field_type"),
        options: Vec::new(),
        incident_type: kind.to_owned(),
        created_at: world.now,
        updated_at: world.now,
        given: Given::new(),
    };
    change(world, &mut asked, &mut field)?;
    field.id = world.ids.object('P');
    for value in values {
        let id = world.ids.object('P');
        field.options.push(FieldOption { id, value });
    }
    let answer = shown(world, &field, 201);
    world.fields.put(field);
    Ok(answer)
}

fn update(world: &mut World, request: &Request, mut field: FieldDefinition) -> Answer {
    let mut asked = Asked::of(request, "field")?;
    change(world, &mut asked, &mut field)?;
    let answer = shown(world, &field, 200);
    world.fields.put(field);
    Ok(answer)
}

fn change(world: &World, asked: &mut Asked, field: &mut FieldDefinition) -> Answer<()> {
    let display = asked.filled("display_name", 50, false);
    asked.text("description", 1_000);
    asked.check()?;
    if let Some(display) = display {
        field.display_name = display;
    }
    asked.keep(
        &["description", "default_value", "enabled"],
        &mut field.given,
    );
    field.updated_at = world.now;
    Ok(())
}

fn options(
    world: &mut World,
    request: &Request,
    mut field: FieldDefinition,
    path: &[&str],
) -> Answer {
    let wanted = || -> Result<String, Response> {
        let body = request.json().unwrap_or_default();
        let value = body
            .pointer("/field_option/data/value")
            .and_then(Value::as_str);
        let value =
            value.filter(|value| !value.is_empty() && value.chars().count() <= OPTION_CHARS_MAX);
        value
            .map(str::to_owned)
            .ok_or_else(|| invalid("Value must have 1 to 100 characters"))
    };
    let at = |id: &str| field.options.iter().position(|one| one.id == id);
    let (at, status) = match (request.method.as_str(), path) {
        ("GET", []) => {
            let all: Vec<Value> = field
                .options
                .iter()
                .map(|one| option_value(world, &field, one))
                .collect();
            return Ok(Response::json(200, &json!({"field_options": all})));
        }
        ("POST", []) => {
            let (id, value) = (world.ids.object('P'), wanted()?);
            field.options.push(FieldOption { id, value });
            (field.options.len() - 1, 201)
        }
        ("GET", [id]) => (at(id).ok_or_else(not_found)?, 200),
        ("PUT", [id]) => {
            let at = at(id).ok_or_else(not_found)?;
            if let Some(option) = field.options.get_mut(at) {
                option.value = wanted()?;
            }
            (at, 200)
        }
        ("DELETE", [id]) => {
            field.options.remove(at(id).ok_or_else(not_found)?);
            world.fields.put(field);
            return Ok(Response::empty(204));
        }
        _ => return Err(not_found()),
    };
    field.updated_at = world.now;
    let option = field
        .options
        .get(at)
        .map(|one| option_value(world, &field, one));
    world.fields.put(field);
    Ok(Response::json(status, &json!({"field_option": option})))
}
