//! `open_incidents`: incidents open just before the first instant after the bucket's last date in the
//! range, or at `as_of_time` if that is earlier. Merge sources are open until they were merged.

use crate::columns::{Flags, Row};
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is(Flags::TEST) {
        return;
    }
    let open = Measured::Open {
        number: row.number(),
        since: row.trigger(),
    };
    for (bucket, end) in plan.cuts.ends().enumerate() {
        if is_open_at(row, end, plan.as_of) {
            sink.take(Item {
                bucket: Some(bucket),
                ..Item::of(row, row.trigger(), open)
            });
        }
    }
}

/// Resolves and reopens take turns, the first being a resolve.
fn is_open_at(row: Row<'_>, end: i64, as_of: i64) -> bool {
    let has_come = |at: i64| if as_of < end { at <= as_of } else { at < end };
    let turns = row.turn_list().iter();
    has_come(row.trigger())
        && turns
            .take_while(|at| has_come(**at))
            .count()
            .is_multiple_of(2)
}
