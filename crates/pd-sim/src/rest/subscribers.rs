//! Who is told of an incident's status updates (docs/sim.md). Nobody is sent anything here.

use serde_json::{Value, json};

use super::Answer;
use super::kept::link;
use super::paging::Page;
use crate::http::{Request, Response, not_found};
use crate::shelf::{Kept, Shelf};
use crate::state::World;

/// `path` is what follows `status_updates`.
pub(super) fn route(world: &mut World, request: &Request, at: usize, path: &[&str]) -> Answer {
    let incident = world.incident(at).id.clone();
    match (request.method.as_str(), path) {
        ("GET", ["subscribers"]) => {
            let all = world.shelves.of(Shelf::Subscribers).iter();
            let rows: Vec<&Kept> = all.filter(|one| one.text("incident") == incident).collect();
            Ok(Page::of(request)?.answer(
                "subscribers",
                &rows,
                |one| json!({"subscriber_id": one.text("id"), "subscriber_type": one.text("kind")}),
            ))
        }
        ("POST", ["subscribers"]) => {
            let asked = asked(request)?;
            let rows = asked.iter().map(|(id, kind)| {
                let row = link(&[("incident", &incident), ("id", id), ("kind", kind)]);
                let result = if !known(world, id, kind) {
                    "unauthorized"
                } else if world.shelves.of(Shelf::Subscribers).get(&row.id).is_some() {
                    "duplicate"
                } else {
                    world.shelves.of_mut(Shelf::Subscribers).put(row);
                    "success"
                };
                json!({"subscriber_id": id, "subscriber_type": kind, "result": result})
            });
            let rows: Vec<Value> = rows.collect();
            Ok(Response::json(200, &json!({"subscriptions": rows})))
        }
        ("POST", ["unsubscribe"]) => {
            let (mut deleted, mut unauthorized, mut absent) = (0, 0, 0);
            for (id, kind) in asked(request)? {
                let row = link(&[("incident", &incident), ("id", &id), ("kind", &kind)]);
                if !known(world, &id, &kind) {
                    unauthorized += 1;
                } else if world
                    .shelves
                    .of_mut(Shelf::Subscribers)
                    .remove(&row.id)
                    .is_some()
                {
                    deleted += 1;
                } else {
                    absent += 1;
                }
            }
            let counts = json!({"deleted_count": deleted, "unauthorized_count": unauthorized, "non_existent_count": absent});
            Ok(Response::json(200, &counts))
        }
        _ => Err(not_found()),
    }
}

fn known(world: &World, id: &str, kind: &str) -> bool {
    match kind {
        "user" => world.users.get(id).is_some(),
        _ => world.teams.get(id).is_some(),
    }
}

/// Ids and types; 422 where they cannot be read.
fn asked(request: &Request) -> Answer<Vec<(String, String)>> {
    let refused = |reason| Response::error(422, 2001, "Invalid Input Provided", &[reason]);
    let body = request.json().unwrap_or_default();
    let list = body.get("subscribers").and_then(Value::as_array);
    let list = list.filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| refused("Subscribers must name at least one"))?;
    let rows = list.iter().map(|one| {
        let text = |name: &str| one.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("subscriber_id"), text("subscriber_type")) {
            (Some(id), Some(kind)) if matches!(kind.as_str(), "user" | "team") => Ok((id, kind)),
            _ => Err(refused(
                "Each subscriber needs subscriber_id and subscriber_type: user or team",
            )),
        }
    });
    rows.collect()
}
