//! Writing an account, file by file.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::rest_of_it;
use crate::Sim;
use crate::http::Request;
use crate::rest::{self, saved};
use crate::state::{Incident, World};
use crate::timers::Timer;

impl Sim {
    #[expect(clippy::too_many_lines, reason = "one file an arm")]
    /// Writes one of [`FILES`](super::FILES).
    pub fn save(&self, file: &str, to: &mut dyn Write) -> io::Result<()> {
        let world = &self.world;
        let everything = [
            "contact_methods",
            "notification_rules",
            "integrations",
            "channels",
            "body",
            "conference_bridge",
            "custom_fields",
        ];
        let mut request = Request::new("GET", "/").with_query("urgency", "all");
        for part in everything {
            request = request.with_query("include[]", part);
        }
        match file {
            "users.json" => array(
                to,
                world
                    .users
                    .iter()
                    .map(|row| saved::user(world, &request, &row.id)),
            ),
            "teams.json" => array(to, world.teams.iter().map(|row| saved::team(world, row))),
            "team_members.json" => {
                let rows = world.teams.iter();
                let all: Map<String, Value> = rows
                    .map(|row| (row.id.clone(), saved::members(world, row)))
                    .collect();
                document(to, &Value::Object(all))
            }
            "priorities.json" => array(
                to,
                world
                    .priorities
                    .iter()
                    .map(|row| world.priority_object(row)),
            ),
            "schedules.json" => array(
                to,
                world
                    .schedules
                    .iter()
                    .map(|row| saved::schedule(world, &request, row)),
            ),
            "escalation_policies.json" => array(
                to,
                world
                    .policies
                    .iter()
                    .map(|row| saved::policy(world, &request, &row.id)),
            ),
            "services.json" => array(
                to,
                world
                    .services
                    .iter()
                    .map(|row| saved::service(world, &request, &row.id)),
            ),
            "maintenance_windows.json" => array(
                to,
                world.windows.iter().map(|row| saved::window(world, row)),
            ),
            "change_events.json" => array(
                to,
                world
                    .changes
                    .iter()
                    .map(|row| saved::change_event(world, row)),
            ),
            "incidents.jsonl" => {
                for at in 0..world.incidents.len() {
                    let mut row = json!(rest::incident(world, &request, at));
                    if let Some(fields) = row.as_object_mut() {
                        fields.insert("x_sim".to_owned(), ours(world.incident(at)));
                    }
                    line(to, &row)?;
                }
                Ok(())
            }
            "log_entries.jsonl" => {
                let mut entries = world.log.iter();
                entries.try_for_each(|entry| line(to, &rest::log_entry(world, &request, entry)))
            }
            "notes.jsonl" => each_incident(world, |at, incident| {
                let mut notes = incident.notes.iter();
                notes.try_for_each(|note| line(to, &saved::note(world, at, note)))
            }),
            "alerts.jsonl" => each_incident(world, |at, incident| {
                let mut alerts = incident.alerts.iter();
                alerts.try_for_each(|alert| line(to, &saved::alert(world, at, alert)))
            }),
            "account.json" => document(to, &rest_of_it::shown(world)),
            other => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{other} is no file of an account"),
            )),
        }
    }
}

fn each_incident(
    world: &World,
    mut write: impl FnMut(usize, &Incident) -> io::Result<()>,
) -> io::Result<()> {
    let mut rows = world.incidents.iter().enumerate();
    rows.try_for_each(|(at, incident)| write(at, incident))
}

fn document(to: &mut dyn Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, value)?;
    to.write_all(b"\n")
}

/// One row a line, so that a person can compare two files.
fn array(to: &mut dyn Write, rows: impl Iterator<Item = Value>) -> io::Result<()> {
    let mut before: &[u8] = b"[\n";
    for row in rows {
        to.write_all(before)?;
        serde_json::to_writer(&mut *to, &row)?;
        before = b",\n";
    }
    to.write_all(if before == b"[\n" { b"[]\n" } else { b"\n]\n" })
}

fn line(to: &mut dyn Write, row: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, row)?;
    to.write_all(b"\n")
}

/// What REST does not show of an incident.
fn ours(incident: &Incident) -> Value {
    let timers: Vec<Value> = incident
        .timers
        .iter()
        .map(|((at, _), timer)| {
            let at = at.to_string();
            match timer {
                Timer::AcknowledgementEnds => json!({"type": "acknowledgement_ends", "at": at}),
                Timer::SnoozeEnds => json!({"type": "snooze_ends", "at": at}),
                Timer::AutoResolve => json!({"type": "auto_resolve", "at": at}),
                Timer::Escalate => json!({"type": "escalate", "at": at}),
                Timer::Notify { user, means } => {
                    json!({"type": "notify", "at": at, "user": user, "means": means.name()})
                }
            }
        })
        .collect();
    let policies: Vec<&Option<String>> =
        incident.responders.iter().map(|one| &one.policy).collect();
    json!({
        "event_key": incident.event_key,
        "reopened_at": incident.reopened_at.map(|at| at.to_string()),
        "path": {
            "level": incident.path.level,
            "loops_left": incident.path.loops_left,
            "exhausted": incident.path.exhausted,
        },
        "timers": timers,
        "responder_policies": policies,
    })
}
