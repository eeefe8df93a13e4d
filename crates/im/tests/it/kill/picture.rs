//! What both sides show in the end, as text without times and ids, and what must hold for any.

use im_store::{LocalDb, inbox};
use serde_json::Value;

use super::world::{CONNECTOR, Running};

/// How many hexadecimal digits mark a note of ours.
const MARK_DIGITS: usize = 8;

/// Checks what must always hold and shows the rest. The server is ended by that.
pub(crate) fn picture(world: &Running) -> String {
    let trouble = world.trouble();
    assert!(trouble.is_empty(), "{}", trouble.join("\n"));
    let mut lines = there(world);
    lines.extend(here(world));
    same_state(world);
    doctor(world);
    acked_is_stored(world);
    lines.join("\n")
}

/// The titles on PagerDuty's side, sorted.
pub(crate) fn titles_there(world: &Running) -> Vec<String> {
    let mut titles: Vec<String> =
        world.at_pagerduty(|sim, _| sim.incidents().map(|one| one.title).collect());
    titles.sort();
    titles
}

/// The titles on our side, sorted.
pub(crate) fn titles_here(world: &Running) -> Vec<String> {
    let mut titles: Vec<String> = incidents(world)
        .iter()
        .map(|one| text(&one["title"]))
        .collect();
    titles.sort();
    titles
}

fn incidents(world: &Running) -> Vec<Value> {
    let all = world.get("/api/v1/incidents?limit=1000");
    all.as_array().unwrap().clone()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// PagerDuty's side: state, notes and the whole trail, each incident on its own.
fn there(world: &Running) -> Vec<String> {
    let mut shown: Vec<String> = world.at_pagerduty(|sim, _| {
        let of = |one: pd_sim::IncidentView| {
            let mut notes: Vec<String> = one.notes.iter().map(|note| unmarked(note)).collect();
            notes.sort();
            let mut trail: Vec<&str> = sim
                .log_entries()
                .filter(|entry| entry.incident == one.id)
                .map(|entry| entry.kind)
                .collect();
            trail.sort_unstable();
            format!(
                "there: {}: {} {} on {} for {:?}\n  notes {notes:?}\n  trail {trail:?}",
                one.title, one.status, one.urgency, one.service, one.assignees
            )
        };
        sim.incidents().map(of).collect()
    });
    shown.sort();
    shown
}

/// The mark is made by chance.
fn unmarked(note: &str) -> String {
    match note.rsplit_once('#') {
        Some((before, mark)) if mark.len() == MARK_DIGITS => format!("{before}#"),
        _ => note.to_owned(),
    }
}

/// Our side: state and timeline.
fn here(world: &Running) -> Vec<String> {
    let mut shown: Vec<String> = incidents(world)
        .iter()
        .map(|one| {
            let keys = [
                "title",
                "status",
                "severity",
                "severity_source",
                "service",
                "origin",
            ];
            let fields: Vec<String> = keys.iter().map(|key| text(&one[key])).collect();
            let who = (&one["assignees"], &one["declared_by"]["name"]);
            let lines = world.get(&format!("/api/v1/incidents/{}/timeline", text(&one["id"])));
            let lines = lines.as_array().unwrap().iter();
            let mut lines: Vec<String> = lines.filter(|line| !is_paging(line)).map(line).collect();
            lines.sort();
            format!("here: {fields:?} {who:?}\n  {}", lines.join("\n  "))
        })
        .collect();
    shown.sort();
    shown
}

/// What PagerDuty's log alone tells, which is read some seconds after a beginning: a life may end
/// before that.
fn is_paging(line: &Value) -> bool {
    let kind = text(&line["kind"]);
    line["sources"] == serde_json::json!(["pagerduty"])
        && (kind == "notified" || kind == "assigned")
}

fn line(line: &Value) -> String {
    let (what, sources, note) = (text(&line["text"]), &line["sources"], &line["note"]);
    format!("{what} {sources} {note}")
}

/// Both sides agree on every incident, and each of ours has one of its own there.
fn same_state(world: &Running) {
    let mut twins = Vec::new();
    for ours in incidents(world) {
        let twin = &ours["pagerduty"];
        let id = text(&twin["id"]);
        let found = world.at_pagerduty(|sim, _| sim.incident(&id));
        let found = found.unwrap_or_else(|| panic!("PagerDuty has no {id}: {ours:#}"));
        assert_eq!(twin["status"], found.status, "{ours:#}");
        assert_eq!(twin["urgency"], found.urgency, "{ours:#}");
        assert_eq!(ours["title"], found.title.as_str());
        let is_over = ours["status"] == "resolved";
        assert_eq!(is_over, found.status == "resolved", "{ours:#}");
        twins.push(id);
    }
    let count = twins.len();
    twins.sort();
    twins.dedup();
    assert_eq!(twins.len(), count, "two of ours are one of theirs");
    let keys = world.at_pagerduty(|sim, _| sim.incidents().filter_map(|one| one.key).collect());
    let mut keys: Vec<String> = keys;
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count, "a key was used twice");
}

/// The server finds nothing wrong with what it stored.
fn doctor(world: &Running) {
    let found = world.get("/api/v1/doctor");
    assert_eq!(found["ok"], true, "{found:#}");
}

/// Each webhook that was answered with 202 is stored, and was applied.
fn acked_is_stored(world: &Running) {
    let acked = world.acked();
    let mut server = world.server();
    server.end();
    let mut db = LocalDb::open(&server.database()).unwrap();
    for event in &acked {
        let state = db.read(|tx| inbox::state(tx, CONNECTOR, event)).unwrap();
        assert_eq!(state.as_deref(), Some("done"), "event {event}");
    }
    let counts = db.read(|tx| inbox::counts(tx, CONNECTOR)).unwrap();
    let stored: i64 = counts.iter().map(|(_, count)| count).sum();
    assert_eq!(usize::try_from(stored), Ok(acked.len()), "{counts:?}");
}
