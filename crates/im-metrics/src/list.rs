//! Lists of many rows in one array: each row has a stretch of it.

use crate::num;

/// A stretch: where it starts, and how many there are.
pub(crate) type Stretch = (u32, u32);

/// Stretches of items, each with what is seldom read of it beside it. What a row no longer uses is wasted until
/// the list is packed.
#[derive(Debug, Clone)]
pub(crate) struct List<T, U = ()> {
    items: Vec<T>,
    beside: Vec<U>,
    wasted: usize,
}

/// Less than this is not worth packing.
const WASTE_MIN: usize = 4_096;

impl<T, U> Default for List<T, U> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            beside: Vec::new(),
            wasted: 0,
        }
    }
}

impl<T: Copy, U: Copy> List<T, U> {
    /// The items of a stretch.
    pub(crate) fn slice(&self, (start, count): Stretch) -> &[T] {
        let start = num::at(start);
        self.items
            .get(start..start + num::at(count))
            .unwrap_or_default()
    }

    /// What is beside the items of a stretch.
    pub(crate) fn beside(&self, (start, count): Stretch) -> &[U] {
        let start = num::at(start);
        self.beside
            .get(start..start + num::at(count))
            .unwrap_or_default()
    }

    /// Adds a stretch, with as much beside it or nothing beside any.
    pub(crate) fn add(&mut self, items: &[T], beside: &[U]) -> Stretch {
        let start = num::id(self.items.len());
        self.items.extend_from_slice(items);
        self.beside.extend_from_slice(beside);
        (start, num::id(items.len()))
    }

    /// Gives up a stretch.
    pub(crate) fn give_up(&mut self, (_, count): Stretch) {
        self.wasted += num::at(count);
    }

    /// Once most of it is wasted, moves what is used together.
    pub(crate) fn pack<'s>(&mut self, used: impl Iterator<Item = &'s mut Stretch>) {
        if self.wasted < WASTE_MIN || self.wasted * 2 < self.items.len() {
            return;
        }
        let mut packed = Self::default();
        for stretch in used {
            *stretch = packed.add(self.slice(*stretch), self.beside(*stretch));
        }
        *self = packed;
    }
}
