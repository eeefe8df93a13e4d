//! What is forgotten because it is old: figures and lists that nobody looks so far back in.

use im_store::{StoreError, Tx, connector_events, repair, tallies};
use jiff::{SignedDuration, Timestamp};

/// How long counts per minute, comparisons and changes of connectors are kept: longer than any figure
/// looks back ([`crate::silence`] looks four weeks).
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7 * 8);

/// Forgets it.
pub fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let before = now - KEPT;
    tallies::forget(tx, before)?;
    repair::forget_old(tx, before)?;
    connector_events::forget_old(tx, before)
}
