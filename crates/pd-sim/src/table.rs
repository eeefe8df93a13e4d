//! Rows in the order they were added, found by id in constant time.

use std::collections::HashMap;

/// A row that knows its id.
pub(crate) trait Row {
    fn id(&self) -> &str;
}

/// Rows by id. Iteration follows the order of insertion, so that runs repeat exactly.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    by_id: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            by_id: HashMap::new(),
        }
    }
}

impl<T: Row> Table<T> {
    /// Adds or replaces the row of this id.
    pub(crate) fn put(&mut self, row: T) {
        if let Some(old) = self.get_mut(row.id()) {
            *old = row;
            return;
        }
        self.by_id.insert(row.id().to_owned(), self.rows.len());
        self.rows.push(row);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(*self.by_id.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(*self.by_id.get(id)?)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter()
    }

    /// To change rows, but not their ids.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut()
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let at = self.by_id.remove(id)?;
        let row = self.rows.remove(at);
        for index in self.by_id.values_mut() {
            if *index > at {
                *index -= 1;
            }
        }
        Some(row)
    }
}
