//! Maintenance windows: while one runs, its services make no new incidents.

use serde_json::{Value, json};

use super::Answer;
use super::paging::{Page, parse};
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::{Ref, seconds};
use crate::state::{MaintenanceWindow, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    path: &[&str],
) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => list(world, request),
        ("POST", []) => create(world, caller, request),
        ("GET", [id]) => {
            let window = world.windows.get(id).ok_or_else(not_found)?;
            Ok(Response::json(
                200,
                &json!({"maintenance_window": render(world, window)}),
            ))
        }
        ("DELETE", [id]) => delete(world, id),
        _ => Err(not_found()),
    }
}

fn list(world: &World, request: &Request) -> Answer {
    let services: Vec<&str> = request.query_all("service_ids[]").collect();
    let rows: Vec<&MaintenanceWindow> = world
        .windows
        .iter()
        .filter(|window| {
            let (past, future) = (window.end <= world.now, window.start > world.now);
            let fits = match request.query("filter") {
                Some("past") => past,
                Some("future") => future,
                Some("ongoing") => !past && !future,
                Some("open") => !past,
                _ => true,
            };
            fits && (services.is_empty()
                || window
                    .services
                    .iter()
                    .any(|id| services.contains(&id.as_str())))
        })
        .collect();
    Ok(Page::of(request)?.answer("maintenance_windows", &rows, |window| render(world, window)))
}

fn create(world: &mut World, caller: &Caller, request: &Request) -> Answer {
    let created_by = world.requester(caller, request)?;
    let body = request
        .json()
        .ok_or_else(|| invalid("params must be a Hash"))?;
    let asked = body.get("maintenance_window").unwrap_or(&Value::Null);
    let instant = |key: &str| asked.get(key).and_then(Value::as_str).and_then(parse);
    let (Some(start), Some(end)) = (instant("start_time"), instant("end_time")) else {
        return Err(invalid("Start time and end time are required."));
    };
    let start = start.max(world.now); // a start in the past becomes now
    let listed = asked
        .get("services")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let services: Vec<String> = listed
        .filter_map(|one| one.get("id").and_then(Value::as_str))
        .map(str::to_owned)
        .collect();
    if end <= start
        || services.is_empty()
        || services.iter().any(|id| world.services.get(id).is_none())
    {
        return Err(invalid("Maintenance window is invalid."));
    }
    let description = asked
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    world.windows_made += 1;
    let id = world.ids.object('P');
    let number = world.windows_made;
    let window = MaintenanceWindow {
        id,
        number,
        start,
        end,
        description,
        created_by,
        services,
    };
    let shown = render(world, &window);
    world.windows.put(window);
    Ok(Response::json(201, &json!({"maintenance_window": shown})))
}

/// Takes a future window away and ends a running one.
fn delete(world: &mut World, id: &str) -> Answer {
    let now = world.now;
    let window = world.windows.get_mut(id).ok_or_else(not_found)?;
    if window.end <= now {
        return Err(Response::error(
            405,
            5003,
            "Maintenance window is over",
            &[],
        ));
    }
    if window.start > now {
        world.windows.remove(id);
    } else {
        window.end = now;
    }
    Ok(Response::empty(204))
}

fn render(world: &World, window: &MaintenanceWindow) -> Value {
    let mut teams = Vec::new();
    for service in window
        .services
        .iter()
        .filter_map(|id| world.services.get(id))
    {
        teams.extend(world.team_refs(&service.policy).iter().map(Ref::value));
    }
    teams.dedup();
    let services: Vec<Value> = window
        .services
        .iter()
        .map(|id| world.service_ref(id).value())
        .collect();
    json!({
        "id": window.id,
        "type": "maintenance_window",
        "summary": window.description,
        "self": format!("{}/maintenance_windows/{}", world.options.base_url, window.id),
        "html_url": format!("{}/maintenance_windows#/show/{}", world.options.web_url, window.id),
        "sequence_number": window.number,
        "start_time": seconds(window.start),
        "end_time": seconds(window.end),
        "description": window.description,
        "created_by": world.user_ref(&window.created_by),
        "services": services,
        "teams": teams,
    })
}
