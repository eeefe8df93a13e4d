//! `reopen_rate`: of the incidents resolved at least once, the share that was opened again.

use crate::columns::{Flags, Row};
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(_: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if !row.is_left_out() && row.is_resolved_once() {
        let reopened = Measured::Share(row.is(Flags::REOPENED));
        sink.take(Item::of(row, row.trigger(), reopened));
    }
}
