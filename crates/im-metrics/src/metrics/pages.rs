//! `pages`: how often somebody was called.
//!
//! `source=incidents`: one page per incident triggered, for the incident's teams.
//! `source=notifications`: one per incident, person and episode, at the first message in it.
//! `source=acknowledgements`: one per acknowledgement by a person; the first resolve by a person where
//! nobody acknowledged. Pages by people are attributed to the person's teams. Merge sources stay in.

use crate::columns::{Flags, Page, PageKinds, Row};
use crate::plan::{Item, Measured, Plan, Sink};
use crate::query::PageSource;

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is(Flags::TEST) {
        return;
    }
    match plan.query.source {
        PageSource::Incidents => sink.take(Item::of(row, row.trigger(), Measured::One)),
        PageSource::Notifications | PageSource::Acknowledgements => {
            for page in of_people(plan, row) {
                sink.take(item(row, page, Measured::One));
            }
        }
    }
}

/// A page of a person as an item.
pub(super) fn item<'a>(row: Row<'a>, page: &Page, measured: Measured) -> Item<'a> {
    Item {
        user: page.user,
        ..Item::of(row, page.at, measured).by_teams(page.teams)
    }
}

/// The pages of people that the query counts.
pub(super) fn of_people<'a>(
    plan: &Plan<'a>,
    row: Row<'a>,
) -> impl Iterator<Item = &'a Page> + use<'a> {
    let query = plan.query;
    let kind = match (query.source, query.include_email) {
        (PageSource::Acknowledgements | PageSource::Incidents, _) => PageKinds::ACKNOWLEDGED,
        (PageSource::Notifications, false) => PageKinds::NOTIFIED,
        (PageSource::Notifications, true) => PageKinds::NOTIFIED_OR_MAILED,
    };
    let within = i64::from(query.collapse_minutes) * 60_000_000;
    let mut counted: Vec<(u32, i64)> = Vec::new();
    let pages = row.page_list().iter();
    pages.filter(move |page| {
        if !page.kinds.has(kind) {
            return false;
        }
        if within == 0 {
            return true;
        }
        match counted.iter_mut().find(|(user, _)| *user == page.user) {
            Some((_, last)) if page.at - *last <= within => return false,
            Some((_, last)) => *last = page.at,
            None => counted.push((page.user, page.at)),
        }
        true
    })
}
