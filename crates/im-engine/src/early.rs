//! Whom PagerDuty paged, and to whom it gave a new incident: no webhook tells it, its log does.
//!
//! Invariants
//! - A new incident's log is read twice, a few seconds and half a minute after we heard of it: two
//!   calls for an incident, whatever happens to it.
//! - Where many incidents begin at once the next repair tells of the rest, so a storm costs nobody
//!   the calls that people wait for.
//! - Such a look is not tried again, and not made long after its time: then the next repair tells,
//!   and counts what it finds.
//! - A read that somebody else wants takes the place of such a look.

use im_store::repair::{self, WantedRow};
use im_store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};

use crate::connector::Connector;

/// The first look: PagerDuty notifies within seconds.
const FIRST: Look = Look {
    mark: -1,
    after: SignedDuration::from_secs(3),
};
/// The second look, counted from the first: what was still on its way, and the next channel.
const SECOND: Look = Look {
    mark: -2,
    after: SignedDuration::from_secs(27),
};
/// A look that is later than this is not made.
const STALE: SignedDuration = SignedDuration::from_secs(30);
/// So many incidents of a connector are looked at in this way at a time.
const OPEN_MAX: i64 = 20;

struct Look {
    /// Stands where the number of a repair would: no repair has a number below one.
    mark: i64,
    after: SignedDuration,
}

/// Asks for the log of an incident that has just begun.
pub(crate) fn look_soon(
    tx: &mut Tx<'_>,
    connector: &Connector,
    pd_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = connector.name();
    let open = repair::wanted_of_run(tx, name, FIRST.mark)?
        + repair::wanted_of_run(tx, name, SECOND.mark)?;
    if connector.mapping.direction.receives() && open < OPEN_MAX {
        repair::want_log_later(tx, name, pd_id, FIRST.mark, now + FIRST.after)?;
    }
    Ok(())
}

/// Whether nobody else wants it.
pub(crate) fn is_look(wanted: &WantedRow) -> bool {
    wanted.run < 0
}

/// Whether it is a look whose time is over.
pub(crate) fn is_stale(wanted: &WantedRow, now: Timestamp) -> bool {
    is_look(wanted) && now.duration_since(wanted.due_at) > STALE
}

/// A log is read to its end: there may be another look to come.
pub(crate) fn looked(
    tx: &mut Tx<'_>,
    wanted: &WantedRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (name, id) = (&wanted.connector, &wanted.pd_id);
    repair::want_no_more(tx, name, id)?;
    if wanted.run == FIRST.mark {
        repair::want_log_later(tx, name, id, SECOND.mark, now + SECOND.after)?;
    }
    Ok(())
}
