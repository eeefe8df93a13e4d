//! What the owner of a connection keeps from one transaction to the next.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use im_core::{Fact, IncidentNumber};

/// Facts that are kept in memory at most; some hundred bytes each.
const FACTS_MAX: usize = 4_096;

/// The generator behind ids and jitter, and the facts that were read last.
pub(crate) struct Session {
    pub(crate) rng: Rng,
    pub(crate) facts: KnownFacts,
}

impl Session {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            facts: KnownFacts::default(),
        }
    }

    /// Something was not kept: what a transaction saw of itself is not true any more.
    pub(crate) fn undone(&mut self) {
        self.facts = KnownFacts::default();
    }
}

/// The facts of incidents up to the last that was read. While an incident is there, facts are only
/// added to it, in the order of their numbers, so what was read stays true and only what came since
/// has to be read.
#[derive(Default)]
pub(crate) struct KnownFacts {
    of: HashMap<IncidentNumber, Known>,
    count: usize,
}

/// The facts of one incident and the number of the last.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) facts: Arc<Vec<Fact>>,
    pub(crate) last: i64,
}

impl KnownFacts {
    /// Takes what is known of an incident, to be put back with what came since.
    pub(crate) fn take(&mut self, incident: IncidentNumber) -> Known {
        let known = self.of.remove(&incident).unwrap_or_default();
        self.count -= known.facts.len();
        known
    }

    pub(crate) fn put(&mut self, incident: IncidentNumber, known: Known) {
        let added = known.facts.len();
        if self.count + added > FACTS_MAX {
            self.of.clear();
            self.count = 0;
        }
        if added <= FACTS_MAX {
            self.count += added;
            self.of.insert(incident, known);
        }
    }
}
