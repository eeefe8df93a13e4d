//! Deployments, and which of them is behind an incident.
//!
//! In this order: what a person said; what the incident's `deployment` field names (the id of any
//! deployment, else the newest finished one of its service with that version, finished by the
//! trigger); the newest successful one of its service in its environment that was finished by the
//! trigger. How late the trigger may be is a question of the query. Ties take the greater id.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::columns::{Linked, Method};
use crate::input::{self, DeploymentStatus};
use crate::names::{Labels, NONE, NOTHING, Names};
use crate::num;

/// A deployment in memory.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) id: u32,
    pub(crate) service: u32,
    pub(crate) environment: u32,
    version: u32,
    pub(crate) finished: Option<i64>,
    pub(crate) is_success: bool,
    pub(crate) unplanned_fix: bool,
    pub(crate) commits: Vec<i64>,
}

impl Deployment {
    /// When it succeeded, if that was by then.
    pub(crate) fn succeeded(&self, as_of: i64) -> Option<i64> {
        self.finished.filter(|at| self.is_success && *at <= as_of)
    }
}

/// Where to look for the newest: by service and environment, `ANY` for whatever environment.
type Place = (u32, u32);

const ANY: u32 = u32::MAX - 1;

/// All deployments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deployments {
    pub(crate) all: Vec<Deployment>,
    by_id: HashMap<u32, u32>,
    /// Successful ones, oldest first.
    successful: HashMap<Place, Vec<u32>>,
    /// Finished ones by service and version, oldest first.
    finished: HashMap<Place, Vec<u32>>,
}

impl Deployments {
    /// Puts deployments in, each in place of the one with its id; says which services they are or were on.
    pub(crate) fn put(
        &mut self,
        deployments: &[input::Deployment],
        names: &mut Names,
    ) -> HashSet<u32> {
        let mut services = HashSet::new();
        for given in deployments {
            let deployment = Deployment {
                id: names.intern(&given.id),
                service: names.intern(&given.service),
                environment: names.intern_environment(given.environment.as_deref()),
                version: names.intern_some(given.version.as_deref()),
                finished: given.finished_at.map(Timestamp::as_microsecond),
                is_success: given.status == DeploymentStatus::Success,
                unplanned_fix: given.unplanned_fix,
                commits: given.commits.iter().map(|at| at.as_microsecond()).collect(),
            };
            let place = self.by_id.get(&deployment.id).copied();
            let place = place.unwrap_or_else(|| num::id(self.all.len()));
            self.by_id.insert(deployment.id, place);
            services.insert(deployment.service);
            match self.all.get_mut(num::at(place)) {
                Some(have) => {
                    services.insert(have.service);
                    *have = deployment;
                }
                None => self.all.push(deployment),
            }
        }
        self.index(names);
        services
    }

    fn index(&mut self, names: &Names) {
        self.successful.clear();
        self.finished.clear();
        let mut order: Vec<(i64, &str, u32)> = Vec::new();
        for (place, deployment) in self.all.iter().enumerate() {
            let id = names.text(deployment.id).unwrap_or_default();
            order.extend(deployment.finished.map(|at| (at, id, num::id(place))));
        }
        order.sort_unstable();
        for (_, _, place) in order {
            let Some(deployment) = self.all.get(num::at(place)) else {
                continue;
            };
            let version = (deployment.service, deployment.version);
            self.finished.entry(version).or_default().push(place);
            if deployment.is_success {
                for environment in [deployment.environment, ANY] {
                    let within = (deployment.service, environment);
                    self.successful.entry(within).or_default().push(place);
                }
            }
        }
    }

    /// The deployment at a place.
    pub(crate) fn get(&self, place: u32) -> Option<&Deployment> {
        self.all.get(num::at(place))
    }

    fn finished_at(&self, place: u32) -> i64 {
        let finished = self.get(place).and_then(|deployment| deployment.finished);
        finished.unwrap_or(i64::MAX)
    }

    /// The newest in a list that was finished by then.
    fn newest(&self, list: Option<&Vec<u32>>, by: i64) -> Option<u32> {
        let list = list?;
        let count = list.partition_point(|place| self.finished_at(*place) <= by);
        list.get(count.checked_sub(1)?).copied()
    }

    /// What is behind an incident that was triggered then.
    pub(crate) fn link(&self, labels: &Labels, trigger: i64, names: &Names) -> Linked {
        let linked = |method, deployment| Linked { method, deployment };
        if labels.manual == NOTHING {
            return linked(Method::Manual, NONE);
        }
        if labels.manual != NONE {
            let deployment = self.by_id.get(&labels.manual).copied();
            return linked(Method::Manual, deployment.unwrap_or(NONE));
        }
        if labels.explicit != NONE {
            let by_id = self.by_id.get(&labels.explicit).copied();
            let of_version = self.finished.get(&(labels.service, labels.explicit));
            if let Some(found) = by_id.or_else(|| self.newest(of_version, trigger)) {
                return linked(Method::Explicit, found);
            }
        }
        match self.same_service_time(labels, trigger, names) {
            Some(found) => linked(Method::SameServiceTime, found),
            None => linked(Method::None, NONE),
        }
    }

    fn same_service_time(&self, labels: &Labels, trigger: i64, names: &Names) -> Option<u32> {
        let newest = |environment| {
            let list = self.successful.get(&(labels.service, environment));
            self.newest(list, trigger)
        };
        if labels.environment == NONE {
            return newest(ANY);
        }
        let both = [newest(labels.environment), newest(NONE)];
        both.into_iter().flatten().max_by_key(|place| {
            let id = self.get(*place).and_then(|found| names.text(found.id));
            (self.finished_at(*place), id)
        })
    }
}
