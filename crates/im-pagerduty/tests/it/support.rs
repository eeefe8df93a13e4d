//! Fixtures, and facts as lines.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use im_core::{Actor, Fact, Person, Snapshot};
use im_pagerduty::{Call, FieldInput, Heard, IncidentKey, Reply, SubscriptionFilter};
use jiff::Timestamp;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When the tests' reads begin.
pub(crate) fn read_at() -> Timestamp {
    at("2026-03-10T12:00:00Z")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub(crate) fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the JSON files of a folder, sorted.
pub(crate) fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The rows of the fixtures' own list, of one kind.
pub(crate) fn manifest(kind: &str) -> Vec<serde_json::Value> {
    let manifest: serde_json::Value = serde_json::from_slice(&fixture("manifest.json")).unwrap();
    let rows = manifest["files"].as_array().unwrap().iter();
    rows.filter(|row| row["kind"] == kind).cloned().collect()
}

pub(crate) fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

pub(crate) fn key(text: &str) -> IncidentKey {
    IncidentKey::new(text).unwrap()
}

fn actor(actor: &Actor) -> String {
    let name = actor.label().map(|name| format!(" {name}"));
    format!("{}{}", actor.kind.as_str(), name.unwrap_or_default())
}

fn people(people: &[Person]) -> String {
    let labels: Vec<&str> = people.iter().map(Person::label).collect();
    labels.join(", ")
}

/// One line for a fact: time, kind, actor, and what else there is.
pub(crate) fn line(fact: &Fact) -> String {
    let mut line = format!(
        "{} {} by {}",
        fact.at,
        fact.kind.as_str(),
        actor(&fact.actor)
    );
    if !fact.people.is_empty() {
        write!(line, " to [{}]", people(&fact.people)).unwrap();
    }
    if let Some(value) = &fact.value {
        write!(line, " value={value:?}").unwrap();
    }
    if let Some(detail) = &fact.detail {
        write!(line, " detail={detail:?}").unwrap();
    }
    line
}

/// One line for a snapshot, fields that were not shown left out.
pub(crate) fn shown(snapshot: &Snapshot) -> String {
    let mut line = format!("{} as of {}", snapshot.id, snapshot.version);
    if let Some(status) = snapshot.status {
        write!(line, ", {status}").unwrap();
    }
    if let Some(urgency) = snapshot.urgency {
        write!(line, ", {}", urgency.as_str()).unwrap();
    }
    if let Some(priority) = &snapshot.priority {
        let name = priority.as_ref().and_then(|named| named.name.as_deref());
        write!(line, ", priority {}", name.unwrap_or("none")).unwrap();
    }
    if let Some(service) = &snapshot.service {
        write!(line, ", on {}", service.id).unwrap();
    }
    if let Some(policy) = &snapshot.policy {
        write!(line, ", policy {}", policy.id).unwrap();
    }
    if let Some(assignees) = &snapshot.assignees {
        write!(line, ", assigned [{}]", people(assignees)).unwrap();
    }
    if let Some(target) = &snapshot.merged_into {
        write!(line, ", merged into {target}").unwrap();
    }
    line
}

/// All facts of what was heard, each after its incident.
pub(crate) fn heard(all: &[Heard]) -> String {
    let mut text = String::new();
    for heard in all {
        let incident = heard.incident_id.as_deref().unwrap_or("no incident");
        for fact in &heard.facts {
            writeln!(text, "{incident}: {}", line(fact)).unwrap();
        }
    }
    text
}

/// One call of each kind.
pub(crate) fn every_call() -> Vec<Call> {
    let mut calls = incident_calls();
    calls.extend(other_calls());
    calls
}

fn incident_calls() -> Vec<Call> {
    let id = || "Q0HLINC0000001".to_owned();
    let from = || "ops@company.com".to_owned();
    let (since, until) = (at("2026-03-01T00:00:00Z"), at("2026-03-08T00:00:00Z"));
    vec![
        Call::CreateIncident {
            key: key("im/INC-42/1"),
            title: "Ledger queue lag over 10 minutes".to_owned(),
            service_id: "PSVCB02".to_owned(),
            urgency: Some(im_core::Urgency::High),
            priority_id: Some("PPRIO02".to_owned()),
            policy_id: Some("PEPOL01".to_owned()),
            body: Some("Lag crossed ten minutes.".to_owned()),
            from: from(),
        },
        Call::UpdateIncident {
            id: id(),
            change: im_pagerduty::Change {
                status: Some(im_core::PeerStatus::Acknowledged),
                ..im_pagerduty::Change::default()
            },
            from: from(),
        },
        Call::ResolveIncidents {
            ids: vec![id(), "Q0HLINC0000002".to_owned()],
            from: from(),
        },
        Call::AddNote {
            id: id(),
            text: "Rolling back release 412.".to_owned(),
            from: from(),
        },
        Call::SetFields {
            id: id(),
            values: vec![
                (
                    "environment".to_owned(),
                    FieldInput::Text("production".to_owned()),
                ),
                ("customers_hit".to_owned(), FieldInput::Nothing),
            ],
        },
        Call::ReadIncident { id: id() },
        Call::ReadNotes { id: id() },
        Call::FindByKey {
            key: key("im/INC-42/1"),
        },
        Call::ListOpenIncidents { offset: 0 },
        Call::ListIncidents {
            since,
            until,
            offset: 0,
        },
        Call::ListLogEntries {
            since,
            until,
            offset: 200,
        },
        Call::IncidentLogEntries {
            id: id(),
            offset: 0,
        },
    ]
}

fn other_calls() -> Vec<Call> {
    let (since, until) = (at("2026-03-01T00:00:00Z"), at("2026-03-08T00:00:00Z"));
    vec![
        Call::ListServices { offset: 100 },
        Call::ReadService {
            id: "PSVCA01".to_owned(),
        },
        Call::ListUsers { offset: 0 },
        Call::FindUser {
            email: "mira+pd@harbor-lantern.example".to_owned(),
        },
        Call::ReadMe,
        Call::ListPolicies { offset: 0 },
        Call::ReadPolicy {
            id: "PEPOL01".to_owned(),
        },
        Call::ListTeams { offset: 0 },
        Call::ListSchedules { offset: 0 },
        Call::ListShiftSchedules { offset: 100 },
        Call::ListPriorities { offset: 0 },
        Call::ListAbilities,
        Call::ListFields,
        Call::ListOncalls {
            policy_ids: vec!["PEPOL01".to_owned(), "PEPOL02".to_owned()],
            user_ids: vec!["PUSER01".to_owned()],
            since: Some(since),
            until: Some(until),
            earliest: true,
            offset: 0,
        },
        Call::ListSubscriptions { offset: 0 },
        Call::CreateSubscription {
            url: "https://im.example/connectors/prod/webhook".to_owned(),
            description: "im".to_owned(),
            events: vec!["incident.triggered".to_owned()],
            filter: SubscriptionFilter::Account,
        },
        Call::ReadSubscription {
            id: "PWHSB01".to_owned(),
        },
        Call::UpdateSubscription {
            id: "PWHSB01".to_owned(),
            events: vec!["incident.triggered".to_owned()],
            filter: SubscriptionFilter::Service("PSVC001".to_owned()),
        },
        Call::EnableSubscription {
            id: "PWHSB01".to_owned(),
        },
        Call::DeleteSubscription {
            id: "PWHSB01".to_owned(),
        },
        Call::PingSubscription {
            id: "PWHSB01".to_owned(),
        },
    ]
}
