//! What repair works on: runs over an account, and single incidents that have to be read.

use jiff::Timestamp;

use crate::statements::statements;
use crate::{Row, StoreError, Tx, counter, params};

/// One repair of one connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub connector: String,
    /// Why it was started.
    pub cause: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How far it is, as JSON.
    pub progress: String,
    /// How often its current step was tried.
    pub attempt: u32,
    /// What it found.
    pub found: Found,
    /// What is incomplete, if anything.
    pub message: Option<String>,
}

/// What a repair found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Incidents that were not here.
    pub created: i64,
    /// Incidents that changed.
    pub updated: i64,
    /// Incidents that were right already.
    pub unchanged: i64,
    /// Incidents that could not be read.
    pub failed: i64,
    /// Differences that a webhook should have told us.
    pub repaired: i64,
}

/// An incident of PagerDuty's that has to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRow {
    /// By which connector.
    pub connector: String,
    /// PagerDuty's id.
    pub pd_id: String,
    /// The run that waits for it, 0 for none; below that, a look that the engine planned ahead.
    pub run: i64,
    /// Whether its log is wanted too.
    pub with_log: bool,
    /// How far the log was read; `None` while the incident itself comes first.
    pub log_offset: Option<u32>,
    /// How often it was tried.
    pub attempt: u32,
    /// When it was to be read.
    pub due_at: Timestamp,
}

statements! {
    START = "-- repair.start
        INSERT INTO sync_run (id, connector, cause, started_at, due_at, progress) VALUES (?1, ?2, ?3, ?4, ?4, ?5)";
    UNFINISHED = "-- repair.unfinished
        SELECT id, connector, cause, started_at, finished_at, progress, attempt, created, updated, unchanged, failed,
               repaired, message
          FROM sync_run WHERE connector = ?1 AND finished_at IS NULL ORDER BY id LIMIT 1";
    BY_ID = "-- repair.by_id
        SELECT id, connector, cause, started_at, finished_at, progress, attempt, created, updated, unchanged, failed,
               repaired, message
          FROM sync_run WHERE id = ?1";
    LAST = "-- repair.last
        SELECT id, connector, cause, started_at, finished_at, progress, attempt, created, updated, unchanged, failed,
               repaired, message
          FROM sync_run WHERE connector = ?1 AND finished_at IS NOT NULL ORDER BY id DESC LIMIT 1";
    CLAIM = "-- repair.claim
        UPDATE sync_run SET lease_until = ?3, attempt = attempt + 1
         WHERE id = ?1 AND due_at <= ?2 AND lease_until <= ?2 AND finished_at IS NULL
     RETURNING id, connector, cause, started_at, finished_at, progress, attempt, created, updated, unchanged, failed,
               repaired, message";
    ADVANCE = "-- repair.advance
        UPDATE sync_run SET progress = ?2, due_at = ?3, lease_until = 0, attempt = 0 WHERE id = ?1";
    KEEP = "-- repair.keep
        UPDATE sync_run SET progress = ?2 WHERE id = ?1";
    POSTPONE = "-- repair.postpone
        UPDATE sync_run SET due_at = ?2, lease_until = 0 WHERE id = ?1";
    COUNT = "-- repair.count
        UPDATE sync_run SET created = created + ?2, updated = updated + ?3, unchanged = unchanged + ?4,
               failed = failed + ?5, repaired = repaired + ?6
         WHERE id = ?1";
    FINISH = "-- repair.finish
        UPDATE sync_run SET finished_at = ?2, message = ?3, lease_until = 0 WHERE id = ?1";
    NEXT_DUE = "-- repair.next_due
        SELECT CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END FROM sync_run
         WHERE connector = ?1 AND finished_at IS NULL ORDER BY id LIMIT 1";
    REPAIRED_SINCE = "-- repair.repaired_since
        SELECT CAST(COALESCE(SUM(repaired), 0) AS BIGINT) FROM sync_run WHERE connector = ?1 AND started_at >= ?2";
    FORGET_OLD = "-- repair.forget_old
        DELETE FROM sync_run
         WHERE id IN (SELECT id FROM sync_run ORDER BY id LIMIT ?2) AND finished_at < ?1
           AND EXISTS (SELECT 1 FROM sync_run AS later
                        WHERE later.connector = sync_run.connector AND later.finished_at IS NOT NULL
                          AND later.id > sync_run.id)";
    WANT = "-- repair.want
        INSERT INTO wanted (connector, pd_id, run, with_log, due_at) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (connector, pd_id) DO UPDATE
           SET run = CASE WHEN wanted.run <= 0 THEN excluded.run ELSE wanted.run END,
               with_log = CASE WHEN excluded.with_log = 1 THEN 1 ELSE wanted.with_log END,
               -- A look that was for later, and not yet tried, is for now.
               due_at = CASE WHEN wanted.attempt = 0 AND wanted.due_at > excluded.due_at
                             THEN excluded.due_at ELSE wanted.due_at END,
               log_offset = CASE WHEN wanted.attempt = 0 AND wanted.due_at > excluded.due_at
                                 THEN NULL ELSE wanted.log_offset END";
    WANT_LOG_LATER = "-- repair.want_log_later
        INSERT INTO wanted (connector, pd_id, run, with_log, log_offset, due_at) VALUES (?1, ?2, ?3, 1, 0, ?4)
            ON CONFLICT (connector, pd_id) DO NOTHING";
    WANTED_DUE = "-- repair.wanted_due
        UPDATE wanted SET lease_until = ?3, attempt = attempt + 1
         WHERE connector = ?1
           AND pd_id IN (SELECT pd_id FROM wanted
                          WHERE connector = ?1 AND due_at <= ?2 AND lease_until <= ?2 ORDER BY due_at, pd_id LIMIT ?4)
           AND lease_until <= ?2 -- again: another worker may have won since
     RETURNING connector, pd_id, run, with_log, log_offset, attempt, due_at";
    WANTED_ONE = "-- repair.wanted_one
        SELECT connector, pd_id, run, with_log, log_offset, attempt, due_at FROM wanted
         WHERE connector = ?1 AND pd_id = ?2";
    WANTED_LOG = "-- repair.wanted_log
        UPDATE wanted SET log_offset = ?3, due_at = ?4, lease_until = 0, attempt = 0 WHERE connector = ?1 AND pd_id = ?2";
    WANTED_LATER = "-- repair.wanted_later
        UPDATE wanted SET due_at = ?3, lease_until = 0 WHERE connector = ?1 AND pd_id = ?2";
    WANTED_DONE = "-- repair.wanted_done
        DELETE FROM wanted WHERE connector = ?1 AND pd_id = ?2";
    WANTED_OF_RUN = "-- repair.wanted_of_run
        SELECT COUNT(*) FROM wanted WHERE connector = ?1 AND run = ?2";
    WANT_NOTHING = "-- repair.want_nothing
        DELETE FROM wanted WHERE connector = ?1";
    WANTED_NEXT = "-- repair.wanted_next
        SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) FROM wanted WHERE connector = ?1";
}

/// Begins a repair.
pub fn start(
    tx: &mut Tx<'_>,
    connector: &str,
    cause: &str,
    progress: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let id = counter::next(tx, "sync_run", 1)?;
    tx.execute(START, params![id, connector, cause, now, progress])?;
    Ok(id)
}

/// Forgets, among the oldest `limit`, repairs that ended before `before`, but for the last one of each connector.
pub fn forget_old(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<(), StoreError> {
    tx.execute(FORGET_OLD, params![before, limit])?;
    Ok(())
}

/// The repair that is under way.
pub fn unfinished(tx: &mut Tx<'_>, connector: &str) -> Result<Option<RunRow>, StoreError> {
    tx.query_one(UNFINISHED, params![connector])?
        .as_ref()
        .map(read_run)
        .transpose()
}

/// One repair.
pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<RunRow>, StoreError> {
    tx.query_one(BY_ID, params![id])?
        .as_ref()
        .map(read_run)
        .transpose()
}

/// The last repair that ended.
pub fn last(tx: &mut Tx<'_>, connector: &str) -> Result<Option<RunRow>, StoreError> {
    tx.query_one(LAST, params![connector])?
        .as_ref()
        .map(read_run)
        .transpose()
}

/// Takes the next step of a repair, unless somebody else has it or it is not due.
pub fn claim(
    tx: &mut Tx<'_>,
    id: i64,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Option<RunRow>, StoreError> {
    tx.query_one(CLAIM, params![id, now, lease_until])?
        .as_ref()
        .map(read_run)
        .transpose()
}

/// The step is done; the next one is due at `due_at`.
pub fn advance(
    tx: &mut Tx<'_>,
    id: i64,
    progress: &str,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(ADVANCE, params![id, progress, due_at])?;
    Ok(())
}

/// The step under lease has come so far.
pub fn keep(tx: &mut Tx<'_>, id: i64, progress: &str) -> Result<(), StoreError> {
    tx.execute(KEEP, params![id, progress])?;
    Ok(())
}

/// The step has to be tried again.
pub fn postpone(tx: &mut Tx<'_>, id: i64, due_at: Timestamp) -> Result<(), StoreError> {
    tx.execute(POSTPONE, params![id, due_at])?;
    Ok(())
}

/// Adds to what a repair found.
pub fn count(tx: &mut Tx<'_>, id: i64, found: Found) -> Result<(), StoreError> {
    let Found {
        created,
        updated,
        unchanged,
        failed,
        repaired,
    } = found;
    tx.execute(
        COUNT,
        params![id, created, updated, unchanged, failed, repaired],
    )?;
    Ok(())
}

/// The repair is over.
pub fn finish(
    tx: &mut Tx<'_>,
    id: i64,
    message: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(FINISH, params![id, now, message])?;
    Ok(())
}

/// When the repair under way has its next step.
pub fn next_due(tx: &mut Tx<'_>, connector: &str) -> Result<Option<Timestamp>, StoreError> {
    tx.query_one(NEXT_DUE, params![connector])?
        .map_or(Ok(None), |row| row.opt_time(0))
}

/// How many differences repairs found since `since`.
pub fn repaired_since(
    tx: &mut Tx<'_>,
    connector: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    tx.query_one(REPAIRED_SINCE, params![connector, since])?
        .map_or(Ok(0), |row| row.int(0))
}

/// Asks for an incident to be read, with its log if `with_log`; asking twice is asking once.
pub fn want(
    tx: &mut Tx<'_>,
    connector: &str,
    pd_id: &str,
    run: i64,
    with_log: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(WANT, params![connector, pd_id, run, with_log, now])?;
    Ok(())
}

/// Asks for an incident's log alone, later; whoever wants it already gets it first.
pub fn want_log_later(
    tx: &mut Tx<'_>,
    connector: &str,
    pd_id: &str,
    run: i64,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(WANT_LOG_LATER, params![connector, pd_id, run, due_at])?;
    Ok(())
}

/// Nothing is to be read of a connector any more.
pub fn want_nothing(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    tx.execute(WANT_NOTHING, params![connector])?;
    Ok(())
}

/// Takes incidents that are due to be read.
pub fn claim_wanted(
    tx: &mut Tx<'_>,
    connector: &str,
    lease_until: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<WantedRow>, StoreError> {
    let rows = tx.query(WANTED_DUE, params![connector, now, lease_until, limit])?;
    let mut rows: Vec<WantedRow> = rows.iter().map(read_wanted).collect::<Result<_, _>>()?;
    rows.sort_by(|a, b| a.pd_id.cmp(&b.pd_id));
    Ok(rows)
}

/// Whether and how an incident is wanted.
pub fn wanted(
    tx: &mut Tx<'_>,
    connector: &str,
    pd_id: &str,
) -> Result<Option<WantedRow>, StoreError> {
    tx.query_one(WANTED_ONE, params![connector, pd_id])?
        .as_ref()
        .map(read_wanted)
        .transpose()
}

/// The incident is read; its log comes next, from `offset`.
pub fn want_log(
    tx: &mut Tx<'_>,
    connector: &str,
    pd_id: &str,
    offset: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(WANTED_LOG, params![connector, pd_id, offset, now])?;
    Ok(())
}

/// It could not be read now.
pub fn want_later(
    tx: &mut Tx<'_>,
    connector: &str,
    pd_id: &str,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(WANTED_LATER, params![connector, pd_id, due_at])?;
    Ok(())
}

/// It is read, or cannot be.
pub fn want_no_more(tx: &mut Tx<'_>, connector: &str, pd_id: &str) -> Result<(), StoreError> {
    tx.execute(WANTED_DONE, params![connector, pd_id])?;
    Ok(())
}

/// How many incidents a run still waits for.
pub fn wanted_of_run(tx: &mut Tx<'_>, connector: &str, run: i64) -> Result<i64, StoreError> {
    tx.query_one(WANTED_OF_RUN, params![connector, run])?
        .map_or(Ok(0), |row| row.int(0))
}

/// When the next incident is due to be read.
pub fn wanted_next_due(tx: &mut Tx<'_>, connector: &str) -> Result<Option<Timestamp>, StoreError> {
    tx.query_one(WANTED_NEXT, params![connector])?
        .map_or(Ok(None), |row| row.opt_time(0))
}

fn read_run(row: &Row) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        id: row.int(0)?,
        connector: row.text(1)?.to_owned(),
        cause: row.text(2)?.to_owned(),
        started_at: row.time(3)?,
        finished_at: row.opt_time(4)?,
        progress: row.text(5)?.to_owned(),
        attempt: row.number(6)?,
        found: Found {
            created: row.int(7)?,
            updated: row.int(8)?,
            unchanged: row.int(9)?,
            failed: row.int(10)?,
            repaired: row.int(11)?,
        },
        message: row.opt_text(12)?.map(str::to_owned),
    })
}

fn read_wanted(row: &Row) -> Result<WantedRow, StoreError> {
    Ok(WantedRow {
        connector: row.text(0)?.to_owned(),
        pd_id: row.text(1)?.to_owned(),
        run: row.int(2)?,
        with_log: row.bool(3)?,
        log_offset: row.opt_number(4)?,
        attempt: row.number(5)?,
        due_at: row.time(6)?,
    })
}
