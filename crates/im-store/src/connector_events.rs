//! What changed about a connector, and how far each change is on its way to the webhook of the
//! settings.
//!
//! Invariants
//! - An event is kept in the transaction that saw the change; telling it comes later and cannot
//!   lose it.
//! - One that is being told is not taken up again before its lease ends.

use jiff::Timestamp;

use crate::facts::{json, word};
use crate::statements::statements;
use crate::{Row, StoreError, Tx, counter, params};

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// How healthy the connector is.
    Health,
    /// Whether its webhook subscription is as it was made.
    Webhook,
    /// Whether webhooks are missing.
    Silence,
    /// Whether it calls PagerDuty more often than usual.
    Usage,
    /// Whether an incident has anybody left to page.
    Unowned,
    /// Whether the webhook of the settings takes what it is told.
    Notify,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Health,
        Self::Webhook,
        Self::Silence,
        Self::Usage,
        Self::Unowned,
        Self::Notify,
    ];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Webhook => "webhook",
            Self::Silence => "silence",
            Self::Usage => "usage",
            Self::Unowned => "unowned",
            Self::Notify => "notify",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How far an event is on its way to the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// There was nowhere to send it.
    Kept,
    /// It is to be sent.
    Waiting,
    /// The webhook took it.
    Told,
    /// The webhook did not take it for too long.
    GivenUp,
}

impl Telling {
    const ALL: [Self; 4] = [Self::Kept, Self::Waiting, Self::Told, Self::GivenUp];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Waiting => "waiting",
            Self::Told => "told",
            Self::GivenUp => "given_up",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|telling| telling.as_str() == word)
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What changed.
    pub kind: Kind,
    /// The incident that it is about, `INC-7`; empty for the connector itself.
    pub subject: String,
    /// How it was.
    pub from: String,
    /// How it is.
    pub to: String,
    /// Why.
    pub reasons: Vec<String>,
    /// What to do.
    pub next: Option<String>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its number.
    pub id: i64,
    /// Which connector it is about.
    pub connector: String,
    /// When the change was seen.
    pub at: Timestamp,
    /// What changed.
    pub change: Change,
    /// How far it is.
    pub telling: Telling,
    /// How often it was sent.
    pub attempt: u32,
    /// Why it was not taken.
    pub failure: Option<String>,
}

statements! {
    INSERT = "-- connector_events.insert
        INSERT INTO connector_event (id, connector, at, kind, subject, from_state, to_state, reasons, next, telling, due_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?3)";
    NEWEST = "-- connector_events.newest
        SELECT id, connector, at, kind, subject, from_state, to_state, reasons, next, telling, attempt, failure
          FROM connector_event WHERE connector = ?1 ORDER BY id DESC LIMIT ?2";
    LAST_WORD = "-- connector_events.last_word
        SELECT to_state FROM connector_event
         WHERE connector = ?1 AND kind = ?2 AND subject = ?3 ORDER BY id DESC LIMIT 1";
    SUBJECTS = "-- connector_events.subjects
        SELECT DISTINCT subject FROM connector_event AS one
         WHERE connector = ?1 AND kind = ?2 AND to_state = ?3
           AND NOT EXISTS (SELECT 1 FROM connector_event AS later
                            WHERE later.connector = one.connector AND later.kind = one.kind
                              AND later.subject = one.subject AND later.id > one.id)
         ORDER BY subject";
    CLAIM_NEXT = "-- connector_events.claim_next
        UPDATE connector_event SET due_at = ?2, attempt = attempt + 1
         WHERE id = (SELECT MIN(id) FROM connector_event WHERE telling = 'waiting')
           AND due_at <= ?1
     RETURNING id, connector, at, kind, subject, from_state, to_state, reasons, next, telling, attempt, failure";
    SETTLE = "-- connector_events.settle
        UPDATE connector_event SET telling = ?2, due_at = ?3, failure = ?4
         -- Unless somebody else has it by now, or it is not to be told any more.
         WHERE id = ?1 AND telling = 'waiting' AND attempt = ?5";
    KEEP_WAITING = "-- connector_events.keep_waiting
        UPDATE connector_event SET telling = 'kept' WHERE telling = 'waiting'";
    FORGET = "-- connector_events.forget
        DELETE FROM connector_event WHERE connector = ?1";
    FORGET_OLD = "-- connector_events.forget_old
        DELETE FROM connector_event
         WHERE at < ?1 AND telling <> 'waiting'
           -- The last word on a thing is what the next is compared with; of an incident that somebody has there is none.
           AND (kind = 'notify' OR to_state = 'owned' OR EXISTS (
                SELECT 1 FROM connector_event AS later
                 WHERE later.connector = connector_event.connector AND later.kind = connector_event.kind
                   AND later.subject = connector_event.subject AND later.id > connector_event.id))";
}

/// Keeps a change, to be told if `telling` says so.
pub fn insert(
    tx: &mut Tx<'_>,
    connector: &str,
    change: &Change,
    telling: Telling,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = counter::next(tx, "connector_event", 1)?;
    let values = params![
        id,
        connector,
        now,
        change.kind.as_str(),
        change.subject.as_str(),
        change.from.as_str(),
        change.to.as_str(),
        json(&change.reasons),
        change.next.as_deref(),
        telling.as_str()
    ];
    tx.execute(INSERT, values)?;
    Ok(())
}

/// The newest events of a connector.
pub fn newest(tx: &mut Tx<'_>, connector: &str, limit: u32) -> Result<Vec<EventRow>, StoreError> {
    let rows = tx.query(NEWEST, params![connector, limit])?;
    rows.iter().map(read).collect()
}

/// How something was said to be last.
pub fn last_word(
    tx: &mut Tx<'_>,
    connector: &str,
    kind: Kind,
    subject: &str,
) -> Result<Option<String>, StoreError> {
    let row = tx.query_one(LAST_WORD, params![connector, kind.as_str(), subject])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// What was said to be like that last.
pub fn subjects(
    tx: &mut Tx<'_>,
    connector: &str,
    kind: Kind,
    word: &str,
) -> Result<Vec<String>, StoreError> {
    let rows = tx.query(SUBJECTS, params![connector, kind.as_str(), word])?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// Takes the oldest event that is to be told, unless somebody has it or it is not due.
pub fn claim_next(
    tx: &mut Tx<'_>,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Option<EventRow>, StoreError> {
    let row = tx.query_one(CLAIM_NEXT, params![now, lease_until])?;
    row.as_ref().map(read).transpose()
}

/// What was to be told is kept, and told to nobody.
pub fn keep_waiting(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(KEEP_WAITING, params![])?;
    Ok(())
}

/// What became of an attempt to tell it, and when it is told again if it waits; `false` if the attempt
/// does not count any more.
pub fn settle(
    tx: &mut Tx<'_>,
    row: &EventRow,
    telling: Telling,
    due_at: Timestamp,
    failure: Option<&str>,
) -> Result<bool, StoreError> {
    let values = params![row.id, telling.as_str(), due_at, failure, row.attempt];
    Ok(tx.execute(SETTLE, values)? > 0)
}

/// Forgets what changed about a connector: one that gets the name later begins anew.
pub fn forget(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    tx.execute(FORGET, params![connector])?;
    Ok(())
}

/// Forgets what changed before `before`, but for the last word on each thing.
pub fn forget_old(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET_OLD, params![before])?;
    Ok(())
}

fn read(row: &Row) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        id: row.int(0)?,
        connector: row.text(1)?.to_owned(),
        at: row.time(2)?,
        change: Change {
            kind: word(row, 3, Kind::parse)?,
            subject: row.text(4)?.to_owned(),
            from: row.text(5)?.to_owned(),
            to: row.text(6)?.to_owned(),
            reasons: row.json(7)?,
            next: row.opt_text(8)?.map(str::to_owned),
        },
        telling: word(row, 9, Telling::parse)?,
        attempt: row.number(10)?,
        failure: row.opt_text(11)?.map(str::to_owned),
    })
}
