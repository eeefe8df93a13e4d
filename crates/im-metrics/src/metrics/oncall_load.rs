//! `oncall_load`: per person, over pages by notification.
//!
//! Pages; the share that the person acknowledged in the episode, and the mean time to that; the share
//! out of hours; the pages that nobody acknowledged before the first escalation that followed.

use crate::columns::{Flags, PageKinds, Row};
use crate::metrics::pages;
use crate::plan::{Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is(Flags::TEST) {
        return;
    }
    for (page, more) in pages::of_people(plan, row) {
        let measured = Measured::Page {
            answered_after: more.answered_after,
            out_of_hours: page.kinds.has(PageKinds::OUT_OF_HOURS),
            escalated_away: page.kinds.has(PageKinds::ESCALATED_AWAY),
        };
        sink.take(pages::item(row, (page, more), measured));
    }
}
