//! Facts as text, and stories as text.
//!
//! One fact is one line: `TIME SOURCE[#ID] KIND [by WHO] [to A,B] [for COMMAND] [showing k=v;…]
//! [| value [| detail]]`. `WHO` is a name, `service X` or `bot`; `showing` is the snapshot
//! (`status`, `title`, `urgency`, `priority`, `service`, `assignees`, `version`, `read`, `merged`).

use im_core::{
    Actor, ActorKind, Direction, Fact, Kind, Mapping, Named, PeerStatus, Person, Severity,
    Snapshot, Source, StatusModel, Story, Urgency, fold, owed,
};
use jiff::Timestamp;

const DAY: &str = "2026-03-10T";

pub(crate) fn at(time: &str) -> Timestamp {
    let time = if time.matches(':').count() == 1 {
        format!("{time}:00")
    } else {
        time.to_owned()
    };
    format!("{DAY}{time}Z")
        .parse()
        .unwrap_or_else(|error| panic!("{time}: {error}"))
}

pub(crate) fn clock(at: Timestamp) -> String {
    let text = at.strftime("%H:%M:%S%.f").to_string();
    text.strip_suffix(":00").unwrap_or(&text).to_owned()
}

pub(crate) fn user(name: &str) -> Actor {
    match name.strip_prefix("service ") {
        Some(service) => Actor {
            kind: ActorKind::Service,
            id: Some(format!("PS{}", service.to_uppercase())),
            name: Some(service.to_owned()),
        },
        None => Actor::user(id(name), name),
    }
}

fn id(name: &str) -> String {
    format!("PU{}", name.to_uppercase())
}

pub(crate) fn people(names: &str) -> Vec<Person> {
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| Person {
            id: id(name),
            name: Some(name.to_owned()),
        })
        .collect()
}

/// The facts of a text; empty lines count for nothing.
pub(crate) fn facts(text: &str) -> Vec<Fact> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .enumerate()
        .map(|(index, line)| fact(index, line))
        .collect()
}

fn fact(index: usize, line: &str) -> Fact {
    let mut parts = line.split(" | ");
    let mut words = parts.next().unwrap().split_whitespace();
    let time = at(words.next().unwrap());
    let source = words.next().unwrap();
    let (source, source_id) = source.split_once('#').map_or_else(
        || (source, format!("{source}-{index}")),
        |(source, id)| (source, id.to_owned()),
    );
    let source = Source::parse(match source {
        "log" => "log_entry",
        other => other,
    });
    let kind = Kind::parse(words.next().unwrap()).unwrap_or_else(|| panic!("kind: {line}"));
    let mut fact = Fact::new(
        source.unwrap_or_else(|| panic!("source: {line}")),
        source_id,
        kind,
        Actor::NOBODY,
        time,
    );
    while let Some(word) = words.next() {
        let next = words
            .next()
            .unwrap_or_else(|| panic!("{word} what? {line}"));
        fact = match word {
            "by" if next == "service" => Fact {
                actor: user(&format!("service {}", words.next().unwrap())),
                ..fact
            },
            "by" => Fact {
                actor: user(next),
                ..fact
            },
            "to" => fact.about(people(next)),
            "for" => fact.answering(next),
            "showing" => fact.showing(snapshot(time, next)),
            _ => panic!("{word}? {line}"),
        };
    }
    fact.value = parts.next().map(str::to_owned);
    fact.detail = parts.next().map(str::to_owned);
    fact
}

pub(crate) fn blank_snapshot(version: Timestamp) -> Snapshot {
    Snapshot {
        version,
        read_at: None,
        answered_at: None,
        id: "PINC1".to_owned(),
        number: Some(7),
        html_url: None,
        incident_key: None,
        created_at: None,
        status: None,
        title: None,
        urgency: None,
        priority: None,
        service: None,
        policy: None,
        assignees: None,
        teams: None,
        merged_into: None,
    }
}

fn snapshot(time: Timestamp, text: &str) -> Snapshot {
    let named = |name: &str| Named {
        id: format!("P{}", name.to_uppercase()),
        name: Some(name.to_owned()),
    };
    let mut shown = blank_snapshot(time);
    for field in text.split(';').filter(|field| !field.is_empty()) {
        let (key, value) = field.split_once('=').unwrap_or_else(|| panic!("{field}"));
        match key {
            "status" => shown.status = PeerStatus::parse(value),
            "title" => shown.title = Some(value.replace('_', " ")),
            "urgency" => shown.urgency = Urgency::parse(value),
            "priority" => shown.priority = Some((!value.is_empty()).then(|| named(value))),
            "service" => shown.service = Some(named(value)),
            "assignees" => shown.assignees = Some(people(value)),
            "created" => shown.created_at = Some(at(value)),
            "version" => shown.version = at(value),
            "read" => shown.read_at = Some(at(value)),
            "answered" => shown.answered_at = Some(at(value)),
            "merged" => shown.merged_into = Some(value.to_owned()),
            _ => panic!("{key}?"),
        }
    }
    shown
}

pub(crate) fn both_ways() -> Mapping {
    Mapping::new(Direction::Bidirectional, "PWEB")
}

pub(crate) fn story(text: &str) -> Story {
    fold(&facts(text), Some(&both_ways())).unwrap()
}

/// The timeline, and under it what is true now.
pub(crate) fn tell(text: &str) -> String {
    tell_with(text, &both_ways())
}

pub(crate) fn tell_with(text: &str, mapping: &Mapping) -> String {
    let facts = facts(text);
    let story = fold(&facts, Some(mapping)).unwrap();
    let backwards: Vec<Fact> = facts.iter().rev().cloned().collect();
    assert_eq!(
        fold(&backwards, Some(mapping)).as_ref(),
        Some(&story),
        "order matters"
    );
    let mut told: Vec<String> = story.lines.iter().map(line).collect();
    told.push(format!("= {}", now(&story)));
    let debts = owed(&story, mapping);
    for owed in debts.owed {
        told.push(format!(
            "owed: {} ({})",
            owed.effect.name(),
            owed.commands.join(", ")
        ));
    }
    if !debts.moot.is_empty() {
        told.push(format!("moot: {}", debts.moot.join(", ")));
    }
    if !debts.kept.is_empty() {
        told.push(format!("kept: {}", debts.kept.join(", ")));
    }
    told.join("\n")
}

fn line(line: &im_core::Line) -> String {
    let note = line
        .note()
        .map(|note| format!(": {note}"))
        .unwrap_or_default();
    format!("{} {}{note}", clock(line.at), line.text())
}

fn now(story: &Story) -> String {
    let mut now = vec![StatusModel::Lifecycle.shown(story.status).to_string()];
    now.extend(story.duplicate_of.map(|of| format!("of {of}")));
    now.extend(story.deleted.then(|| "deleted".to_owned()));
    now.extend(
        story
            .acknowledged_at
            .map(|at| format!("acknowledged {}", clock(at))),
    );
    now.extend(story.resolved_at.map(|at| {
        format!(
            "over {} by {}",
            clock(at),
            story.resolved_by.as_deref().unwrap_or("nobody")
        )
    }));
    let people: Vec<&str> = story.assignees.iter().map(Person::label).collect();
    now.extend((!people.is_empty()).then(|| format!("with {}", people.join("+"))));
    now.extend(
        story
            .severity
            .map(|(severity, source)| format!("{severity} {source:?}")),
    );
    now.extend(
        story
            .peer
            .as_ref()
            .map(|peer| format!("PagerDuty {}", peer.status)),
    );
    now.join(", ")
}

pub(crate) fn severity(text: &str) -> Severity {
    text.parse().unwrap()
}
