//! Into what an incident was merged, to the end: what it was merged into may have been merged itself (S35).

use im_core::IncidentNumber;
use im_store::{StoreError, Tx, incidents};

use crate::record::{self, Mappings};

/// The incidents that it was merged into, one into the next; the last one is where everything went. One that
/// is not known here ends the way, and so does a circle.
pub fn merged_into(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
) -> Result<Vec<IncidentNumber>, StoreError> {
    let mut way = Vec::new();
    let mut at = incident;
    while let Some(next) = next(tx, at)? {
        if next == incident || way.contains(&next) {
            break;
        }
        way.push(next);
        at = next;
    }
    Ok(way)
}

fn next(tx: &mut Tx<'_>, incident: IncidentNumber) -> Result<Option<IncidentNumber>, StoreError> {
    let Some(row) = incidents::find(tx, incident)? else {
        return Ok(None);
    };
    let told = record::told(tx, incident, &mut Mappings::default())?;
    let into = told.and_then(|told| told.story.peer?.merged_into);
    match (row.connector, into) {
        (Some(connector), Some(into)) => incidents::by_twin(tx, &connector, &into),
        _ => Ok(None),
    }
}
