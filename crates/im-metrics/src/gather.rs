//! What passes the filters, added up by group and bucket: a share of the incidents in each thread.

use std::sync::OnceLock;
use std::thread;

use crate::answer::CELLS_MAX;
use crate::calendar::Found;
use crate::cells::Cell;
use crate::columns::Share;
use crate::distinct::Distinct;
use crate::groups::Groups;
use crate::left_out::LeftOut;
use crate::metrics::scan;
use crate::names::NONE;
use crate::plan::{Item, Measured, Plan, Sink};
use crate::query::Reach;

/// A thread of its own is worth so many incidents: they take a millisecond, and a thread a tenth of that.
const ROWS_OF_THREAD: usize = 1 << 15;
/// A question leaves the rest to others.
const THREADS_MAX: usize = 4;

/// Tells what passes the filters and is in the range.
pub(crate) struct Counted<'p> {
    pub(crate) plan: &'p Plan<'p>,
    /// The bucket that was found last.
    last: Found,
}

impl<'p> Counted<'p> {
    pub(crate) fn new(plan: &'p Plan<'p>) -> Self {
        Self {
            plan,
            last: Found::default(),
        }
    }

    /// The bucket that an instant is in, which is the last that was found from now on.
    #[inline(always)]
    fn at(&mut self, at: i64) -> Option<usize> {
        if !self.last.has(at) {
            self.last = self.plan.cuts.find(at)?;
        }
        Some(self.last.place)
    }

    /// The bucket of an item, if it is in the range.
    #[inline(always)]
    fn place(&mut self, item: &Item<'_>) -> Option<usize> {
        item.bucket.or_else(|| self.at(item.at))
    }

    /// The bucket of an item that counts.
    #[inline(always)]
    pub(crate) fn bucket(&mut self, item: &Item<'_>) -> Option<usize> {
        let counts = self.plan.passes_teams(item)
            && self.plan.passes_user(item.user)
            && self.plan.passes_resolver(item.resolver)
            && !(self.plan.query.reach == Reach::Live && item.is_rebuilt());
        counts.then(|| self.place(item)).flatten()
    }
}

/// Adds items up: of `ALL` incidents, which need not be asked whether they pass, into `ONE` group, which need not
/// be found. What is known before is not asked of each incident.
struct Adding<'p, const ALL: bool, const ONE: bool> {
    counted: Counted<'p>,
    groups: Groups,
    width: usize,
    cells: Vec<Cell>,
    hours: Distinct,
    /// Items that are in more than one group.
    in_several: u64,
    /// Whether it does not matter whom an item is about.
    are_people_alike: bool,
}

impl<const ALL: bool, const ONE: bool> Adding<'_, ALL, ONE> {
    #[inline(always)]
    fn add(&mut self, place: usize, bucket: usize, item: &Item<'_>) {
        let at = place * self.width + bucket;
        if at >= self.cells.len() {
            self.widen(place);
        }
        if let Some(cell) = self.cells.get_mut(at) {
            cell.add(item.measured, item.is_rebuilt());
            if let Measured::Hour { person, hour } = item.measured {
                let is_across = self.counted.plan.cuts.cut_hour(bucket, hour);
                self.hours.add(at, person, hour, is_across);
            }
        }
    }

    #[cold]
    fn widen(&mut self, place: usize) {
        let needed = (place + 1) * self.width;
        if needed <= CELLS_MAX {
            self.cells.resize_with(needed, Cell::default);
        }
    }

    /// A copy of the item is taken, so that those that are not for teams can stay in registers.
    #[inline(never)]
    fn add_to_teams(&mut self, bucket: usize, item: Item<'_>) {
        let item = &item;
        let plan = self.counted.plan;
        let teams = match plan.engine.sets.members(item.teams(plan)) {
            [] => &[NONE],
            members => members,
        };
        let mut places = 0;
        for team in teams.iter().filter(|team| plan.shows_team(**team)) {
            let place = self.groups.of_team(item, *team);
            self.add(place, bucket, item);
            places += 1;
        }
        self.in_several += u64::from(places > 1);
    }
}

impl<'p, const ALL: bool, const ONE: bool> Sink<'p> for Adding<'p, ALL, ONE> {
    const TAKES_ALL: bool = ALL;

    #[inline(always)]
    fn take(&mut self, item: Item<'p>) {
        let bucket = if ALL {
            self.counted.place(&item)
        } else {
            self.counted.bucket(&item)
        };
        let Some(bucket) = bucket else {
            return;
        };
        if ONE {
            self.add(0, bucket, &item);
        } else if self.groups.are_teams() {
            self.add_to_teams(bucket, item);
        } else {
            let place = self.groups.of(self.counted.plan, &item);
            self.add(place, bucket, &item);
        }
    }

    #[inline(always)]
    fn take_all(
        &mut self,
        (from, to): (i64, i64),
        count: impl FnOnce() -> Option<(u64, u64)>,
    ) -> bool {
        if !(ALL && ONE) {
            return false;
        }
        let Some(bucket) = self.together(from, to) else {
            return false;
        };
        let (Some(cell), Some((n, rebuilt))) = (self.cells.get_mut(bucket), count()) else {
            return false;
        };
        cell.add_many(n, rebuilt);
        true
    }

    #[inline(always)]
    fn together(&mut self, from: i64, to: i64) -> Option<usize> {
        let bucket = self.are_people_alike.then(|| self.counted.at(from))??;
        self.counted.last.has(to).then_some(bucket)
    }
}

/// What a share of the incidents adds up to.
pub(crate) struct Gathered {
    pub(crate) groups: Groups,
    /// For each group as many as there are buckets.
    pub(crate) cells: Vec<Cell>,
    /// Hours of the cells, which they do not hold yet.
    pub(crate) hours: Distinct,
    /// Items that are in more than one group.
    pub(crate) in_several: u64,
    pub(crate) left_out: LeftOut,
}

impl Gathered {
    fn of(plan: &Plan<'_>, share: Share) -> Self {
        let groups = Groups::new(plan);
        match (plan.takes_all(), groups.are_one()) {
            (true, true) => Self::gather::<true, true>(plan, share, groups),
            (true, false) => Self::gather::<true, false>(plan, share, groups),
            (false, _) => Self::gather::<false, false>(plan, share, groups),
        }
    }

    fn gather<const ALL: bool, const ONE: bool>(
        plan: &Plan<'_>,
        share: Share,
        groups: Groups,
    ) -> Self {
        let width = plan.buckets.len();
        let cells = vec![Cell::default(); groups.len() * width];
        let mut adding = Adding::<ALL, ONE> {
            counted: Counted::new(plan),
            groups,
            width,
            cells,
            hours: Distinct::default(),
            in_several: 0,
            are_people_alike: plan.are_people_alike(),
        };
        scan(plan, share, &mut adding);
        let Adding {
            groups,
            mut cells,
            hours,
            in_several,
            ..
        } = adding;
        for cell in &mut cells {
            cell.settle();
        }
        Self {
            groups,
            cells,
            hours,
            in_several,
            left_out: LeftOut::count(plan, share),
        }
    }

    /// Takes what a later share has gathered.
    fn add(&mut self, other: Self, width: usize) {
        self.left_out.add(&other.left_out);
        self.in_several += other.in_several;
        let places = self.groups.add(&other.groups);
        let needed = (self.groups.len() * width).min(CELLS_MAX);
        self.cells.resize_with(needed, Cell::default);
        let mut cells = other.cells.into_iter();
        for place in &places {
            let into = self.cells.iter_mut().skip(place * width).take(width);
            for (cell, more) in into.zip(cells.by_ref().take(width)) {
                cell.take(more);
            }
        }
        self.hours.take(other.hours, |cell| {
            let place = places.get(cell / width)?;
            Some(place * width + cell % width)
        });
    }

    /// All groups as one, where no item is in several.
    pub(crate) fn together(&self, width: usize) -> Self {
        let mut cells = vec![Cell::default(); width];
        for group in self.cells.chunks(width.max(1)) {
            for (into, more) in cells.iter_mut().zip(group) {
                into.take(more.clone());
            }
        }
        let mut hours = Distinct::default();
        hours.take(self.hours.clone(), |cell| Some(cell % width));
        Self {
            groups: Groups::one(),
            cells,
            hours,
            in_several: 0,
            left_out: self.left_out,
        }
    }
}

/// Adds up what passes, a share in each thread.
pub(crate) fn gather(plan: &Plan<'_>, threads: usize) -> Gathered {
    let mut shares =
        in_threads(plan.shares(threads), |share| Gathered::of(plan, share)).into_iter();
    let mut gathered = shares
        .next()
        .unwrap_or_else(|| Gathered::of(plan, Share::WHOLE));
    for share in shares {
        gathered.add(share, plan.buckets.len());
    }
    gathered
}

/// The threads that so many incidents are worth.
pub(crate) fn threads(incidents: usize) -> usize {
    // Asking reads files of the control group, for a tenth of the time of a short question.
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from));
    cores.min(THREADS_MAX).min(incidents / ROWS_OF_THREAD)
}

/// Works on each in a thread of its own, the last in this one; the results are in order.
pub(crate) fn in_threads<T: Send, R: Send>(
    works: impl Iterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let mut works: Vec<T> = works.collect();
    let last = works.pop();
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = works
            .into_iter()
            .map(|one| scope.spawn(move || work(one)))
            .collect();
        let last = last.map(work);
        let others = others.into_iter().map(|other| {
            let done = other.join();
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        let mut done: Vec<R> = others.collect();
        done.extend(last);
        done
    })
}
