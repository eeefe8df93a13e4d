//! The trail over REST: account-wide, per incident and single entries, newest first.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::Answer;
use super::paging::{Page, instant};
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::{Root, seconds};
use crate::state::{Entry, World, raw};

/// What `is_overview=true` leaves out.
const DETAILS: [&str; 2] = ["notify", "assign"];

pub(super) fn route(world: &World, caller: &Caller, request: &Request, path: &[&str]) -> Answer {
    let seen = |entry: &&Entry| world.sees(caller.user.as_deref(), entry.incident);
    match (request.method.as_str(), path) {
        ("GET", []) => account(world, request, seen),
        ("GET", [id]) => {
            let at = *world.log_by_id.get(*id).ok_or_else(not_found)?;
            let entry = world.log.get(at).filter(seen).ok_or_else(not_found)?;
            Ok(Response::of(
                200,
                &Root("log_entry", render(world, request, entry)),
            ))
        }
        _ => Err(not_found()),
    }
}

/// `PUT …/channel`: what the channel says is replaced, its other parts stay.
pub(super) fn change_channel(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    id: &str,
) -> Answer {
    if request.method != "PUT" {
        return Err(not_found());
    }
    world.requester(caller, request)?;
    let body = request.json().unwrap_or_default();
    let asked = body.get("channel").and_then(Value::as_object);
    let kind = asked
        .and_then(|asked| asked.get("type"))
        .and_then(Value::as_str);
    let (Some(asked), Some("web_trigger" | "mobile")) = (asked, kind) else {
        return Err(invalid("Channel type must be web_trigger or mobile."));
    };
    let at = *world.log_by_id.get(id).ok_or_else(not_found)?;
    let entry = world.log.get_mut(at).ok_or_else(not_found)?;
    let mut channel: Map<String, Value> =
        serde_json::from_str(entry.channel.get()).unwrap_or_default();
    channel.extend(
        asked
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    entry.channel = raw(&channel);
    Ok(Response::empty(202))
}

fn account(world: &World, request: &Request, seen: impl Fn(&&Entry) -> bool) -> Answer {
    super::directory::needs(world, request, "team_ids[]", "teams")?;
    let (since, until) = (instant(request, "since")?, instant(request, "until")?);
    let page = Page::of(request)?;
    let from = world
        .log
        .partition_point(|entry| since.is_some_and(|since| shown(entry) < since));
    let to = world
        .log
        .partition_point(|entry| until.is_none_or(|until| shown(entry) <= until));
    let teams: Vec<&str> = request.query_all("team_ids[]").collect();
    let window = world.log.iter().enumerate().take(to).skip(from).rev();
    let rows: Vec<&Entry> = window
        .filter(|(index, entry)| {
            arrived(world, *index, entry)
                && wanted(request, entry)
                && (teams.is_empty() || of_team(world, entry, &teams))
                && seen(entry)
        })
        .map(|(_, entry)| entry)
        .collect();
    Ok(page.answer("log_entries", &rows, |entry| render(world, request, entry)))
}

pub(super) fn of_incident(world: &World, request: &Request, at: usize) -> Answer {
    let (since, until) = (instant(request, "since")?, instant(request, "until")?);
    let page = Page::of(request)?;
    let entries = world
        .incident(at)
        .log
        .iter()
        .rev()
        .filter_map(|index| Some((*index, world.log.get(*index)?)));
    let rows: Vec<&Entry> = entries
        .filter(|(index, entry)| {
            let inside = since.is_none_or(|since| shown(entry) >= since)
                && until.is_none_or(|until| shown(entry) <= until);
            inside && arrived(world, *index, entry) && wanted(request, entry)
        })
        .map(|(_, entry)| entry)
        .collect();
    Ok(page.answer("log_entries", &rows, |entry| render(world, request, entry)))
}

/// The instant as it is shown, cut to the second: windows are compared with that.
fn shown(entry: &Entry) -> Timestamp {
    Timestamp::from_second(entry.at.as_second()).unwrap_or(entry.at)
}

/// Lists can lag: an entry may turn up after one that is newer.
fn arrived(world: &World, index: usize, entry: &Entry) -> bool {
    let late = world.late_log_entries_s > 0 && index.is_multiple_of(3);
    !late || world.now.duration_since(entry.at).as_secs() >= world.late_log_entries_s
}

fn wanted(request: &Request, entry: &Entry) -> bool {
    let overview = matches!(request.query("is_overview"), Some("true" | "1"));
    !(overview && DETAILS.contains(&entry.kind))
}

fn of_team(world: &World, entry: &Entry, teams: &[&str]) -> bool {
    let team = world.team_of_policy(&world.incident(entry.incident).policy);
    team.is_some_and(|team| teams.contains(&team.id.as_str()))
}

/// What a channel is, without its details.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow, rename = "type")]
    name: Option<Cow<'a, str>>,
}

pub(crate) fn render<'a>(world: &'a World, request: &'a Request, entry: &'a Entry) -> Rendered<'a> {
    Rendered {
        world,
        request,
        entry,
    }
}

/// One entry as it is sent.
pub(crate) struct Rendered<'a> {
    world: &'a World,
    request: &'a Request,
    entry: &'a Entry,
}

impl Serialize for Rendered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            world,
            request,
            entry,
        } = *self;
        let incident = world.incident(entry.incident);
        let (base, web) = (&world.options.base_url, &world.options.web_url);
        let (id, of) = (&entry.id, &incident.id);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("type", &format_args!("{}_log_entry", entry.kind))?;
        map.serialize_entry("summary", &entry.summary)?;
        map.serialize_entry(
            "self",
            &format_args!("{base}/log_entries/{id}?incident_id={of}"),
        )?;
        map.serialize_entry(
            "html_url",
            &format_args!("{web}/incidents/{of}/log_entries/{id}"),
        )?;
        map.serialize_entry("created_at", &seconds(entry.at))?;
        let has = |name: &str| entry.extra.iter().any(|(known, _)| known == name);
        if !has("agent") {
            map.serialize_entry("agent", &world.agent_ref(&entry.agent))?;
        }
        if request.includes("channels") {
            map.serialize_entry("channel", &entry.channel)?;
        } else {
            let kind: Option<Kind<'_>> = serde_json::from_str(entry.channel.get()).ok();
            map.serialize_entry("channel", &Root("type", kind.and_then(|kind| kind.name)))?;
        }
        if request.includes("services") {
            let service = super::directory::service_value(world, request, &entry.service);
            map.serialize_entry("service", &service)?;
        } else {
            map.serialize_entry("service", &world.service_ref(&entry.service))?;
        }
        if request.includes("incidents") {
            let incident = super::render::incident(world, request, entry.incident);
            map.serialize_entry("incident", &incident)?;
        } else {
            map.serialize_entry("incident", &world.incident_ref(entry.incident))?;
        }
        map.serialize_entry("teams", &world.team_refs(&incident.policy))?;
        if !has("contexts") {
            map.serialize_entry::<_, [(); 0]>("contexts", &[])?;
        }
        for (key, value) in &entry.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// The reference to the entry that started an incident.
pub(super) fn trigger_ref(world: &World, at: usize) -> TriggerRef<'_> {
    TriggerRef { world, at }
}

/// A reference to a log entry as it is sent.
pub(super) struct TriggerRef<'a> {
    world: &'a World,
    at: usize,
}

impl Serialize for TriggerRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (world, incident) = (self.world, self.world.incident(self.at));
        let entry = world.log.get(incident.first_trigger);
        let entry = entry.expect("each incident starts with an entry");
        let (base, web) = (&world.options.base_url, &world.options.web_url);
        let (id, of) = (&entry.id, &incident.id);
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("type", "trigger_log_entry_reference")?;
        map.serialize_entry("summary", &entry.summary)?;
        map.serialize_entry(
            "self",
            &format_args!("{base}/log_entries/{id}?incident_id={of}"),
        )?;
        map.serialize_entry(
            "html_url",
            &format_args!("{web}/incidents/{of}/log_entries/{id}"),
        )?;
        map.end()
    }
}

/// The entry that started an incident, in full.
pub(super) fn trigger_value(world: &World, request: &Request, at: usize) -> Value {
    let entry = world.log.get(world.incident(at).first_trigger);
    entry.map_or(Value::Null, |entry| json!(render(world, request, entry)))
}
