//! The list of open incidents, and those that are open here and were not on it.

use im_pagerduty::{IncidentRead, PAGE_SIZE, Page, ROWS_MAX};
use im_store::repair::{self, RunRow};
use im_store::{StoreError, Tx, incidents};
use jiff::Timestamp;

use super::{Phase, Progress, counted};
use crate::connector::Connector;
use crate::read::Applied;

/// What a run asks for in one step when it looks for incidents that were not listed; the rest
/// comes in its next steps.
const UNSEEN_MAX: u32 = 500;

/// Applies a page of the list.
pub(super) fn page(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: &RunRow,
    page: &[IncidentRead],
    now: Timestamp,
) -> Result<(), StoreError> {
    for read in page {
        let id = read.snapshot.id.as_str();
        let applied = counted(tx, connector, run.id, read, now)?;
        if applied == Applied::Created {
            repair::want(tx, connector.name(), id, run.id, true, now)?;
        }
        incidents::mark_seen(tx, connector.name(), id, run.id)?;
    }
    Ok(())
}

/// What is read after a page.
pub(super) fn next(progress: &mut Progress, page: &Page<IncidentRead>) -> Phase {
    match page.next_offset {
        Some(offset) if offset + PAGE_SIZE <= ROWS_MAX => Phase::Open { offset },
        Some(_) => {
            progress
                .incomplete
                .push("more than 10,000 incidents are open: the newest were not listed".to_owned());
            Phase::Unseen
        }
        None => Phase::Unseen,
    }
}

/// Asks for incidents that were not listed, each once in a run; `false` if there are none left.
pub(super) fn want_unseen(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !connector.mapping.direction.receives() {
        return Ok(false);
    }
    let unseen = incidents::open_unseen(tx, connector.name(), run, UNSEEN_MAX)?;
    for pd_id in &unseen {
        repair::want(tx, connector.name(), pd_id, run, false, now)?;
        incidents::mark_seen(tx, connector.name(), pd_id, run)?;
    }
    Ok(!unseen.is_empty())
}
