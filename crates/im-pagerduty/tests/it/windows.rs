//! Long lists in windows.

use im_pagerduty::{Call, Listing, Page, Walk, Window};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::support::at;

const CAP: usize = 10_000;

/// PagerDuty's list of rows at the given seconds: at most 100 a page, nothing past the cap.
fn answer(rows: &[i64], call: &Call) -> Option<Page<i64>> {
    let (since, until, offset) = match call {
        Call::ListIncidents {
            since,
            until,
            offset,
        }
        | Call::ListLogEntries {
            since,
            until,
            offset,
        } => (
            since.as_second(),
            until.as_second(),
            usize::try_from(*offset).unwrap(),
        ),
        other => panic!("{other:?}"),
    };
    if offset + 100 > CAP {
        return None;
    }
    let inside: Vec<i64> = rows
        .iter()
        .copied()
        .filter(|row| since <= *row && *row <= until)
        .collect();
    let items: Vec<i64> = inside.iter().copied().skip(offset).take(100).collect();
    let end = offset + items.len();
    let more = end < inside.len();
    Some(Page {
        unreadable: 0,
        more,
        total: (offset == 0).then(|| u64::try_from(inside.len()).unwrap()),
        next_offset: more.then(|| u32::try_from(end).unwrap()),
        items,
    })
}

/// Reads everything; gives the rows in the order read, and the walk.
fn walk(listing: Listing, rows: &[i64], since: Timestamp, until: Timestamp) -> (Vec<i64>, Walk) {
    let mut walk = Walk::new(listing, since, until);
    let mut read = Vec::new();
    for _ in 0..100_000 {
        let Some(call) = walk.call() else {
            return (read, walk);
        };
        match answer(rows, &call) {
            Some(page) => {
                walk.took(&page);
                read.extend(page.items);
            }
            None => walk.too_large(),
        }
    }
    panic!("goes on for ever");
}

/// The windows of a walk over an account where nothing ever happened.
fn windows(listing: Listing, since: Timestamp, until: Timestamp) -> Vec<Window> {
    let mut walk = Walk::new(listing, since, until);
    let mut windows = Vec::new();
    while let Some(window) = walk.window() {
        windows.push(window);
        walk.took(&Page::<()> {
            items: Vec::new(),
            unreadable: 0,
            more: false,
            total: Some(0),
            next_offset: None,
        });
    }
    windows
}

#[test]
fn s87_each_list_is_cut_to_what_pagerduty_allows_for_it_oldest_first() {
    let (since, until) = (at("2024-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    // The days that a window may have, and how many of them two years need.
    for (listing, days, count) in [(Listing::Incidents, 180, 5), (Listing::LogEntries, 1, 731)] {
        let windows = windows(listing, since, until);
        assert_eq!(windows.len(), count, "{listing:?}");
        assert_eq!((windows[0].since, windows[count - 1].until), (since, until));
        for pair in windows.windows(2) {
            assert_eq!(pair[0].until, pair[1].since);
        }
        let longest = SignedDuration::from_hours(days * 24);
        assert!(
            windows
                .iter()
                .all(|window| window.since.duration_until(window.until) <= longest)
        );
    }
}

#[test]
fn s76_more_than_ten_thousand_rows_are_read_by_splitting() {
    let since = at("2026-03-01T00:00:00Z");
    let rows: Vec<i64> = (0..17_495).map(|row| since.as_second() + row * 4).collect();
    let until = at("2026-03-01T23:59:59Z");
    let (mut read, walk) = walk(Listing::LogEntries, &rows, since, until);
    read.sort_unstable();
    read.dedup();
    assert_eq!(read, rows);
    assert_eq!(walk.gaps(), []);
}

#[test]
fn s76_a_second_with_too_many_rows_is_reported_not_passed_over() {
    let since = at("2026-03-01T00:00:00Z");
    let burst = since.as_second() + 100;
    let mut rows = vec![burst; 10_001];
    rows.push(burst + 500);
    let (read, walk) = walk(Listing::Incidents, &rows, since, at("2026-03-02T00:00:00Z"));
    assert!(!walk.gaps().is_empty());
    assert!(
        walk.gaps()
            .iter()
            .all(|gap| gap.until.as_second() - gap.since.as_second() == 1)
    );
    // What comes after the burst is read all the same.
    assert!(read.contains(&(burst + 500)));
}

#[test]
fn rows_that_were_promised_and_did_not_come_are_a_gap() {
    let (since, until) = (at("2026-03-01T00:00:00Z"), at("2026-03-01T01:00:00Z"));
    let page = |items: usize, total, more, next_offset| Page {
        items: vec![(); items],
        unreadable: 0,
        more,
        total,
        next_offset,
    };
    let mut walk = Walk::new(Listing::Incidents, since, until);
    walk.took(&page(100, Some(250), true, Some(100)));
    walk.took(&page(20, None, false, None));
    assert_eq!(walk.gaps(), [Window { since, until }]);
    assert_eq!(walk.call(), None);
    let mut walk = Walk::new(Listing::Incidents, since, until);
    walk.took(&page(0, None, true, None));
    assert_eq!(walk.gaps(), [Window { since, until }]);
}

#[test]
fn a_refused_window_is_halved_down_to_a_second() {
    let since = at("2026-03-01T00:00:00.25Z");
    let mut walk = Walk::new(Listing::LogEntries, since, at("2026-03-01T00:00:04Z"));
    let mut refused = 0;
    while walk.call().is_some() {
        walk.too_large();
        refused += 1;
    }
    assert_eq!(refused, 7);
    assert_eq!(walk.gaps().len(), 4);
}

#[test]
fn a_walk_goes_on_where_it_was_stored() {
    let since = at("2026-03-01T00:00:00Z");
    let mut walk = Walk::new(Listing::Incidents, since, at("2027-03-01T00:00:00Z"));
    walk.too_large();
    let stored = serde_json::to_string(&walk).unwrap();
    assert_eq!(serde_json::from_str::<Walk>(&stored).unwrap(), walk);
}

#[test]
fn an_empty_range_is_done() {
    let now = at("2026-03-01T00:00:00Z");
    assert_eq!(Walk::new(Listing::Incidents, now, now).call(), None);
    let before = at("2026-02-01T00:00:00Z");
    assert_eq!(Walk::new(Listing::Incidents, now, before).call(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(30) })]

    #[test]
    fn every_row_is_read(
        bursts in prop::collection::vec((0_i64..200_000, 1_usize..4_000), 1..12),
        length in 1_i64..200_000,
    ) {
        let since = at("2026-03-01T00:00:00Z");
        let start = since.as_second();
        let until = Timestamp::from_second(start + length).unwrap();
        let mut rows: Vec<i64> = bursts
            .into_iter()
            .flat_map(|(second, count)| std::iter::repeat_n(start + second, count))
            .collect();
        rows.sort_unstable();
        let (read, walk) = walk(Listing::LogEntries, &rows, since, until);
        if walk.gaps().is_empty() {
            for row in rows.iter().filter(|row| **row <= until.as_second()) {
                prop_assert!(read.contains(row));
            }
        }
    }
}
