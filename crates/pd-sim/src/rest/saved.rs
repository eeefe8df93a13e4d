//! What is written to files: the same as REST shows, each with all its parts.

use serde_json::{Value, json};

use super::{alerts, directory, notes, schedules};
use crate::http::Request;
use crate::state::{Alert, Note, Schedule, Team, World};

pub(crate) use super::windows::render as window;
pub(crate) use directory::{
    change_event, policy_value as policy, service_value as service, team_value as team,
    user_value as user,
};

/// The answer of `/teams/{id}/members`.
pub(crate) fn members(world: &World, team: &Team) -> Value {
    let members = team.members.iter();
    let members: Vec<Value> = members
        .map(|(user, role)| json!({"user": world.user_ref(user), "role": role}))
        .collect();
    json!({"members": members, "limit": 100, "offset": 0, "more": false, "total": null})
}

/// With its overrides, which REST lists elsewhere.
pub(crate) fn schedule(world: &World, request: &Request, schedule: &Schedule) -> Value {
    let overrides = schedule.overrides.iter();
    let overrides: Vec<Value> = overrides
        .map(|one| {
            json!({"id": one.id, "user": {"id": one.user, "type": "user_reference"},
                "start": one.start.to_string(), "end": one.end.to_string()})
        })
        .collect();
    let mut value = schedules::whole(world, request, schedule);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("x_overrides".to_owned(), overrides.into());
    }
    value
}

pub(crate) fn note(world: &World, at: usize, note: &Note) -> Value {
    let mut value = notes::render(world, note);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("incident".to_owned(), world.incident_ref(at).value());
    }
    value
}

pub(crate) fn alert(world: &World, at: usize, alert: &Alert) -> Value {
    alerts::render(world, at, alert)
}
