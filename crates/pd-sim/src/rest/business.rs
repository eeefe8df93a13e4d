//! Business services, what rests on what, and which incidents harm which of them (docs/sim.md).

use serde_json::{Value, json};

use super::Answer;
use super::cursor::Cursor;
use super::kept::{Kind, clear, link};
use crate::asked::Asked;
use crate::http::{Request, Response, invalid, not_found};
use crate::shelf::{Kept, Shelf};
use crate::state::World;

const SERVICES: Kind = Kind {
    shelf: Shelf::BusinessServices,
    one: "business_service",
    many: "business_services",
    path: "business_services",
    name: "name",
};
const SERVICES_MAX: usize = 5_000;
/// What one service may rest on.
const DEPENDENCIES_MAX: usize = 2_000;

pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => SERVICES.list(world, request, |_| true),
        ("POST", []) => put(world, request, None),
        ("PUT", [id]) => put(world, request, Some(id)),
        ("GET", [id]) => SERVICES.shown(world, id, 200),
        ("DELETE", [id]) => {
            let answer = SERVICES.remove(world, id)?;
            clear(world, Shelf::Impacts, |one| one.text("service") == *id);
            clear(world, Shelf::Dependencies, |one| {
                ends(one).iter().any(|(end, _)| end == id)
            });
            Ok(answer)
        }
        ("GET", [id, "supporting_services", "impacts"]) => {
            SERVICES.find(world, id)?;
            let dependencies = world.shelves.of(Shelf::Dependencies).iter();
            let below = dependencies.filter(|one| one.text("dependent") == *id);
            let rows = below.map(|one| one.text("supporting"));
            let rows =
                rows.filter_map(|id| Some(impact(world, SERVICES.find(world, id).ok()?, None)));
            Ok(Cursor::of(request)?.answer("services", &rows.collect::<Vec<_>>()))
        }
        _ => Err(not_found()),
    }
}

/// A new one answers 200, unlike most.
fn put(world: &mut World, request: &Request, id: Option<&str>) -> Answer {
    let mut fields = match id {
        Some(id) => SERVICES.find(world, id)?.fields.clone(),
        None => ["description", "point_of_contact", "team"]
            .map(|name| (name.to_owned(), Value::Null))
            .into_iter()
            .collect(),
    };
    let all = world.shelves.of(Shelf::BusinessServices);
    if id.is_none() && all.iter().count() >= SERVICES_MAX {
        return Err(Response::error(400, 2019, "Product Limit Reached", &[]));
    }
    let mut asked = Asked::of(request, "business_service")?;
    asked.filled("name", 255, id.is_none());
    asked.text("description", 1_024);
    asked.text("point_of_contact", 255);
    if asked.names("team") {
        let team = asked.reference("team");
        if team
            .as_deref()
            .is_some_and(|id| world.teams.get(id).is_none())
        {
            asked.wrong("Team not found");
        }
        let team = team.map(|id| world.team_ref(&id).value());
        fields.insert("team".to_owned(), team.unwrap_or_default());
    }
    asked.check()?;
    asked.keep(&["name", "description", "point_of_contact"], &mut fields);
    let made = id.map_or_else(|| world.ids.object('P'), str::to_owned);
    SERVICES.put(world, &made, fields);
    SERVICES.shown(world, &made, 200)
}

/// Both ends of a dependency, with their types.
fn ends(one: &Kept) -> [(&str, &str); 2] {
    [
        (one.text("supporting"), one.text("supporting_type")),
        (one.text("dependent"), one.text("dependent_type")),
    ]
}

/// The services that this one has to do with.
pub(super) fn neighbours(world: &World, service: &str) -> Vec<String> {
    let all = world.shelves.of(Shelf::Dependencies).iter();
    let other = all.filter_map(|one| {
        let (supporting, dependent) = (one.text("supporting"), one.text("dependent"));
        match (supporting == service, dependent == service) {
            (true, _) => Some(dependent.to_owned()),
            (_, true) => Some(supporting.to_owned()),
            _ => None,
        }
    });
    other.collect()
}

/// `/service_dependencies`.
pub(super) fn dependencies(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", [kind @ ("technical_services" | "business_services"), id]) => {
            let there = match *kind {
                "technical_services" => world.services.get(id).is_some(),
                _ => SERVICES.find(world, id).is_ok(),
            };
            if !there {
                return Err(not_found());
            }
            let all = world.shelves.of(Shelf::Dependencies).iter();
            let own = all.filter(|one| ends(one).iter().any(|(end, _)| end == id));
            let rows: Vec<Value> = own.map(relationship).collect();
            Ok(Response::json(200, &json!({"relationships": rows})))
        }
        ("POST", ["associate"]) => change(world, request, true),
        ("POST", ["disassociate"]) => change(world, request, false),
        _ => Err(not_found()),
    }
}

fn relationship(one: &Kept) -> Value {
    let [supporting, dependent] = ends(one).map(|(id, kind)| json!({"id": id, "type": kind}));
    json!({
        "id": one.text("number"),
        "type": "service_dependency",
        "supporting_service": supporting,
        "dependent_service": dependent,
    })
}

fn change(world: &mut World, request: &Request, associate: bool) -> Answer {
    let body = request.json().unwrap_or_default();
    let asked = body.get("relationships").and_then(Value::as_array);
    let asked = asked.ok_or_else(|| invalid("Relationships must be a list."))?;
    let mut rows = Vec::new();
    for one in asked {
        let (supporting, supporting_type) = end(world, one, "supporting_service")?;
        let (dependent, dependent_type) = end(world, one, "dependent_service")?;
        if supporting == dependent {
            return Err(invalid("A service cannot depend on itself."));
        }
        let mut row = link(&[("supporting", &supporting), ("dependent", &dependent)]);
        let types = [
            ("supporting_type", supporting_type),
            ("dependent_type", dependent_type),
        ];
        let types = types.map(|(name, kind)| (name.to_owned(), kind.into()));
        row.fields.extend(types);
        rows.push(row);
    }
    let mut answered = Vec::new();
    for mut row in rows {
        let table = world.shelves.of(Shelf::Dependencies);
        if associate {
            let dependent = row.text("dependent").to_owned();
            let count = table
                .iter()
                .filter(|one| one.text("dependent") == dependent)
                .count();
            if count >= DEPENDENCIES_MAX {
                return Err(Response::error(400, 2019, "Product Limit Reached", &[]));
            }
            let known = table.get(&row.id).map(|one| one.text("number").to_owned());
            let number = known.unwrap_or_else(|| world.ids.object('D'));
            row.fields.insert("number".to_owned(), number.into());
            answered.push(relationship(&row));
            world.shelves.of_mut(Shelf::Dependencies).put(row);
        } else if let Some(gone) = world.shelves.of_mut(Shelf::Dependencies).remove(&row.id) {
            answered.push(relationship(&gone));
        }
    }
    Ok(Response::json(200, &json!({"relationships": answered})))
}

/// One end of a dependency and the type of its reference.
fn end(world: &World, one: &Value, name: &str) -> Answer<(String, &'static str)> {
    let text = |field: &str| {
        one.get(name)
            .and_then(|end| end.get(field))
            .and_then(Value::as_str)
    };
    let id = text("id").unwrap_or_default();
    let business = text("type").is_some_and(|kind| kind.starts_with("business_service"));
    let (known, kind) = if business {
        (
            SERVICES.find(world, id).is_ok(),
            "business_service_reference",
        )
    } else {
        (
            world.services.get(id).is_some(),
            "technical_service_reference",
        )
    };
    if known {
        Ok((id.to_owned(), kind))
    } else {
        Err(invalid(&format!("{name} not found")))
    }
}

/// `/incidents/{id}/business_services/…`: what this incident harms.
pub(super) fn of_incident(
    world: &mut World,
    request: &Request,
    at: usize,
    path: &[&str],
) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", ["impacts"]) => {
            let all = world.shelves.of(Shelf::BusinessServices).iter();
            let rows: Vec<Value> = all.map(|one| impact(world, one, Some(at))).collect();
            Ok(Cursor::of(request)?.answer("services", &rows))
        }
        ("PUT", [id, "impacts"]) => {
            SERVICES.find(world, id)?;
            let body = request.json().unwrap_or_default();
            let relation = body.get("relation").and_then(Value::as_str);
            let row = link(&[("incident", &world.incident(at).id), ("service", id)]);
            match relation {
                Some("impacted") => world.shelves.of_mut(Shelf::Impacts).put(row),
                Some("not_impacted") => drop(world.shelves.of_mut(Shelf::Impacts).remove(&row.id)),
                _ => return Err(invalid("Relation must be impacted or not_impacted.")),
            }
            Ok(Response::json(200, &json!({"relation": relation})))
        }
        _ => Err(not_found()),
    }
}

/// Whether an incident, or any that is open, harms a business service.
fn impact(world: &World, service: &Kept, incident: Option<usize>) -> Value {
    let links = world.shelves.of(Shelf::Impacts).iter();
    let harming = links.filter(|one| one.text("service") == service.id);
    let harming = harming.filter_map(|one| world.find(one.text("incident")));
    let harming = harming.filter(|at| match incident {
        Some(incident) => *at == incident,
        None => world.incident(*at).is_open(),
    });
    let harming: Vec<usize> = harming.collect();
    let ranks = harming.iter().filter_map(|at| {
        let priority = world.incident(*at).priority.as_deref()?;
        world.priorities.iter().position(|one| one.id == priority)
    });
    let highest = ranks
        .min()
        .and_then(|rank| world.priorities.iter().nth(rank).map(|one| (rank, one)));
    let count = world.priorities.iter().count();
    // A higher number is more severe, as in analytics.
    let highest = highest.map(|(rank, one)| json!({"id": one.id, "order": count - rank}));
    json!({
        "id": service.id,
        "name": service.text("name"),
        "type": "business_service",
        "status": if harming.is_empty() { "not_impacted" } else { "impacted" },
        "additional_fields": {"highest_impacting_priority": highest},
    })
}
