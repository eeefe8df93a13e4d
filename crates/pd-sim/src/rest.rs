//! The REST API: one function per resource, routed by method and path.

mod actions;
mod alerts;
mod analytics;
mod audit;
mod business;
mod cursor;
mod directory;
mod extensions;
mod grouping;
mod incidents;
mod kept;
mod log_entries;
mod notes;
mod paging;
mod related;
mod render;
mod responders;
pub(crate) mod saved;
pub(crate) mod schedules;
mod service_fields;
mod shifts;
mod standards;
mod subscribers;
mod tags;
pub(crate) mod types;
mod update;
mod windows;
mod workflows;
mod write;
mod zones;

use serde_json::{Value, json};

pub(crate) use directory::with_given;
pub(crate) use log_entries::render as log_entry;
pub(crate) use render::incident;
pub(crate) use schedules::restriction;

use crate::auth::{self, Caller};
use crate::http::{Request, Response, invalid, not_found};
use crate::state::World;

/// Answers one authenticated request.
pub(crate) fn route(world: &mut World, caller: &Caller, request: &Request) -> Response {
    if let Err(refused) = auth::covered(caller, request) {
        return refused;
    }
    if request.method != "GET" {
        if caller.read_only {
            return Response::error(403, 2010, "Access Denied", &[]);
        }
        if !request.body.is_empty() && request.header("Content-Type").is_none() {
            return invalid("params must be a Hash");
        }
    }
    let zoned = paging::with_offsets(request, &world.options.time_zone);
    let request = zoned.as_ref().unwrap_or(request);
    let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let before = audit::look(world, request, &segments);
    let answer = resource(world, caller, request, &segments).unwrap_or_else(|refused| refused);
    if let Some(before) = before {
        audit::note(world, caller, request, before, &answer);
    }
    zones::shown(request, &world.options.time_zone, answer)
}

fn resource(world: &mut World, caller: &Caller, request: &Request, path: &[&str]) -> Answer {
    let read = request.method == "GET";
    paging::Page::reaches(request, world.options.rows_reach)?;
    match path {
        ["incidents", "types", rest @ ..] => types::route(world, caller, request, rest),
        ["incidents", "custom_fields", rest @ ..] => types::older(world, caller, request, rest),
        ["incidents", rest @ ..] => incident_routes(world, caller, request, rest),
        ["log_entries", id, "channel"] => log_entries::change_channel(world, caller, request, id),
        ["log_entries", rest @ ..] => log_entries::route(world, caller, request, rest),
        ["webhook_subscriptions", rest @ ..] => webhooks(world, caller, request, rest),
        ["audit", "records"] => audit::list(world, caller, request, None),
        [root, id, "audit", "records"] => audit::list(world, caller, request, Some((root, id))),
        ["schedules", rest @ ..] => {
            shifts::other_place(world, rest)?;
            schedules::route(world, request, rest)
        }
        ["analytics", rest @ ..] => analytics::route(world, caller, request, rest),
        ["maintenance_windows", rest @ ..] => windows::route(world, caller, request, rest),
        ["extension_schemas", rest @ ..] => extensions::schemas(world, request, rest),
        ["services", "custom_fields", rest @ ..] => {
            service_fields::definitions(world, caller, request, rest)
        }
        ["services", id, "custom_fields", "values"] => {
            service_fields::values(world, caller, request, id)
        }
        ["incident_workflows", id, "instances"] => {
            workflows::route(world, caller, request, &[id, "instances"])
        }
        other if !read && !write::may_manage(world, caller) && is_kept(other) => {
            Err(Response::error(403, 2010, "Access Denied", &[]))
        }
        ["v3", "schedules", rest @ ..] => shifts::route(world, request, rest),
        ["tags", rest @ ..] => tags::route(world, request, rest),
        [
            kind @ ("users" | "teams" | "escalation_policies"),
            id,
            action @ ("tags" | "change_tags"),
        ] => tags::of_entity(world, request, (kind, id), action),
        ["business_services", rest @ ..] => business::route(world, request, rest),
        ["service_dependencies", rest @ ..] => business::dependencies(world, request, rest),
        ["extensions", rest @ ..] => extensions::route(world, request, rest),
        ["incident_workflows", rest @ ..] => workflows::route(world, caller, request, rest),
        ["standards", rest @ ..] => standards::route(world, request, rest),
        ["alert_grouping_settings", rest @ ..] => grouping::route(world, request, rest),
        other if read => directory::route(world, caller, request, other),
        other => write::route(world, caller, request, other),
    }
}

/// Whether a path leads to what is only kept; that changes by the same people as the directory.
fn is_kept(path: &[&str]) -> bool {
    let first = path.first().copied().unwrap_or_default();
    let kept = [
        "tags",
        "business_services",
        "service_dependencies",
        "extensions",
        "incident_workflows",
        "standards",
        "alert_grouping_settings",
        "v3",
    ];
    kept.contains(&first) || path.last() == Some(&"change_tags")
}

fn webhooks(world: &mut World, caller: &Caller, request: &Request, path: &[&str]) -> Answer {
    if path.first() == Some(&"oauth_clients") {
        may_use_clients(world, caller, request)?;
    } else {
        may_subscribe(world, caller, request, path)?;
        known_filter(world, request)?;
        may_hear(caller, request)?;
    }
    Ok(world
        .webhooks
        .rest(request, path, &mut world.ids, world.now))
}

/// Owners and admins manage every webhook, Managers those of a service or a team, managers of a
/// team those of that team, and keys of the account all (docs/sim.md).
fn may_subscribe(world: &World, caller: &Caller, request: &Request, path: &[&str]) -> Answer<()> {
    let user = caller.user.as_deref().and_then(|id| world.users.get(id));
    let Some(user) = user.filter(|user| !matches!(user.role.as_str(), "owner" | "admin")) else {
        return Ok(());
    };
    let body = request.json().unwrap_or_default();
    let named = body.pointer("/webhook_subscription/filter").cloned();
    let held = path.first().and_then(|id| world.webhooks.filter_of(id));
    let manages = |team: Option<&Value>| {
        let team = team
            .and_then(Value::as_str)
            .and_then(|id| world.teams.get(id));
        let manager = (user.id.clone(), "manager".to_owned());
        team.is_some_and(|team| team.members.contains(&manager))
    };
    let may = |filter: Value| match filter.get("type").and_then(Value::as_str) {
        Some("account_reference") => false,
        Some("team_reference") => user.role == "user" || manages(filter.get("id")),
        _ => user.role == "user",
    };
    // What names no filter is about a webhook that is not there, or wrong in itself.
    let filters: Vec<Value> = [named, held].into_iter().flatten().collect();
    let is_manager = user.role == "user" && filters.is_empty();
    let may_all = !filters.is_empty() && filters.into_iter().all(may);
    if request.method == "GET" || is_manager || may_all {
        Ok(())
    } else {
        Err(Response::error(403, 2010, "Access Denied", &[]))
    }
}

/// Whoever subscribes with scopes needs those to read what the events tell (docs/sim.md).
fn may_hear(caller: &Caller, request: &Request) -> Answer<()> {
    let body = request.json().unwrap_or_default();
    let events = body
        .pointer("/webhook_subscription/events")
        .and_then(Value::as_array);
    let events = events.into_iter().flatten().filter_map(Value::as_str);
    for event in events {
        let family = match event {
            _ if event.starts_with("incident.workflow.") => "incident_workflows",
            _ if event.starts_with("service.") => "services",
            _ => "incidents",
        };
        auth::covered(caller, &Request::new("GET", &format!("/{family}")))?;
    }
    Ok(())
}

/// OAuth clients of webhooks are for owners and admins, and for keys of the account.
pub(crate) fn may_use_clients(
    world: &World,
    caller: &Caller,
    request: &Request,
) -> Result<(), Response> {
    let user = caller.user.as_deref().and_then(|id| world.users.get(id));
    let may = user.is_none_or(|user| matches!(user.role.as_str(), "owner" | "admin"));
    if !may || (caller.read_only && request.method != "GET") {
        return Err(Response::error(403, 2010, "Access Denied", &[]));
    }
    auth::covered(caller, request)
}

/// A subscription can only be to a service or team of the account.
fn known_filter(world: &World, request: &Request) -> Result<(), Response> {
    let body = request.json().unwrap_or_default();
    let part = |name: &str| {
        let found = body.pointer(&format!("/webhook_subscription/filter/{name}"));
        found.and_then(Value::as_str).unwrap_or_default()
    };
    let known = match part("type") {
        "service_reference" => world.services.get(part("id")).is_some(),
        "team_reference" => world.teams.get(part("id")).is_some(),
        _ => true,
    };
    if known || part("id").is_empty() {
        Ok(())
    } else {
        Err(invalid("Filter id names nothing of this account"))
    }
}

/// An answer, or the refusal to give instead: both are sent, `?` ends early.
pub(crate) type Answer<T = Response> = Result<T, Response>;

fn incident_routes(world: &mut World, caller: &Caller, request: &Request, path: &[&str]) -> Answer {
    let method = request.method.as_str();
    match (method, path) {
        ("GET", []) => incidents::list(world, caller, request),
        ("POST", []) => incidents::create(world, caller, request),
        ("PUT", []) => actions::update_many(world, caller, request),
        (_, []) => Err(not_found()),
        (_, [id, rest @ ..]) => {
            let at = find(world, caller, id)?;
            one_incident(world, caller, request, at, rest)
        }
    }
}

fn one_incident(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    at: usize,
    path: &[&str],
) -> Answer {
    match (request.method.as_str(), path) {
        ("PUT", []) => update::one(world, caller, request, at),
        ("GET", []) => Ok(incidents::get(world, request, at)),
        ("GET", ["log_entries"]) => log_entries::of_incident(world, request, at),
        ("PUT", ["merge"]) => actions::merge(world, caller, request, at),
        ("POST", ["snooze"]) => actions::snooze(world, caller, request, at),
        (_, ["status_updates", rest @ ..]) if !rest.is_empty() => {
            subscribers::route(world, request, at, rest)
        }
        (_, ["business_services", rest @ ..]) => business::of_incident(world, request, at, rest),
        ("GET", ["past_incidents"]) => related::past(world, request, at),
        ("GET", ["related_incidents"]) => Ok(related::related(world, request, at)),
        ("GET", ["related_change_events"]) => related::changes(world, request, at),
        ("POST", ["status_updates"]) => actions::status_update(world, caller, request, at),
        ("POST", ["responder_requests"]) => responders::ask(world, request, at),
        ("PUT", ["responder_requests", "cancel"]) => responders::cancel(world, request, at),
        ("GET", ["custom_fields", "values"]) => Ok(Response::json(
            200,
            &json!({"custom_fields": directory::field_values(world, at)}),
        )),
        ("PUT", ["custom_fields", "values"]) => actions::set_fields(world, caller, request, at),
        (_, ["notes", rest @ ..]) => notes::route(world, caller, request, at, rest),
        ("GET", ["alerts"]) => alerts::list(world, request, at),
        ("PUT", ["alerts"]) => alerts::update_many(world, caller, request, at),
        ("GET", ["alerts", id]) => alerts::get(world, at, id),
        ("PUT", ["alerts", id]) => alerts::update_one(world, caller, request, at, id),
        _ => Err(not_found()),
    }
}

/// What the caller may not see is not there.
fn find(world: &World, caller: &Caller, id: &str) -> Result<usize, Response> {
    let found = world.find(id);
    let found = found.filter(|at| world.sees(caller.user.as_deref(), *at));
    found.ok_or_else(not_found)
}
