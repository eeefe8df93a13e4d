//! Webhooks as they came: stored before they are answered, digested at our own pace.
//!
//! Writers take turns, so the highest id plus one is the order of arrival.

use im_core::ConnectorName;
use jiff::Timestamp;

use crate::statements::statements;
use crate::{Row, StoreError, Tx, params};

/// A delivery that arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// At whose door.
    pub connector: ConnectorName,
    /// The signed id of the event; a hash of the body where it has none.
    pub event_id: String,
    /// `X-Webhook-Id`: evidence only, since nobody signs it.
    pub delivery_id: Option<String>,
    /// Whether the signature was checked and right.
    pub verified: bool,
    /// The environment that a header of the webhook names.
    pub environment: Option<String>,
    /// The body as it came.
    pub body: String,
}

/// A stored webhook that is to be digested.
#[derive(Debug, Clone)]
pub struct InboxRow {
    /// Its id: the order of arrival.
    pub id: i64,
    /// At whose door it arrived.
    pub connector: String,
    /// The id of the event.
    pub event_id: String,
    /// Whether the signature was right.
    pub verified: bool,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The environment that a header of the webhook names.
    pub environment: Option<String>,
    /// The body as it came.
    pub body: String,
    /// Whether it was put aside before.
    pub held: bool,
}

statements! {
    INSERT = "-- inbox.insert
        INSERT INTO inbox (id, connector, event_id, delivery_id, verified, received_at, body, environment, state, due_at)
        VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM inbox), ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?5)
            ON CONFLICT (connector, event_id) DO UPDATE
           SET copies = inbox.copies + 1,
               environment = COALESCE(inbox.environment, excluded.environment),
               state = CASE WHEN inbox.environment IS NULL AND excluded.environment IS NOT NULL
                            THEN 'waiting' ELSE inbox.state END,
               due_at = CASE WHEN inbox.environment IS NULL AND excluded.environment IS NOT NULL
                             THEN excluded.due_at ELSE inbox.due_at END
     RETURNING copies";
    DUE = "-- inbox.due
        SELECT id, connector, event_id, verified, received_at, body, due_at, environment FROM inbox
         WHERE state = 'waiting' AND due_at <= ?1 ORDER BY due_at, id LIMIT ?2";
    FINISH = "-- inbox.finish
        UPDATE inbox SET state = ?2 WHERE id = ?1";
    DEFER = "-- inbox.defer
        UPDATE inbox SET due_at = ?2 WHERE id = ?1";
    NEXT_DUE = "-- inbox.next_due
        SELECT MIN(due_at) FROM inbox WHERE state = 'waiting'";
    COUNTS = "-- inbox.counts
        SELECT state, COUNT(*) FROM inbox WHERE connector = ?1 GROUP BY state";
    HELD = "-- inbox.held
        SELECT COUNT(*) FROM inbox WHERE state = 'waiting'";
    LATEST = "-- inbox.latest
        SELECT state FROM inbox WHERE connector = ?1 AND event_id = ?2";
    WITH_TEXT = "-- inbox.with_text
        SELECT body FROM inbox WHERE connector = ?1 AND received_at >= ?2 AND body LIKE ?3 ORDER BY id";
    LIST = "-- inbox.list
        SELECT id, event_id, delivery_id, verified, received_at, body, copies, state FROM inbox
         WHERE connector = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
    FIND = "-- inbox.find
        SELECT id, event_id, delivery_id, verified, received_at, body, copies, state FROM inbox
         WHERE connector = ?1 AND id = ?2";
    AGAIN = "-- inbox.again
        UPDATE inbox SET state = 'waiting', due_at = ?3 WHERE connector = ?1 AND id = ?2";
    RECENT = "-- inbox.recent_body
        SELECT received_at FROM inbox WHERE connector = ?1 AND received_at >= ?2 AND body LIKE ?3
         ORDER BY id DESC LIMIT 1";
}

/// A stored webhook and what became of it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id: the order of arrival.
    pub id: i64,
    /// The id of the event.
    pub event_id: String,
    /// `X-Webhook-Id` of its first delivery.
    pub delivery_id: Option<String>,
    /// Whether the signature was right.
    pub verified: bool,
    /// When it first arrived.
    pub received_at: Timestamp,
    /// The body as it came.
    pub body: String,
    /// How often it came.
    pub copies: i64,
    /// `waiting`, `done`, `ignored`, `unknown`, `unreadable` or `orphan`.
    pub state: String,
}

/// How an event fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digested {
    /// It was understood and applied.
    Done,
    /// It was understood and is not applied: a test event, or the connector does not listen.
    Ignored,
    /// A type that we do not know; kept.
    Unknown,
    /// The body makes no sense; kept.
    Unreadable,
    /// Its incident is not there any more.
    Orphan,
}

impl Digested {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
            Self::Orphan => "orphan",
        }
    }
}

/// Stores a delivery; `false` if the event was here before. It is digested once more if only this copy of it, which may
/// be another webhook's, names an environment.
pub fn receive(tx: &mut Tx<'_>, arrival: Arrival, now: Timestamp) -> Result<bool, StoreError> {
    let row = tx.query_one(
        INSERT,
        params![
            arrival.connector.as_str(),
            arrival.event_id,
            arrival.delivery_id,
            arrival.verified,
            now,
            arrival.body,
            arrival.environment,
        ],
    )?;
    row.map_or(Ok(true), |row| Ok(row.int(0)? == 1))
}

/// What waits to be digested, in order of arrival; what was deferred comes when it is due.
pub fn due(tx: &mut Tx<'_>, limit: u32, now: Timestamp) -> Result<Vec<InboxRow>, StoreError> {
    tx.query(DUE, params![now, limit])?
        .iter()
        .map(read)
        .collect()
}

/// The event needs nothing more.
pub fn finish(tx: &mut Tx<'_>, id: i64, how: Digested) -> Result<(), StoreError> {
    tx.execute(FINISH, params![id, how.as_str()])?;
    Ok(())
}

/// The event has to wait for something else.
pub fn defer(tx: &mut Tx<'_>, id: i64, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(DEFER, params![id, until])?;
    Ok(())
}

/// When there is next something to digest.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    tx.query_one(NEXT_DUE, &[])?
        .map_or(Ok(None), |row| row.opt_time(0))
}

/// How many events are in which state.
pub fn counts(tx: &mut Tx<'_>, connector: &str) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = tx.query(COUNTS, params![connector])?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?)))
        .collect()
}

/// How many events wait, over all connectors.
pub fn waiting(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_one(HELD, &[])?.map_or(Ok(0), |row| row.int(0))
}

/// The state of one event, if it is here.
pub fn state(
    tx: &mut Tx<'_>,
    connector: &str,
    event_id: &str,
) -> Result<Option<String>, StoreError> {
    let row = tx.query_one(LATEST, params![connector, event_id])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// A connector's webhooks, the newest first, older than `before`.
pub fn list(
    tx: &mut Tx<'_>,
    connector: &str,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Kept>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    let rows = tx.query(LIST, params![connector, before, limit])?;
    rows.iter().map(delivery).collect()
}

/// One of a connector's webhooks.
pub fn find(tx: &mut Tx<'_>, connector: &str, id: i64) -> Result<Option<Kept>, StoreError> {
    let row = tx.query_one(FIND, params![connector, id])?;
    row.as_ref().map(delivery).transpose()
}

/// The event is to be digested once more; `false` if there is none.
pub fn again(
    tx: &mut Tx<'_>,
    connector: &str,
    id: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(AGAIN, params![connector, id, now])? == 1)
}

fn delivery(row: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        id: row.int(0)?,
        event_id: row.text(1)?.to_owned(),
        delivery_id: row.opt_text(2)?.map(str::to_owned),
        verified: row.bool(3)?,
        received_at: row.time(4)?,
        body: row.text(5)?.to_owned(),
        copies: row.int(6)?,
        state: row.text(7)?.to_owned(),
    })
}

/// When a test event last arrived, not before `since`.
pub fn ping_since(
    tx: &mut Tx<'_>,
    connector: &str,
    since: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.query_one(RECENT, params![connector, since, "%\"pagey.ping\"%"])?;
    row.map(|row| row.time(0)).transpose()
}

/// The events that arrived not before `since` and have `text` in them: letters and digits alone, since it is looked for
/// as it is.
pub fn bodies_with(
    tx: &mut Tx<'_>,
    connector: &str,
    text: &str,
    since: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let rows = tx.query(WITH_TEXT, params![connector, since, format!("%{text}%")])?;
    rows.iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

fn read(row: &Row) -> Result<InboxRow, StoreError> {
    let received_at = row.time(4)?;
    Ok(InboxRow {
        id: row.int(0)?,
        connector: row.text(1)?.to_owned(),
        event_id: row.text(2)?.to_owned(),
        verified: row.bool(3)?,
        received_at,
        environment: row.opt_text(7)?.map(str::to_owned),
        body: row.text(5)?.to_owned(),
        held: row.time(6)? > received_at,
    })
}
