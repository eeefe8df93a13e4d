//! `mttr`: incidents with at least one resolve, not open now.
//!
//! Last resolve − trigger (`recovery=last`); first resolve − trigger (`first`); the sum of open
//! intervals (`open_time`, the resolve used is the last). Bucketed by trigger or by the resolve used;
//! its teams are the resolver's.

use crate::columns::{Flags, NEVER, Row};
use crate::input::ResolverKind;
use crate::plan::{Item, Measured, Plan, Sink, Teams};
use crate::query::{BucketBy, Recovery};

/// The resolve that a recovery uses.
pub(super) struct Used {
    pub(super) at: i64,
    pub(super) kind: ResolverKind,
    pub(super) teams: u32,
    /// From the trigger, or while it was open.
    pub(super) took: i64,
}

/// The resolve that the query uses; `None` for an incident that is open or never was resolved.
#[inline(always)]
pub(super) fn resolve_used(plan: &Plan<'_>, row: Row<'_>) -> Option<Used> {
    if row.is(Flags::OPEN) || row.last_resolve() == NEVER {
        return None;
    }
    let is_first = plan.query.recovery == Recovery::First;
    let (at, kind, teams) = if is_first {
        let teams = row.first_resolve_teams();
        (row.first_resolve(), row.first_resolve_kind(), teams)
    } else {
        let teams = row.last_resolve_teams();
        (row.last_resolve(), row.last_resolve_kind(), teams)
    };
    let took = match plan.query.recovery {
        Recovery::OpenTime => row.open_time(),
        Recovery::First | Recovery::Last => at - row.trigger(),
    };
    let used = Used {
        at,
        kind,
        teams,
        took,
    };
    Some(used)
}

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is_left_out() {
        return;
    }
    let Some(used) = resolve_used(plan, row) else {
        return;
    };
    let at = match plan.query.bucket_by {
        BucketBy::Triggered => row.trigger(),
        BucketBy::Resolved => used.at,
    };
    sink.take(Item {
        resolver: Some(used.kind),
        ..Item::of(row, at, Measured::Duration(used.took)).by_teams(Teams::Set(used.teams))
    });
}
