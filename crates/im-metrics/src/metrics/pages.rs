//! `pages`: how often somebody was called.
//!
//! `source=incidents`: one page per incident triggered, for the incident's teams.
//! `source=notifications`: one per incident, person and episode, at the first message in it.
//! `source=acknowledgements`: one per acknowledgement by a person; the first resolve by a person where
//! nobody acknowledged. Pages by people are attributed to the person's teams. Merge sources stay in.

use crate::columns::{Flags, Page, PageKinds, PageMore, Paged, Row, Share};
use crate::plan::{Item, Measured, Plan, Sink, Teams};
use crate::query::{PageSource, Query};

/// Gives `sink` the pages of a share. Where a block of incidents is in one bucket, how many pages each has is all there
/// is to know.
#[inline(never)]
pub(crate) fn scan<'a, S: Sink<'a>>(plan: &'a Plan<'a>, share: Share, sink: &mut S) {
    let (kind, within) = plan.pages;
    let count = |paged: Paged| match plan.query.source {
        PageSource::Incidents => Some(1),
        PageSource::Notifications | PageSource::Acknowledgements => {
            paged.count(kind).map(|(count, _)| u64::from(count))
        }
    };
    for rows in plan.blocks_of(plan.cuts.range(), share) {
        let is_simple = within == 0 && plan.is_over(&rows);
        if is_simple && sink.take_all(rows.span(), || rows.sum(count)) {
            continue;
        }
        for row in plan.begun(rows) {
            if S::TAKES_ALL || plan.passes(row) {
                items(plan, row, sink);
            }
        }
    }
}

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is(Flags::TEST) {
        return;
    }
    match plan.query.source {
        PageSource::Incidents => sink.take(Item::of(row, row.trigger(), Measured::One)),
        PageSource::Notifications | PageSource::Acknowledgements => {
            let (kind, within) = plan.pages;
            if within == 0
                && let Some((count, until)) = row.paged().count(kind)
                && let Some(bucket) = sink.together(row.trigger(), row.trigger() + until)
            {
                // No item may stand for none: a group has at least one.
                if count > 0 {
                    sink.take(Item {
                        bucket: Some(bucket),
                        ..Item::of(row, row.trigger(), Measured::Many(count))
                    });
                }
                return;
            }
            for page in of_people(plan, row) {
                sink.take(item(row, page, Measured::One));
            }
        }
    }
}

/// A page of a person as an item.
#[inline(always)]
pub(super) fn item<'a>(
    row: Row<'a>,
    (page, more): (&Page, &'a PageMore),
    measured: Measured,
) -> Item<'a> {
    Item {
        user: page.user,
        ..Item::of(row, page.at, measured).by_teams(Teams::Of(more))
    }
}

/// The pages of people that the query counts.
pub(super) fn of_people<'a>(
    plan: &Plan<'a>,
    row: Row<'a>,
) -> impl Iterator<Item = (&'a Page, &'a PageMore)> + use<'a> {
    let (kind, within) = plan.pages;
    let pages = row.page_list();
    let all = pages.iter().zip(row.pages_more()).enumerate();
    let counted = all.filter(move |(place, (page, _))| {
        page.kinds.has(kind) && (within == 0 || !is_collapsed(pages, *place, kind, within))
    });
    counted.map(|(_, page)| page)
}

/// Which pages of people a query counts, and within how many microseconds of the person's last one that counts
/// another does not.
pub(crate) fn counted(query: &Query) -> (PageKinds, i64) {
    let kind = match (query.source, query.include_email) {
        (PageSource::Acknowledgements | PageSource::Incidents, _) => PageKinds::ACKNOWLEDGED,
        (PageSource::Notifications, false) => PageKinds::NOTIFIED,
        (PageSource::Notifications, true) => PageKinds::NOTIFIED_OR_MAILED,
    };
    (kind, i64::from(query.collapse_minutes) * 60_000_000)
}

/// Whether the page at a place is one with an earlier page of the same person.
#[inline(never)]
fn is_collapsed(pages: &[Page], place: usize, kind: PageKinds, within: i64) -> bool {
    let until = pages.get(..=place).unwrap_or_default();
    let user = until.last().map(|page| page.user);
    let mut last = None;
    let mut is_collapsed = false;
    for page in until {
        if page.kinds.has(kind) && Some(page.user) == user {
            is_collapsed = last.is_some_and(|last| page.at - last <= within);
            if !is_collapsed {
                last = Some(page.at);
            }
        }
    }
    is_collapsed
}
