//! Maintenance windows: while one runs, its services make no new incidents.

use serde_json::{Value, json};

use super::Answer;
use super::directory::{named, wanted};
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
        ("PUT", [id]) => update(world, request, id),
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
            let teams = || {
                let services = window.services.iter();
                let policies = services.filter_map(|id| Some(&world.services.get(id)?.policy));
                policies.filter_map(|policy| world.team_of_policy(policy))
            };
            let of_team = request.query("team_ids[]").is_none()
                || teams().any(|team| wanted(request, "team_ids[]", Some(&team.id)));
            fits && of_team
                && named(request, &[&window.description])
                && (services.is_empty()
                    || window
                        .services
                        .iter()
                        .any(|id| services.contains(&id.as_str())))
        })
        .collect();
    Ok(Page::of(request)?.answer("maintenance_windows", &rows, |window| render(world, window)))
}

fn create(world: &mut World, caller: &Caller, request: &Request) -> Answer {
    let window = MaintenanceWindow {
        id: world.ids.object('P'),
        number: world.windows_made + 1,
        start: world.now,
        end: world.now,
        description: String::new(),
        created_by: world.requester(caller, request)?,
        services: Vec::new(),
    };
    let answer = put(world, request, window, 201)?;
    world.windows_made += 1;
    Ok(answer)
}

/// What is over stays as it was; of a window that runs, the start.
fn update(world: &mut World, request: &Request, id: &str) -> Answer {
    let window = world.windows.get(id).ok_or_else(not_found)?.clone();
    if window.end <= world.now {
        return Err(over());
    }
    put(world, request, window, 200)
}

fn over() -> Response {
    Response::error(405, 5003, "Maintenance window is over", &[])
}

/// Takes what the request names; a new window needs start, end and services.
fn put(world: &mut World, request: &Request, mut window: MaintenanceWindow, status: u16) -> Answer {
    let new = status == 201;
    let body = request
        .json()
        .ok_or_else(|| invalid("params must be a Hash"))?;
    let asked = body.get("maintenance_window").unwrap_or(&Value::Null);
    let instant = |key: &str| asked.get(key).and_then(Value::as_str).and_then(parse);
    let (start, end) = (instant("start_time"), instant("end_time"));
    if new && (start.is_none() || end.is_none()) {
        return Err(invalid("Start time and end time are required."));
    }
    if let Some(start) = start.filter(|_| new || window.start > world.now) {
        window.start = start.max(world.now); // a start in the past becomes now
    }
    window.end = end.unwrap_or(window.end);
    if let Some(listed) = asked.get("services").and_then(Value::as_array) {
        let ids = listed.iter().filter_map(|one| one.get("id")?.as_str());
        window.services = ids.map(str::to_owned).collect();
    }
    let unknown = |id: &String| world.services.get(id).is_none();
    if window.end <= window.start
        || window.services.is_empty()
        || window.services.iter().any(unknown)
    {
        return Err(invalid("Maintenance window is invalid."));
    }
    if let Some(description) = asked.get("description") {
        description
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut window.description);
    }
    let shown = render(world, &window);
    world.windows.put(window);
    Ok(Response::json(
        status,
        &json!({"maintenance_window": shown}),
    ))
}

/// Takes a future window away and ends a running one.
fn delete(world: &mut World, id: &str) -> Answer {
    let now = world.now;
    let window = world.windows.get_mut(id).ok_or_else(not_found)?;
    if window.end <= now {
        return Err(over());
    }
    if window.start > now {
        world.windows.remove(id);
    } else {
        window.end = now;
    }
    Ok(Response::empty(204))
}

pub(crate) fn render(world: &World, window: &MaintenanceWindow) -> Value {
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
