//! What people say of an incident beside its facts: appended, never changed, so that who said what, when
//! and why can be read. The newest value of a field holds.
//!
//! Numbers come from a counter, so that none comes again where an incident was erased ([`crate::erase`]).

use std::collections::BTreeSet;

use im_core::{Actor, ActorKind, IncidentNumber};
use jiff::Timestamp;

use crate::facts::word;
use crate::statements::statements;
use crate::{Row, StoreError, Tx, counter, params};

/// What is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The environment that it is in.
    Environment,
    /// The id of a deployment, or a version: what the incident itself names.
    Deployment,
    /// The id of the deployment that caused it, or `none`: what a person decided.
    CausedBy,
    /// `true`: no change caused it, so it is no failure.
    NotChangeRelated,
    /// The category of its cause.
    Cause,
    /// When it began to harm.
    ImpactStart,
    /// When the harm was over.
    ImpactEnd,
}

impl Field {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Environment,
        Self::Deployment,
        Self::CausedBy,
        Self::NotChangeRelated,
        Self::Cause,
        Self::ImpactStart,
        Self::ImpactEnd,
    ];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Deployment => "deployment",
            Self::CausedBy => "caused_by",
            Self::NotChangeRelated => "not_change_related",
            Self::Cause => "cause",
            Self::ImpactStart => "impact_start",
            Self::ImpactEnd => "impact_end",
        }
    }

    /// The field of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationRow {
    /// Of which incident.
    pub incident: IncidentNumber,
    /// What it is about.
    pub field: Field,
    /// The value; `None` takes back what was said before.
    pub value: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When it was said.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
}

statements! {
    INSERT = "-- annotations.insert
        INSERT INTO annotation (seq, incident, field, value, reason, at, actor_kind, actor_id, actor_name)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    OF_INCIDENT = "-- annotations.of_incident
        SELECT incident, field, value, reason, at, actor_kind, actor_id, actor_name
          FROM annotation WHERE incident = ?1 ORDER BY seq";
    ALL = "-- annotations.all
        SELECT incident, field, value, reason, at, actor_kind, actor_id, actor_name
          FROM annotation ORDER BY incident, seq";
    AFTER = "-- annotations.after
        SELECT seq, incident FROM annotation WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    IDENTITY = "-- annotations.identity
        SELECT incident, field, at FROM annotation WHERE seq = ?1";
}

/// What the annotation with a number is, so that it is not taken for the one with its number in another database.
pub fn identity(tx: &mut Tx<'_>, seq: i64) -> Result<Option<(i64, String, i64)>, StoreError> {
    let Some(mut row) = tx.query_one(IDENTITY, params![seq])? else {
        return Ok(None);
    };
    Ok(Some((row.int(0)?, row.take_text(1)?, row.int(2)?)))
}

/// Adds what was said.
pub fn append(tx: &mut Tx<'_>, row: &AnnotationRow) -> Result<(), StoreError> {
    let seq = counter::next(tx, "annotation", 1)?;
    tx.execute(
        INSERT,
        params![
            seq,
            row.incident.get(),
            row.field.as_str(),
            row.value.as_deref(),
            row.reason.as_deref(),
            row.at,
            row.actor.kind.as_str(),
            row.actor.id.as_deref(),
            row.actor.name.as_deref(),
        ],
    )?;
    Ok(())
}

/// Everything that was said of an incident, oldest first.
pub fn of_incident(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
) -> Result<Vec<AnnotationRow>, StoreError> {
    let rows = tx.query(OF_INCIDENT, params![incident.get()])?;
    rows.iter().map(read).collect()
}

/// Everything that was said, by incident and oldest first.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<AnnotationRow>, StoreError> {
    tx.query(ALL, &[])?.iter().map(read).collect()
}

/// The incidents of which something was said after a number, and the last number read; `None` if
/// there are none.
pub fn after(
    tx: &mut Tx<'_>,
    seq: i64,
    limit: u32,
) -> Result<Option<(BTreeSet<IncidentNumber>, i64)>, StoreError> {
    let rows = tx.query(AFTER, params![seq, i64::from(limit)])?;
    let mut incidents = BTreeSet::new();
    let mut last = None;
    for row in &rows {
        last = Some(row.int(0)?);
        incidents.extend(IncidentNumber::new(row.int(1)?));
    }
    Ok(last.map(|last| (incidents, last)))
}

fn read(row: &Row) -> Result<AnnotationRow, StoreError> {
    let number = row.int(0)?;
    let incident = IncidentNumber::new(number);
    Ok(AnnotationRow {
        incident: incident
            .ok_or_else(|| row.content(0, "IncidentNumber", format!("{number} is none")))?,
        field: word(row, 1, Field::parse)?,
        value: row.opt_text(2)?.map(str::to_owned),
        reason: row.opt_text(3)?.map(str::to_owned),
        at: row.time(4)?,
        actor: Actor {
            kind: word(row, 5, ActorKind::parse)?,
            id: row.opt_text(6)?.map(str::to_owned),
            name: row.opt_text(7)?.map(str::to_owned),
        },
    })
}
