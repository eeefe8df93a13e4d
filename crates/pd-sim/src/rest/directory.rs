//! People and things that change rarely: users, teams, services, policies, priorities and more.

mod changes;
mod contacts;
mod oncalls;
mod others;
mod render;

use serde_json::json;

use super::Answer;
use super::paging::Page;
use crate::auth::Caller;
use crate::http::{Request, Response, not_found};
use crate::state::{Target, World};

pub(crate) use changes::render as change_event;
pub(crate) use contacts::{contact_method, notification_rule};
pub(crate) use others::team as team_value;
pub(crate) use render::{
    field_values, integration_ref, integration_value, policy_value, service_value, user_value,
    with_given,
};

/// What a plan without priorities lacks; the name is ours, as none is published.
const PRIORITIES: &str = "priorities";

pub(super) fn route(world: &World, caller: &Caller, request: &Request, path: &[&str]) -> Answer {
    match path {
        ["users"] => users(world, request),
        ["users", "me"] => me(world, caller, request),
        ["users", id] => {
            world.users.get(id).ok_or_else(not_found)?;
            Ok(Response::json(
                200,
                &json!({"user": user_value(world, request, id)}),
            ))
        }
        ["services"] => services(world, request),
        ["services", id] => {
            world.services.get(id).ok_or_else(not_found)?;
            Ok(Response::json(
                200,
                &json!({"service": service_value(world, request, id)}),
            ))
        }
        ["escalation_policies"] => policies(world, request),
        ["escalation_policies", id] => {
            world.policies.get(id).ok_or_else(not_found)?;
            Ok(Response::json(
                200,
                &json!({"escalation_policy": policy_value(world, request, id)}),
            ))
        }
        ["priorities"] if !world.has_ability(PRIORITIES) => Err(missing_ability(PRIORITIES)),
        ["priorities"] => {
            let rows: Vec<_> = world.priorities.iter().collect();
            Ok(Page::of(request)?.answer("priorities", &rows, |priority| {
                world.priority_object(priority)
            }))
        }
        ["abilities"] => Ok(Response::json(
            200,
            &json!({"abilities": world.options.abilities}),
        )),
        ["abilities", name] => Ok(ability(world, name)),
        ["change_events", rest @ ..] => changes::route(world, request, rest),
        ["services", id, "change_events"] => {
            world.services.get(id).ok_or_else(not_found)?;
            changes::list(world, request, Some(*id))
        }
        ["oncalls"] => oncalls::list(world, request),
        ["users", id, rest @ ..] => {
            let user = world.users.get(id).ok_or_else(not_found)?;
            contacts::route(world, request, user, rest)
        }
        other => others::route(world, request, other),
    }
}

/// Whether a name fits `query`; without one everything does.
pub(super) fn named(request: &Request, names: &[&str]) -> bool {
    let Some(query) = request.query("query") else {
        return true;
    };
    let query = query.to_lowercase();
    names
        .iter()
        .any(|name| name.to_lowercase().contains(&query))
}

pub(super) fn wanted(request: &Request, parameter: &str, have: Option<&str>) -> bool {
    let mut wanted = request.query_all(parameter).peekable();
    wanted.peek().is_none() || wanted.any(|id| Some(id) == have)
}

fn users(world: &World, request: &Request) -> Answer {
    let teams: Vec<&str> = request.query_all("team_ids[]").collect();
    let in_team = |user: &str| {
        teams.is_empty()
            || teams
                .iter()
                .filter_map(|id| world.teams.get(id))
                .any(|team| team.members.iter().any(|(id, _)| id == user))
    };
    let rows: Vec<_> = world
        .users
        .iter()
        .filter(|user| named(request, &[&user.name, &user.email]) && in_team(&user.id))
        .collect();
    Ok(Page::of(request)?.answer("users", &rows, |user| user_value(world, request, &user.id)))
}

fn me(world: &World, caller: &Caller, request: &Request) -> Answer {
    let Some(user) = &caller.user else {
        let error = "account-level access token cannot be used with this endpoint";
        return Err(Response::json(400, &json!({"error": error})));
    };
    Ok(Response::json(
        200,
        &json!({"user": user_value(world, request, user)}),
    ))
}

fn services(world: &World, request: &Request) -> Answer {
    let mut rows: Vec<_> = world
        .services
        .iter()
        .filter(|service| {
            let team = world
                .team_of_policy(&service.policy)
                .map(|team| team.id.as_str());
            named(request, &[&service.name])
                && request
                    .query("name")
                    .is_none_or(|name| name == service.name)
                && wanted(request, "team_ids[]", team)
        })
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    if request.query("sort_by") == Some("name:desc") {
        rows.reverse();
    }
    Ok(Page::of(request)?.answer("services", &rows, |service| {
        service_value(world, request, &service.id)
    }))
}

fn policies(world: &World, request: &Request) -> Answer {
    let mut rows: Vec<_> = world
        .policies
        .iter()
        .filter(|policy| {
            let users: Vec<&str> = request.query_all("user_ids[]").collect();
            let mut targets = policy.rules.iter().flat_map(|rule| &rule.targets);
            named(request, &[&policy.name])
                && wanted(request, "team_ids[]", policy.team.as_deref())
                && (users.is_empty()
                    || targets
                        .any(|one| matches!(one, Target::User(id) if users.contains(&id.as_str()))))
        })
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(
        Page::of(request)?.answer("escalation_policies", &rows, |policy| {
            policy_value(world, request, &policy.id)
        }),
    )
}

fn ability(world: &World, name: &str) -> Response {
    const KNOWN: [&str; 8] = [
        PRIORITIES,
        "teams",
        "urgencies",
        "advanced_permissions",
        "coordinated_responding",
        "service_support_hours",
        "read_only_users",
        "audit_records",
    ];
    if world.has_ability(name) {
        Response::empty(204)
    } else if KNOWN.contains(&name) {
        missing_ability(name)
    } else {
        not_found()
    }
}

/// Refuses a filter whose ability the plan lacks.
pub(super) fn needs(
    world: &World,
    request: &Request,
    filter: &str,
    ability: &str,
) -> Result<(), Response> {
    let asked = request.query_all(filter).next().is_some();
    if asked && !world.has_ability(ability) {
        return Err(missing_ability(ability));
    }
    Ok(())
}

/// 402: the plan does not have it.
pub(crate) fn missing_ability(name: &str) -> Response {
    let reason = format!("Your account does not have the '{name}' ability");
    Response::error(402, 2014, "Missing Account Ability", &[&reason])
}
