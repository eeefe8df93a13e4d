//! Long lists in windows.

use im_pagerduty::{Call, Listing, Page, Walk, Window};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::support::at;

/// How PagerDuty answers: what is not documented, each way.
#[derive(Debug, Clone, Copy)]
struct Server {
    cap: usize,
    /// Whether a window has the second in which it ends.
    with_end: bool,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Up,
    Down,
    /// The odd places first.
    Odd,
}

const USUAL: Server = Server {
    cap: 10_000,
    with_end: true,
    order: Order::Up,
};

impl Server {
    /// Rows at the given seconds, sorted: at most 100 a page, nothing past the cap.
    fn answer(self, rows: &[i64], call: &Call) -> Option<Page<i64>> {
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
        if offset + 100 > self.cap {
            return None;
        }
        let is_inside =
            |row: &i64| since <= *row && (*row < until || self.with_end && *row == until);
        let mut inside: Vec<i64> = rows.iter().copied().filter(is_inside).collect();
        match self.order {
            Order::Up => {}
            Order::Down => inside.reverse(),
            Order::Odd => {
                let (odd, even): (Vec<_>, Vec<_>) = inside
                    .iter()
                    .enumerate()
                    .partition(|(place, _)| place % 2 == 1);
                inside = odd.into_iter().chain(even).map(|(_, row)| *row).collect();
            }
        }
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

    /// Reads everything; gives the rows in the order read, the walk, and how many calls it took.
    fn read(
        self,
        listing: Listing,
        rows: &[i64],
        since: Timestamp,
        until: Timestamp,
    ) -> (Vec<i64>, Walk, usize) {
        let mut walk = Walk::new(listing, since, until);
        let mut read = Vec::new();
        for calls in 0..100_000 {
            let Some(call) = walk.call() else {
                return (read, walk, calls);
            };
            match self.answer(rows, &call) {
                Some(page) => {
                    walk.took(&page, |second| Timestamp::from_second(*second).ok());
                    read.extend(page.items);
                }
                None => walk.too_large(),
            }
        }
        panic!("goes on for ever");
    }
}

/// Every way in which PagerDuty may answer.
fn servers() -> impl Iterator<Item = Server> {
    let ways = [Order::Up, Order::Down, Order::Odd];
    ways.into_iter().flat_map(|order| {
        [true, false].map(|with_end| Server {
            with_end,
            order,
            ..USUAL
        })
    })
}

fn second(from: i64) -> Window {
    Window {
        since: Timestamp::from_second(from).unwrap(),
        until: Timestamp::from_second(from + 1).unwrap(),
    }
}

/// The windows of a walk over an account where nothing ever happened.
fn windows(listing: Listing, since: Timestamp, until: Timestamp) -> Vec<Window> {
    let mut walk = Walk::new(listing, since, until);
    let mut windows = Vec::new();
    while let Some(window) = walk.window() {
        windows.push(window);
        let nothing = Page::<()> {
            items: Vec::new(),
            unreadable: 0,
            more: false,
            total: Some(0),
            next_offset: None,
        };
        walk.took(&nothing, |()| None);
    }
    windows
}

#[test]
fn s87_each_list_is_cut_to_what_pagerduty_allows_for_it_oldest_first() {
    let (since, until) = (at("2024-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    // The days that a window may have, and how many of them two years need.
    for (listing, days, count) in [
        (Listing::Incidents, 180, 5),
        (Listing::LogEntries, 1, 731),
        (Listing::History, 180, 5),
    ] {
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
fn s76_more_than_ten_thousand_rows_are_read_with_hardly_a_call_more() {
    let since = at("2026-03-01T00:00:00Z");
    let rows: Vec<i64> = (0..17_495).map(|row| since.as_second() + row * 4).collect();
    let until = at("2026-03-01T23:59:59Z");
    for server in servers() {
        let (mut read, walk, calls) = server.read(Listing::LogEntries, &rows, since, until);
        let count = read.len();
        read.sort_unstable();
        read.dedup();
        assert_eq!(read, rows, "{server:?}");
        assert_eq!(walk.gaps(), [], "{server:?}");
        if server.order != Order::Odd {
            assert!(calls <= 177, "of 175 that it takes: {calls}, {server:?}");
            assert_eq!(walk.rows(), u64::try_from(count).unwrap());
        }
    }
}

#[test]
fn s76_a_second_with_too_many_rows_is_reported_not_passed_over() {
    let since = at("2026-03-01T00:00:00Z");
    let burst = since.as_second() + 100;
    let mut rows: Vec<i64> = (0..50).map(|row| since.as_second() + row).collect();
    rows.extend([burst - 1; 7]);
    rows.extend(vec![burst; 10_001]);
    rows.extend([burst + 1; 9]);
    rows.push(burst + 500);
    for server in servers().filter(|server| server.order != Order::Odd) {
        let until = at("2026-03-02T00:00:00Z");
        let (mut read, walk, calls) = server.read(Listing::Incidents, &rows, since, until);
        assert_eq!(
            walk.gaps(),
            [second(burst)],
            "the one second is named, once: {server:?}"
        );
        // What comes before and after the burst is read all the same.
        let others = |rows: &[i64]| {
            let mut rows: Vec<i64> = rows.iter().copied().filter(|row| *row != burst).collect();
            rows.sort_unstable();
            rows.dedup();
            rows
        };
        assert_eq!(others(&read), others(&rows), "{server:?}");
        read.retain(|row| *row == burst);
        assert!(
            read.len() >= 10_000,
            "and of the second what is shown: {server:?}"
        );
        assert!(
            calls <= 310,
            "the burst is met three times at most: {calls} calls, {server:?}"
        );
    }
}

#[test]
fn s76_pagerduty_may_show_fewer_rows_than_we_think() {
    let since = at("2026-03-01T00:00:00Z");
    let rows: Vec<i64> = (0..2_000).map(|row| since.as_second() + row * 7).collect();
    for server in servers() {
        let server = Server { cap: 500, ..server };
        let (mut read, walk, calls) =
            server.read(Listing::History, &rows, since, at("2026-03-02T00:00:00Z"));
        read.sort_unstable();
        read.dedup();
        assert_eq!(read, rows, "{server:?}");
        assert_eq!(walk.gaps(), [], "{server:?}");
        if server.order != Order::Odd {
            assert!(calls <= 26, "it learns it once: {calls}, {server:?}");
        }
    }
}

#[test]
fn s25_what_is_covered_has_been_read() {
    let since = at("2026-03-01T00:00:00Z");
    let rows: Vec<i64> = (0..25_000).map(|row| since.as_second() + row * 3).collect();
    for server in servers() {
        let mut walk = Walk::new(Listing::LogEntries, since, at("2026-03-02T00:00:00Z"));
        let mut read = std::collections::BTreeSet::new();
        while let Some(call) = walk.call() {
            let covered = walk.covered().unwrap().as_second();
            let mut due = rows.iter().take_while(|row| **row < covered);
            assert!(due.all(|row| read.contains(row)), "{server:?}");
            let page = server.answer(&rows, &call).unwrap();
            walk.took(&page, |second| Timestamp::from_second(*second).ok());
            read.extend(page.items);
        }
        assert_eq!(walk.covered(), None);
    }
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
    walk.took(&page(100, Some(250), true, Some(100)), |()| None);
    walk.took(&page(20, None, false, None), |()| None);
    assert_eq!(walk.gaps(), [Window { since, until }]);
    assert_eq!(walk.call(), None);
    let mut walk = Walk::new(Listing::Incidents, since, until);
    walk.took(&page(0, None, true, None), |()| None);
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
        bursts in prop::collection::vec((0_i64..200_000, 1_usize..12_000), 1..8),
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
        for server in servers() {
            let (read, walk, _) = server.read(Listing::LogEntries, &rows, since, until);
            let read: std::collections::BTreeSet<i64> = read.into_iter().collect();
            let is_a_gap = |row: i64| walk.gaps().iter().any(|gap| {
                gap.since.as_second() <= row && row < gap.until.as_second()
            });
            for row in rows.iter().filter(|row| **row < until.as_second()) {
                prop_assert!(read.contains(row) || is_a_gap(*row), "{} {:?}", row, server);
            }
        }
    }
}
