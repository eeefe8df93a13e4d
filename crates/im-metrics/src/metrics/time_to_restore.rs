//! `time_to_restore`: failures that were resolved.
//!
//! Valued as `mttr`; the headline is the median. Bucketed by the resolve used; its teams are the
//! incident's.

use crate::columns::Row;
use crate::metrics::mttr::resolve_used;
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if !row.is_failure() {
        return;
    }
    if let Some(used) = resolve_used(plan, row) {
        sink.take(Item {
            resolver: Some(used.kind),
            ..Item::of(row, used.at, Measured::Duration(used.took))
        });
    }
}
