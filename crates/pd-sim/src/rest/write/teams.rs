//! Teams, who is in them, and which policies are theirs.

use serde_json::{Value, json};

use super::Asked;
use crate::http::{Request, Response, invalid, not_found};
use crate::rest::Answer;
use crate::rest::directory::{missing_ability, team_value};
use crate::state::{Given, Team, World};

const ROLES: [&str; 3] = ["manager", "responder", "observer"];

pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    if !world.has_ability("teams") {
        return Err(missing_ability("teams"));
    }
    match (request.method.as_str(), path) {
        ("POST", []) => create(world, request),
        ("PUT", [id]) => update(world, request, id),
        ("DELETE", [id]) => delete(world, id),
        (method, [id, "users", user]) => member(world, request, method, (id, user)),
        (method, [id, "escalation_policies", policy]) => own(world, method, id, policy),
        _ => Err(not_found()),
    }
}

fn create(world: &mut World, request: &Request) -> Answer {
    let asked = Asked::of(request, "team")?;
    let mut team = Team {
        id: world.ids.object('P'),
        name: String::new(),
        description: None,
        members: Vec::new(),
        given: Given::new(),
    };
    change(world, &mut team, asked, true)?;
    Ok(kept(world, team, 201))
}

fn update(world: &mut World, request: &Request, id: &str) -> Answer {
    let mut team = world.teams.get(id).ok_or_else(not_found)?.clone();
    change(world, &mut team, Asked::of(request, "team")?, false)?;
    Ok(kept(world, team, 200))
}

fn kept(world: &mut World, team: Team, status: u16) -> Response {
    let value = team_value(world, &team);
    world.teams.put(team);
    Response::json(status, &json!({"team": value}))
}

fn change(world: &World, team: &mut Team, mut asked: Asked, new: bool) -> Answer<()> {
    let others = world.teams.iter().filter(|other| other.id != team.id);
    let others = others.map(|other| other.name.as_str());
    if let Some(name) = asked.name(others, 100, new) {
        team.name = name;
    }
    if asked.names("description") {
        team.description = asked.text("description", 1_024);
    }
    if let Some(role) = asked.word("default_role", &["manager", "none"]) {
        team.given.insert("default_role".to_owned(), role.into());
    }
    if asked.names("parent") {
        let parent = asked.reference("parent");
        let parent = parent.map(|id| match world.teams.get(&id) {
            Some(parent) if parent.id != team.id => world.team_ref(&id).value(),
            _ => {
                asked.wrong("Parent is invalid");
                Value::Null
            }
        });
        team.given
            .insert("parent".to_owned(), parent.unwrap_or_default());
    }
    asked.check()
}

fn delete(world: &mut World, id: &str) -> Answer {
    let team = world.teams.remove(id).ok_or_else(not_found)?;
    world.forget(id, team.name);
    for policy in world.policies.iter_mut() {
        policy.team.take_if(|team| team == id);
    }
    for other in world.teams.iter_mut() {
        if other
            .given
            .get("parent")
            .and_then(|parent| parent.get("id"))
            == Some(&id.into())
        {
            other.given.insert("parent".to_owned(), Value::Null);
        }
    }
    Ok(Response::empty(204))
}

fn member(
    world: &mut World,
    request: &Request,
    method: &str,
    (team, user): (&str, &str),
) -> Answer {
    world.users.get(user).ok_or_else(not_found)?;
    let team = world.teams.get_mut(team).ok_or_else(not_found)?;
    let at = team.members.iter().position(|(member, _)| member == user);
    match method {
        "PUT" => {
            let body = request.json().unwrap_or_default();
            let role = body
                .get("role")
                .and_then(Value::as_str)
                .unwrap_or("manager");
            if !ROLES.contains(&role) {
                return Err(invalid(&format!(
                    "Role must be one of {}",
                    ROLES.join(", ")
                )));
            }
            match at.and_then(|at| team.members.get_mut(at)) {
                Some((_, old)) => role.clone_into(old),
                None => team.members.push((user.to_owned(), role.to_owned())),
            }
        }
        "DELETE" => drop(team.members.remove(at.ok_or_else(not_found)?)),
        _ => return Err(not_found()),
    }
    Ok(Response::empty(204))
}

fn own(world: &mut World, method: &str, team: &str, policy: &str) -> Answer {
    world.teams.get(team).ok_or_else(not_found)?;
    let policy = world.policies.get_mut(policy).ok_or_else(not_found)?;
    match method {
        "PUT" => policy.team = Some(team.to_owned()),
        "DELETE" if policy.team.as_deref() == Some(team) => policy.team = None,
        _ => return Err(not_found()),
    }
    Ok(Response::empty(204))
}
