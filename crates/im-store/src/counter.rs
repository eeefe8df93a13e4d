//! Numbers without gaps in commit order.
//!
//! A sequence would hand out numbers outside the transaction, so a reader that remembers the
//! last number it saw could skip one that commits late. A row cannot do that: writers queue on it.

use crate::{StoreError, Tx, params};

const NEXT: &str = "-- counter.next
    INSERT INTO counter (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value
 RETURNING value";

const LAST: &str = "-- counter.last
    SELECT value FROM counter WHERE name = ?1";

/// Takes `count` numbers and returns the first. The first ever is 1.
pub fn next(tx: &mut Tx<'_>, name: &str, count: u32) -> Result<i64, StoreError> {
    let row = tx
        .query_one(NEXT, params![name, count])?
        .ok_or(StoreError::Stale)?;
    Ok(row.int(0)? - i64::from(count) + 1)
}

/// The last number taken, 0 if none was.
pub fn last(tx: &mut Tx<'_>, name: &str) -> Result<i64, StoreError> {
    tx.query_one(LAST, params![name])?
        .map_or(Ok(0), |row| row.int(0))
}

/// Every statement of this module, for the test that prepares them all.
pub const STATEMENTS: &[(&str, &str)] = &[("counter.next", NEXT), ("counter.last", LAST)];
