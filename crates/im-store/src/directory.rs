//! PagerDuty's people and things with their history: what was called what, and who was where, when.
//!
//! A row says what was so in a stretch of time. A change ends it and begins another; what was deleted
//! has an end and nothing after it. Nothing is forgotten: incidents of the past name these ids.
//!
//! Writers take turns, so the number of a change is the highest before it plus one: who remembers the
//! last number has missed nothing below it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::facts::{json, word};
use crate::statements::statements;
use crate::{Row, StoreError, Tx, params};

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Incidents begin on one.
    Service,
    /// Users who belong together.
    Team,
    /// A person.
    User,
    /// Who is told in which order.
    Policy,
    /// Who is on call when.
    Schedule,
    /// How severe an incident is.
    Priority,
}

impl Kind {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Service,
        Self::Team,
        Self::User,
        Self::Policy,
        Self::Schedule,
        Self::Priority,
    ];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Team => "team",
            Self::User => "user",
            Self::Policy => "escalation_policy",
            Self::Schedule => "schedule",
            Self::Priority => "priority",
        }
    }

    /// The kind of a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What people settled about a thing. A kind has what it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The zone of a user or a schedule, an IANA name as PagerDuty tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The role of a user in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The teams of a user, a service or an escalation policy, by their ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// The escalation policy of a service, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The team that a team is a part of, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// After so many seconds a service takes an acknowledgement back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledgement_timeout_s: Option<i64>,
    /// After so many seconds a service resolves by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_resolve_timeout_s: Option<i64>,
    /// The place of a priority, 1 for the most severe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Where people find it at PagerDuty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// A thing as it was in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRow {
    /// By which connector it is known.
    pub connector: String,
    /// What it is.
    pub kind: Kind,
    /// PagerDuty's id.
    pub id: String,
    /// Known to be so from here on; the first row of a thing says when it became known.
    pub since: Timestamp,
    /// Until here; `None`: it is still so.
    pub until: Option<Timestamp>,
    /// Its name.
    pub name: Option<String>,
    /// What people settled about it.
    pub about: About,
    /// The status of a service.
    pub state: Option<String>,
}

statements! {
    LATEST = "-- directory.latest
        SELECT connector, kind, id, since, until, name, about, state FROM directory
         WHERE connector = ?1 AND kind = ?2 AND id = ?3 ORDER BY since DESC LIMIT 1";
    VERSIONS = "-- directory.versions
        SELECT connector, kind, id, since, until, name, about, state FROM directory
         WHERE kind = ?1 AND id = ?2 ORDER BY connector, since";
    ALL = "-- directory.all
        SELECT connector, kind, id, since, until, name, about, state FROM directory
         ORDER BY connector, kind, id, since";
    OF_KIND = "-- directory.of_kind
        SELECT connector, kind, id, since, until, name, about, state FROM directory
         WHERE kind = ?1 ORDER BY connector, id, since";
    BEGIN = "-- directory.begin
        INSERT INTO directory (connector, kind, id, since, name, about, state, seen_run, changed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, (SELECT COALESCE(MAX(changed), 0) + 1 FROM directory))
            ON CONFLICT (connector, kind, id, since) DO UPDATE
           SET name = excluded.name, about = excluded.about, state = excluded.state, seen_run = excluded.seen_run,
               until = NULL, missed_at = NULL, changed = excluded.changed";
    END = "-- directory.end
        UPDATE directory SET until = ?4, changed = (SELECT COALESCE(MAX(changed), 0) + 1 FROM directory)
         WHERE connector = ?1 AND kind = ?2 AND id = ?3 AND until IS NULL";
    SEE = "-- directory.see
        UPDATE directory SET seen_run = ?4, state = ?5, missed_at = NULL
         WHERE connector = ?1 AND kind = ?2 AND id = ?3 AND until IS NULL";
    UNSEEN = "-- directory.unseen
        SELECT id, missed_at FROM directory
         WHERE connector = ?1 AND kind = ?2 AND seen_run < ?3 AND until IS NULL ORDER BY id";
    MISS = "-- directory.miss
        UPDATE directory SET missed_at = ?4
         WHERE connector = ?1 AND kind = ?2 AND id = ?3 AND until IS NULL AND missed_at IS NULL";
    LAST = "-- directory.last
        SELECT COALESCE(MAX(changed), 0) FROM directory";
}

/// The last that is known of a thing, which may be that it is gone.
pub fn latest(
    tx: &mut Tx<'_>,
    connector: &str,
    kind: Kind,
    id: &str,
) -> Result<Option<DirectoryRow>, StoreError> {
    tx.query_one(LATEST, params![connector, kind.as_str(), id])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Everything that is known of a thing, by whichever connector, oldest first.
pub fn versions(tx: &mut Tx<'_>, kind: Kind, id: &str) -> Result<Vec<DirectoryRow>, StoreError> {
    let rows = tx.query(VERSIONS, params![kind.as_str(), id])?;
    rows.iter().map(read).collect()
}

/// Everything that is known, each thing oldest first.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<DirectoryRow>, StoreError> {
    tx.query(ALL, &[])?.iter().map(read).collect()
}

/// Everything that is known of a kind, each thing oldest first.
pub fn of_kind(tx: &mut Tx<'_>, kind: Kind) -> Result<Vec<DirectoryRow>, StoreError> {
    let rows = tx.query(OF_KIND, params![kind.as_str()])?;
    rows.iter().map(read).collect()
}

/// From the row's `since` on a thing is so; `run` listed it.
pub fn begin(tx: &mut Tx<'_>, row: &DirectoryRow, run: i64) -> Result<(), StoreError> {
    tx.execute(
        BEGIN,
        params![
            row.connector.as_str(),
            row.kind.as_str(),
            row.id.as_str(),
            row.since,
            row.name.as_deref(),
            json(&row.about),
            row.state.as_deref(),
            run,
        ],
    )?;
    Ok(())
}

/// What is so ends at `at`. `false` if nothing is.
pub fn end(
    tx: &mut Tx<'_>,
    connector: &str,
    kind: Kind,
    id: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(END, params![connector, kind.as_str(), id, at])? == 1)
}

/// A run listed a thing as it is known, with this state.
pub fn see(
    tx: &mut Tx<'_>,
    connector: &str,
    kind: Kind,
    id: &str,
    run: i64,
    state: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(SEE, params![connector, kind.as_str(), id, run, state])?;
    Ok(())
}

/// What is there and was not listed by `run`, and since when lists lack it.
pub fn unseen(
    tx: &mut Tx<'_>,
    connector: &str,
    kind: Kind,
    run: i64,
) -> Result<Vec<(String, Option<Timestamp>)>, StoreError> {
    let rows = tx.query(UNSEEN, params![connector, kind.as_str(), run])?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.opt_time(1)?)))
        .collect()
}

/// A list lacks a thing from `at` on.
pub fn miss(
    tx: &mut Tx<'_>,
    connector: &str,
    kind: Kind,
    id: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(MISS, params![connector, kind.as_str(), id, at])?;
    Ok(())
}

/// The number of the last change, 0 if there was none.
pub fn last(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_one(LAST, &[])?.map_or(Ok(0), |row| row.int(0))
}

fn read(row: &Row) -> Result<DirectoryRow, StoreError> {
    Ok(DirectoryRow {
        connector: row.text(0)?.to_owned(),
        kind: word(row, 1, Kind::parse)?,
        id: row.text(2)?.to_owned(),
        since: row.time(3)?,
        until: row.opt_time(4)?,
        name: row.opt_text(5)?.map(str::to_owned),
        about: row.json(6)?,
        state: row.opt_text(7)?.map(str::to_owned),
    })
}
