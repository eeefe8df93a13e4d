//! Who is signed in, and who tried to: only hashes of secrets are kept.

use jiff::Timestamp;

use crate::statements::statements;
use crate::{Row, StoreError, Tx, counter, params};

/// A browser that somebody signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The hash of its secret.
    pub hash: String,
    /// Whose it is.
    pub email: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// Where it was made.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
    /// When it was used last.
    pub seen_at: Timestamp,
}

statements! {
    INSERT = "-- sessions.insert
        INSERT INTO session (hash, email, made_at, expires_at, address, agent, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?3)";
    FIND = "-- sessions.find
        SELECT hash, email, made_at, expires_at, address, agent, seen_at FROM session
         WHERE hash = ?1 AND expires_at > ?2 AND seen_at > ?3";
    OF = "-- sessions.of
        SELECT hash, email, made_at, expires_at, address, agent, seen_at FROM session
         WHERE email = ?1 AND expires_at > ?2 AND seen_at > ?3 ORDER BY made_at DESC, hash";
    SEEN = "-- sessions.seen
        UPDATE session SET seen_at = ?2 WHERE hash = ?1 AND seen_at < ?2";
    END = "-- sessions.end
        DELETE FROM session WHERE hash = ?1";
    END_OF = "-- sessions.end_of
        DELETE FROM session WHERE email = ?1";
    FORGET = "-- sessions.forget
        DELETE FROM session WHERE expires_at <= ?1 OR seen_at <= ?2";
    TRY = "-- sessions.try
        INSERT INTO sign_in_attempt (id, at, who, address) VALUES (?1, ?2, ?3, ?4)";
    TRIED_BY_WHO = "-- sessions.tried_by_who
        SELECT at FROM sign_in_attempt WHERE who = ?1 AND at > ?2 ORDER BY at DESC LIMIT ?3";
    TRIED_BY_ADDRESS = "-- sessions.tried_by_address
        SELECT at FROM sign_in_attempt WHERE address = ?1 AND at > ?2 ORDER BY at DESC LIMIT ?3";
    TAKE_BACK = "-- sessions.take_back
        DELETE FROM sign_in_attempt WHERE id = ?1";
    SUCCEEDED = "-- sessions.succeeded
        DELETE FROM sign_in_attempt WHERE who = ?1";
    FORGET_ATTEMPTS = "-- sessions.forget_attempts
        DELETE FROM sign_in_attempt WHERE at <= ?1";
}

/// Since when a session must have been used to be one.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// A session that was not used after this is over.
    pub since: Timestamp,
    /// The instant it is.
    pub now: Timestamp,
}

/// Begins a session.
pub fn insert(tx: &mut Tx<'_>, row: &SessionRow) -> Result<(), StoreError> {
    let values = params![
        row.hash.as_str(),
        row.email.as_str(),
        row.made_at,
        row.expires_at,
        row.address.as_str(),
        row.agent.as_str()
    ];
    tx.execute(INSERT, values)?;
    Ok(())
}

/// The session with this hash, unless it is over.
pub fn find(tx: &mut Tx<'_>, hash: &str, used: Used) -> Result<Option<SessionRow>, StoreError> {
    tx.query_one(FIND, params![hash, used.now, used.since])?
        .as_ref()
        .map(read)
        .transpose()
}

/// The sessions of an account that are not over, newest first.
pub fn of(tx: &mut Tx<'_>, email: &str, used: Used) -> Result<Vec<SessionRow>, StoreError> {
    let rows = tx.query(OF, params![email, used.now, used.since])?;
    rows.iter().map(read).collect()
}

/// Notes that a session was used.
pub fn seen(tx: &mut Tx<'_>, hash: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(SEEN, params![hash, now])?;
    Ok(())
}

/// Ends a session.
pub fn end(tx: &mut Tx<'_>, hash: &str) -> Result<(), StoreError> {
    tx.execute(END, params![hash])?;
    Ok(())
}

/// Ends every session of an account, and says how many there were.
pub fn end_of(tx: &mut Tx<'_>, email: &str) -> Result<u64, StoreError> {
    tx.execute(END_OF, params![email])
}

/// Counts an attempt to sign in as failed, until it succeeds or is taken back by its number.
pub fn attempt(
    tx: &mut Tx<'_>,
    who: &str,
    address: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let id = counter::next(tx, "sign_in_attempt", 1)?;
    tx.execute(TRY, params![id, now, who, address])?;
    Ok(id)
}

/// Nothing was tried, after all.
pub fn take_back(tx: &mut Tx<'_>, attempt: i64) -> Result<(), StoreError> {
    tx.execute(TAKE_BACK, params![attempt])?;
    Ok(())
}

/// When somebody failed to sign in as `who` after `since`, the last first, at most `limit`.
pub fn tried_by_who(
    tx: &mut Tx<'_>,
    who: &str,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Timestamp>, StoreError> {
    let rows = tx.query(TRIED_BY_WHO, params![who, since, limit])?;
    rows.iter().map(|row| row.time(0)).collect()
}

/// When somebody at `address` failed to sign in after `since`, the last first, at most `limit`.
pub fn tried_by_address(
    tx: &mut Tx<'_>,
    address: &str,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Timestamp>, StoreError> {
    let rows = tx.query(TRIED_BY_ADDRESS, params![address, since, limit])?;
    rows.iter().map(|row| row.time(0)).collect()
}

/// Somebody signed in as `who`: what failed before counts no more.
pub fn succeeded(tx: &mut Tx<'_>, who: &str) -> Result<(), StoreError> {
    tx.execute(SUCCEEDED, params![who])?;
    Ok(())
}

/// Forgets sessions that are over, and attempts before `attempts_before`.
pub fn forget(tx: &mut Tx<'_>, used: Used, attempts_before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET, params![used.now, used.since])?;
    tx.execute(FORGET_ATTEMPTS, params![attempts_before])?;
    Ok(())
}

fn read(row: &Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        hash: row.text(0)?.to_owned(),
        email: row.text(1)?.to_owned(),
        made_at: row.time(2)?,
        expires_at: row.time(3)?,
        address: row.text(4)?.to_owned(),
        agent: row.text(5)?.to_owned(),
        seen_at: row.time(6)?,
    })
}
