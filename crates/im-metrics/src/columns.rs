//! Incidents as columns: in each block of rows one array a field, so that a query reads only the fields it
//! needs, each at a distance from the block's start that is known before it runs.
//!
//! What is given of an incident and what was derived from its facts are two groups of columns with
//! the same rows. Nothing but derived columns depends on the instant up to which facts count.

use std::ops::Range;

use crate::input::ResolverKind;
use crate::list::{List, Stretch};

/// No instant.
pub(crate) const NEVER: i64 = i64::MAX;

/// Rows of a block.
const BLOCK: usize = 1_024;

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
        #[derive(Debug, Clone)]
        struct $group {
            $($name: [$ty; BLOCK],)*
        }

        impl $group {
            /// The same row everywhere.
            fn of(row: $row) -> Self {
                Self {
                    $($name: [row.$name; BLOCK],)*
                }
            }

            #[expect(clippy::indexing_slicing, reason = "a remainder is less than the rows of a block")]
            fn set(&mut self, place: usize, row: $row) {
                $(self.$name[place % BLOCK] = row.$name;)*
            }

            #[expect(clippy::indexing_slicing, reason = "a remainder is less than the rows of a block")]
            fn row(&self, place: usize) -> $row {
                $row {
                    $($name: self.$name[place % BLOCK],)*
                }
            }
        }

        impl Row<'_> {
            $(
                #[expect(clippy::indexing_slicing, reason = "a remainder is less than the rows of a block")]
                #[inline(always)]
                pub(crate) fn $name(self) -> $ty {
                    self.block.$columns.$name[self.place % BLOCK]
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
        paged: Paged,
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

/// A page of a person: what most questions about pages read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) at: i64,
    pub(crate) user: u32,
    /// Seconds by which hours begin earlier on the person's wall clock, less than an hour.
    pub(crate) hours_early: u16,
    pub(crate) kinds: PageKinds,
}

/// How often an incident paged, and until when: what questions about pages need of most incidents.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paged {
    /// Its pages came at most so many seconds after the trigger.
    within: u32,
    notified: u8,
    notified_or_mailed: u8,
    acknowledged: u8,
}

impl Paged {
    /// That of the pages of an incident; `None` where they are too many or too late for it.
    fn try_of(trigger: i64, pages: &[(Page, PageMore)]) -> Option<Self> {
        let last = pages.iter().map(|(page, _)| page.at - trigger).max();
        let count = |kind| {
            let of_kind = pages.iter().filter(|(page, _)| page.kinds.has(kind));
            u8::try_from(of_kind.count()).ok()
        };
        Some(Self {
            within: u32::try_from(last.unwrap_or(0) / 1_000_000 + 1).ok()?,
            notified: count(PageKinds::NOTIFIED)?,
            notified_or_mailed: count(PageKinds::NOTIFIED_OR_MAILED)?,
            acknowledged: count(PageKinds::ACKNOWLEDGED)?,
        })
    }

    /// That of the pages of an incident, in the order of time.
    pub(crate) fn of(trigger: i64, pages: &[(Page, PageMore)]) -> Self {
        // Until when is not known then.
        Self::try_of(trigger, pages).unwrap_or(Self {
            within: u32::MAX,
            ..Self::default()
        })
    }

    /// How many there are of a kind, and until how many microseconds after the trigger at most, if it is known.
    #[inline(always)]
    pub(crate) fn count(self, kind: PageKinds) -> Option<(u32, i64)> {
        let count = match kind {
            PageKinds::NOTIFIED => self.notified,
            PageKinds::NOTIFIED_OR_MAILED => self.notified_or_mailed,
            _ => self.acknowledged,
        };
        (self.within != u32::MAX).then(|| (u32::from(count), i64::from(self.within) * 1_000_000))
    }
}

/// What else there is of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageMore {
    /// The person's teams then.
    pub(crate) teams: u32,
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

/// When the rows of a block lived, at most: nothing of them was before its start or after its end. Rows
/// that go or change may leave it wider than it has to be.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: i64,
    end: i64,
}

/// Rows next to each other.
#[derive(Debug, Clone)]
struct Block {
    given: GivenColumns,
    derived: DerivedColumns,
    linked: LinkedColumns,
    span: Span,
}

/// Incidents, with what hangs on each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    /// All full but the last.
    blocks: Vec<Box<Block>>,
    len: usize,
    pub(crate) pages: List<Page, PageMore>,
    pub(crate) moments: List<i64>,
}

impl Part {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a row, whose last fact was at `last`.
    pub(crate) fn push(&mut self, given: Given, derived: Derived, linked: Linked, last: i64) {
        let place = self.len;
        self.len += 1;
        if place.is_multiple_of(BLOCK) {
            self.blocks.push(Box::new(Block {
                given: GivenColumns::of(given),
                derived: DerivedColumns::of(derived),
                linked: LinkedColumns::of(linked),
                span: Span {
                    start: derived.trigger,
                    end: last,
                },
            }));
        } else {
            self.set(place, (given, derived, linked), last);
        }
    }

    pub(crate) fn set(
        &mut self,
        place: usize,
        (given, derived, linked): (Given, Derived, Linked),
        last: i64,
    ) {
        let block = self.block_mut(place);
        block.given.set(place, given);
        block.derived.set(place, derived);
        block.linked.set(place, linked);
        block.span.start = block.span.start.min(derived.trigger);
        block.span.end = block.span.end.max(last);
    }

    /// Drops a row; the last one takes its place, whose last fact was at `last`.
    pub(crate) fn swap_remove(&mut self, place: usize, last: i64) {
        let end = self.len - 1;
        if place < end {
            let row = (self.given(end), self.derived(end), self.linked(end));
            self.set(place, row, last);
        }
        self.len = end;
        self.blocks.truncate(end.div_ceil(BLOCK));
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a row's place is one that `push` made"
    )]
    fn block(&self, place: usize) -> &Block {
        &self.blocks[place / BLOCK]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a row's place is one that `push` made"
    )]
    fn block_mut(&mut self, place: usize) -> &mut Block {
        &mut self.blocks[place / BLOCK]
    }

    pub(crate) fn given(&self, place: usize) -> Given {
        self.block(place).given.row(place)
    }

    pub(crate) fn derived(&self, place: usize) -> Derived {
        self.block(place).derived.row(place)
    }

    pub(crate) fn linked(&self, place: usize) -> Linked {
        self.block(place).linked.row(place)
    }

    /// Changes what follows from a row's facts, of which the first and the last stay.
    pub(crate) fn set_derived(&mut self, place: usize, derived: Derived) {
        self.block_mut(place).derived.set(place, derived);
    }

    pub(crate) fn set_linked(&mut self, place: usize, linked: Linked) {
        self.block_mut(place).linked.set(place, linked);
    }

    /// The number of the incident at a place.
    #[expect(
        clippy::indexing_slicing,
        reason = "a remainder is less than the rows of a block"
    )]
    pub(crate) fn number(&self, place: usize) -> i64 {
        self.block(place).given.number[place % BLOCK]
    }

    /// Moves what rows use of the part's lists together, once much of it is wasted.
    pub(crate) fn pack(&mut self) {
        let derived = self.blocks.iter_mut().map(|block| &mut block.derived);
        let pages = derived.flat_map(|derived| &mut derived.pages);
        self.pages.pack(pages.take(self.len));
        let derived = self.blocks.iter_mut().map(|block| &mut block.derived);
        let moments = derived.flat_map(|derived| &mut derived.moments);
        self.moments.pack(moments.take(self.len));
    }

    /// Where the facts of each row are.
    pub(crate) fn events_mut(&mut self) -> impl Iterator<Item = &mut Stretch> {
        let given = self.blocks.iter_mut().map(|block| &mut block.given);
        given.flat_map(|given| &mut given.events).take(self.len)
    }

    /// Where the title of each row is.
    pub(crate) fn titles_mut(&mut self) -> impl Iterator<Item = &mut Stretch> {
        let given = self.blocks.iter_mut().map(|block| &mut block.given);
        given.flat_map(|given| &mut given.title).take(self.len)
    }

    /// All rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len).map(|place| Row::new(self, place))
    }

    /// The rows among which are all to which something happened after an instant.
    pub(crate) fn rows_after(&self, at: i64) -> impl Iterator<Item = Row<'_>> {
        let blocks = self.blocks.iter().enumerate();
        let places = blocks
            .filter(move |(_, block)| block.span.end > at)
            .flat_map(|(nth, _)| self.places_of(nth));
        places.map(|place| Row::new(self, place))
    }

    fn places_of(&self, block: usize) -> Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.len)
    }

    /// How many rows there are in blocks in which something was from `start` to `end`.
    pub(crate) fn rows_within(&self, range: (i64, i64)) -> usize {
        let lived = self.lived(range);
        lived.map(|(nth, _)| self.places_of(nth).len()).sum()
    }

    fn lived(&self, (start, end): (i64, i64)) -> impl Iterator<Item = (usize, &Block)> + Clone {
        let blocks = self.blocks.iter().map(Box::as_ref).enumerate();
        blocks.filter(move |(_, block)| block.span.start < end && start <= block.span.end)
    }

    /// A share of the rows of blocks in which something was from `start` to `end`.
    pub(crate) fn blocks(&self, range: (i64, i64), share: Share) -> impl Iterator<Item = Rows<'_>> {
        let (from, to) = share.of(self.rows_within(range));
        let mut passed = 0;
        self.lived(range).map(move |(nth, block)| {
            let places = self.places_of(nth);
            let at = |row: usize| (places.start + row.saturating_sub(passed)).min(places.end);
            let mine = at(from)..at(to);
            passed += places.len();
            Rows {
                part: self,
                block,
                places: mine,
            }
        })
    }
}

/// So many incidents the last share has more than others: its thread, which starts theirs, is at work before them.
const AHEAD: usize = 1 << 14;

/// One of so many shares: each thread scans one.
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
        let even = all - AHEAD.min(all / 8);
        let start = |place: usize| even * place / self.count;
        let is_last = self.place + 1 == self.count;
        let end = if is_last { all } else { start(self.place + 1) };
        (start(self.place), end)
    }
}

/// Neighbours in a block.
pub(crate) struct Rows<'a> {
    part: &'a Part,
    block: &'a Block,
    places: Range<usize>,
}

impl<'a> Rows<'a> {
    /// From when until when anything happened to them.
    pub(crate) fn span(&self) -> (i64, i64) {
        (self.block.span.start, self.block.span.end)
    }

    pub(crate) fn each(self) -> impl Iterator<Item = Row<'a>> {
        let Self {
            part,
            block,
            places,
        } = self;
        places.map(move |place| Row { part, block, place })
    }

    /// The sum over those that are no tests, and over those of them that nobody told of when they were triggered;
    /// `None` where it is not known of one.
    pub(crate) fn sum(&self, count: impl Fn(Paged) -> Option<u64>) -> Option<(u64, u64)> {
        let first = self.places.start % BLOCK;
        let places = first..first + self.places.len();
        let flags = self.block.derived.flags.get(places.clone())?;
        let paged = self.block.derived.paged.get(places)?;
        let (mut all, mut rebuilt) = (0, 0);
        for (flags, paged) in flags.iter().zip(paged) {
            let counted = count(*paged)? * u64::from(!flags.has(Flags::TEST));
            all += counted;
            rebuilt += counted * u64::from(flags.has(Flags::REBUILT));
        }
        Some((all, rebuilt))
    }
}

/// One incident of a part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    part: &'a Part,
    block: &'a Block,
    place: usize,
}

impl<'a> Row<'a> {
    pub(crate) fn new(part: &'a Part, place: usize) -> Self {
        let block = part.block(place);
        Self { part, block, place }
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

    /// What else there is of each page.
    pub(crate) fn pages_more(self) -> &'a [PageMore] {
        self.part.pages.beside(self.pages())
    }

    /// When it was resolved and opened again, in turn, and when it was escalated.
    fn moment_lists(self) -> (&'a [i64], &'a [i64]) {
        let Some((count, moments)) = self.part.moments.slice(self.moments()).split_first() else {
            let resolves = &self.block.derived.first_resolve;
            let once = resolves.get(self.place % BLOCK);
            let once = once.filter(|at| **at != NEVER);
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
