//! Fields that both sides changed: a row for each conflict, kept for people to see.
//!
//! Invariants
//! - Of one field of an incident at most one conflict is pending; what PagerDuty shows meanwhile is told in its row.
//! - What is decided stays.

use im_core::{Conflict, Field, IncidentNumber, PARTS, Side, Strategy};
use jiff::Timestamp;

use crate::facts::word;
use crate::statements::statements;
use crate::{Row, StoreError, Tx, counter, params};

/// What became of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A person has to decide it, or the answer to a call of ours.
    Pending,
    /// One side's value counts.
    Resolved,
    /// It needed no decision any more.
    Ignored,
}

impl State {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Resolved, Self::Ignored];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// One conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictRow {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub connector: String,
    /// Of which incident.
    pub incident: IncidentNumber,
    /// When it was found.
    pub found_at: Timestamp,
    /// What it is about. The verdict is what it was decided to, or will be once the call that is under way was answered.
    pub conflict: Conflict,
    /// The command that asked for our value.
    pub command: String,
    /// What became of it.
    pub state: State,
    /// Why.
    pub reason: Option<String>,
    /// When that was decided.
    pub decided_at: Option<Timestamp>,
    /// By whom, where a person decided.
    pub decided_by: Option<String>,
}

/// What became of a conflict: whose value counts, why, and who said so.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// What it is now.
    pub state: State,
    /// Whose value counts.
    pub kept: Option<Side>,
    /// Why.
    pub reason: &'a str,
    /// The person who decided.
    pub by: Option<&'a str>,
}

statements! {
    PUT = "-- conflicts.put
        INSERT INTO conflict (id, connector, incident, field, base, ours, ours_at, ours_by, command, strategy, found_at,
                              theirs, theirs_at, state, kept, reason, decided_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    RENEW = "-- conflicts.renew
        UPDATE conflict SET ours = ?2, ours_at = ?3, ours_by = ?4, command = ?5, strategy = ?6, theirs = ?7, theirs_at = ?8,
                            state = ?9, kept = ?10, reason = ?11, decided_at = ?12
         WHERE id = ?1 AND state = 'pending'";
    DECIDE = "-- conflicts.decide
        UPDATE conflict SET state = ?2, kept = ?3, reason = ?4, decided_by = ?5, decided_at = ?6
         WHERE id = ?1 AND state = 'pending'";
    IGNORE_ALL = "-- conflicts.ignore_all
        UPDATE conflict SET state = 'ignored', kept = NULL, reason = ?2, decided_at = ?3
         WHERE connector = ?1 AND state = 'pending'";
    PENDING_OF = "-- conflicts.pending_of
        SELECT id, connector, incident, field, base, ours, ours_at, ours_by, command, strategy, found_at,
               theirs, theirs_at, state, kept, reason, decided_at, decided_by
          FROM conflict WHERE incident = ?1 AND state = 'pending' ORDER BY id";
    BY_ID = "-- conflicts.by_id
        SELECT id, connector, incident, field, base, ours, ours_at, ours_by, command, strategy, found_at,
               theirs, theirs_at, state, kept, reason, decided_at, decided_by
          FROM conflict WHERE id = ?1";
    NEWEST = "-- conflicts.newest
        SELECT id, connector, incident, field, base, ours, ours_at, ours_by, command, strategy, found_at,
               theirs, theirs_at, state, kept, reason, decided_at, decided_by
          FROM conflict
         WHERE connector = ?1 AND (state = ?2 OR CAST(?2 AS TEXT) IS NULL)
           AND (incident % ?4 = ?3 OR CAST(?3 AS BIGINT) IS NULL)
         ORDER BY id DESC LIMIT ?5";
    COUNT_PENDING = "-- conflicts.count_pending
        SELECT COUNT(*) FROM conflict WHERE connector = ?1 AND state = 'pending' AND kept IS NULL";
}

/// A conflict that was found: `pending`, or decided by the settings.
pub fn put(
    tx: &mut Tx<'_>,
    (connector, incident): (&str, IncidentNumber),
    found: &Conflict,
    command: &str,
    state: State,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = counter::next(tx, "conflict", 1)?;
    let verdict = found.verdict.as_ref();
    tx.execute(
        PUT,
        params![
            id,
            connector,
            incident.get(),
            found.field.as_str(),
            found.base.as_str(),
            found.ours.as_str(),
            found.ours_at,
            found.ours_by.as_deref(),
            command,
            found.strategy.as_str(),
            now,
            found.theirs.as_str(),
            found.theirs_at,
            state.as_str(),
            verdict.map(|(side, _)| side.as_str()),
            verdict.map(|(_, why)| why.as_str()),
            (state != State::Pending).then_some(now),
        ],
    )?;
    Ok(())
}

/// What a pending conflict is by now, and whether it is `state` by that: each side may have changed the field again.
pub fn renew(
    tx: &mut Tx<'_>,
    id: i64,
    now_is: &Conflict,
    command: &str,
    state: State,
    now: Timestamp,
) -> Result<(), StoreError> {
    let verdict = now_is.verdict.as_ref();
    tx.execute(
        RENEW,
        params![
            id,
            now_is.ours.as_str(),
            now_is.ours_at,
            now_is.ours_by.as_deref(),
            command,
            now_is.strategy.as_str(),
            now_is.theirs.as_str(),
            now_is.theirs_at,
            state.as_str(),
            verdict.map(|(side, _)| side.as_str()),
            verdict.map(|(_, why)| why.as_str()),
            (state != State::Pending).then_some(now),
        ],
    )?;
    Ok(())
}

/// Decides a pending conflict; `false` if it is none.
pub fn decide(
    tx: &mut Tx<'_>,
    id: i64,
    decision: Decision<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Decision {
        state,
        kept,
        reason,
        by,
    } = decision;
    let kept = kept.map(Side::as_str);
    let changed = tx.execute(DECIDE, params![id, state.as_str(), kept, reason, by, now])?;
    Ok(changed == 1)
}

/// What is pending of a connector needs no decision any more.
pub fn ignore_all(
    tx: &mut Tx<'_>,
    connector: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(IGNORE_ALL, params![connector, reason, now])?;
    Ok(())
}

/// The pending conflicts of an incident.
pub fn pending_of(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
) -> Result<Vec<ConflictRow>, StoreError> {
    let rows = tx.query(PENDING_OF, params![incident.get()])?;
    rows.iter().map(read).collect()
}

/// One conflict.
pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<ConflictRow>, StoreError> {
    tx.query_one(BY_ID, params![id])?
        .as_ref()
        .map(read)
        .transpose()
}

/// The newest conflicts of a connector, in one state and of one incident and its parts where these are given.
pub fn newest(
    tx: &mut Tx<'_>,
    connector: &str,
    (state, incident): (Option<State>, Option<IncidentNumber>),
    limit: u32,
) -> Result<Vec<ConflictRow>, StoreError> {
    let state = state.map(State::as_str);
    let incident = incident.map(|number| number.said().get());
    let rows = tx.query(NEWEST, params![connector, state, incident, PARTS, limit])?;
    rows.iter().map(read).collect()
}

/// How many conflicts of a connector wait for a person.
pub fn count_pending(tx: &mut Tx<'_>, connector: &str) -> Result<i64, StoreError> {
    tx.query_one(COUNT_PENDING, params![connector])?
        .map_or(Ok(0), |row| row.int(0))
}

fn read(row: &Row) -> Result<ConflictRow, StoreError> {
    let number = row.int(2)?;
    let kept = match row.opt_text(14)? {
        Some(_) => Some(word(row, 14, Side::parse)?),
        None => None,
    };
    let reason = row.opt_text(15)?.map(str::to_owned);
    Ok(ConflictRow {
        id: row.int(0)?,
        connector: row.text(1)?.to_owned(),
        incident: IncidentNumber::new(number)
            .ok_or_else(|| row.content(2, "an incident number", number.to_string()))?,
        found_at: row.time(10)?,
        conflict: Conflict {
            field: word(row, 3, Field::parse)?,
            base: row.text(4)?.to_owned(),
            ours: row.text(5)?.to_owned(),
            ours_at: row.time(6)?,
            ours_by: row.opt_text(7)?.map(str::to_owned),
            theirs: row.text(11)?.to_owned(),
            theirs_at: row.time(12)?,
            strategy: word(row, 9, Strategy::parse)?,
            verdict: kept.map(|side| (side, reason.clone().unwrap_or_default())),
        },
        command: row.text(8)?.to_owned(),
        state: word(row, 13, State::parse)?,
        reason,
        decided_at: row.opt_time(16)?,
        decided_by: row.opt_text(17)?.map(str::to_owned),
    })
}
