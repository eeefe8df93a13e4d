//! Long lists, cut into windows of time that PagerDuty answers whole.
//!
//! PagerDuty refuses rows past [`ROWS_MAX`] and ranges past some months, each list its own
//! (`docs/pagerduty/rest.md`, "Limits"). A [`Walk`] goes through a range oldest first, splits
//! what is too large down to one second, and says where it could not read everything.
//!
//! Windows touch at whole seconds, and rows of that second may come twice: tell rows apart by id.
//! A walk is plain data; store it after each page and go on from there.

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
}

impl Listing {
    /// The longest window to ask for.
    pub fn longest(self) -> SignedDuration {
        match self {
            // PagerDuty allows six months, the shortest of which have 181 days.
            Self::Incidents => SignedDuration::from_hours(180 * 24),
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
            Listing::LogEntries => Call::ListLogEntries {
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

    /// Takes note of the page that [`Walk::call`] asked for. Its rows are to be used even where
    /// the window is split afterwards.
    pub fn took<T>(&mut self, page: &Page<T>) {
        let rows = page.items.len().saturating_add(page.unreadable);
        self.received = self
            .received
            .saturating_add(u64::try_from(rows).unwrap_or(u64::MAX));
        self.expected = self.expected.or(page.total);
        let first_page = self.offset == 0;
        let too_many = page.total.is_some_and(|total| total > u64::from(ROWS_MAX));
        if first_page && too_many && self.split() {
            return;
        }
        match page.next_offset {
            Some(next) if next.saturating_add(PAGE_SIZE) <= ROWS_MAX => self.offset = next,
            Some(_) => self.too_large(),
            None => {
                let missing = self
                    .expected
                    .is_some_and(|expected| self.received < expected);
                self.leave(missing || page.more);
            }
        }
    }

    /// The window was refused as too large: splits it, or leaves it as a gap.
    pub fn too_large(&mut self) {
        if !self.split() {
            self.leave(true);
        }
    }

    fn split(&mut self) -> bool {
        let Some((first, second)) = self.window().and_then(Window::halves) else {
            return false;
        };
        self.ahead.pop();
        self.ahead.extend([second, first]);
        self.start();
        true
    }

    fn leave(&mut self, incomplete: bool) {
        if let Some(window) = self.ahead.pop()
            && incomplete
        {
            self.gaps.push(window);
        }
        self.start();
        self.cut();
    }

    fn start(&mut self) {
        self.offset = 0;
        self.received = 0;
        self.expected = None;
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
