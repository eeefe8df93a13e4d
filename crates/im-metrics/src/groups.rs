//! Groups: which rows of an answer an item belongs to.

use std::collections::HashMap;

use crate::columns::Row;
use crate::names::NONE;
use crate::num;
use crate::plan::{Item, Of, Plan, word};
use crate::query::{Dimension, Metric};

/// The keys of a group, by their numbers; the second is `NONE` where there is one.
type Keys = (u32, u32);

/// How the group of an item is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// There is one.
    Whole,
    /// By what the incident has in common with others.
    Labels(Dimension),
    /// By something else.
    Other,
}

/// The groups met so far, each with a place.
pub(crate) struct Groups {
    /// By user first.
    is_by_user: bool,
    by: Option<Dimension>,
    way: Way,
    /// Places by first key; the last is for no value.
    first: Vec<u32>,
    /// Places where there are two keys.
    both: HashMap<Keys, usize>,
    keys: Vec<Keys>,
    /// The place of each combination of labels, once it is known, where the key is one of them.
    of_labels: Vec<u32>,
}

impl Groups {
    pub(crate) fn new(plan: &Plan<'_>) -> Self {
        let is_by_user = plan.query.metric == Metric::OncallLoad;
        let mut groups = Self {
            is_by_user,
            by: plan.query.group_by,
            way: match plan.query.group_by {
                None if !is_by_user => Way::Whole,
                Some(by) if !is_by_user && by.is_of_labels() => Way::Labels(by),
                _ => Way::Other,
            },
            first: vec![NONE; plan.engine.names.len() + 1],
            both: HashMap::new(),
            keys: Vec::new(),
            of_labels: vec![NONE; plan.engine.labels.len()],
        };
        if groups.dimensions().is_empty() {
            groups.place((NONE, NONE));
        }
        groups
    }

    /// The group of everything.
    pub(crate) fn one() -> Self {
        Self {
            is_by_user: false,
            by: None,
            way: Way::Whole,
            first: Vec::new(),
            both: HashMap::new(),
            keys: vec![(NONE, NONE)],
            of_labels: Vec::new(),
        }
    }

    /// What is grouped by, in order.
    pub(crate) fn dimensions(&self) -> Vec<Dimension> {
        let user = self.is_by_user.then_some(Dimension::User);
        user.into_iter().chain(self.by).collect()
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Takes the groups of another share: where each of them is here.
    pub(crate) fn add(&mut self, other: &Self) -> Vec<usize> {
        let keys = other.keys.iter();
        keys.map(|keys| self.place(*keys)).collect()
    }

    /// The keys of the group at each place, as texts.
    pub(crate) fn keys(&self, plan: &Plan<'_>) -> Vec<Vec<Option<String>>> {
        let text = |id: u32| plan.engine.names.text(id).map(str::to_owned);
        let keys = self.keys.iter();
        let texts = keys.map(|(first, second)| match self.dimensions().len() {
            0 => Vec::new(),
            1 => vec![text(*first)],
            _ => vec![text(*first), text(*second)],
        });
        texts.collect()
    }

    /// Whether every item belongs to the only group.
    pub(crate) fn are_one(&self) -> bool {
        self.way == Way::Whole
    }

    /// Whether an item belongs to many groups: to one for each of its teams.
    pub(crate) fn are_teams(&self) -> bool {
        self.by == Some(Dimension::Team)
    }

    /// The place of the group that an item belongs to, where it is one.
    #[inline(always)]
    pub(crate) fn of(&mut self, plan: &Plan<'_>, item: &Item<'_>) -> usize {
        match (self.way, item.of) {
            (Way::Whole, _) => 0,
            (Way::Labels(by), Of::Incident(row)) => {
                match self.of_labels.get(num::at(row.labels())) {
                    Some(place) if *place != NONE => num::at(*place),
                    _ => self.place_of_labels(plan, row, by),
                }
            }
            (Way::Labels(_) | Way::Other, _) => match self.by {
                None => self.place((item.user, NONE)),
                Some(by) => {
                    let key = Self::key(plan, item, by);
                    self.place(self.keys_of(item, key))
                }
            },
        }
    }

    #[cold]
    fn place_of_labels(&mut self, plan: &Plan<'_>, row: Row<'_>, by: Dimension) -> usize {
        let place = self.place((plan.field(row, by), NONE));
        if let Some(known) = self.of_labels.get_mut(num::at(row.labels())) {
            *known = num::id(place);
        }
        place
    }

    /// The place of the group of a team.
    pub(crate) fn of_team(&mut self, item: &Item<'_>, team: u32) -> usize {
        self.place(self.keys_of(item, team))
    }

    #[inline]
    fn keys_of(&self, item: &Item<'_>, key: u32) -> Keys {
        if self.is_by_user {
            (item.user, key)
        } else {
            (key, NONE)
        }
    }

    #[inline(always)]
    fn key(plan: &Plan<'_>, item: &Item<'_>, by: Dimension) -> u32 {
        match (by, item.of) {
            (Dimension::User, _) => item.user,
            (Dimension::ResolverKind, _) => item.resolver.map_or(NONE, word),
            (_, Of::Incident(row)) => plan.field(row, by),
            (Dimension::Service, Of::Deployment(deployment)) => deployment.service,
            (Dimension::Environment, Of::Deployment(deployment)) => deployment.environment,
            (_, Of::Deployment(_)) => NONE,
        }
    }

    #[inline(always)]
    fn place(&mut self, keys: Keys) -> usize {
        if self.is_by_user && self.by.is_some() {
            let next = self.keys.len();
            let place = *self.both.entry(keys).or_insert(next);
            if place == next {
                self.keys.push(keys);
            }
            return place;
        }
        let last = self.first.len() - 1;
        let slot = self.first.get_mut(num::at(keys.0).min(last));
        let slot = slot.expect("each name has a slot, and one more is for no name");
        if *slot == NONE {
            *slot = num::id(self.keys.len());
            self.keys.push(keys);
        }
        num::at(*slot)
    }
}
