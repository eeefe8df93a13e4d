//! Who changed the directory: audit records of users, teams, schedules, policies and services (docs/sim.md).
//!
//! Invariants
//! - A record says what REST shows differently afterwards; a change that shows nothing leaves none.
//! - Incidents are not audited: their trail is the log.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::cursor::Cursor;
use super::directory::missing_ability;
use super::paging::instant;
use super::{Answer, saved};
use crate::auth::Caller;
use crate::http::{Request, Response, not_found};
use crate::refs::milliseconds;
use crate::shelf::{Kept, Shelf};
use crate::state::World;

/// What a plan without audit records lacks; the name is ours, as none is published.
const ABILITY: &str = "audit_records";
const WINDOW_MAX: SignedDuration = SignedDuration::from_hours(24 * 31);
const WINDOW_DEFAULT: SignedDuration = SignedDuration::from_hours(24);
/// What is audited; the envelope of one.
const ROOTS: [(&str, &str); 5] = [
    ("users", "user"),
    ("teams", "team"),
    ("schedules", "schedule"),
    ("escalation_policies", "escalation_policy"),
    ("services", "service"),
];

/// What a request is about, as it was before.
pub(super) struct Before {
    /// The type without `_reference`.
    kind: &'static str,
    id: Option<String>,
    shown: Value,
}

/// Looks before a write.
pub(super) fn look(world: &World, request: &Request, path: &[&str]) -> Option<Before> {
    let (first, rest) = path.split_first()?;
    let (_, kind) = ROOTS.iter().find(|(root, _)| root == first)?;
    if request.method == "GET" {
        return None;
    }
    let id = rest.first().map(|id| (*id).to_owned());
    let shown = id
        .as_deref()
        .map_or(Value::Null, |id| shown(world, kind, id));
    Some(Before { kind, id, shown })
}

/// What can change, as REST shows it.
fn shown(world: &World, kind: &str, id: &str) -> Value {
    // References alone: keys of integrations and addresses of people belong into no record.
    let request = Request::new("GET", "/");
    let schedule = |id| Some(saved::schedule(world, &request, world.schedules.get(id)?));
    let team = |id| {
        let team = world.teams.get(id)?;
        let mut value = saved::team(world, team);
        let members = saved::members(world, team);
        let members = members.get("members").and_then(Value::as_array);
        let members = members.into_iter().flatten().filter_map(|one| {
            let mut user = one.get("user")?.clone();
            let role = one.get("role")?.clone();
            user.as_object_mut()?.insert("role".to_owned(), role);
            Some(user)
        });
        let users: Vec<Value> = members.collect();
        value
            .as_object_mut()?
            .insert("members".to_owned(), users.into());
        Some(value)
    };
    match kind {
        "user" => saved::user(world, &request, id),
        "service" => saved::service(world, &request, id),
        "escalation_policy" => saved::policy(world, &request, id),
        "team" => team(id).unwrap_or_default(),
        _ => schedule(id).unwrap_or_default(),
    }
}

/// Keeps what a write has changed.
pub(super) fn note(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    before: Before,
    answer: &Response,
) {
    if answer.status >= 300 {
        return;
    }
    let kind = before.kind;
    let made = || {
        let body = answer.value()?;
        body.pointer(&format!("/{kind}/id"))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let Some(id) = before.id.or_else(made) else {
        return;
    };
    let after = shown(world, kind, &id);
    let action = match (before.shown.is_null(), after.is_null()) {
        (true, false) => "create",
        (false, true) => "delete",
        (false, false) => "update",
        (true, true) => return,
    };
    let (fields, references) = differences(&before.shown, &after);
    if action == "update" && fields.is_empty() && references.is_empty() {
        return;
    }
    let root = root(world, kind, &id);
    let details = match action {
        "delete" => json!({"resource": root, "fields": [], "references": []}),
        _ => json!({"resource": root, "fields": fields, "references": references}),
    };
    let number = world.shelves.of(Shelf::Audit).iter().count() + 1;
    let record = json!({
        "self": null,
        "execution_time": milliseconds(world.now),
        "execution_context": {"request_id": null, "remote_address": null},
        "actors": actors(world, caller, request),
        "method": method(caller),
        "root_resource": root,
        "action": action,
        "details": details,
    });
    let Value::Object(fields) = record else {
        return;
    };
    let id = format!("PDSIMAUDIT{number:010}");
    world.shelves.of_mut(Shelf::Audit).put(Kept { id, fields });
}

fn root(world: &World, kind: &str, id: &str) -> Value {
    match kind {
        "user" => world.user_ref(id),
        "team" => world.team_ref(id),
        "schedule" => world.schedule_ref(id),
        "escalation_policy" => world.policy_ref(id),
        _ => world.service_ref(id),
    }
    .value()
}

fn actors(world: &World, caller: &Caller, request: &Request) -> Vec<Value> {
    let from = request
        .header("From")
        .and_then(|from| world.user_by_email(from.trim()));
    let user = caller.user.as_deref().or(from.map(|user| user.id.as_str()));
    let actor = match user {
        Some(user) => world.user_ref(user).value(),
        None if caller.scopes.is_some() => {
            json!({"id": "PAPP", "type": "app_reference", "summary": "App"})
        }
        None => json!({"id": "PAPIKEY", "type": "api_key_reference", "summary": "API key"}),
    };
    vec![actor]
}

fn method(caller: &Caller) -> Value {
    let kind = if caller.scopes.is_some() {
        "oauth"
    } else {
        "api_token"
    };
    json!({"type": kind, "description": null, "truncated_token": caller.token_end})
}

/// Fields with what they were, and references that came and went.
fn differences(before: &Value, after: &Value) -> (Vec<Value>, Vec<Value>) {
    let empty = Map::new();
    let old = before.as_object().unwrap_or(&empty);
    let new = after.as_object().unwrap_or(&empty);
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let (mut fields, mut references) = (Vec::new(), Vec::new());
    for name in names
        .into_iter()
        .filter(|name| !OF_ITSELF.contains(&name.as_str()))
    {
        let (was, is) = (old.get(name), new.get(name));
        if was == is {
            continue;
        }
        let (had, has) = (identified(was), identified(is));
        if let (Some(had), Some(has)) = (had, has) {
            let missing = |from: &[Value], among: &[Value]| -> Vec<Value> {
                let known =
                    |one: &Value| among.iter().any(|other| other.get("id") == one.get("id"));
                from.iter().filter(|one| !known(one)).map(brief).collect()
            };
            let (added, removed) = (missing(&has, &had), missing(&had, &has));
            if !added.is_empty() || !removed.is_empty() {
                references.push(
                    json!({"name": name, "description": null, "added": added, "removed": removed}),
                );
                continue;
            }
        }
        fields.push(json!({"name": name, "description": null, "value": text(is), "before_value": text(was)}));
    }
    (fields, references)
}

/// What changes by itself, or follows from the id.
const OF_ITSELF: [&str; 9] = [
    "id",
    "type",
    "self",
    "html_url",
    "summary",
    "created_at",
    "updated_at",
    "status",
    "last_incident_timestamp",
];

/// A list of things with ids; `None`: it is something else.
fn identified(value: Option<&Value>) -> Option<Vec<Value>> {
    let list = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
    };
    list.iter()
        .all(|one| one.get("id").is_some())
        .then_some(list)
}

fn brief(one: &Value) -> Value {
    let fields = ["id", "type", "summary", "self", "html_url"];
    let fields = fields.map(|name| (name.to_owned(), one.get(name).cloned().unwrap_or_default()));
    Value::Object(fields.into_iter().collect())
}

fn text(value: Option<&Value>) -> Value {
    match value {
        None | Some(Value::Null) => Value::Null,
        Some(Value::String(text)) => text.clone().into(),
        Some(other) => other.to_string().into(),
    }
}

/// `/audit/records`, or those of one object.
pub(super) fn list(
    world: &World,
    caller: &Caller,
    request: &Request,
    root: Option<(&str, &str)>,
) -> Answer {
    if !world.has_ability(ABILITY) {
        return Err(missing_ability(ABILITY));
    }
    if request.method != "GET" {
        return Err(not_found());
    }
    let user = caller.user.as_deref().and_then(|id| world.users.get(id));
    if root.is_none() && user.is_some_and(|user| !matches!(user.role.as_str(), "owner" | "admin")) {
        return Err(Response::error(403, 2010, "Access Denied", &[]));
    }
    if let Some((root, id)) = root {
        let kind = ROOTS
            .iter()
            .find(|(known, _)| *known == root)
            .ok_or_else(not_found)?
            .1;
        if shown(world, kind, id).is_null() && !world.gone.contains_key(id) {
            return Err(not_found());
        }
    }
    let until = instant(request, "until")?.unwrap_or(world.now);
    let since = instant(request, "since")?;
    let since = since.unwrap_or_else(|| until.saturating_sub(WINDOW_DEFAULT).unwrap_or(until));
    if until < since || until.duration_since(since) > WINDOW_MAX {
        return Err(Response::error(400, 2005, "Invalid Query Date Range", &[]));
    }
    let all = world.shelves.of(Shelf::Audit).iter().rev();
    let rows = all.filter(|one| wanted(request, one, root, (since, until)));
    let rows: Vec<Value> = rows
        .map(|one| super::with_given(json!({"id": one.id}), &one.fields))
        .collect();
    let mut answer = Cursor::of(request)?.answer("records", &rows);
    if let Some(Value::Object(mut body)) = answer.value() {
        body.insert("response_metadata".to_owned(), Value::Null);
        answer.body = Value::Object(body).to_string().into_bytes();
    }
    Ok(answer)
}

fn wanted(
    request: &Request,
    one: &Kept,
    root: Option<(&str, &str)>,
    (since, until): (Timestamp, Timestamp),
) -> bool {
    let part = |pointer: &[&str]| -> &str {
        let (first, rest) = pointer.split_first().unwrap_or((&"", &[]));
        let mut value = one.fields.get(*first);
        for name in rest {
            value = value.and_then(|value| match value {
                Value::Array(list) => list.first()?.get(name),
                other => other.get(name),
            });
        }
        value.and_then(Value::as_str).unwrap_or_default()
    };
    let among = |parameter: &str, have: &str| {
        let mut asked = request.query_all(parameter).peekable();
        asked.peek().is_none() || asked.any(|wanted| wanted == have)
    };
    let root_type = part(&["root_resource", "type"])
        .trim_end_matches("_reference")
        .to_owned();
    let at = one.text("execution_time").parse::<Timestamp>();
    at.is_ok_and(|at| since <= at && at <= until)
        && root.is_none_or(|(_, id)| part(&["root_resource", "id"]) == id)
        && (among("root_resource_types[]", &root_type)
            || among(
                "root_resource_types[]",
                ROOTS
                    .iter()
                    .find(|(_, kind)| *kind == root_type)
                    .map_or("", |(many, _)| many),
            ))
        && among("actor_type", part(&["actors", "type"]))
        && among("actor_id", part(&["actors", "id"]))
        && among("method_type", part(&["method", "type"]))
        && among(
            "method_truncated_token",
            part(&["method", "truncated_token"]),
        )
        && among("actions[]", one.text("action"))
}
