//! Users: made with a contact method for their e-mail, gone from everything when deleted.

use serde_json::{Value, json};

use super::Asked;
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::rest::Answer;
use crate::rest::directory::user_value;
use crate::state::{ContactMethod, Given, KeyKind, Means, NotificationRule, Target, User, World};

const ROLES: [&str; 8] = [
    "owner",
    "admin",
    "user",
    "limited_user",
    "observer",
    "restricted_access",
    "read_only_user",
    "read_only_limited_user",
];
const NAME_CHARS_MAX: usize = 100;

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    path: &[&str],
) -> Answer {
    match (request.method.as_str(), path) {
        ("POST", []) => create(world, caller, request),
        ("PUT", [id]) => update(world, request, id),
        ("DELETE", [id]) => delete(world, id),
        _ => Err(not_found()),
    }
}

fn create(world: &mut World, caller: &Caller, request: &Request) -> Answer {
    // Documented as required; clients leave it out, so only a wrong one is refused.
    if request.header("From").is_some() {
        world.requester(caller, request)?;
    }
    let asked = Asked::of(request, "user")?;
    let id = world.ids.object('P');
    let mut user = User {
        id: id.clone(),
        name: String::new(),
        email: String::new(),
        time_zone: world.options.time_zone.clone(),
        role: "user".to_owned(),
        job_title: None,
        contacts: Vec::new(),
        rules: Vec::new(),
        mobile: false,
        given: Given::new(),
    };
    change(world, &mut user, asked, true)?;
    user.given
        .insert("invitation_sent".to_owned(), Value::Bool(true));
    let contact = world.ids.object('P');
    user.contacts.push(ContactMethod {
        id: contact.clone(),
        kind: Means::Email.contact_kind().to_owned(),
        label: "Default".to_owned(),
        address: Some(user.email.clone()),
        given: super::contacts::usual(Means::Email.contact_kind(), &Given::new()),
    });
    for urgency in ["high", "low"] {
        user.rules.push(NotificationRule {
            id: world.ids.object('P'),
            delay_min: 0,
            contact: contact.clone(),
            urgency,
            created_at: world.now,
            given: Given::new(),
        });
    }
    world.users.put(user);
    Ok(shown(world, request, &id, 201))
}

fn update(world: &mut World, request: &Request, id: &str) -> Answer {
    let mut user = world.users.get(id).ok_or_else(not_found)?.clone();
    change(world, &mut user, Asked::of(request, "user")?, false)?;
    world.users.put(user);
    Ok(shown(world, request, id, 200))
}

fn shown(world: &World, request: &Request, id: &str, status: u16) -> Response {
    Response::json(status, &json!({"user": user_value(world, request, id)}))
}

fn change(world: &World, user: &mut User, mut asked: Asked, new: bool) -> Answer<()> {
    if let Some(name) = asked.filled("name", NAME_CHARS_MAX, new) {
        // Doubled blanks are squeezed.
        user.name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if let Some(email) = asked.filled("email", 255, new) {
        if !is_email(&email) {
            asked.wrong("Email is invalid");
        } else if world
            .user_by_email(&email)
            .is_some_and(|other| other.id != user.id)
        {
            asked.wrong("Email has already been taken");
        }
        user.email = email;
    }
    if let Some(name) = asked.text("time_zone", 255) {
        user.time_zone = name;
    }
    if let Some(role) = asked.word("role", &ROLES) {
        user.role = role;
    }
    if asked.names("job_title") {
        user.job_title = asked.text("job_title", 100);
    }
    asked.keep(&["description", "color", "license"], &mut user.given);
    asked.check()
}

/// One `@` with something on both sides and no blank.
fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| {
        !name.is_empty()
            && !host.is_empty()
            && !host.contains('@')
            && !text.contains(char::is_whitespace)
    })
}

fn delete(world: &mut World, id: &str) -> Answer {
    let user = world.users.get(id).ok_or_else(not_found)?;
    let has = |at: &usize| {
        let assigned = &world.incident(*at).assignments;
        assigned.iter().any(|(assignee, _)| assignee == id)
    };
    if world.open.iter().any(has) {
        return Err(invalid("User has open incidents assigned"));
    }
    if let Some(policy) = world.policies.iter().find(|policy| {
        let only = [Target::User(id.to_owned())];
        policy.rules.iter().any(|rule| rule.targets == only)
    }) {
        let reason = format!(
            "User is the only target of a rule of the escalation policy {}",
            policy.name
        );
        return Err(invalid(&reason));
    }
    let now = world.now;
    if let Some(schedule) = world.schedules.iter().find(|schedule| {
        let mut current = schedule
            .layers
            .iter()
            .filter(|layer| layer.end.is_none_or(|end| now < end));
        current.any(|layer| layer.users == [id])
    }) {
        let reason = format!(
            "User is the only one of a layer of the schedule {}",
            schedule.name
        );
        return Err(invalid(&reason));
    }
    let name = user.name.clone();
    world.forget(id, name);
    take_away(world, id);
    world.users.remove(id);
    Ok(Response::empty(204))
}

/// Takes a user out of teams, rules and turns; the keys of a user end with the user.
fn take_away(world: &mut World, id: &str) {
    for team in world.teams.iter_mut() {
        team.members.retain(|(member, _)| member != id);
    }
    let user = Target::User(id.to_owned());
    for rule in world
        .policies
        .iter_mut()
        .flat_map(|policy| &mut policy.rules)
    {
        rule.targets.retain(|target| *target != user);
    }
    let now = world.now;
    for schedule in world.schedules.iter_mut() {
        for layer in &mut schedule.layers {
            if layer.end.is_none_or(|end| now < end) {
                layer.users.retain(|one| one != id);
            }
        }
        schedule
            .overrides
            .retain(|one| one.user != id || one.start <= now);
    }
    world
        .keys
        .retain(|(_, kind)| *kind != KeyKind::User(id.to_owned()));
    world.oauth.revoke_user(id);
}
