//! What people do in PagerDuty's pages and on their phones, one address for each act.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use pd_sim::{Account, IncidentView, Sim};
use serde_json::json;

use super::asked::Asked;
use super::{Did, done_with, look, reply};
use crate::http::error::ApiError;
use crate::sim::StandIn;

/// PagerDuty takes no longer snooze.
const SNOOZE_MAX: Duration = Duration::from_hours(7 * 24);
const LEVEL_MAX: usize = 20;

/// One act on one incident.
struct Act {
    /// The last part of its address.
    name: &'static str,
    /// What it needs beside a user.
    needs: &'static [&'static str],
}

const fn act_of(name: &'static str, needs: &'static [&'static str]) -> Act {
    Act { name, needs }
}

/// Everything that a person can do with an incident.
const ACTS: [Act; 17] = [
    act_of("acknowledge", &[]),
    act_of("unacknowledge", &[]),
    act_of("resolve", &[]),
    act_of("reopen", &[]),
    act_of("note", &["text"]),
    act_of("rename", &["title"]),
    act_of("reassign", &["to"]),
    act_of("delegate", &["policy"]),
    act_of("escalate", &["level"]),
    act_of("snooze", &["for"]),
    act_of("priority", &["priority"]),
    act_of("urgency", &["urgency"]),
    act_of("move", &["service"]),
    act_of("merge", &["source"]),
    act_of("status_update", &["text"]),
    act_of("request_help", &["from", "text"]),
    act_of("reply", &["answer"]),
];

pub(super) async fn act(
    State(stand_in): State<Arc<StandIn>>,
    Path((id, name)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    let now = stand_in.clock.now();
    let did = stand_in.with(|sim| perform(sim, &id, &name, &asked, now));
    reply(&asked, did)
}

fn perform(sim: &mut Sim, id: &str, name: &str, asked: &Asked, now: Timestamp) -> Did {
    let Some(act) = ACTS.iter().find(|act| act.name == name) else {
        let known: Vec<&str> = ACTS.iter().map(|act| act.name).collect();
        return Err(
            ApiError::not_found(format!("nobody can `{name}` an incident"))
                .hint(format!("acts are {}", known.join(", "))),
        );
    };
    let mut known = vec!["user"];
    known.extend(act.needs);
    asked.only(&known)?;
    let incident = incident(sim, id)?;
    let account = sim.account();
    let (user, person) = acting(&account, asked)?;
    one(sim, act.name, &user, &incident, asked, &account, now)?;
    let shown = sim
        .incident(&incident.id)
        .map(|incident| look::shown(&incident));
    done_with(
        format!("{person}: {name} #{}", incident.number),
        json!({"incident": shown}),
    )
}

/// Does it; the crate says in words why it refuses.
fn one(
    sim: &mut Sim,
    name: &str,
    user: &str,
    incident: &IncidentView,
    asked: &Asked,
    account: &Account,
    now: Timestamp,
) -> Result<(), ApiError> {
    let id = incident.id.as_str();
    let done = match name {
        "acknowledge" => sim.acknowledge(user, id, now),
        "unacknowledge" => sim.unacknowledge(user, id, now),
        "resolve" => sim.resolve(user, id, now),
        "reopen" => sim.reopen(user, id, now),
        "note" => sim.note(user, id, &asked.need("text")?, now),
        "rename" => sim.rename(user, id, &asked.need("title")?, now),
        "reassign" => {
            let to = person(account, "to", &asked.need("to")?)?;
            sim.reassign(user, id, &to.0, now)
        }
        "delegate" => {
            let to = named("policy", &account.policies, &asked.need("policy")?)?;
            sim.delegate(user, id, &to, now)
        }
        "escalate" => {
            let level = asked.number("level", 1..=LEVEL_MAX)?;
            sim.escalate(user, id, level.ok_or_else(|| missing("level"))?, now)
        }
        "snooze" => {
            let length = asked.length("for")?.ok_or_else(|| missing("for"))?;
            if length.is_zero() || length > SNOOZE_MAX {
                return Err(ApiError::bad_request("`for` must be from 1 s to 7 days"));
            }
            let seconds = i64::try_from(length.as_secs().max(1)).unwrap_or(i64::MAX);
            sim.snooze(user, id, seconds, now)
        }
        "priority" => {
            let wanted = asked.need("priority")?;
            let priority = (wanted != "none")
                .then(|| named("priority", &account.priorities, &wanted))
                .transpose()?;
            sim.set_priority(user, id, priority.as_deref(), now)
        }
        "urgency" => {
            let high = asked.word("urgency", &[("high", true), ("low", false)])?;
            sim.set_urgency(user, id, high.ok_or_else(|| missing("urgency"))?, now)
        }
        "move" => {
            let to = service(account, &asked.need("service")?)?;
            sim.move_service(user, id, &to, now)
        }
        "merge" => {
            let source = self::incident(sim, &asked.need("source")?)?;
            sim.merge(user, id, &source.id, now)
        }
        "status_update" => sim.status_update(user, id, &asked.need("text")?, now),
        "request_help" => request_help(sim, user, id, asked, account, now)?,
        _reply => {
            let accepts = asked.word("answer", &[("accept", true), ("decline", false)])?;
            if accepts.ok_or_else(|| missing("answer"))? {
                sim.accept(user, id, now)
            } else {
                sim.decline(user, id, now)
            }
        }
    };
    done.map_err(refused)
}

fn request_help(
    sim: &mut Sim,
    user: &str,
    incident: &str,
    asked: &Asked,
    account: &Account,
    now: Timestamp,
) -> Result<Result<(), String>, ApiError> {
    let from = asked.need("from")?;
    let user_id = person(account, "from", &from).map(|(id, _)| id);
    let target = user_id.or_else(|_not_a_user| named("from", &account.policies, &from))?;
    let text = asked.text("text")?;
    let text = text.as_deref().unwrap_or("Please help");
    Ok(sim.request_help(user, incident, &target, text, now))
}

pub(super) async fn trigger(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let now = stand_in.clock.now();
    let did = stand_in.with(|sim| start(sim, &asked, now));
    reply(&asked, did)
}

/// A machine starts an incident, or the person whom `user` names.
fn start(sim: &mut Sim, asked: &Asked, now: Timestamp) -> Did {
    asked.only(&["user", "service", "title"])?;
    let account = sim.account();
    let service = if let Some(name) = asked.text("service")? {
        service(&account, &name)?
    } else {
        let first = account.services.first().map(|(id, ..)| id.clone());
        first.ok_or_else(|| ApiError::conflict("empty", "the account has no service"))?
    };
    let title = asked.text("title")?;
    let title = title.as_deref().unwrap_or("Error rate above 5 %");
    let id = if let Some(name) = asked.text("user")? {
        let (user, _) = person(&account, "user", &name)?;
        sim.declare(&user, &service, title, now).map_err(refused)?
    } else {
        let why = "nothing was triggered: nobody is on call, or the service is off";
        sim.trigger(&service, title, now)
            .ok_or_else(|| refused(why.to_owned()))?
    };
    let incident = incident(sim, &id)?;
    done_with(
        format!("triggered #{}: {title}", incident.number),
        json!({"incident": look::shown(&incident)}),
    )
}

fn refused(why: String) -> ApiError {
    ApiError::conflict("refused", why)
}

fn missing(name: &str) -> ApiError {
    ApiError::bad_request(format!("`{name}` is missing"))
}

/// The incident of an id or a number.
fn incident(sim: &Sim, id: &str) -> Result<IncidentView, ApiError> {
    sim.incident(id.trim_start_matches('#'))
        .ok_or_else(|| ApiError::not_found(format!("there is no incident {id}")))
}

/// Who acts: the user who is named, or the first.
fn acting(account: &Account, asked: &Asked) -> Result<(String, String), ApiError> {
    if let Some(name) = asked.text("user")? {
        return person(account, "user", &name);
    }
    let first = account.users.first();
    first
        .map(|(id, name, _)| (id.clone(), name.clone()))
        .ok_or_else(|| ApiError::conflict("empty", "the account has no user"))
}

/// Id and name of a user, by id, name or e-mail.
pub(super) fn person(
    account: &Account,
    parameter: &str,
    text: &str,
) -> Result<(String, String), ApiError> {
    let is_it = |(id, name, email): &&(String, String, String)| {
        id == text || name.eq_ignore_ascii_case(text) || email.eq_ignore_ascii_case(text)
    };
    let found = account.users.iter().find(is_it);
    found
        .map(|(id, name, _)| (id.clone(), name.clone()))
        .ok_or_else(|| {
            let known = account.users.iter().map(|(_, name, _)| name.as_str());
            unknown(parameter, "user", text, known)
        })
}

fn service(account: &Account, text: &str) -> Result<String, ApiError> {
    let rows: Vec<(String, String)> = account
        .services
        .iter()
        .map(|(id, name, _)| (id.clone(), name.clone()))
        .collect();
    named("service", &rows, text)
}

/// The id of a thing, by id or name.
fn named(parameter: &str, rows: &[(String, String)], text: &str) -> Result<String, ApiError> {
    let is_it = |(id, name): &&(String, String)| id == text || name.eq_ignore_ascii_case(text);
    let found = rows.iter().find(is_it).map(|(id, _)| id.clone());
    found.ok_or_else(|| {
        let known = rows.iter().map(|(_, name)| name.as_str());
        unknown(parameter, parameter, text, known)
    })
}

/// So many names are told to somebody who used a wrong one.
const NAMES_TOLD: usize = 10;

fn unknown<'a>(
    parameter: &str,
    what: &str,
    text: &str,
    known: impl Iterator<Item = &'a str>,
) -> ApiError {
    let known: Vec<&str> = known.take(NAMES_TOLD).collect();
    ApiError::bad_request(format!(
        "`{parameter}`: no {what} has the id or name `{text}`"
    ))
    .hint(format!("known are {}", known.join(", ")))
}
