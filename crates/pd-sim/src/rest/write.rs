//! Making, changing and deleting users, teams, services and escalation policies.
//!
//! Invariants
//! - A refused request has changed nothing, and all that is wrong with it is told at once.
//! - `PUT` changes what it names; lists are replaced as a whole.
//! - What may only be read, and what nobody knows, is ignored without a word.

mod contacts;
mod integrations;
mod policies;
mod services;
mod teams;
mod urgency;
mod users;

use super::Answer;
use crate::asked::Asked;
use crate::auth::Caller;
use crate::http::{Request, Response, not_found};
use crate::state::{Actor, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    path: &[&str],
) -> Answer {
    let own = matches!(path, ["users", id, "contact_methods" | "notification_rules", ..]
        if caller.user.as_deref() == Some(*id));
    if !own && !may_manage(world, caller) {
        return Err(Response::error(403, 2010, "Access Denied", &[]));
    }
    match path {
        ["users", id, "contact_methods", rest @ ..] => contacts::methods(world, request, id, rest),
        ["users", id, "notification_rules", rest @ ..] => contacts::rules(world, request, id, rest),
        ["users", rest @ ..] => users::route(world, caller, request, rest),
        ["teams", rest @ ..] => teams::route(world, request, rest),
        ["escalation_policies", rest @ ..] => policies::route(world, request, rest),
        ["services", id, "integrations", rest @ ..] => {
            integrations::route(world, request, id, rest)
        }
        ["services", rest @ ..] => services::route(world, caller, request, rest),
        _ => Err(not_found()),
    }
}

/// Whether the role of the caller lets it change more than itself; keys of the account may.
pub(super) fn may_manage(world: &World, caller: &Caller) -> bool {
    let user = caller.user.as_deref().and_then(|id| world.users.get(id));
    user.is_none_or(|user| matches!(user.role.as_str(), "owner" | "admin" | "user"))
}

/// In whose name a directory changes: the key's owner, whoever `From` names, or nobody.
pub(super) fn actor(world: &World, caller: &Caller, request: &Request) -> Option<Actor> {
    let from = request.header("From");
    let from = from.and_then(|from| world.user_by_email(from.trim()));
    let user = caller.user.as_deref().or(from.map(|user| user.id.as_str()));
    user.map(|user| Actor::person(user, "api"))
}
