//! The readings of accounts' pasts: how far each is, and what it found.
//!
//! A connector has at most one. Its progress is stored in the transaction that stores what it read,
//! so it goes on without a gap and without doing anything twice, whenever it was cut off.

use jiff::Timestamp;

use crate::repair::Found;
use crate::statements::statements;
use crate::{Row, StoreError, Tx, params};

/// One reading of the past of one connector's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillRow {
    /// Whose.
    pub connector: String,
    /// From here on.
    pub since: Timestamp,
    /// Until here: what came later is told by webhooks and repairs.
    pub until: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// How often its current step was tried.
    pub attempt: u32,
    /// How far it is, as JSON.
    pub progress: String,
    /// What it found.
    pub found: Found,
    /// When a person stopped it.
    pub stopped_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What is incomplete, if anything.
    pub message: Option<String>,
}

statements! {
    START = "-- backfill.start
        INSERT INTO backfill (connector, since, until, started_at, due_at, progress) VALUES (?1, ?2, ?3, ?4, ?4, ?5)
            ON CONFLICT (connector) DO UPDATE
           SET since = excluded.since, until = excluded.until, started_at = excluded.started_at,
               due_at = excluded.due_at, lease_until = 0, attempt = 0, progress = excluded.progress,
               created = 0, updated = 0, unchanged = 0, failed = 0,
               stopped_at = NULL, finished_at = NULL, message = NULL";
    FIND = "-- backfill.find
        SELECT connector, since, until, started_at, attempt, progress, created, updated, unchanged, failed,
               stopped_at, finished_at, message
          FROM backfill WHERE connector = ?1";
    CLAIM = "-- backfill.claim
        UPDATE backfill SET lease_until = ?3, attempt = attempt + 1
         WHERE connector = ?1 AND due_at <= ?2 AND lease_until <= ?2 AND stopped_at IS NULL AND finished_at IS NULL
     RETURNING connector, since, until, started_at, attempt, progress, created, updated, unchanged, failed,
               stopped_at, finished_at, message";
    KEEP = "-- backfill.keep
        UPDATE backfill SET progress = ?2 WHERE connector = ?1";
    ADVANCE = "-- backfill.advance
        UPDATE backfill SET progress = ?2, due_at = ?3, lease_until = 0, attempt = 0 WHERE connector = ?1";
    POSTPONE = "-- backfill.postpone
        UPDATE backfill SET due_at = ?2, lease_until = 0 WHERE connector = ?1";
    COUNT = "-- backfill.count
        UPDATE backfill SET created = created + ?2, updated = updated + ?3, unchanged = unchanged + ?4,
               failed = failed + ?5
         WHERE connector = ?1";
    STOP = "-- backfill.stop
        UPDATE backfill SET stopped_at = ?2
         WHERE connector = ?1 AND stopped_at IS NULL AND finished_at IS NULL";
    RESUME = "-- backfill.resume
        UPDATE backfill SET stopped_at = NULL, due_at = ?2
         WHERE connector = ?1 AND stopped_at IS NOT NULL AND finished_at IS NULL";
    FINISH = "-- backfill.finish
        UPDATE backfill SET finished_at = ?2, message = ?3, lease_until = 0 WHERE connector = ?1";
    NEXT_DUE = "-- backfill.next_due
        SELECT CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END FROM backfill
         WHERE connector = ?1 AND stopped_at IS NULL AND finished_at IS NULL";
    WANT = "-- backfill.want
        INSERT INTO backfill_wanted (connector, pd_id) VALUES (?1, ?2) ON CONFLICT (connector, pd_id) DO NOTHING";
    WANTED = "-- backfill.wanted
        SELECT MIN(pd_id), COUNT(*) FROM backfill_wanted WHERE connector = ?1";
    WANT_NO_MORE = "-- backfill.want_no_more
        DELETE FROM backfill_wanted WHERE connector = ?1 AND pd_id = ?2";
    FORGET_WANTED = "-- backfill.forget_wanted
        DELETE FROM backfill_wanted WHERE connector = ?1";
    FORGET = "-- backfill.forget
        DELETE FROM backfill WHERE connector = ?1";
}

/// Begins to read the past, in place of an earlier reading.
pub fn start(
    tx: &mut Tx<'_>,
    connector: &str,
    (since, until): (Timestamp, Timestamp),
    progress: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(FORGET_WANTED, params![connector])?;
    tx.execute(START, params![connector, since, until, now, progress])?;
    Ok(())
}

/// The reading of a connector.
pub fn find(tx: &mut Tx<'_>, connector: &str) -> Result<Option<BackfillRow>, StoreError> {
    tx.query_one(FIND, params![connector])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Takes the next step of a reading, if one is due and nobody has it.
pub fn claim(
    tx: &mut Tx<'_>,
    connector: &str,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Option<BackfillRow>, StoreError> {
    tx.query_one(CLAIM, params![connector, now, lease_until])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Keeps how far it is while a step is under way.
pub fn keep(tx: &mut Tx<'_>, connector: &str, progress: &str) -> Result<(), StoreError> {
    tx.execute(KEEP, params![connector, progress])?;
    Ok(())
}

/// A step is done; the next is due at `due_at`.
pub fn advance(
    tx: &mut Tx<'_>,
    connector: &str,
    progress: &str,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(ADVANCE, params![connector, progress, due_at])?;
    Ok(())
}

/// A step could not be done now.
pub fn postpone(tx: &mut Tx<'_>, connector: &str, due_at: Timestamp) -> Result<(), StoreError> {
    tx.execute(POSTPONE, params![connector, due_at])?;
    Ok(())
}

/// Adds to what it found.
pub fn count(tx: &mut Tx<'_>, connector: &str, found: Found) -> Result<(), StoreError> {
    let Found {
        created,
        updated,
        unchanged,
        failed,
        repaired: _,
    } = found;
    tx.execute(
        COUNT,
        params![connector, created, updated, unchanged, failed],
    )?;
    Ok(())
}

/// Stops it until somebody resumes it; `false` if none is under way.
pub fn stop(tx: &mut Tx<'_>, connector: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(STOP, params![connector, now])? == 1)
}

/// Goes on with one that was stopped; `false` if none was.
pub fn resume(tx: &mut Tx<'_>, connector: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(RESUME, params![connector, now])? == 1)
}

/// It is over.
pub fn finish(
    tx: &mut Tx<'_>,
    connector: &str,
    message: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(FINISH, params![connector, now, message])?;
    Ok(())
}

/// When its next step is due; `None` while none is under way.
pub fn next_due(tx: &mut Tx<'_>, connector: &str) -> Result<Option<Timestamp>, StoreError> {
    tx.query_one(NEXT_DUE, params![connector])?
        .map_or(Ok(None), |row| row.opt_time(0))
}

/// An incident has to be read by itself; asking twice is asking once.
pub fn want(tx: &mut Tx<'_>, connector: &str, pd_id: &str) -> Result<(), StoreError> {
    tx.execute(WANT, params![connector, pd_id])?;
    Ok(())
}

/// The next incident that has to be read by itself, and how many there are.
pub fn wanted(tx: &mut Tx<'_>, connector: &str) -> Result<(Option<String>, i64), StoreError> {
    match tx.query_one(WANTED, params![connector])? {
        Some(row) => Ok((row.opt_text(0)?.map(str::to_owned), row.int(1)?)),
        None => Ok((None, 0)),
    }
}

/// It is read, or cannot be.
pub fn want_no_more(tx: &mut Tx<'_>, connector: &str, pd_id: &str) -> Result<(), StoreError> {
    tx.execute(WANT_NO_MORE, params![connector, pd_id])?;
    Ok(())
}

/// Forgets the reading of a connector that is removed.
pub fn forget(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    tx.execute(FORGET_WANTED, params![connector])?;
    tx.execute(FORGET, params![connector])?;
    Ok(())
}

fn read(row: &Row) -> Result<BackfillRow, StoreError> {
    Ok(BackfillRow {
        connector: row.text(0)?.to_owned(),
        since: row.time(1)?,
        until: row.time(2)?,
        started_at: row.time(3)?,
        attempt: row.number(4)?,
        progress: row.text(5)?.to_owned(),
        found: Found {
            created: row.int(6)?,
            updated: row.int(7)?,
            unchanged: row.int(8)?,
            failed: row.int(9)?,
            repaired: 0,
        },
        stopped_at: row.opt_time(10)?,
        finished_at: row.opt_time(11)?,
        message: row.opt_text(12)?.map(str::to_owned),
    })
}
