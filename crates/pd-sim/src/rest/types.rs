//! Types of incidents, and the custom fields that each has (docs/sim.md).
//!
//! Invariants
//! - The base type is always there and cannot be changed; a type has the fields of those above it.
//! - The older `/incidents/custom_fields` are the fields of the base type.

mod fields;

use serde_json::{Value, json};

use super::Answer;
use crate::asked::Asked;
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::shelf::{Kept, Shelf};
use crate::state::{FieldDefinition, Given, World};

/// The id of the base type.
pub(crate) const BASE: &str = "PITBASE";
/// The name of the base type.
const BASE_NAME: &str = "incident_default";

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    path: &[&str],
) -> Answer {
    let reads = request.method == "GET";
    if !reads && !super::write::may_manage(world, caller) {
        return Err(Response::error(403, 2010, "Access Denied", &[]));
    }
    match (request.method.as_str(), path) {
        ("GET", []) => Ok(list(world, request)),
        ("POST", []) => create(world, request),
        ("GET", [id]) => {
            let id = find(world, id)?;
            Ok(shown(world, &id, 200))
        }
        ("PUT", [id]) => update(world, request, id),
        (_, [id, "custom_fields", rest @ ..]) => {
            let id = find(world, id)?;
            fields::route(world, request, &id, rest)
        }
        _ => Err(not_found()),
    }
}

/// Fields of something else than incidents.
pub(super) fn fields_route(
    world: &mut World,
    request: &Request,
    kind: &str,
    path: &[&str],
) -> Answer {
    fields::route(world, request, kind, path)
}

/// The older endpoints for the fields of the base type.
pub(super) fn older(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    path: &[&str],
) -> Answer {
    let path: Vec<&str> = [BASE, "custom_fields"]
        .iter()
        .chain(path)
        .copied()
        .collect();
    route(world, caller, request, &path)
}

/// The id of a type by id or name.
fn find(world: &World, name: &str) -> Result<String, Response> {
    if matches!(name, BASE | BASE_NAME) {
        return Ok(BASE.to_owned());
    }
    let mut types = world.shelves.of(Shelf::IncidentTypes).iter();
    let found = types.find(|one| one.id == name || one.text("name") == name);
    found.map(|one| one.id.clone()).ok_or_else(not_found)
}

/// The types whose fields the incidents of a type have, by its name.
fn chain(world: &World, name: &str) -> Vec<String> {
    let types = world.shelves.of(Shelf::IncidentTypes);
    let mut next = types.iter().find(|one| one.text("name") == name);
    let mut chain = Vec::new();
    while let Some(one) = next.filter(|one| !chain.contains(&one.id)) {
        chain.push(one.id.clone());
        next = types.get(one.text("parent"));
    }
    chain.push(BASE.to_owned());
    chain
}

impl World {
    /// The custom fields that an incident has.
    pub(crate) fn fields_of(&self, at: usize) -> Vec<&FieldDefinition> {
        let chain = chain(self, &self.incident(at).kind);
        let fields = self.fields.iter();
        let fields = fields.filter(|field| {
            chain.contains(&field.incident_type)
                && field.given.get("enabled") != Some(&false.into())
        });
        fields.collect()
    }

    /// When the account began, as far as its services tell.
    fn beginning(&self) -> String {
        let services = self.services.iter();
        let since = services.map(|service| service.created_at).min();
        seconds(since.unwrap_or(self.now))
    }
}

fn list(world: &World, request: &Request) -> Response {
    let filter = request.query("filter").unwrap_or("enabled");
    let others = world.shelves.of(Shelf::IncidentTypes).iter();
    let wanted = others.filter(|one| {
        let enabled = one.fields.get("enabled") != Some(&false.into());
        filter == "all" || enabled == (filter == "enabled")
    });
    let base = (filter != "disabled").then(|| value(world, BASE));
    let others = wanted.map(|one| value(world, &one.id));
    let types: Vec<Value> = base.into_iter().chain(others).collect();
    Response::json(200, &json!({"incident_types": types}))
}

fn value(world: &World, id: &str) -> Value {
    let Some(one) = world.shelves.of(Shelf::IncidentTypes).get(id) else {
        return json!({
            "id": BASE,
            "type": "incident_type",
            "name": BASE_NAME,
            "display_name": "Base Incident",
            "description": "Default type",
            "enabled": true,
            "parent": null,
            "created_at": world.beginning(),
            "updated_at": world.beginning(),
        });
    };
    let mut fields = one.fields.clone();
    let parent = json!({"id": one.text("parent"), "type": "incident_type_reference"});
    fields.insert("id".to_owned(), id.into());
    fields.insert("type".to_owned(), "incident_type".into());
    fields.insert("parent".to_owned(), parent);
    fields.into()
}

fn shown(world: &World, id: &str, status: u16) -> Response {
    Response::json(status, &json!({"incident_type": value(world, id)}))
}

fn create(world: &mut World, request: &Request) -> Answer {
    let mut asked = Asked::of(request, "incident_type")?;
    let types = world.shelves.of(Shelf::IncidentTypes);
    let others: Vec<&str> = types.iter().map(|one| one.text("name")).collect();
    let name = asked.name(others.into_iter().chain([BASE_NAME]), 50, true);
    if name
        .as_deref()
        .is_some_and(|name| name.ends_with("_default"))
    {
        asked.wrong("Name must not end with _default");
    }
    asked.filled("display_name", 50, true);
    let parent = asked.filled("parent_type", 255, true);
    let parent = parent.map(|parent| find(world, &parent));
    if parent.as_ref().is_some_and(Result::is_err) {
        asked.wrong("Parent type not found");
    }
    let mut fields = Given::new();
    fields.insert("name".to_owned(), name.into());
    fields.insert("parent".to_owned(), parent.and_then(Result::ok).into());
    fields.insert("enabled".to_owned(), true.into());
    fields.insert("description".to_owned(), "".into());
    fields.insert("created_at".to_owned(), seconds(world.now).into());
    change(world, &mut asked, &mut fields)?;
    let id = world.ids.object('P');
    world.shelves.of_mut(Shelf::IncidentTypes).put(Kept {
        id: id.clone(),
        fields,
    });
    Ok(shown(world, &id, 201))
}

fn update(world: &mut World, request: &Request, id: &str) -> Answer {
    let id = find(world, id)?;
    let types = world.shelves.of(Shelf::IncidentTypes);
    let Some(mut one) = types.get(&id).cloned() else {
        return Err(invalid("The base incident type cannot be changed."));
    };
    let mut asked = Asked::of(request, "incident_type")?;
    asked.filled("display_name", 50, false);
    change(world, &mut asked, &mut one.fields)?;
    world.shelves.of_mut(Shelf::IncidentTypes).put(one);
    Ok(shown(world, &id, 200))
}

fn change(world: &World, asked: &mut Asked, fields: &mut Given) -> Answer<()> {
    let display = asked.text("display_name", 50).unwrap_or_default();
    if ["PD", "PagerDuty", "Default"]
        .iter()
        .any(|start| display.starts_with(start))
    {
        asked.wrong("Display name must not start with PD, PagerDuty or Default");
    }
    asked.text("description", 1_000);
    if asked
        .raw("enabled")
        .is_some_and(|enabled| !enabled.is_boolean())
    {
        asked.wrong("Enabled must be true or false");
    }
    asked.check()?;
    asked.keep(&["display_name", "description", "enabled"], fields);
    fields.insert("updated_at".to_owned(), seconds(world.now).into());
    Ok(())
}
