//! Distinct values as numbers: texts that columns refer to, sets of them, and what incidents have in common.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;

use crate::num;

/// No value.
pub(crate) const NONE: u32 = u32::MAX;

/// Every distinct value once, numbered from 0.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    all: Vec<T>,
    ids: HashTable<u32>,
    hasher: RandomState,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            ids: HashTable::new(),
            hasher: RandomState::new(),
        }
    }
}

impl<T> Table<T> {
    /// All values, in the order of their numbers.
    pub(crate) fn all(&self) -> &[T] {
        &self.all
    }

    /// The value of a number.
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        self.all.get(num::at(id))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds a value under the next number, even if another has the same.
    pub(crate) fn add(&mut self, value: T)
    where
        T: Hash + Eq,
    {
        let id = num::id(self.all.len());
        self.all.push(value);
        self.index::<T>(id);
    }

    /// The number of a value that is known.
    pub(crate) fn find<Q>(&self, value: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let is_it = |id: &u32| self.get(*id).is_some_and(|known| known.borrow() == value);
        self.ids.find(self.hasher.hash_one(value), is_it).copied()
    }

    /// The number of a value, new if need be.
    pub(crate) fn intern<Q>(&mut self, value: &Q) -> u32
    where
        T: Borrow<Q> + for<'q> From<&'q Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(id) = self.find(value) {
            return id;
        }
        let id = num::id(self.all.len());
        self.all.push(value.into());
        self.index(id);
        id
    }

    /// Changes values, each under its number; two that become the same keep both numbers.
    pub(crate) fn change<Q>(&mut self, change: impl FnMut(&mut T))
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.all.iter_mut().for_each(change);
        self.ids.clear();
        (0..self.all.len()).for_each(|place| self.index::<Q>(num::id(place)));
    }

    fn index<Q>(&mut self, id: u32)
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (all, hasher) = (&self.all, &self.hasher);
        let value = |id: u32| all.get(num::at(id)).map(Borrow::borrow);
        let hash = |id: u32| value(id).map_or(0, |value| hasher.hash_one(value));
        self.ids.insert_unique(hash(id), id, |id| hash(*id));
    }
}

/// Every distinct text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Table<Box<str>>);

impl Names {
    /// The number of a text, new if need be.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        self.0.intern(text)
    }

    /// The number of a text, or of none.
    pub(crate) fn intern_some(&mut self, text: Option<&str>) -> u32 {
        text.map_or(NONE, |text| self.intern(text))
    }

    /// The number of an environment: lower-cased, without blanks around it, and none where it is empty.
    pub(crate) fn intern_environment(&mut self, text: Option<&str>) -> u32 {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        self.intern_some(text.map(str::to_lowercase).as_deref())
    }

    /// The number of a text that is known.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.0.find(text)
    }

    /// All texts, in the order of their numbers.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.all().iter().map(AsRef::as_ref)
    }

    /// Whether a number is that of a text, or no value.
    pub(crate) fn has(&self, id: u32) -> bool {
        id == NONE || self.0.get(id).is_some()
    }

    /// The text of a number; `None` for no value.
    pub(crate) fn text(&self, id: u32) -> Option<&str> {
        self.0.get(id).map(AsRef::as_ref)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Sets of names, each once. Set 0 is empty.
#[derive(Debug, Clone)]
pub(crate) struct Sets(Table<Box<[u32]>>);

impl Default for Sets {
    fn default() -> Self {
        let mut table = Table::default();
        table.intern::<[u32]>(&[]);
        Self(table)
    }
}

impl Sets {
    /// The number of a set.
    pub(crate) fn intern(&mut self, mut members: Vec<u32>) -> u32 {
        members.sort_unstable();
        members.dedup();
        self.0.intern(members.as_slice())
    }

    /// Its members.
    pub(crate) fn members(&self, id: u32) -> &[u32] {
        self.0.get(id).map_or(&[], AsRef::as_ref)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The members of each set, in the order of their numbers.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[u32]> {
        self.0.all().iter().map(AsRef::as_ref)
    }
}

/// What an incident may have in common with others: what figures are grouped and filtered by, and what people said.
/// It is kept once for all of them, so that a question decides once for all of them.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own about an incident"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Labels {
    pub(crate) origin: u32,
    pub(crate) severity: u32,
    pub(crate) environment: u32,
    pub(crate) service: u32,
    pub(crate) service_now: u32,
    pub(crate) policy: u32,
    pub(crate) policy_now: u32,
    pub(crate) urgency: u32,
    pub(crate) urgency_now: u32,
    pub(crate) priority: u32,
    pub(crate) priority_now: u32,
    /// Its teams when it was triggered: PagerDuty's, and our own that answer for them or its service.
    pub(crate) teams: u32,
    /// PagerDuty's teams of it.
    pub(crate) told_teams: u32,
    /// What a person linked: a deployment's id, `NONE`, or `NOTHING`.
    pub(crate) manual: u32,
    /// Its `deployment` field.
    pub(crate) explicit: u32,
    /// The cause that somebody named.
    pub(crate) cause: u32,
    /// Its resolve reason is a merge.
    pub(crate) merge_told: bool,
    /// Its policy at trigger is the one that its service has.
    pub(crate) policy_untold: bool,
    pub(crate) not_change_related: bool,
    /// Nobody told of its trigger when it was.
    pub(crate) rebuilt: bool,
}

/// A person said that no deployment is behind an incident.
pub(crate) const NOTHING: u32 = u32::MAX - 1;

/// Numbers in labels, and their bytes with those of the answers.
const NUMBERS: usize = 16;
pub(crate) const LABELS_BYTES: usize = NUMBERS * 4 + 1;

impl Labels {
    fn numbers(&self) -> [u32; NUMBERS] {
        [
            self.origin,
            self.severity,
            self.environment,
            self.service,
            self.service_now,
            self.policy,
            self.policy_now,
            self.urgency,
            self.urgency_now,
            self.priority,
            self.priority_now,
            self.explicit,
            self.cause,
            self.manual,
            self.teams,
            self.told_teams,
        ]
    }

    /// The numbers of names among them.
    pub(crate) fn names(&self) -> Vec<u32> {
        let names = self.numbers().into_iter().take(NUMBERS - 2);
        names.filter(|id| *id != NOTHING).collect()
    }

    pub(crate) fn to_bytes(self) -> [u8; LABELS_BYTES] {
        let mut bytes = [0; LABELS_BYTES];
        let (numbers, rest) = bytes.split_at_mut(NUMBERS * 4);
        for (place, number) in numbers.chunks_exact_mut(4).zip(self.numbers()) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let answers = [
            self.merge_told,
            self.policy_untold,
            self.not_change_related,
            self.rebuilt,
        ];
        let answers = answers.iter().rev();
        rest.fill(answers.fold(0, |bits, yes| bits << 1 | u8::from(*yes)));
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; LABELS_BYTES]) -> Self {
        let (numbers, rest) = bytes.split_at(NUMBERS * 4);
        let mut numbers = numbers.chunks_exact(4).map(|number| {
            let number = number.try_into().unwrap_or_default();
            u32::from_le_bytes(number)
        });
        let mut next = || numbers.next().unwrap_or(NONE);
        let bits = rest.first().copied().unwrap_or(0);
        Self {
            origin: next(),
            severity: next(),
            environment: next(),
            service: next(),
            service_now: next(),
            policy: next(),
            policy_now: next(),
            urgency: next(),
            urgency_now: next(),
            priority: next(),
            priority_now: next(),
            explicit: next(),
            cause: next(),
            manual: next(),
            teams: next(),
            told_teams: next(),
            merge_told: bits & 1 != 0,
            policy_untold: bits & 2 != 0,
            not_change_related: bits & 4 != 0,
            rebuilt: bits & 8 != 0,
        }
    }
}

impl From<&Self> for Labels {
    fn from(labels: &Self) -> Self {
        *labels
    }
}

/// Where each incident is, by its number. The numbers themselves are the caller's, who tells the one at a place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    places: HashTable<u32>,
    hasher: RandomState,
}

impl Places {
    /// The place of a number.
    pub(crate) fn find(&self, number: i64, number_at: impl Fn(usize) -> i64) -> Option<usize> {
        let is_it = |place: &u32| number_at(num::at(*place)) == number;
        let found = self.places.find(self.hasher.hash_one(number), is_it);
        found.map(|place| num::at(*place))
    }

    /// Takes the number at a place, which has none yet.
    pub(crate) fn add(&mut self, place: usize, number_at: impl Fn(usize) -> i64) {
        let hash = |place: u32| self.hasher.hash_one(number_at(num::at(place)));
        let place = num::id(place);
        self.places
            .insert_unique(hash(place), place, |place| hash(*place));
    }

    /// Forgets the number at a place.
    pub(crate) fn remove(&mut self, place: usize, number: i64) {
        let hash = self.hasher.hash_one(number);
        if let Ok(found) = self
            .places
            .find_entry(hash, |known| num::at(*known) == place)
        {
            found.remove();
        }
    }
}
