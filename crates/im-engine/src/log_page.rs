//! A page of an account's log, incident by incident.

use im_core::IncidentNumber;
use im_pagerduty::Heard;
use im_store::{StoreError, Tx, facts};

use crate::connector::Connector;

/// What a page says of each of PagerDuty's incidents, which is folded once for all of it.
pub(crate) fn by_incident(page: &[Heard]) -> Vec<(&str, Vec<&Heard>)> {
    let mut parts: Vec<(&str, Vec<&Heard>)> = Vec::new();
    for heard in page {
        let Some(pd_id) = heard.incident_id.as_deref() else {
            continue;
        };
        match parts.iter_mut().find(|(id, _)| *id == pd_id) {
            Some((_, said)) => said.push(heard),
            None => parts.push((pd_id, vec![heard])),
        }
    }
    parts
}

/// Whether it happened on services that are not synced, so that the incident need not be read.
pub(crate) fn is_left_out(connector: &Connector, said: &[&Heard]) -> bool {
    let services = said.iter().filter_map(|heard| heard.about.service.as_ref());
    let mut services = services.peekable();
    let is_any = services.peek().is_some();
    is_any && services.all(|service| !connector.mapping.is_synced(&service.id))
}

/// What is not known of an incident yet. Most of what is read was read before.
pub(crate) fn news<'a>(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    said: Vec<&'a Heard>,
) -> Result<Vec<&'a Heard>, StoreError> {
    let mut news = Vec::new();
    for heard in said {
        if !facts::are_known(tx, incident, &heard.facts)? {
            news.push(heard);
        }
    }
    Ok(news)
}
