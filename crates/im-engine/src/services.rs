//! What services may be called, and the deployments that were recorded under a name before anybody knew the service.
//!
//! Invariants
//! - A name that two services have is no service's: any choice would be a guess.
//! - A deployment that got its service keeps it, whatever the service is called later.
//! - What incidents have that PagerDuty does not know stays the name of a service of its own: their deployments are not
//!   taken from them.

use std::collections::{BTreeMap, BTreeSet};

use im_store::directory::{self, Kind};
use im_store::{StoreError, Tx, deployments, incidents};

use crate::connector;

/// More than one service goes by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Several {
    /// The name.
    pub name: String,
    /// PagerDuty's ids of the services.
    pub ids: Vec<String>,
}

/// What services may be called.
#[derive(Debug)]
pub struct Services {
    /// The names of services here, with PagerDuty's ids.
    mapped: Vec<(String, String)>,
    /// PagerDuty's services by id: the last name of each, and whether it is gone.
    listed: BTreeMap<String, (Option<String>, bool)>,
    /// Every name that each of them ever had.
    names: BTreeMap<String, BTreeSet<String>>,
}

impl Services {
    /// As they are now.
    pub fn read(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        let connectors = connector::all(tx)?;
        let mapped = connectors.iter().flat_map(|one| &one.mapping.services);
        let rows = directory::of_kind(tx, Kind::Service)?;
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in &rows {
            names
                .entry(row.id.clone())
                .or_default()
                .extend(row.name.clone());
        }
        let listed = rows
            .into_iter()
            .map(|row| (row.id, (row.name, row.until.is_some())));
        Ok(Self {
            mapped: mapped
                .map(|service| (service.name.clone(), service.id.clone()))
                .collect(),
            listed: listed.collect(),
            names,
        })
    }

    /// PagerDuty's id of the service that goes by a name here, or by one there, in any case; else what was given.
    /// One that is gone has its name only as long as no other has it.
    pub fn id(&self, given: &str) -> Result<String, Several> {
        let mapped = self.mapped.iter().filter(|(name, _)| name == given);
        let exact: BTreeSet<&String> = mapped.map(|(_, id)| id).collect();
        if !exact.is_empty() {
            return only(given, exact);
        }
        if self.listed.contains_key(given) {
            return Ok(given.to_owned());
        }
        let lower = given.to_lowercase();
        let is_so = |name: &str| name.to_lowercase() == lower;
        let mapped = self.mapped.iter().filter(|(name, _)| is_so(name));
        let named = |is_gone: bool| {
            let listed = self.listed.iter();
            listed.filter_map(move |(id, (name, gone))| {
                let is_meant = *gone == is_gone && name.as_deref().is_some_and(is_so);
                is_meant.then_some(id)
            })
        };
        let mut ids: BTreeSet<&String> = mapped.map(|(_, id)| id).chain(named(false)).collect();
        if ids.is_empty() {
            ids.extend(named(true));
        }
        only(given, ids)
    }

    /// Everything that incidents of the services may say which go by an id or a name: PagerDuty's ids, the names here,
    /// and all that each had there. A name that services had before means them where none has it now.
    pub fn said(&self, given: &str) -> BTreeSet<String> {
        let lower = given.to_lowercase();
        let is_so = |name: &String| name.to_lowercase() == lower;
        let meant = match self.id(given) {
            Ok(id) => vec![id],
            Err(Several { ids, .. }) => ids,
        };
        let known = self
            .names
            .keys()
            .chain(self.mapped.iter().map(|(_, id)| id));
        let ids: BTreeSet<&String> = known.filter(|id| meant.contains(id)).collect();
        let of_before = || {
            let had = self
                .names
                .iter()
                .filter(|(_, names)| names.iter().any(is_so));
            had.map(|(id, _)| id).collect()
        };
        let ids = if ids.is_empty() { of_before() } else { ids };
        let listed = ids.iter().filter_map(|id| self.names.get(*id)).flatten();
        let mapped = self.mapped.iter().filter(|(_, id)| ids.contains(id));
        let all = mapped
            .map(|(name, _)| name)
            .chain(listed)
            .chain(ids.iter().copied());
        all.cloned().chain([given.to_owned()]).collect()
    }

    /// What a service is called here, else at PagerDuty.
    pub fn name(&self, id: &str) -> Option<&str> {
        let mut mapped = self.mapped.iter();
        let mapped = mapped.find(|(_, of)| of == id).map(|(name, _)| &**name);
        let listed = || self.listed.get(id).and_then(|(name, _)| name.as_deref());
        mapped.or_else(listed)
    }

    /// Every name and id.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let mapped = self.mapped.iter().flat_map(|(name, id)| [name, id]);
        let listed = self.listed.iter();
        let listed = listed.flat_map(|(id, (name, _))| std::iter::once(id).chain(name));
        mapped.chain(listed).map(String::as_str)
    }
}

/// The one id that goes by a name, or the name where none does.
fn only(given: &str, ids: BTreeSet<&String>) -> Result<String, Several> {
    let ids: Vec<&String> = ids.into_iter().collect();
    match &*ids {
        [] => Ok(given.to_owned()),
        [id] => Ok((*id).clone()),
        several => Err(Several {
            name: given.to_owned(),
            ids: several.iter().map(|id| (*id).clone()).collect(),
        }),
    }
}

/// Gives the deployments that were recorded under a name to the service that goes by it now.
pub(crate) fn adopt_deployments(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let untold = deployments::of_unlisted_services(tx)?;
    if untold.is_empty() {
        return Ok(());
    }
    let services = Services::read(tx)?;
    for name in untold {
        // Of several nobody can say which; who recorded it is told when the next one is.
        let Ok(id) = services.id(&name) else { continue };
        if id == name || incidents::has_own_on(tx, &name)? {
            continue;
        }
        let rows = deployments::newest(tx, Some(&name), u32::MAX)?;
        tracing::info!(
            service = id,
            "{} deployments of `{name}` belong to service {id} from now on",
            rows.len()
        );
        for mut row in rows {
            row.service.clone_from(&id);
            deployments::put(tx, &row)?;
        }
    }
    Ok(())
}
