//! `reopen_rate`: of the incidents resolved at least once, the share that was opened again.

use crate::columns::{Flags, Row};
use crate::plan::{Item, Measured, Plan};

pub(crate) fn items<'a>(_: &Plan<'a>, row: Row<'a>, emit: &mut impl FnMut(Item<'a>)) {
    if !row.is_left_out() && row.is_resolved_once() {
        let reopened = Measured::Share(row.is(Flags::REOPENED));
        emit(Item::of(row, row.trigger(), reopened));
    }
}
