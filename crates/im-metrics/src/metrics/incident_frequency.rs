//! `incident_frequency`: incidents triggered; their count, and count ÷ days in the bucket.

use crate::columns::Row;
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(_: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if !row.is_left_out() {
        sink.take(Item::of(row, row.trigger(), Measured::One));
    }
}
