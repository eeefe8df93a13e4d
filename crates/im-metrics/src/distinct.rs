//! Hours of people, each counted once in its cell and once in its group.
//!
//! Hours that begin at the same second of the clock's hour are bits of stretches. Pages come about in the order of
//! time, so that few stretches are in use at a time, and mostly the one that was in use just before.

use hashbrown::HashTable;

use crate::cells::Cell;
use crate::num;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
/// Hours of a stretch.
const BITS: i64 = 64;
/// How many stretches in use are at hand.
const RECENT: usize = 512;

/// An hour on somebody's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hour {
    /// Hours since 1970.
    number: i64,
    /// Seconds by which it begins earlier there than in UTC.
    early: u16,
}

impl Hour {
    /// The one that an instant is in, where hours begin so much earlier.
    #[inline(always)]
    pub(crate) fn of(at: i64, early: u16) -> Self {
        let number = (at + i64::from(early) * SECOND).div_euclid(HOUR);
        Self { number, early }
    }

    /// Its first instant.
    pub(crate) fn start(self) -> i64 {
        self.number * HOUR - i64::from(self.early) * SECOND
    }

    /// The first instant after it.
    pub(crate) fn end(self) -> i64 {
        self.start() + HOUR
    }
}

/// Hours of a cell and a person.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    cell: u32,
    person: u32,
    /// Which of all stretches it is.
    nth: i64,
    early: u16,
    hours: u64,
}

impl Stretch {
    #[inline(always)]
    fn is_same(&self, other: &Self) -> bool {
        self.cell == other.cell
            && self.person == other.person
            && self.nth == other.nth
            && self.early == other.early
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        let who = u64::from(self.cell) << 32 | u64::from(self.person);
        let when = self.nth.cast_unsigned() << 16 | u64::from(self.early);
        let all = (who.wrapping_mul(ODD) ^ when).wrapping_mul(ODD);
        all ^ all >> 32
    }
}

/// An hour that is of two buckets, so that a group may have it twice: its cell, its person.
type Across = (usize, u32, Hour);

/// Hours seen so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Distinct {
    /// Each at the place that its cell and person have; none until there is one.
    recent: Vec<Stretch>,
    stretches: HashTable<Stretch>,
    across: Vec<Across>,
}

impl Distinct {
    /// Takes an hour of a cell.
    #[inline(always)]
    pub(crate) fn add(&mut self, cell: usize, person: u32, hour: Hour, is_across: bool) {
        if is_across {
            self.across.push((cell, person, hour));
            return;
        }
        let new = Stretch {
            cell: num::id(cell),
            person,
            nth: hour.number.div_euclid(BITS),
            early: hour.early,
            hours: 1 << hour.number.rem_euclid(BITS),
        };
        let place = (cell * 64 + num::at(person)) % RECENT;
        match self.recent.get_mut(place) {
            Some(known) if known.is_same(&new) => known.hours |= new.hours,
            Some(known) => {
                let before = std::mem::replace(known, new);
                self.mark(before);
            }
            None => {
                self.recent.resize(RECENT, Stretch::default());
                self.mark(new);
            }
        }
    }

    #[inline(never)]
    fn mark(&mut self, new: Stretch) {
        let hash = new.hash();
        match self.stretches.find_mut(hash, |known| known.is_same(&new)) {
            Some(known) => known.hours |= new.hours,
            None => {
                self.stretches.insert_unique(hash, new, Stretch::hash);
            }
        }
    }

    /// Puts what is at hand with the others.
    fn settle(&mut self) {
        for stretch in std::mem::take(&mut self.recent) {
            self.mark(stretch);
        }
    }

    /// Takes the hours of a later share; `place` tells where its cells are here, if they are.
    pub(crate) fn take(&mut self, mut other: Self, place: impl Fn(usize) -> Option<usize>) {
        other.settle();
        for stretch in other.stretches {
            if let Some(cell) = place(num::at(stretch.cell)) {
                self.mark(Stretch {
                    cell: num::id(cell),
                    ..stretch
                });
            }
        }
        for (cell, person, hour) in other.across {
            let cell = place(cell);
            self.across.extend(cell.map(|cell| (cell, person, hour)));
        }
    }

    /// Adds them to their cells, of which each group has so many.
    pub(crate) fn count(mut self, cells: &mut [Cell], width: usize) {
        self.settle();
        let mut count = |cell: usize, hours: u32, is_again: bool| {
            if let Some(cell) = cells.get_mut(cell) {
                cell.add_hours(hours, is_again);
            }
        };
        for stretch in self.stretches {
            count(num::at(stretch.cell), stretch.hours.count_ones(), false);
        }
        let hour = |(cell, person, hour): &Across| (cell / width, *person, *hour);
        self.across.sort_unstable_by_key(|one| (hour(one), one.0));
        self.across.dedup();
        let mut before = None;
        for one in &self.across {
            let is_again = before == Some(hour(one));
            count(one.0, 1, is_again);
            before = Some(hour(one));
        }
    }
}
