//! Services that PagerDuty deleted: nobody there will end their incidents (G03).
//!
//! A deletion is remembered, so that an incident which becomes known after it ends as well. Each
//! incident that was ever seen on the service gets the report; whether it was there at that
//! instant is for the fold to say (`im_core`), since a move may be told later.

use im_core::{Actor, Fact, GONE, IncidentNumber, Kind, Source};
use im_store::{Cause, StoreError, Tx, facts, incidents, settings};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::connector::Connector;
use crate::record;

/// A service that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Deleted {
    service: String,
    at: Timestamp,
    event: String,
}

fn setting(connector: &str) -> String {
    format!("deleted_services:{connector}")
}

fn remembered(tx: &mut Tx<'_>, connector: &str) -> Result<Vec<Deleted>, StoreError> {
    let Some(text) = settings::get(tx, &setting(connector))? else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&text).map_err(|error| StoreError::Corrupt {
        place: format!("the deleted services of connector {connector}"),
        source: Cause::new(error),
    })
}

/// Remembers a deletion, and ends what is known to be open on the service.
pub(crate) fn remember(
    tx: &mut Tx<'_>,
    connector: &Connector,
    service: &str,
    event: &str,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut all = remembered(tx, connector.name())?;
    if all.iter().any(|deleted| deleted.event == event) {
        return Ok(());
    }
    all.push(Deleted {
        service: service.to_owned(),
        at,
        event: event.to_owned(),
    });
    let text = serde_json::to_string(&all).expect("our own types have text keys and cannot fail");
    settings::put(tx, &setting(connector.name()), &text)?;
    for incident in incidents::open_twins(tx, connector.name())? {
        record::refold(tx, incident, Some(connector), now)?;
    }
    Ok(())
}

/// Reports the deletions that an incident has not heard of; says whether there were any.
pub(crate) fn report(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: &Connector,
    known: &[Fact],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut services = known
        .iter()
        .filter_map(|fact| fact.snapshot.as_ref()?.service.as_ref())
        .peekable();
    if services.peek().is_none() || !connector.mapping.direction.receives() {
        return Ok(false);
    }
    let services: Vec<&str> = services.map(|service| service.id.as_str()).collect();
    let ends: Vec<_> = remembered(tx, connector.name())?
        .into_iter()
        .filter(|deleted| services.contains(&deleted.service.as_str()))
        .filter(|deleted| !known.iter().any(|fact| fact.source_id == deleted.event))
        .map(|deleted| (end(&deleted), None))
        .collect();
    Ok(facts::append(tx, incident, &ends, now)? > 0)
}

fn end(deleted: &Deleted) -> Fact {
    let nobody = Actor::NOBODY;
    Fact::new(
        Source::Webhook,
        &deleted.event,
        Kind::Resolved,
        nobody,
        deleted.at,
    )
    .with_value(GONE)
    .with_detail(&deleted.service)
}
