//! `open_incidents`: incidents open just before the first instant after the bucket's last date in the
//! range, or at `as_of_time` if that is earlier. Merge sources are open until they were merged.

use crate::columns::{Flags, NEVER, Row};
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is(Flags::TEST) {
        return;
    }
    // Resolves and reopens take turns, the first being a resolve.
    let mut opened = row.trigger();
    for turn in row.turn_list().chunks(2) {
        let (closed, again) = (turn.first(), turn.get(1));
        add(plan, row, (opened, closed.map_or(NEVER, |at| *at)), sink);
        opened = again.copied().unwrap_or(NEVER);
    }
    add(plan, row, (opened, NEVER), sink);
}

/// Adds an incident to the buckets at whose ends it was open, from one instant until just before another.
fn add<'a>(plan: &Plan<'a>, row: Row<'a>, (opened, closed): (i64, i64), sink: &mut impl Sink<'a>) {
    let open = Measured::Open {
        number: row.number(),
        since: row.trigger(),
    };
    let by = |at| plan.cuts.ended_by(at, plan.as_of);
    for bucket in by(opened)..by(closed) {
        sink.take(Item {
            bucket: Some(bucket),
            ..Item::of(row, row.trigger(), open)
        });
    }
}
