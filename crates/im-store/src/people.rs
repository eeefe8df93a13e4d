//! PagerDuty's people, as last read: who has which address there.

use serde::Deserialize;

use crate::arrangements::{self, Sort};
use crate::directory::{self, Kind};
use crate::statements::statements;
use crate::{Row, StoreError, Tx, params};

/// A user of PagerDuty's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// PagerDuty's id.
    pub id: String,
    /// The address, in lower case.
    pub email: String,
    /// The name.
    pub name: Option<String>,
}

statements! {
    PUT = "-- people.put
        INSERT INTO pd_user (connector, id, email, name) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (connector, id) DO UPDATE SET email = excluded.email, name = excluded.name";
    BY_EMAIL = "-- people.by_email
        SELECT id, email, name FROM pd_user WHERE connector = ?1 AND email = ?2 ORDER BY id LIMIT 1";
    BY_ID = "-- people.by_id
        SELECT id, email, name FROM pd_user WHERE connector = ?1 AND id = ?2";
    ALL = "-- people.all
        SELECT id, email, name FROM pd_user ORDER BY id, connector";
    COUNT = "-- people.count
        SELECT COUNT(*) FROM pd_user WHERE connector = ?1";
}

/// Remembers a user.
pub fn put(tx: &mut Tx<'_>, connector: &str, user: &UserRow) -> Result<(), StoreError> {
    let email = user.email.to_lowercase();
    tx.execute(
        PUT,
        params![connector, user.id.as_str(), email, user.name.as_deref()],
    )?;
    Ok(())
}

/// The user with this address, in any case; else the one that people say is the person of this address.
pub fn by_email(
    tx: &mut Tx<'_>,
    connector: &str,
    email: &str,
) -> Result<Option<UserRow>, StoreError> {
    match tx.query_one(BY_EMAIL, params![connector, email.to_lowercase()])? {
        Some(row) => read(&row).map(Some),
        None => linked(tx, connector, email),
    }
}

/// A user of PagerDuty's, and the person that it is.
#[derive(Deserialize)]
struct Link {
    user: String,
    person: Option<String>,
}

fn linked(tx: &mut Tx<'_>, connector: &str, email: &str) -> Result<Option<UserRow>, StoreError> {
    let is_meant = |link: &Link| {
        let person = link.person.as_deref();
        person.is_some_and(|person| person.eq_ignore_ascii_case(email))
    };
    let links: Vec<Link> = arrangements::all(tx, Sort::User)?;
    for link in links.iter().filter(|link| is_meant(link)) {
        let known = directory::latest(tx, connector, Kind::User, &link.user)?;
        let is_gone = known.is_some_and(|row| row.until.is_some());
        if let Some(user) = by_id(tx, connector, &link.user)?.filter(|_| !is_gone) {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// The user with this id.
pub fn by_id(tx: &mut Tx<'_>, connector: &str, id: &str) -> Result<Option<UserRow>, StoreError> {
    tx.query_one(BY_ID, params![connector, id])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Every user of every connector.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<UserRow>, StoreError> {
    tx.query(ALL, &[])?.iter().map(read).collect()
}

/// How many users are known.
pub fn count(tx: &mut Tx<'_>, connector: &str) -> Result<i64, StoreError> {
    tx.query_one(COUNT, params![connector])?
        .map_or(Ok(0), |row| row.int(0))
}

fn read(row: &Row) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: row.text(0)?.to_owned(),
        email: row.text(1)?.to_owned(),
        name: row.opt_text(2)?.map(str::to_owned),
    })
}
