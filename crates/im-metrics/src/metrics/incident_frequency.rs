//! `incident_frequency`: incidents triggered; their count, and count ÷ days in the bucket.

use crate::columns::Row;
use crate::plan::{Item, Measured, Plan};

pub(crate) fn items<'a>(_: &Plan<'a>, row: Row<'a>, emit: &mut impl FnMut(Item<'a>)) {
    if !row.is_left_out() {
        emit(Item::of(row, row.trigger(), Measured::One));
    }
}
