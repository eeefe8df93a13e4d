//! Whose incident is it that PagerDuty shows? The key tells what was made here, and by which
//! connector: another one that sees it leaves it alone, or it would be here twice.

use im_core::{IncidentNumber, Mapping, Named};
use im_store::{StoreError, Tx, incidents, settings};

use crate::connector::{self, Connector};
use crate::read;

/// The setting that tells installations apart in keys that we make.
const INSTALLATION: &str = "installation";

/// The key by which the twin of `incident` is made: ours, service and generation (S63), so it is
/// never used for two incidents.
pub(crate) fn key(
    installation: &str,
    incident: IncidentNumber,
    mapping: &Mapping,
    (service, own): (Option<&str>, Option<&str>),
) -> String {
    format!(
        "im-{installation}-{incident}-{}-1",
        mapping.service_id(service, own)
    )
}

/// What tells this installation from others.
pub(crate) fn installation(tx: &mut Tx<'_>) -> Result<String, StoreError> {
    let fresh = format!("{:08x}", tx.random_u64() >> 32);
    settings::put_new(tx, INSTALLATION, &fresh)
}

/// The incident whose twin was to be made with `key`, whatever its connector.
fn of_key(tx: &mut Tx<'_>, key: &str) -> Result<Option<incidents::IncidentRow>, StoreError> {
    let Some(installation) = settings::get(tx, INSTALLATION)? else {
        return Ok(None);
    };
    let number = key
        .strip_prefix(&format!("im-{installation}-INC-"))
        .and_then(|rest| rest.split_once('-'))
        .and_then(|(number, _)| IncidentNumber::parse_own(number));
    match number {
        Some(number) => {
            let row = incidents::find(tx, number)?;
            Ok(row.filter(|row| row.pd_key.as_deref() == Some(key)))
        }
        None => Ok(None),
    }
}

/// Whether another connector of ours, even a removed one, made PagerDuty's incident `pd_id`.
pub(crate) fn is_anothers(
    tx: &mut Tx<'_>,
    connector: &Connector,
    pd_id: &str,
    key: Option<&str>,
    service: Option<&Named>,
) -> Result<bool, StoreError> {
    if let Some(key) = key
        && let Some(row) = of_key(tx, key)?
        && let Some(maker) = row.connector.filter(|maker| maker != connector.name())
        && let Some(mapping) = connector::mapping(tx, &maker)?
    {
        return read::is_where_it_was_made(tx, &mapping, row.number, service);
    }
    for other in connector::all(tx)? {
        let same_place = other.config.base_url == connector.config.base_url;
        if !same_place || other.name() == connector.name() {
            continue;
        }
        if let Some(known) = incidents::by_twin(tx, other.name(), pd_id)?
            && incidents::find(tx, known)?.is_some_and(|row| row.pd_key.is_some())
        {
            return Ok(true);
        }
    }
    Ok(false)
}
