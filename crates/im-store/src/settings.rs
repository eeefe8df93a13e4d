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
    BEGINNING = "-- settings.beginning
        SELECT name, value FROM setting WHERE name LIKE ?1 || '%' ORDER BY name";
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

/// What is set under names that begin so, by what follows in the name.
pub fn beginning(tx: &mut Tx<'_>, beginning: &str) -> Result<Vec<(String, String)>, StoreError> {
    let mut all = Vec::new();
    for mut row in tx.query(BEGINNING, params![beginning])? {
        let (name, value) = (row.take_text(0)?, row.take_text(1)?);
        // An underscore is any letter to `LIKE`.
        if let Some(rest) = name.strip_prefix(beginning) {
            all.push((rest.to_owned(), value));
        }
    }
    Ok(all)
}

/// A value.
pub fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    let row = tx.query_one(GET, params![name])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}
