//! Incidents as columns: one array a field, so that a query reads only the fields it needs.
//!
//! What is given of an incident and what was derived from its facts are two groups of columns with
//! the same rows. Nothing but derived columns depends on the instant up to which facts count.

use std::ops::Range;

use crate::input::ResolverKind;
use crate::list::List;

/// No instant.
pub(crate) const NEVER: i64 = i64::MAX;

macro_rules! columns {
    ($(#[$doc:meta])* $columns:ident: $group:ident of $row:ident {
        $($(#[$field_doc:meta])* $name:ident: $ty:ty,)*
    }) => {
        /// One row.
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $row {
            $($(#[$field_doc])* pub(crate) $name: $ty,)*
        }

        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub(crate) struct $group {
            $(pub(crate) $name: Vec<$ty>,)*
        }

        impl $group {
            pub(crate) fn push(&mut self, row: $row) {
                $(self.$name.push(row.$name);)*
            }

            #[expect(clippy::indexing_slicing, reason = "a row's place is one that `push` made")]
            pub(crate) fn set(&mut self, place: usize, row: $row) {
                $(self.$name[place] = row.$name;)*
            }

            #[expect(clippy::indexing_slicing, reason = "a row's place is one that `push` made")]
            pub(crate) fn row(&self, place: usize) -> $row {
                $row {
                    $($name: self.$name[place],)*
                }
            }

            /// Drops a row; the last one takes its place.
            pub(crate) fn swap_remove(&mut self, place: usize) {
                $(self.$name.swap_remove(place);)*
            }
        }

        impl Row<'_> {
            $(
                #[expect(clippy::indexing_slicing, reason = "a row's place is one that `push` made")]
                #[inline(always)]
                pub(crate) fn $name(self) -> $ty {
                    self.part.$columns.$name[self.place]
                }
            )*
        }
    };
}

columns! {
    /// What is given.
    given: GivenColumns of Given {
        number: i64,
        /// The lower-cased title, in the store's text.
        title: (u32, u32),
        /// The number of its labels.
        labels: u32,
        /// The key that its sender gave.
        key: u32,
        /// Its facts as bytes, in the store's list.
        events: (u32, u32),
    }
}

columns! {
    /// What follows from the facts that count.
    derived: DerivedColumns of Derived {
        trigger: i64,
        first_ack: i64,
        /// The teams of who gave it.
        first_ack_teams: u32,
        first_resolve: i64,
        first_resolve_kind: ResolverKind,
        first_resolve_teams: u32,
        last_resolve: i64,
        last_resolve_kind: ResolverKind,
        last_resolve_teams: u32,
        flags: Flags,
        /// Its pages, in the part's list.
        pages: (u32, u32),
        /// In the part's list: how many turns follow; when it was resolved and opened again, in turn; when it was
        /// escalated. Nothing where it was resolved once at most, which `first_resolve` tells, and never escalated.
        moments: (u32, u32),
    }
}

columns! {
    /// The deployment behind it.
    linked: LinkedColumns of Linked {
        method: Method,
        /// Its place among the deployments, or `NONE`.
        deployment: u32,
    }
}

/// How a deployment was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A person said so.
    Manual,
    /// The incident's `deployment` field names it.
    Explicit,
    /// The newest on its service before it.
    SameServiceTime,
    /// None was.
    None,
}

impl Method {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Explicit => "explicit",
            Self::SameServiceTime => "same_service_time",
            Self::None => "none",
        }
    }
}

/// Yes or no, eight at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u8);

impl Flags {
    /// A test incident.
    pub(crate) const TEST: Self = Self(1);
    /// A merge source.
    pub(crate) const MERGED: Self = Self(2);
    /// Not resolved.
    pub(crate) const OPEN: Self = Self(4);
    /// Opened again at least once.
    pub(crate) const REOPENED: Self = Self(8);
    /// No failure.
    pub(crate) const NOT_FAILURE: Self = Self(16);
    /// Nobody told of its trigger when it was.
    pub(crate) const REBUILT: Self = Self(32);
    /// Nobody acknowledged it.
    pub(crate) const UNACKNOWLEDGED: Self = Self(64);

    pub(crate) fn with(self, flag: Self, set: bool) -> Self {
        if set { Self(self.0 | flag.0) } else { self }
    }

    pub(crate) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }
}

/// A page of a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) at: i64,
    pub(crate) user: u32,
    /// Microseconds past the hour on the person's wall clock.
    pub(crate) past_hour: u32,
    /// The person's teams then.
    pub(crate) teams: u32,
    pub(crate) kinds: PageKinds,
    /// From the page to the person's acknowledgement in the same episode, or `NEVER`.
    pub(crate) answered_after: i64,
}

/// What a page is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PageKinds(u8);

impl PageKinds {
    /// By notification, e-mail ignored.
    pub(crate) const NOTIFIED: Self = Self(1);
    /// By notification, e-mail included.
    pub(crate) const NOTIFIED_OR_MAILED: Self = Self(2);
    /// By acknowledgement.
    pub(crate) const ACKNOWLEDGED: Self = Self(4);
    /// Outside the person's working hours.
    pub(crate) const OUT_OF_HOURS: Self = Self(8);
    /// Nobody took it before it was escalated.
    pub(crate) const ESCALATED_AWAY: Self = Self(16);

    pub(crate) fn with(self, kind: Self, set: bool) -> Self {
        if set { Self(self.0 | kind.0) } else { self }
    }

    pub(crate) fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }
}

/// Rows of a block.
const BLOCK: usize = 1_024;

/// When the rows of a block lived, at most: nothing of them was before its start or after its end. Rows
/// that go or change may leave it wider than it has to be.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: i64,
    end: i64,
}

/// Incidents, with what hangs on each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) given: GivenColumns,
    pub(crate) derived: DerivedColumns,
    pub(crate) linked: LinkedColumns,
    pub(crate) pages: List<Page>,
    pub(crate) moments: List<i64>,
    spans: Vec<Span>,
}

impl Part {
    pub(crate) fn len(&self) -> usize {
        self.given.number.len()
    }

    /// Adds a row, whose last fact was at `last`.
    pub(crate) fn push(&mut self, given: Given, derived: Derived, linked: Linked, last: i64) {
        self.given.push(given);
        self.derived.push(derived);
        self.linked.push(linked);
        self.widen(self.len() - 1, last);
    }

    pub(crate) fn set(
        &mut self,
        place: usize,
        (given, derived, linked): (Given, Derived, Linked),
        last: i64,
    ) {
        self.given.set(place, given);
        self.derived.set(place, derived);
        self.linked.set(place, linked);
        self.widen(place, last);
    }

    /// Drops a row; the last one takes its place, whose last fact was at `last`.
    pub(crate) fn swap_remove(&mut self, place: usize, last: i64) {
        self.given.swap_remove(place);
        self.derived.swap_remove(place);
        self.linked.swap_remove(place);
        if place < self.len() {
            self.widen(place, last);
        }
    }

    fn widen(&mut self, place: usize, end: i64) {
        let start = Row::new(self, place).trigger();
        match self.spans.get_mut(place / BLOCK) {
            Some(span) => {
                span.start = span.start.min(start);
                span.end = span.end.max(end);
            }
            None => self.spans.push(Span { start, end }),
        }
    }

    /// The rows among which are all to which something happened after an instant.
    pub(crate) fn rows_after(&self, at: i64) -> impl Iterator<Item = Row<'_>> {
        let blocks = self.spans.iter().enumerate();
        let places = blocks
            .filter(move |(_, span)| span.end > at)
            .flat_map(|(block, _)| self.places_of(block));
        places.map(|place| Row::new(self, place))
    }

    fn places_of(&self, block: usize) -> Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.len())
    }

    /// A share of the rows of blocks in which something was from `start` to `end`, and whether all that ever
    /// happened to a block's rows was by `as_of`.
    pub(crate) fn blocks(
        &self,
        (start, end): (i64, i64),
        as_of: i64,
        share: Share,
    ) -> impl Iterator<Item = (bool, impl Iterator<Item = Row<'_>>)> {
        let blocks = self.spans.iter().enumerate();
        let lived = blocks.filter(move |(_, span)| span.start < end && start <= span.end);
        let rows = lived.clone().map(|(block, _)| self.places_of(block).len());
        let (from, to) = share.of(rows.sum());
        let mut passed = 0;
        lived.map(move |(block, span)| {
            let places = self.places_of(block);
            let at = |row: usize| (places.start + row.saturating_sub(passed)).min(places.end);
            let mine = at(from)..at(to);
            passed += places.len();
            let places = mine;
            let rows = places.map(|place| Row { part: self, place });
            (span.end <= as_of, rows)
        })
    }
}

/// One of so many shares of the same size: each thread scans one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) place: usize,
    pub(crate) count: usize,
}

impl Share {
    /// All there is.
    pub(crate) const WHOLE: Self = Self { place: 0, count: 1 };

    /// From where to where of `all`.
    fn of(self, all: usize) -> (usize, usize) {
        let end = |place: usize| all * place / self.count;
        (end(self.place), end(self.place + 1))
    }
}

/// One incident of a part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    part: &'a Part,
    place: usize,
}

impl<'a> Row<'a> {
    pub(crate) fn new(part: &'a Part, place: usize) -> Self {
        Self { part, place }
    }

    pub(crate) fn is_open(self) -> bool {
        self.is(Flags::OPEN)
    }

    pub(crate) fn is(self, flag: Flags) -> bool {
        self.flags().has(flag)
    }

    /// Whether it is left out of all but page counts: a test or a merge source.
    pub(crate) fn is_left_out(self) -> bool {
        self.is(Flags::TEST) || self.is(Flags::MERGED)
    }

    /// Whether a change may be to blame for it.
    pub(crate) fn is_failure(self) -> bool {
        !self.is_left_out() && !self.is(Flags::NOT_FAILURE)
    }

    pub(crate) fn is_resolved_once(self) -> bool {
        self.first_resolve() != NEVER
    }

    pub(crate) fn page_list(self) -> &'a [Page] {
        self.part.pages.slice(self.pages())
    }

    /// When it was resolved and opened again, in turn, and when it was escalated.
    fn moment_lists(self) -> (&'a [i64], &'a [i64]) {
        let Some((count, moments)) = self.part.moments.slice(self.moments()).split_first() else {
            let resolves = &self.part.derived.first_resolve;
            let once = resolves.get(self.place).filter(|at| **at != NEVER);
            return (once.map_or(&[], std::slice::from_ref), &[]);
        };
        let count = usize::try_from(*count).unwrap_or(0);
        moments.split_at_checked(count).unwrap_or((moments, &[]))
    }

    pub(crate) fn escalation_list(self) -> &'a [i64] {
        self.moment_lists().1
    }

    /// When it was resolved and opened again, in turn.
    pub(crate) fn turn_list(self) -> &'a [i64] {
        self.moment_lists().0
    }

    /// How long it was open until it was last resolved, all in all.
    pub(crate) fn open_time(self) -> i64 {
        let mut opened = self.trigger();
        let mut sum = 0;
        for turn in self.turn_list().chunks(2) {
            sum += turn.first().map_or(0, |resolved| resolved - opened);
            opened = turn.last().copied().unwrap_or(opened);
        }
        sum
    }

    pub(crate) fn place(self) -> usize {
        self.place
    }
}
