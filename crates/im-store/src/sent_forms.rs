//! Forms that were sent: one that is sent twice does its work once.
//!
//! A row is written in the transaction that does the work, so it is there exactly if the work was done.

use im_core::IncidentNumber;
use jiff::Timestamp;

use crate::statements::statements;
use crate::{StoreError, Tx, params};

statements! {
    INSERT = "-- sent_forms.insert
        INSERT INTO sent_form (digest, incident, sent_at) VALUES (?1, ?2, ?3)";
    FIND = "-- sent_forms.find
        SELECT incident FROM sent_form WHERE digest = ?1";
    FORGET = "-- sent_forms.forget
        DELETE FROM sent_form WHERE sent_at < ?1";
}

/// Remembers that a form did its work, on which incident.
pub fn insert(
    tx: &mut Tx<'_>,
    digest: &str,
    incident: IncidentNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(INSERT, params![digest, incident.get(), now])?;
    Ok(())
}

/// The incident that the same form was about before.
pub fn find(tx: &mut Tx<'_>, digest: &str) -> Result<Option<IncidentNumber>, StoreError> {
    let row = tx.query_one(FIND, params![digest])?;
    let number = row.map(|row| row.int(0)).transpose()?;
    Ok(number.and_then(IncidentNumber::new))
}

/// Forgets what was sent before.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET, params![before])?;
    Ok(())
}
