//! What is forgotten because it is old: figures and lists that nobody looks so far back in.

use im_store::{StoreError, Tx, connector_events, connectors, repair, sent_forms, tallies};
use jiff::{SignedDuration, Timestamp};

/// How long counts per minute, comparisons, changes of connectors and forms that were sent are kept: longer than any figure
/// looks back ([`crate::silence`] looks four weeks).
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7 * 8);

/// Comparisons that are looked at in one go: more than are made from one go to the next.
const RUNS_MAX: u32 = 5_000;

/// Forgets it.
pub fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let before = now - KEPT;
    for connector in connectors::all(tx)? {
        tallies::forget(tx, &connector.name, before)?;
    }
    repair::forget_old(tx, before, RUNS_MAX)?;
    sent_forms::forget(tx, before)?;
    connector_events::forget_old(tx, before)
}
