//! Counts per minute: calls, errors, webhooks. What status and health are read off.

use jiff::{SignedDuration, Timestamp};

use crate::statements::statements;
use crate::{StoreError, Tx, params};

const MICROS_PER_MINUTE: i64 = 60_000_000;

statements! {
    ADD = "-- tallies.add
        INSERT INTO tally (connector, minute, what, n) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (connector, minute, what) DO UPDATE SET n = tally.n + excluded.n";
    SINCE = "-- tallies.since
        SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM tally WHERE connector = ?1 AND minute >= ?2 AND what = ?3";
    ALL_SINCE = "-- tallies.all_since
        SELECT what, CAST(SUM(n) AS BIGINT) FROM tally WHERE connector = ?1 AND minute >= ?2 GROUP BY what";
    PEAK = "-- tallies.peak
        INSERT INTO tally (connector, minute, what, n) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (connector, minute, what) DO UPDATE SET n = excluded.n WHERE tally.n < excluded.n";
    PEAK_SINCE = "-- tallies.peak_since
        SELECT COALESCE(MAX(n), 0) FROM tally WHERE connector = ?1 AND minute >= ?2 AND what = ?3";
    LATEST = "-- tallies.latest
        SELECT MAX(minute) FROM tally WHERE connector = ?1 AND minute >= ?2 AND what = ?3 AND n > 0";
    LONGEST_PAUSE = "-- tallies.longest_pause
        SELECT MAX(pause) FROM (
            SELECT minute - LAG(minute) OVER (ORDER BY minute) AS pause
              FROM tally WHERE connector = ?1 AND minute >= ?2 AND what = ?3) AS pauses";
    FORGET = "-- tallies.forget
        DELETE FROM tally WHERE connector = ?1 AND minute < ?2";
}

/// Adds `n` to the count of `what` in this minute.
pub fn add(
    tx: &mut Tx<'_>,
    connector: &str,
    what: &str,
    n: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(ADD, params![connector, minute(now), what, n])?;
    Ok(())
}

/// The count of `what` since `since`, to the minute.
pub fn since(
    tx: &mut Tx<'_>,
    connector: &str,
    what: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    tx.query_one(SINCE, params![connector, minute(since), what])?
        .map_or(Ok(0), |row| row.int(0))
}

/// Every count since `since`, to the minute, each under its name.
pub fn all_since(
    tx: &mut Tx<'_>,
    connector: &str,
    since: Timestamp,
) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = tx.query(ALL_SINCE, params![connector, minute(since)])?;
    let read = |row: &crate::Row| Ok((row.text(0)?.to_owned(), row.int(1)?));
    rows.iter().map(read).collect()
}

/// Keeps the highest value of `what` in this minute.
pub fn peak(
    tx: &mut Tx<'_>,
    connector: &str,
    what: &str,
    n: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(PEAK, params![connector, minute(now), what, n])?;
    Ok(())
}

/// The highest value of `what` since `since`, to the minute.
pub fn peak_since(
    tx: &mut Tx<'_>,
    connector: &str,
    what: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    tx.query_one(PEAK_SINCE, params![connector, minute(since), what])?
        .map_or(Ok(0), |row| row.int(0))
}

/// The last minute since `since` in which there was any `what`.
pub fn latest(
    tx: &mut Tx<'_>,
    connector: &str,
    what: &str,
    since: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let found = tx.query_one(LATEST, params![connector, minute(since), what])?;
    let minute = found.map_or(Ok(None), |row| row.opt_int(0))?;
    let micros = minute.and_then(|minute| minute.checked_mul(MICROS_PER_MINUTE));
    Ok(micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
}

/// The longest time since `since` between two counts of `what`, to the minute.
pub fn longest_pause(
    tx: &mut Tx<'_>,
    connector: &str,
    what: &str,
    since: Timestamp,
) -> Result<Option<SignedDuration>, StoreError> {
    let row = tx.query_one(LONGEST_PAUSE, params![connector, minute(since), what])?;
    let minutes = row.map(|row| row.opt_int(0)).transpose()?.flatten();
    Ok(minutes.map(SignedDuration::from_mins))
}

/// Drops what is older than `before`.
pub fn forget(tx: &mut Tx<'_>, connector: &str, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET, params![connector, minute(before)])?;
    Ok(())
}

fn minute(at: Timestamp) -> i64 {
    at.as_microsecond().div_euclid(MICROS_PER_MINUTE)
}
