//! The facts that PagerDuty's answer to a row's call proves.
//!
//! An answer names the command that it belongs to; what the call carried besides needs no more. Nothing is
//! stored here.

use im_core::{Actor, ActorKind, Effect, Fact, Kind, PeerStatus, Person, Snapshot, Source};
use im_pagerduty::{Call, Change, CustomField, IncidentRead, Note};
use im_store::outbox::OutboxRow;
use im_store::{StoreError, Tx, facts};
use jiff::Timestamp;

use crate::connector::Connector;
use crate::record;

/// The facts that an incident's answer proves for a row.
pub(crate) fn by_incident(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    (read, call): (&IncidentRead, &Call),
) -> Result<Vec<Fact>, StoreError> {
    let snapshot = &read.snapshot;
    let by = read.last_status_change_by.clone().unwrap_or(Actor::NOBODY);
    let changed_at = read.last_status_change_at.unwrap_or(snapshot.version);
    let taken = read.acknowledgements.iter().max_by_key(|ack| ack.at);
    let (kind, at, actor) = match &row.effect {
        Effect::Create => (
            Kind::Triggered,
            snapshot.created_at.unwrap_or(snapshot.version),
            by.clone(),
        ),
        Effect::Status(PeerStatus::Acknowledged) => match taken {
            Some(ack) => (Kind::Acknowledged, ack.at, ack.by.clone()),
            None => (Kind::Acknowledged, changed_at, by.clone()),
        },
        Effect::Status(PeerStatus::Resolved) => (
            Kind::Resolved,
            read.resolved_at.unwrap_or(changed_at),
            by.clone(),
        ),
        Effect::Status(PeerStatus::Triggered) => (Kind::Reopened, changed_at, by.clone()),
        Effect::Title => (Kind::Titled, snapshot.version, Actor::NOBODY),
        Effect::Urgency => (Kind::UrgencyChanged, snapshot.version, Actor::NOBODY),
        Effect::Assign => (Kind::Assigned, snapshot.version, Actor::NOBODY),
        Effect::Service => (Kind::ServiceChanged, snapshot.version, Actor::NOBODY),
        Effect::Fields => (Kind::FieldsChanged, snapshot.version, Actor::NOBODY),
        Effect::Note(_) | Effect::Say(_) => (Kind::Noted, snapshot.version, Actor::NOBODY),
    };
    let command = carrier(tx, row)?;
    let people = || snapshot.assignees.clone().unwrap_or_default();
    let mut main = answer(row, "", kind, actor, at, &command).showing(snapshot.clone());
    main.value = match &row.effect {
        Effect::Urgency => snapshot.urgency.map(|urgency| urgency.as_str().to_owned()),
        _ => None,
    };
    if row.effect == Effect::Assign {
        main.people = people();
    }
    if row.effect == Effect::Create {
        main.detail = snapshot.read_at.map(|asked_at| asked_at.to_string());
    }
    if let (Effect::Urgency, Call::UpdateIncident { change, .. }) = (&row.effect, call) {
        return Ok(of_severity(main, row, snapshot, change));
    }
    let mut facts = vec![main];
    if row.effect == Effect::Status(PeerStatus::Acknowledged) && is_newly_given(&people(), read) {
        let given = answer(
            row,
            ":assigned",
            Kind::Assigned,
            Actor::NOBODY,
            snapshot.version,
            &command,
        );
        facts.push(given.about(people()));
    }
    Ok(facts)
}

/// One call sets what goes with a severity: the urgency, the priority, or both.
fn of_severity(mut main: Fact, row: &OutboxRow, shown: &Snapshot, asked: &Change) -> Vec<Fact> {
    if asked.priority.is_none() {
        return vec![main];
    }
    let named = shown.priority.as_ref().and_then(Option::as_ref);
    let name = named.and_then(|named| named.name.clone());
    if asked.urgency.is_none() {
        main.kind = Kind::PriorityChanged;
        main.value = name;
        return vec![main];
    }
    let command = main.answers.clone().unwrap_or_default();
    let kind = Kind::PriorityChanged;
    let set = answer(row, ":priority", kind, Actor::NOBODY, main.at, &command);
    vec![main, Fact { value: name, ..set }]
}

/// Whoever acknowledged has it alone: we asked for that in the same call.
fn is_newly_given(people: &[Person], read: &IncidentRead) -> bool {
    match people {
        [person] => read
            .acknowledgements
            .iter()
            .any(|ack| ack.by.id.as_ref() == Some(&person.id)),
        _ => false,
    }
}

/// The command that the answer belongs to: the last that asked for what was sent. A close is a
/// word of ours alone.
fn carrier(tx: &mut Tx<'_>, row: &OutboxRow) -> Result<String, StoreError> {
    // A declaration carries its severity and service: the answer is the declaration's.
    if row.effect == Effect::Create {
        return Ok(row.commands.first().cloned().unwrap_or_default());
    }
    let known = facts::of_incident(tx, row.incident)?;
    let last = |is_it: &dyn Fn(Kind) -> bool| {
        row.commands.iter().rev().find(|command| {
            known
                .iter()
                .any(|fact| fact.source_id == **command && is_it(fact.kind))
        })
    };
    let chosen = last(&|kind| asks_for(kind, &row.effect))
        .or_else(|| last(&|kind| kind != Kind::Closed))
        .or(row.commands.last());
    Ok(chosen.cloned().unwrap_or_default())
}

/// Whether a command of this kind alone would have caused the call.
fn asks_for(kind: Kind, effect: &Effect) -> bool {
    match effect {
        Effect::Status(PeerStatus::Resolved) => matches!(
            kind,
            Kind::Resolved | Kind::Canceled | Kind::Duplicate | Kind::Deleted
        ),
        Effect::Status(PeerStatus::Acknowledged) => {
            matches!(kind, Kind::Acknowledged | Kind::Mitigated)
        }
        Effect::Status(PeerStatus::Triggered) => kind == Kind::Reopened,
        Effect::Create
        | Effect::Note(_)
        | Effect::Say(_)
        | Effect::Title
        | Effect::Urgency
        | Effect::Assign
        | Effect::Service
        | Effect::Fields => true,
    }
}

/// What a note proves: the last command of the row is told in it, and the others need no note of
/// their own.
pub(crate) fn by_note(row: &OutboxRow, note: &Note, now: Timestamp) -> Vec<Fact> {
    let command = row.commands.last().cloned().unwrap_or_default();
    let others = row.commands.iter().filter(|other| **other != command);
    let others = others.map(|other| record::settled(other, "kept", now));
    let told = answer(
        row,
        "",
        Kind::Noted,
        note.user.clone(),
        note.created_at.unwrap_or(now),
        &command,
    )
    .with_value(note.content.as_str())
    .with_detail(note.id.as_str());
    std::iter::once(told).chain(others).collect()
}

/// What the answer to a change of custom fields proves: each field that was `set` says what PagerDuty
/// `shown`.
pub(crate) fn by_fields(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    (set, shown): (&Call, &[CustomField]),
    at: Timestamp,
) -> Result<Vec<Fact>, StoreError> {
    let known = facts::of_incident(tx, row.incident)?;
    let is_set = |theirs: &str| match set {
        Call::SetFields { values, .. } => values.iter().any(|(name, _)| name == theirs),
        _ => false,
    };
    let mut answers = Vec::new();
    for (index, command) in row.commands.iter().enumerate() {
        let asked = known.iter().find(|fact| fact.source_id == *command);
        let name = asked.and_then(|fact| fact.detail.as_deref());
        let theirs = name.and_then(|name| connector.mapping.field_there(name));
        if !theirs.is_some_and(is_set) {
            continue;
        }
        let value = shown
            .iter()
            .find(|field| Some(field.name.as_str()) == theirs);
        let part = format!(":{index}");
        let kind = Kind::FieldsChanged;
        let fact = answer(row, &part, kind, Actor::NOBODY, at, command);
        answers.push(Fact {
            value: value.and_then(|field| field.value.clone()),
            detail: theirs.map(str::to_owned),
            ..fact
        });
    }
    Ok(answers)
}

fn answer(
    row: &OutboxRow,
    part: &str,
    kind: Kind,
    actor: Actor,
    at: Timestamp,
    command: &str,
) -> Fact {
    // An account key's own act shows no person.
    let actor = if actor.kind == ActorKind::None {
        Actor {
            kind: ActorKind::Api,
            id: None,
            name: None,
        }
    } else {
        actor
    };
    Fact::new(
        Source::Answer,
        format!("answer:{}{part}", row.id),
        kind,
        actor,
        at,
    )
    .answering(command)
}
