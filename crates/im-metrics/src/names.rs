//! Texts as numbers: ids and names that columns refer to, and sets of them.

use std::collections::HashMap;

use crate::num;

/// No value.
pub(crate) const NONE: u32 = u32::MAX;

/// Every distinct text, once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32>,
}

impl Names {
    /// The number of a text, new if need be.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = num::id(self.texts.len());
        self.texts.push(text.into());
        self.ids.insert(text.into(), id);
        id
    }

    /// The number of a text, or of none.
    pub(crate) fn intern_some(&mut self, text: Option<&str>) -> u32 {
        text.map_or(NONE, |text| self.intern(text))
    }

    /// The number of an environment: lower-cased, and none where it is empty.
    pub(crate) fn intern_environment(&mut self, text: Option<&str>) -> u32 {
        let text = text.filter(|text| !text.is_empty());
        self.intern_some(text.map(str::to_lowercase).as_deref())
    }

    /// The number of a text that is known.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }

    /// The text of a number; `None` for no value.
    pub(crate) fn text(&self, id: u32) -> Option<&str> {
        self.texts.get(num::at(id)).map(AsRef::as_ref)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// Sets of names, each once. Set 0 is empty.
#[derive(Debug)]
pub(crate) struct Sets {
    sets: Vec<Box<[u32]>>,
    ids: HashMap<Box<[u32]>, u32>,
}

impl Default for Sets {
    fn default() -> Self {
        let empty: Box<[u32]> = Box::default();
        Self {
            sets: vec![empty.clone()],
            ids: HashMap::from([(empty, 0)]),
        }
    }
}

impl Sets {
    /// The number of a set.
    pub(crate) fn intern(&mut self, mut members: Vec<u32>) -> u32 {
        members.sort_unstable();
        members.dedup();
        if let Some(id) = self.ids.get(members.as_slice()) {
            return *id;
        }
        let id = num::id(self.sets.len());
        let members: Box<[u32]> = members.into();
        self.sets.push(members.clone());
        self.ids.insert(members, id);
        id
    }

    /// Its members.
    pub(crate) fn members(&self, id: u32) -> &[u32] {
        self.sets.get(num::at(id)).map_or(&[], AsRef::as_ref)
    }
}
