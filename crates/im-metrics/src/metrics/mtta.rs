//! `mtta`: incidents with at least one acknowledge, by any actor.
//!
//! First acknowledge − trigger; a self-assigned 0 s is kept. Bucketed by trigger; its teams are the
//! first acknowledger's.

use crate::columns::{Flags, Row};
use crate::plan::{Item, Measured, Plan, Sink, Teams};

#[inline(always)]
pub(crate) fn items<'a>(_: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is_left_out() || row.is(Flags::UNACKNOWLEDGED) {
        return;
    }
    let took = Measured::Duration(row.first_ack() - row.trigger());
    sink.take(Item::of(row, row.trigger(), took).by_teams(Teams::Set(row.first_ack_teams())));
}
