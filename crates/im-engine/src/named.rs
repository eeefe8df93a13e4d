//! Which service of PagerDuty's an incident is put on by a name that people say.
//!
//! A name is one of ours where the tables of the connector have it. Else it is PagerDuty's own, by name in any case or
//! by id, as the directory has it; its id is kept with the fact, so a service that is called otherwise later, or a
//! table that is changed, moves nothing. A name that neither has is taken as it is, and goes to the default service.
//!
//! Invariants
//! - A name of PagerDuty's never means the default service: one that is not chosen to be synced is refused.

use std::collections::BTreeSet;

use im_core::{Command, Decided, Kind, ServiceChoice, Story};
use im_store::directory::{self, Kind as Thing};
use im_store::{StoreError, Tx};

use crate::commands::{self, CommandError};
use crate::connector::Connector;

/// PagerDuty's services as they were read last, with their names there, in the order of these.
pub fn listed(tx: &mut Tx<'_>, connector: &Connector) -> Result<Vec<ServiceChoice>, StoreError> {
    let rows = directory::of_kind(tx, Thing::Service)?.into_iter();
    let current = rows.filter(|row| row.connector == connector.name() && row.until.is_none());
    let mut listed: Vec<ServiceChoice> = current
        .filter_map(|row| {
            let (name, id) = (row.name?, row.id);
            Some(ServiceChoice { name, id })
        })
        .collect();
    listed.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(listed)
}

/// The one that goes by an id or a name there, in any case if none has it in this one.
pub fn find<'a>(listed: &'a [ServiceChoice], asked: &str) -> Option<&'a ServiceChoice> {
    let exact = listed
        .iter()
        .find(|one| one.id == asked || one.name == asked);
    let in_any_case = || {
        let lower = asked.to_lowercase();
        listed.iter().find(|one| one.name.to_lowercase() == lower)
    };
    exact.or_else(in_any_case)
}

/// The names by which an incident can be put on a service by a connector: ours, and PagerDuty's own of services that
/// are synced and have none of ours.
pub fn offered(tx: &mut Tx<'_>, connector: &Connector) -> Result<BTreeSet<String>, StoreError> {
    let mapping = &connector.mapping;
    let has_ours = |id: &str| mapping.services.iter().any(|row| row.id == id);
    let listed = listed(tx, connector)?.into_iter();
    let own = listed.filter(|one| mapping.is_synced(&one.id) && !has_ours(&one.id));
    let ours = mapping.service_names().map(str::to_owned);
    Ok(ours.chain(own.map(|one| one.name)).collect())
}

/// Whether a name means something to a connector, by its tables or by what PagerDuty has.
pub fn is_known(tx: &mut Tx<'_>, connector: &Connector, name: &str) -> Result<bool, StoreError> {
    let is_there = |one: &ServiceChoice| connector.mapping.is_synced(&one.id);
    Ok(connector.mapping.names_service(name)
        || find(&listed(tx, connector)?, name).is_some_and(is_there))
}

/// Whether PagerDuty has an incident on the service that its name here means. One that nothing knows is on the default
/// service, which is not its own.
pub fn is_on_its_own(connector: &Connector, story: &Story) -> bool {
    let shown = story.peer.as_ref().and_then(|peer| peer.service.as_ref());
    let name = story.service.as_deref().filter(|name| !name.is_empty());
    let (Some(shown), Some(name)) = (shown, name) else {
        return true;
    };
    let same_name = shown.name.as_deref() == Some(name) || shown.id == name;
    let mut rules = connector.mapping.rules.iter();
    same_name
        || rules.any(|rule| rule.id == shown.id)
        || story.service_id.is_some()
        || connector.mapping.names_service(name)
}

/// Names that were PagerDuty's own, and its ids of them.
#[derive(Debug, Default)]
pub(crate) struct Named(Vec<ServiceChoice>);

impl Named {
    /// Calls a service what it is called here, else at PagerDuty, and remembers which one is meant.
    pub(crate) fn settle(
        &mut self,
        tx: &mut Tx<'_>,
        connector: Option<&Connector>,
        name: &mut String,
    ) -> Result<(), CommandError> {
        let asked = name.trim();
        let Some(connector) = connector.filter(|one| !one.mapping.names_service(asked)) else {
            return Ok(());
        };
        let listed = listed(tx, connector)?;
        let Some(own) = find(&listed, asked).filter(|_| !asked.is_empty()) else {
            return Ok(());
        };
        if !connector.mapping.is_synced(&own.id) {
            return Err(CommandError::NotSynced {
                service: own.name.clone(),
                connector: connector.name().to_owned(),
            });
        }
        let mut rows = connector.mapping.services.iter();
        if let Some(ours) = rows.find(|row| row.id == own.id) {
            name.clone_from(&ours.name);
            return Ok(());
        }
        name.clone_from(&own.name);
        self.0.push(own.clone());
        Ok(())
    }

    /// PagerDuty's id of a service that was named as PagerDuty does.
    pub(crate) fn id(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|own| own.name == name);
        found.map(|own| own.id.as_str())
    }

    /// Keeps which service is meant with what was decided.
    pub(crate) fn keep(&self, decided: &mut [Decided]) {
        let moves = decided.iter_mut();
        for one in moves.filter(|one| one.kind == Kind::ServiceChanged) {
            let id = one.value.as_deref().and_then(|name| self.id(name));
            one.detail = id.map(str::to_owned);
        }
    }
}

/// Settles the services of a declaration, or those that are added to an incident.
pub(crate) fn settle_new(
    tx: &mut Tx<'_>,
    connector: Option<&str>,
    command: &mut Command,
) -> Result<Named, CommandError> {
    let mut named = Named::default();
    if let Command::Declare { services, .. } | Command::AddServices { services } = command {
        for name in services.iter_mut().filter(|name| !name.trim().is_empty()) {
            let connector = commands::choose(tx, connector, Some(name.trim()))?;
            named.settle(tx, connector.as_ref(), name)?;
        }
    }
    Ok(named)
}

/// The same of a change to an incident that a connector has.
pub(crate) fn settle_edit(
    tx: &mut Tx<'_>,
    connector: Option<&Connector>,
    command: &mut Command,
) -> Result<Named, CommandError> {
    if let Command::Edit {
        service: Some(name),
        ..
    } = command
    {
        let mut named = Named::default();
        named.settle(tx, connector, name)?;
        return Ok(named);
    }
    settle_new(tx, None, command)
}
