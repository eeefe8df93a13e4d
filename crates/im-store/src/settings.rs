//! Named settings of this installation.

use crate::statements::statements;
use crate::{StoreError, Tx, params};

statements! {
    PUT = "-- settings.put
        INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    PUT_NEW = "-- settings.put_new
        INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    GET = "-- settings.get
        SELECT value FROM setting WHERE name = ?1";
}

/// Sets a value.
pub fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(PUT, params![name, value])?;
    Ok(())
}

/// Sets a value unless there is one, and returns the one that counts.
pub fn put_new(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<String, StoreError> {
    tx.execute(PUT_NEW, params![name, value])?;
    Ok(get(tx, name)?.unwrap_or_else(|| value.to_owned()))
}

/// A value.
pub fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    let row = tx.query_one(GET, params![name])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}
