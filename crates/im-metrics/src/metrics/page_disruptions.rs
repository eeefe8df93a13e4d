//! `page_disruptions`: the pages that people got, or the hours that held one.
//!
//! `measure=hours`: distinct local calendar hours of a person with at least one page, keyed by the
//! instant minus what has passed of the hour on the person's wall clock; distinct inside each cell.
//! `when`: a page is in working hours if the person's wall clock lies in an interval in force then.

use crate::columns::{Flags, Page, PageKinds, Row};
use crate::distinct::Hour;
use crate::metrics::pages;
use crate::plan::{Measured, Plan, Sink};
use crate::query::{Measure, Query, When};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is(Flags::TEST) {
        return;
    }
    for (page, more) in pages::of_people(plan, row) {
        let out = page.kinds.has(PageKinds::OUT_OF_HOURS);
        let counts = match plan.query.when {
            When::All => true,
            When::OutOfHours => out,
            When::WorkingHours => !out,
        };
        if counts {
            sink.take(pages::item(row, (page, more), measured(plan.query, page)));
        }
    }
}

fn measured(query: &Query, page: &Page) -> Measured {
    match query.measure {
        Measure::Pages => Measured::One,
        Measure::Hours => Measured::Hour {
            person: if query.distinct { 0 } else { page.user },
            hour: Hour::of(page.at, page.hours_early),
        },
    }
}
