//! Long lists, cut into windows of time that PagerDuty answers whole.
//!
//! PagerDuty refuses rows past [`ROWS_MAX`] and ranges past some months, each list its own
//! (`docs/pagerduty/rest.md`, "Limits"). A [`Walk`] goes through a range oldest first. Where a
//! window has more rows than PagerDuty shows, it goes on from the second of the last row that was
//! shown, if the rows came in order, else by halves; and it says where it could not read everything.
//! That the rows came in order is believed if the rest has as many rows as were left: of rows that are
//! sorted in another way, the first may look as if they were in order.
//!
//! Windows touch at whole seconds, and rows of that second may come twice: tell rows apart by id.
//! Whether PagerDuty answers with the second in which a window ends is not documented: either is
//! taken, and learned from what it answers.
//! A walk is plain data; store it after each page and go on from there.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::answer::Page;
use crate::call::{Call, PAGE_SIZE, ROWS_MAX};

/// A list that is read by windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// Incidents by their creation.
    Incidents,
    /// Log entries of the account.
    LogEntries,
    /// Log entries of long ago, which do not become more: as much as possible at once.
    History,
}

impl Listing {
    /// The longest window to ask for.
    pub fn longest(self) -> SignedDuration {
        match self {
            // PagerDuty allows six months, the shortest of which have 181 days.
            Self::Incidents | Self::History => SignedDuration::from_hours(180 * 24),
            // No limit is documented. A busy account writes thousands of entries a day.
            Self::LogEntries => SignedDuration::from_hours(24),
        }
    }
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    /// From here on.
    pub since: Timestamp,
    /// Until here.
    pub until: Timestamp,
}

impl Window {
    /// Two halves at a whole second; `None` when it is a second or less.
    pub fn halves(self) -> Option<(Self, Self)> {
        let seconds = self
            .until
            .as_second()
            .saturating_sub(self.since.as_second());
        if seconds <= 1 {
            return None;
        }
        let middle = self.since.as_second().saturating_add(seconds / 2);
        self.at(Timestamp::from_second(middle).ok()?)
    }

    /// The second that it is asked until.
    fn last_second(self) -> i64 {
        let whole = self.until.subsec_nanosecond() == 0;
        self.until.as_second() + i64::from(!whole)
    }

    /// The same from a second on.
    fn from(self, second: i64) -> Self {
        let since = Timestamp::from_second(second).unwrap_or(self.since);
        Self { since, ..self }
    }

    /// The same until a second.
    fn to(self, second: i64) -> Self {
        let until = Timestamp::from_second(second).unwrap_or(self.until);
        Self { until, ..self }
    }

    fn at(self, middle: Timestamp) -> Option<(Self, Self)> {
        let inside = self.since < middle && middle < self.until;
        inside.then_some((
            Self {
                since: self.since,
                until: middle,
            },
            Self {
                since: middle,
                until: self.until,
            },
        ))
    }
}

/// In which order the rows of a window came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// All are of one second, so far.
    #[default]
    Same,
    /// The oldest first.
    Up,
    /// The newest first.
    Down,
    /// In no order that we know.
    None,
}

/// A window of which PagerDuty shows no more rows, while it is not known whether the rows that came
/// are all on one side of the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Doubt {
    /// The window.
    whole: Window,
    /// Rows that the rest must have.
    left: u64,
    /// Rows that it has as well, if a window has the second in which it ends.
    at_end: u64,
}

/// How far a list has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    listing: Listing,
    /// What is still to be read, the next window last.
    ahead: Vec<Window>,
    /// Rows of the next window that were read.
    received: u64,
    /// Rows that it has, once told.
    expected: Option<u64>,
    offset: u32,
    gaps: Vec<Window>,
    /// In which order they came.
    #[serde(default)]
    order: Order,
    /// The second of the last row.
    #[serde(default)]
    last: Option<i64>,
    /// Rows of that second, and of the second after it.
    #[serde(default)]
    lately: (u64, u64),
    /// What the first page of the next window has to show.
    #[serde(default)]
    doubt: Option<Doubt>,
    /// Whether rows did not come in the order that they seemed to have.
    #[serde(default)]
    unordered: bool,
    /// Whether PagerDuty is known to answer with the second in which a window ends.
    #[serde(default)]
    with_end: bool,
    /// Rows that PagerDuty shows of a window.
    #[serde(default = "rows_max")]
    rows_max: u32,
    /// Rows that were read, but for those of windows that were split.
    #[serde(default)]
    rows: u64,
}

fn rows_max() -> u32 {
    ROWS_MAX
}

impl Walk {
    /// A walk from `since` to `until`, oldest first. An empty range is done at once.
    pub fn new(listing: Listing, since: Timestamp, until: Timestamp) -> Self {
        let mut walk = Self {
            listing,
            ahead: Vec::new(),
            received: 0,
            expected: None,
            offset: 0,
            gaps: Vec::new(),
            order: Order::Same,
            last: None,
            lately: (0, 0),
            doubt: None,
            unordered: false,
            with_end: false,
            rows_max: ROWS_MAX,
            rows: 0,
        };
        if since < until {
            walk.ahead.push(Window { since, until });
        }
        walk.cut();
        walk
    }

    /// The next page to ask for; `None` when everything has been read.
    pub fn call(&self) -> Option<Call> {
        let Window { since, until } = self.window()?;
        let offset = self.offset;
        Some(match self.listing {
            Listing::Incidents => Call::ListIncidents {
                since,
                until,
                offset,
            },
            Listing::LogEntries | Listing::History => Call::ListLogEntries {
                since,
                until,
                offset,
            },
        })
    }

    /// The window that is being read.
    pub fn window(&self) -> Option<Window> {
        self.ahead.last().copied()
    }

    /// Windows that could not be read whole: more rows than PagerDuty shows, or fewer than it
    /// said there were. Not empty means that the result is incomplete.
    pub fn gaps(&self) -> &[Window] {
        &self.gaps
    }

    /// Everything before this instant has been read; `None`: everything has.
    pub fn covered(&self) -> Option<Timestamp> {
        let doubted = self.doubt.map(|doubt| doubt.whole);
        let unread = self.ahead.iter().copied().chain(doubted);
        unread.map(|window| window.since).min()
    }

    /// How many rows were read. Of those that came twice, where two windows touch, both count.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes note of the page that [`Walk::call`] asked for, whose rows are of the instants that
    /// `at` tells. They are to be used even where the window is read again afterwards.
    pub fn took<T>(&mut self, page: &Page<T>, at: impl Fn(&T) -> Option<Timestamp>) {
        let rows = page.items.len().saturating_add(page.unreadable);
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.received = self.received.saturating_add(rows);
        self.rows = self.rows.saturating_add(rows);
        self.expected = self.expected.or(page.total);
        for row in &page.items {
            self.see(at(row).map(Timestamp::as_second));
        }
        if let Some(doubt) = self.doubt.take()
            && self.expected != Some(doubt.left)
            && !(self.with_end && self.expected == Some(doubt.left.saturating_add(doubt.at_end)))
        {
            self.unordered = true;
            self.doubt = Some(doubt);
            return self.halve();
        }
        let is_too_much = self
            .expected
            .is_some_and(|expected| expected > u64::from(self.rows_max));
        if is_too_much && self.order() == Order::None && self.split() {
            return;
        }
        if is_too_much && self.is_of_a_gap() {
            return self.cut_off();
        }
        match page.next_offset {
            Some(next) if next.saturating_add(PAGE_SIZE) <= self.rows_max => self.offset = next,
            Some(_) => self.cut_off(),
            None => {
                let missing = self
                    .expected
                    .is_some_and(|expected| self.received < expected);
                if is_too_much && page.more {
                    return self.halve();
                }
                self.leave(missing || page.more);
            }
        }
    }

    /// The page was refused because it asks for too much: PagerDuty shows fewer rows than we
    /// thought, or a shorter time.
    pub fn too_large(&mut self) {
        if self.offset > 0 {
            self.rows_max = self.offset.max(PAGE_SIZE);
            self.cut_off();
        } else if !self.split() {
            self.leave(true);
        }
    }

    /// Looks at a row; its second is not always told.
    fn see(&mut self, second: Option<i64>) {
        let Some(second) = second else {
            self.order = Order::None;
            return;
        };
        let last = self.last.replace(second).unwrap_or(second);
        let (of_last, _) = self.lately;
        self.lately = match second.saturating_sub(last) {
            0 => (of_last.saturating_add(1), self.lately.1),
            -1 => (1, of_last),
            _ => (1, 0),
        };
        self.order = match (self.order, second.cmp(&last)) {
            (order, Ordering::Equal) => order,
            (Order::Same | Order::Up, Ordering::Greater) => Order::Up,
            (Order::Same | Order::Down, Ordering::Less) => Order::Down,
            _ => Order::None,
        };
        let end = self.window().map(Window::last_second);
        self.with_end |= end.is_some_and(|end| second >= end);
    }

    /// In which order the rows came, as far as that is believed.
    fn order(&self) -> Order {
        if self.unordered {
            Order::None
        } else {
            self.order
        }
    }

    /// Whether all rows are of a second that is known to have too many.
    fn is_of_a_gap(&self) -> bool {
        let last = self.last.and_then(second);
        self.order == Order::Same && last.is_some_and(|last| self.gaps.contains(&last))
    }

    /// PagerDuty shows no more rows of the window: what is left of it comes next.
    fn cut_off(&mut self) {
        let (Some(window), Some(last)) = (self.window(), self.last) else {
            return self.halve();
        };
        let (first, end) = (window.since.as_second(), window.last_second());
        let (of_last, after_last) = self.lately;
        let others = self.received.saturating_sub(of_last);
        let left = self.expected.map(|all| all.saturating_sub(others));
        let mut at_end = 0;
        let rest = match self.order() {
            Order::None => return self.halve(),
            // Of its last second perhaps not all came; the window that follows has that second, too.
            Order::Up if last >= end => Vec::new(),
            Order::Up => vec![window.from(last)],
            Order::Down if self.with_end => vec![window.to(last)],
            Order::Down => {
                at_end = after_last;
                vec![window.to(last.saturating_add(1))]
            }
            Order::Same => {
                self.gap(second(last).unwrap_or(window));
                let before = if self.with_end { last - 1 } else { last };
                // From a second earlier, for a window has a length.
                let before = (first < last).then(|| window.from(first.min(before - 1)).to(before));
                let after = (last + 1 < end).then(|| window.from(last + 1));
                after.into_iter().chain(before).collect()
            }
        };
        let is_in_order = matches!(self.order(), Order::Up | Order::Down) && !rest.is_empty();
        match left {
            None if is_in_order => return self.halve(),
            Some(left) if is_in_order => {
                self.doubt = Some(Doubt {
                    whole: window,
                    left,
                    at_end,
                });
            }
            _ => {}
        }
        self.ahead.pop();
        self.ahead.extend(rest);
        self.start();
        self.cut();
    }

    fn halve(&mut self) {
        if !self.split() {
            self.leave(true);
        }
    }

    /// Reads the window by halves, from its beginning. `false` if it is too short for that.
    pub fn split(&mut self) -> bool {
        if let Some(doubt) = self.doubt.take() {
            self.ahead.pop();
            self.ahead.push(doubt.whole);
        }
        let Some((first, second)) = self.window().and_then(Window::halves) else {
            return false;
        };
        self.ahead.pop();
        self.ahead.extend([second, first]);
        self.rows = self.rows.saturating_sub(self.received);
        self.start();
        true
    }

    fn leave(&mut self, incomplete: bool) {
        self.doubt = None;
        if let Some(window) = self.ahead.pop()
            && incomplete
        {
            self.gap(window);
        }
        self.start();
        self.cut();
    }

    fn gap(&mut self, window: Window) {
        if !self.gaps.contains(&window) {
            self.gaps.push(window);
        }
    }

    fn start(&mut self) {
        self.offset = 0;
        self.received = 0;
        self.expected = None;
        self.order = Order::Same;
        self.last = None;
        self.lately = (0, 0);
    }

    /// Cuts the next window to the longest length.
    fn cut(&mut self) {
        let Some(window) = self.window() else { return };
        let end = window.since.checked_add(self.listing.longest()).ok();
        if let Some((first, rest)) = end.and_then(|end| window.at(end)) {
            self.ahead.pop();
            self.ahead.extend([rest, first]);
        }
    }
}

/// A whole second.
fn second(second: i64) -> Option<Window> {
    Some(Window {
        since: Timestamp::from_second(second).ok()?,
        until: Timestamp::from_second(second.checked_add(1)?).ok()?,
    })
}
