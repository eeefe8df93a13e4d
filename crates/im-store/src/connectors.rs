//! Connectors: what people configured, and how each is doing.
//!
//! Secrets are stored as they come, which is sealed: nothing here can open them.

use jiff::Timestamp;

use crate::facts::{json, word};
use crate::statements::statements;
use crate::{Row, StoreError, Tx, params};

/// How a connector is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No call has succeeded yet.
    Untested,
    /// Calls succeed.
    Active,
    /// The key may read and not write.
    Limited,
    /// PagerDuty refuses the key.
    AuthFailed,
    /// PagerDuty does not answer.
    Failing,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Untested,
        Self::Active,
        Self::Limited,
        Self::AuthFailed,
        Self::Failing,
    ];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untested => "untested",
            Self::Active => "active",
            Self::Limited => "limited",
            Self::AuthFailed => "auth_failed",
            Self::Failing => "failing",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// One connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorRow {
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// Its settings as JSON, without secrets.
    pub config: String,
    /// The API key, sealed; empty once it was given up.
    pub api_key: String,
    /// The signing secrets of its webhook, sealed.
    pub webhook_secrets: Vec<String>,
    /// PagerDuty's id of its webhook subscription.
    pub subscription: Option<String>,
    /// How it is doing.
    pub state: State,
    /// Why.
    pub state_reason: Option<String>,
    /// No calls before.
    pub blocked_until: Timestamp,
    /// PagerDuty's log is known up to here.
    pub log_cursor: Option<Timestamp>,
    /// When the next repair is due.
    pub next_sync_at: Timestamp,
    /// Why it is due then.
    pub sync_cause: String,
    /// When the last repair ended.
    pub last_sync_at: Option<Timestamp>,
    /// When a verified webhook last came.
    pub last_heard_at: Option<Timestamp>,
    /// The last time span in which webhooks were missing, and what repair found of it.
    pub gap: Option<Gap>,
}

/// A time span in which webhooks were missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// From the last healthy delivery …
    pub from: Timestamp,
    /// … to its end, once webhooks come again.
    pub to: Option<Timestamp>,
    /// How many facts repair brought back.
    pub repaired: i64,
}

statements! {
    INSERT = "-- connectors.insert
        INSERT INTO connector (name, created_at, config, api_key, webhook_secrets, state, next_sync_at, sync_cause)
        VALUES (?1, ?2, ?3, ?4, ?5, 'untested', ?2, 'first')
            ON CONFLICT (name) DO NOTHING";
    ALL = "-- connectors.all
        SELECT name, created_at, config, api_key, webhook_secrets, subscription, state, state_reason, blocked_until,
               log_cursor, next_sync_at, sync_cause, last_sync_at, last_heard_at, gap_from, gap_to, gap_repaired
          FROM connector ORDER BY created_at, name";
    BY_NAME = "-- connectors.by_name
        SELECT name, created_at, config, api_key, webhook_secrets, subscription, state, state_reason, blocked_until,
               log_cursor, next_sync_at, sync_cause, last_sync_at, last_heard_at, gap_from, gap_to, gap_repaired
          FROM connector WHERE name = ?1";
    IS_STILL = "-- connectors.is_still
        SELECT 1 FROM connector WHERE name = ?1 AND config = ?2 AND webhook_secrets = ?3";
    CONFIGURE = "-- connectors.configure
        UPDATE connector SET config = ?2, api_key = ?3, state = ?4, state_reason = NULL, blocked_until = 0
         WHERE name = ?1";
    RENEW_KEY = "-- connectors.renew_key
        UPDATE connector SET api_key = ?3 WHERE name = ?1 AND api_key = ?2";
    DISCARD_KEY = "-- connectors.discard_key
        UPDATE connector SET api_key = '', state = 'active', state_reason = NULL, blocked_until = 0 WHERE name = ?1";
    SET_WEBHOOK = "-- connectors.set_webhook
        UPDATE connector SET subscription = ?2, webhook_secrets = ?3 WHERE name = ?1";
    SET_STATE = "-- connectors.set_state
        UPDATE connector SET state = ?2, state_reason = ?3, blocked_until = ?4 WHERE name = ?1";
    SET_CURSOR = "-- connectors.set_cursor
        UPDATE connector SET log_cursor = ?2 WHERE name = ?1";
    SCHEDULE = "-- connectors.schedule
        UPDATE connector SET next_sync_at = ?2, sync_cause = ?3 WHERE name = ?1";
    HURRY = "-- connectors.hurry
        UPDATE connector SET next_sync_at = ?2, sync_cause = ?3
         WHERE name = ?1 AND (next_sync_at > ?2 OR sync_cause = 'look')";
    SYNCED = "-- connectors.synced
        UPDATE connector SET last_sync_at = ?2 WHERE name = ?1";
    HEARD = "-- connectors.heard
        UPDATE connector SET last_heard_at = ?2 WHERE name = ?1 AND (last_heard_at IS NULL OR last_heard_at < ?2)";
    OPEN_GAP = "-- connectors.open_gap
        UPDATE connector SET gap_from = ?2, gap_to = NULL, gap_repaired = 0
         WHERE name = ?1 AND (gap_from IS NULL OR gap_to IS NOT NULL)";
    CLOSE_GAP = "-- connectors.close_gap
        UPDATE connector SET gap_to = ?2 WHERE name = ?1 AND gap_from IS NOT NULL AND gap_to IS NULL";
    ADD_REPAIRED = "-- connectors.add_repaired
        UPDATE connector SET gap_repaired = gap_repaired + ?2 WHERE name = ?1 AND gap_from IS NOT NULL";
    DELETE = "-- connectors.delete
        DELETE FROM connector WHERE name = ?1";
    DELETE_OUTBOX = "-- connectors.delete_outbox
        DELETE FROM outbox WHERE connector = ?1";
    DELETE_WANTED = "-- connectors.delete_wanted
        DELETE FROM wanted WHERE connector = ?1";
    DELETE_RUNS = "-- connectors.delete_runs
        DELETE FROM sync_run WHERE connector = ?1 AND finished_at IS NULL";
    DELETE_USERS = "-- connectors.delete_users
        DELETE FROM pd_user WHERE connector = ?1";
}

/// A new connector; `false` if the name is taken.
pub fn insert(
    tx: &mut Tx<'_>,
    name: &str,
    config: &str,
    api_key: &str,
    webhook_secrets: &[String],
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(
        INSERT,
        params![name, now, config, api_key, json(webhook_secrets)],
    )? == 1)
}

/// Every connector, oldest first.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<ConnectorRow>, StoreError> {
    tx.query(ALL, &[])?.iter().map(read).collect()
}

/// One connector.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<ConnectorRow>, StoreError> {
    tx.query_one(BY_NAME, params![name])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Whether its settings and signing secrets are still these.
pub fn is_still(
    tx: &mut Tx<'_>,
    name: &str,
    config: &str,
    webhook_secrets: &[String],
) -> Result<bool, StoreError> {
    let found = tx.query_one(IS_STILL, params![name, config, json(webhook_secrets)])?;
    Ok(found.is_some())
}

/// New settings: what was known of its state is not any more.
pub fn configure(
    tx: &mut Tx<'_>,
    name: &str,
    config: &str,
    api_key: &str,
    state: State,
) -> Result<(), StoreError> {
    tx.execute(CONFIGURE, params![name, config, api_key, state.as_str()])?;
    Ok(())
}

/// Another key of the same right in place of one, unless that is another one by now.
pub fn renew_key(
    tx: &mut Tx<'_>,
    name: &str,
    before: &str,
    after: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(RENEW_KEY, params![name, before, after])? > 0)
}

/// Forgets its key, and what was to be read and sent with it.
pub fn discard_key(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    for sql in [DELETE_OUTBOX, DELETE_WANTED, DELETE_RUNS, DISCARD_KEY] {
        tx.execute(sql, params![name])?;
    }
    Ok(())
}

/// Its webhook subscription, and the secrets by which deliveries are checked.
pub fn set_webhook(
    tx: &mut Tx<'_>,
    name: &str,
    subscription: Option<&str>,
    secrets: &[String],
) -> Result<(), StoreError> {
    tx.execute(SET_WEBHOOK, params![name, subscription, json(secrets)])?;
    Ok(())
}

/// How it is doing, and until when to leave PagerDuty alone.
pub fn set_state(
    tx: &mut Tx<'_>,
    name: &str,
    state: State,
    reason: Option<&str>,
    blocked_until: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        SET_STATE,
        params![name, state.as_str(), reason, blocked_until],
    )?;
    Ok(())
}

/// PagerDuty's log is known up to `at`.
pub fn set_log_cursor(tx: &mut Tx<'_>, name: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(SET_CURSOR, params![name, at])?;
    Ok(())
}

/// The next repair.
pub fn schedule_sync(
    tx: &mut Tx<'_>,
    name: &str,
    at: Timestamp,
    cause: &str,
) -> Result<(), StoreError> {
    tx.execute(SCHEDULE, params![name, at, cause])?;
    Ok(())
}

/// A repair by `at` at the latest.
pub fn hurry_sync(
    tx: &mut Tx<'_>,
    name: &str,
    at: Timestamp,
    cause: &str,
) -> Result<(), StoreError> {
    tx.execute(HURRY, params![name, at, cause])?;
    Ok(())
}

/// A repair ended.
pub fn synced(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(SYNCED, params![name, now])?;
    Ok(())
}

/// A verified webhook came.
pub fn heard(tx: &mut Tx<'_>, name: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(HEARD, params![name, at])?;
    Ok(())
}

/// Webhooks have been missing since `from`.
pub fn open_gap(tx: &mut Tx<'_>, name: &str, from: Timestamp) -> Result<(), StoreError> {
    tx.execute(OPEN_GAP, params![name, from])?;
    Ok(())
}

/// Webhooks come again.
pub fn close_gap(tx: &mut Tx<'_>, name: &str, to: Timestamp) -> Result<(), StoreError> {
    tx.execute(CLOSE_GAP, params![name, to])?;
    Ok(())
}

/// Repair brought back `count` facts.
pub fn add_repaired(tx: &mut Tx<'_>, name: &str, count: i64) -> Result<(), StoreError> {
    tx.execute(ADD_REPAIRED, params![name, count])?;
    Ok(())
}

/// Forgets a connector and what it still had to do; its incidents stay. `false` if there is none.
pub fn delete(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    for sql in [DELETE_OUTBOX, DELETE_WANTED, DELETE_RUNS, DELETE_USERS] {
        tx.execute(sql, params![name])?;
    }
    Ok(tx.execute(DELETE, params![name])? == 1)
}

fn read(row: &Row) -> Result<ConnectorRow, StoreError> {
    let (gap_to, gap_repaired) = (row.opt_time(15)?, row.int(16)?);
    Ok(ConnectorRow {
        name: row.text(0)?.to_owned(),
        created_at: row.time(1)?,
        config: row.text(2)?.to_owned(),
        api_key: row.text(3)?.to_owned(),
        webhook_secrets: row.json(4)?,
        subscription: row.opt_text(5)?.map(str::to_owned),
        state: word(row, 6, State::parse)?,
        state_reason: row.opt_text(7)?.map(str::to_owned),
        blocked_until: row.time(8)?,
        log_cursor: row.opt_time(9)?,
        next_sync_at: row.time(10)?,
        sync_cause: row.text(11)?.to_owned(),
        last_sync_at: row.opt_time(12)?,
        last_heard_at: row.opt_time(13)?,
        gap: row.opt_time(14)?.map(|from| Gap {
            from,
            to: gap_to,
            repaired: gap_repaired,
        }),
    })
}
