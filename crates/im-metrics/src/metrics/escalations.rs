//! `escalations`: how often an incident moved along its policy, by when it did. Merge sources stay in.

use crate::columns::{Flags, Row};
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(_: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is(Flags::TEST) {
        return;
    }
    for at in row.escalation_list() {
        sink.take(Item::of(row, *at, Measured::One));
    }
}
