//! Fields that both sides changed: found when a report is recorded, decided by the settings of that moment or by a person (ADR 0014).
//!
//! Invariants
//! - What a conflict decided is a fact: a change of ours that gives way is settled as overtaken. So what is true does not depend on the
//!   table, which says what happened and holds back what waits for a review.
//! - A call that is on its way is not called back: its answer tells whose value counts.

use im_core::{
    Conflict, Direction, Effect, Fact, Field, IncidentNumber, Kind, LATER_HERE, PeerStatus,
    Pending, Side, Source, Story, asked_for, is_anything_asked, is_shown,
};
use im_store::conflicts::{self as rows, ConflictRow, Decision, State};
use im_store::outbox::{self as changes, OutboxRow};
use im_store::{StoreError, Tx, facts};
use jiff::Timestamp;

use crate::connector::{self, Connector};
use crate::outbox;
use crate::record::{self, may_be_there, record, settled};

type Report = (Fact, Option<String>);

/// Whether reports may show a field that is being changed from here, too.
pub(crate) fn may_be(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: Option<&Connector>,
    reports: &[Report],
) -> Result<bool, StoreError> {
    let may_differ = connector.is_some_and(|one| one.mapping.direction == Direction::Bidirectional);
    let tells = |(fact, _): &Report| fact.source != Source::Command && fact.kind != Kind::Settled;
    let is_told = reports.iter().any(tells);
    Ok(may_differ && is_told && is_anything_asked(&facts::of_incident(tx, incident)?))
}

/// Keeps the conflicts that new reports brought.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    before: &Story,
    reports: &[Report],
    now: Timestamp,
) -> Result<(), StoreError> {
    if before.pending.is_empty() {
        return Ok(());
    }
    let Some(after) = record::story_alone(tx, incident, Some(connector))? else {
        return Ok(());
    };
    let known = facts::of_incident(tx, incident)?;
    let news: Vec<Fact> = reports.iter().map(|(fact, _)| fact.clone()).collect();
    let found = im_core::conflicts((before, &after), (&known, &news), &connector.mapping);
    for conflict in found {
        if conflict.field == Field::AssignedTo
            && is_taken_by_us(tx, connector, incident, &after, now)?
        {
            continue;
        }
        // What gives way, or waits for a person, is seen to when no call is on its way.
        let state = match &conflict.verdict {
            Some((Side::Platform, _)) => State::Resolved,
            Some((Side::External, _)) if conflict.field == Field::Status => State::Resolved,
            Some((Side::External, _)) | None => State::Pending,
        };
        let asked = last_asked(before, conflict.field);
        let command = asked
            .map(|pending| pending.command.as_str())
            .unwrap_or_default();
        let mut open = rows::pending_of(tx, incident)?.into_iter();
        if let Some(row) = open.find(|row| row.conflict.field == conflict.field) {
            rows::renew(tx, row.id, &conflict, command, state, now)?;
        } else {
            let place = (connector.name(), incident);
            rows::put(tx, place, &conflict, command, state, now)?;
        }
        say(incident, &conflict);
    }
    Ok(())
}

fn say(incident: IncidentNumber, conflict: &Conflict) {
    let field = conflict.field.as_str();
    if let Some((side, why)) = &conflict.verdict {
        tracing::info!(
            incident.id = %incident, conflict.field = field, conflict.kept = side.as_str(),
            "both sides changed the {field}: {why}"
        );
    } else {
        tracing::warn!(
            incident.id = %incident, conflict.field = field,
            "both sides changed the {field}; a person has to say which counts"
        );
    }
}

fn last_asked(story: &Story, field: Field) -> Option<&Pending> {
    let mut asked = story.pending.iter().rev();
    asked.find(|pending| field.is_set_by(pending.kind))
}

/// Whether PagerDuty shows the person whose acknowledgement is on its way: the same call gives it to them (ADR 0007).
fn is_taken_by_us(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    after: &Story,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let shown = after.peer.as_ref().map_or(&[][..], |peer| &peer.assignees);
    let [holder] = shown else { return Ok(false) };
    for row in changes::of_incident(tx, incident)? {
        let is_taking = row.effect == Effect::Status(PeerStatus::Acknowledged);
        if is_taking && may_be_there(&row, now) {
            let taker = outbox::own_id(tx, connector, &row)?;
            if taker.as_ref() == Some(&holder.id) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What pending conflicts of an incident make of what it owes.
#[derive(Default)]
pub(crate) struct Open {
    /// Fields that are not to be sent.
    held: Vec<Field>,
    /// Commands that gave way.
    pub(crate) overtaken: Vec<String>,
}

impl Open {
    /// Whether a change waits for a decision.
    pub(crate) fn holds(&self, effect: &Effect) -> bool {
        Field::of(effect).is_some_and(|field| self.held.contains(&field))
    }
}

/// Decides what can be decided; `leased` are the changes that may be at PagerDuty already.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    story: &Story,
    leased: &[OutboxRow],
    now: Timestamp,
) -> Result<Open, StoreError> {
    let mut open = Open::default();
    let is_asked_here = story.lines.iter().any(|line| line.command.is_some());
    if story.peer.is_none() || !is_asked_here {
        return Ok(open);
    }
    for row in rows::pending_of(tx, incident)? {
        let field = row.conflict.field;
        let asked: Vec<&Pending> = story
            .pending
            .iter()
            .filter(|pending| field.is_set_by(pending.kind))
            .collect();
        if asked.is_empty() {
            close(tx, &row, story, now)?;
            continue;
        }
        let is_on_its_way = leased
            .iter()
            .any(|row| Field::of(&row.effect) == Some(field));
        let last = asked.iter().max_by_key(|pending| pending.at);
        match &row.conflict.verdict {
            Some(_) if last.is_some_and(|last| row.conflict.is_outrun(last.at)) => {
                decide(
                    tx,
                    &row,
                    State::Resolved,
                    Some(Side::Platform),
                    LATER_HERE,
                    now,
                )?;
            }
            Some((Side::External, why)) if !is_on_its_way => {
                let commands = asked.iter().map(|pending| pending.command.clone());
                open.overtaken.extend(commands);
                open.held.push(field);
                decide(tx, &row, State::Resolved, Some(Side::External), why, now)?;
            }
            Some(_) | None => {
                open.held.push(field);
                tell_ours(tx, &row, story, last)?;
            }
        }
    }
    Ok(open)
}

/// Of a conflict that is still open: what is asked for here by now.
fn tell_ours(
    tx: &mut Tx<'_>,
    row: &ConflictRow,
    story: &Story,
    last: Option<&&Pending>,
) -> Result<(), StoreError> {
    let Some(last) = last.filter(|last| last.command != row.command) else {
        return Ok(());
    };
    let mut conflict = row.conflict.clone();
    conflict.ours = asked_for(conflict.field, story);
    conflict.ours_at = last.at;
    conflict.ours_by = last.actor.label().map(str::to_owned);
    rows::renew(
        tx,
        row.id,
        &conflict,
        &last.command,
        State::Pending,
        last.at,
    )
}

/// Nothing is asked for any more: PagerDuty has our value, or it needs none.
fn close(
    tx: &mut Tx<'_>,
    row: &ConflictRow,
    story: &Story,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut lines = story.lines.iter();
    let line = lines.find(|line| line.command.as_ref() == Some(&row.command));
    if line.is_some_and(|line| line.seen.peer) {
        let why = "our change was on its way already";
        let is_theirs = is_shown(row.conflict.field, &row.conflict.theirs, story);
        let side = if is_theirs {
            Side::External
        } else {
            Side::Platform
        };
        decide(tx, row, State::Resolved, Some(side), why, now)
    } else {
        let why = "nobody asks for it any more";
        decide(tx, row, State::Ignored, None, why, now)
    }
}

fn decide(
    tx: &mut Tx<'_>,
    row: &ConflictRow,
    state: State,
    kept: Option<Side>,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let decision = Decision {
        state,
        kept,
        reason,
        by: None,
    };
    rows::decide(tx, row.id, decision, now).map(|_| ())
}

/// Why a person's decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// There is no such conflict.
    #[error("there is no conflict {0}")]
    NoConflict(i64),
    /// It was decided before.
    #[error("conflict {id} is {}{}", state.as_str(), reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    Decided {
        /// Which.
        id: i64,
        /// What it is.
        state: State,
        /// Why.
        reason: Option<String>,
    },
    /// A call is under way.
    #[error("the change is being sent at this moment")]
    OnItsWay,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person says whose value counts.
pub fn resolve(
    tx: &mut Tx<'_>,
    connector: &str,
    id: i64,
    keep: Side,
    by: &str,
    now: Timestamp,
) -> Result<ConflictRow, ResolveError> {
    let found = rows::find(tx, id)?.filter(|row| row.connector == connector);
    let row = found.ok_or(ResolveError::NoConflict(id))?;
    if row.state != State::Pending {
        return Err(ResolveError::Decided {
            id,
            state: row.state,
            reason: row.reason,
        });
    }
    let field = row.conflict.field;
    let is_it = |change: &OutboxRow| Field::of(&change.effect) == Some(field);
    let sent = changes::of_incident(tx, row.incident)?;
    if sent
        .iter()
        .any(|change| is_it(change) && may_be_there(change, now))
    {
        return Err(ResolveError::OnItsWay);
    }
    let reason = format!("{by} decided");
    let decision = Decision {
        state: State::Resolved,
        kept: Some(keep),
        reason: &reason,
        by: Some(by),
    };
    rows::decide(tx, id, decision, now)?;
    let Some(connector) = connector::load(tx, connector)? else {
        return Err(ResolveError::NoConflict(id));
    };
    match keep {
        Side::External => give_way(tx, &connector, &row, now)?,
        Side::Platform => {
            record::refold(tx, row.incident, Some(&connector), now)?;
            // The person saw what PagerDuty shows; however long that took, it goes now.
            for change in changes::of_incident(tx, row.incident)? {
                if is_it(&change) {
                    changes::mark_checked(tx, change.id, now)?;
                }
            }
        }
    }
    rows::find(tx, id)?.ok_or(ResolveError::NoConflict(id))
}

/// PagerDuty's value counts: what was asked for here is settled.
fn give_way(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &ConflictRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let story = record::story_alone(tx, row.incident, Some(connector))?;
    let asked = story.into_iter().flat_map(|story| story.pending);
    let overtaken: Vec<Report> = asked
        .filter(|pending| row.conflict.field.is_set_by(pending.kind))
        .map(|pending| (settled(&pending.command, "overtaken", now), None))
        .collect();
    record(tx, row.incident, Some(connector), &overtaken, now).map(|_| ())
}
