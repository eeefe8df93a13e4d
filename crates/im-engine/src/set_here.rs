//! What was set here of an incident and PagerDuty does not hold: its severity and fields of people's own, out of its facts
//! as one, and in again.
//!
//! What is set by [`set`] has its author like any edit, and stays here: PagerDuty is not told of it, neither now nor once
//! settings are others, so that nothing is paged by the import of a past.

use std::collections::HashSet;

use im_core::{Actor, Command, CustomField, IncidentNumber, Severity, SeveritySource, Source};
use im_store::{StoreError, Tx, facts, incidents};
use jiff::Timestamp;

use crate::commands::{CommandError, act};
use crate::record::{self, record};
use crate::{connector, parts};

/// What was set of an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetHere {
    /// What somebody said that it is.
    pub severity: Option<Severity>,
    /// Fields that PagerDuty has no custom field for.
    pub fields: Vec<CustomField>,
}

/// What was set of each incident that is here and not deleted, in the order of their numbers.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<(IncidentNumber, SetHere)>, StoreError> {
    let mut all = Vec::new();
    for incident in facts::set_here(tx)? {
        // What is set of a whole is set of its parts by the same commands.
        let Some(row) = incidents::find(tx, incident)?.filter(|_| incident.whole().is_none())
        else {
            continue;
        };
        let Some(story) = record::story(tx, incident, None)?.filter(|story| !story.deleted) else {
            continue;
        };
        let mapping = match &row.connector {
            Some(name) => connector::mapping(tx, name)?,
            None => None,
        };
        let is_theirs = |field: &CustomField| {
            let mapping = mapping.as_ref();
            mapping.is_some_and(|mapping| mapping.field_there(&field.name).is_some())
        };
        let said = story.severity;
        let set = SetHere {
            severity: said
                .filter(|(_, source)| *source == SeveritySource::Explicit)
                .map(|(severity, _)| severity),
            fields: story
                .fields
                .into_iter()
                .filter(|field| !is_theirs(field))
                .collect(),
        };
        if set != SetHere::default() {
            all.push((incident, set));
        }
    }
    Ok(all)
}

/// Sets it, for `actor`. What is not named stays.
pub fn set(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    set: &SetHere,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), CommandError> {
    let known: HashSet<_> = commands(tx, incident)?.into_iter().collect();
    if set.severity.is_some() {
        let edit = Command::Edit {
            title: None,
            description: None,
            severity: set.severity,
            service: None,
        };
        act(tx, incident, &edit, None, actor, now)?;
    }
    if !set.fields.is_empty() {
        let fields = set.fields.iter();
        let fields = fields.map(|field| (field.name.clone(), Some(field.value.clone())));
        let fields = Command::SetFields {
            fields: fields.collect(),
        };
        act(tx, incident, &fields, None, actor, now)?;
    }
    for (incident, command) in commands(tx, incident)? {
        if !known.contains(&(incident, command.clone())) {
            stay(tx, incident, &command, now)?;
        }
    }
    Ok(())
}

/// Settles a command that nobody is to hear of.
fn stay(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    command: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = incidents::find(tx, incident)?;
    let connector = match row.and_then(|row| row.connector) {
        Some(name) => connector::load(tx, &name)?,
        None => None,
    };
    let settled = record::settled(command, "carried", now);
    record(tx, incident, connector.as_ref(), &[(settled, None)], now).map(drop)
}

/// The commands that were given for an incident and for its parts.
fn commands(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
) -> Result<Vec<(IncidentNumber, String)>, StoreError> {
    let mut all = vec![incident];
    if let Some(story) = record::story(tx, incident, None)? {
        all.extend(
            parts::of(incident, &story)
                .into_iter()
                .map(|(part, _)| part),
        );
    }
    let mut given = Vec::new();
    for incident in all {
        let facts = facts::of_incident(tx, incident)?;
        let commands = facts.iter().filter(|fact| fact.source == Source::Command);
        given.extend(commands.map(|fact| (incident, fact.source_id.clone())));
    }
    Ok(given)
}
