//! How far our clock is from PagerDuty's, as each answer tells (S31).
//!
//! PagerDuty's instants date what happened there, so a wrong clock here spoils no figure; but a
//! person must know of it. Kept in whole seconds, because answers tell no more.

use im_pagerduty::Limits;
use im_store::{StoreError, Tx, settings};
use jiff::Timestamp;

fn key(connector: &str) -> String {
    format!("clock_ahead_s:{connector}")
}

/// Notes what an answer proves about the clocks, for a call that left after `at`.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    connector: &str,
    limits: &Limits,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(ahead) = limits.clock_ahead(at, now) else {
        return Ok(());
    };
    let seconds = ahead.as_secs();
    if ahead_s(tx, connector)? != Some(seconds) {
        settings::put(tx, &key(connector), &seconds.to_string())?;
    }
    Ok(())
}

/// Forgets what was measured.
pub(crate) fn forget(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    settings::put(tx, &key(connector), "")
}

/// Seconds by which our clock is ahead of PagerDuty's, negative if it is behind; `None` if no
/// answer has told the time yet.
pub fn ahead_s(tx: &mut Tx<'_>, connector: &str) -> Result<Option<i64>, StoreError> {
    let noted = settings::get(tx, &key(connector))?;
    Ok(noted.and_then(|text| text.parse().ok()))
}
