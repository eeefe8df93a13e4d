//! What an organisation settles: one row a thing, whose body the caller writes and reads.
//!
//! Each change counts up, so who remembers the count knows whether anything is new.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::facts::json;
use crate::statements::statements;
use crate::{StoreError, Tx, counter, params};

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Working hours from a date on.
    Hours,
    /// A person.
    Person,
    /// A user of PagerDuty's, and the person that it is.
    User,
    /// A team beside PagerDuty's.
    Team,
    /// A rule by which an incident is no failure.
    FailureRule,
    /// What figures are to reach.
    Target,
}

impl Sort {
    fn as_str(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Person => "person",
            Self::User => "user",
            Self::Team => "team",
            Self::FailureRule => "failure_rule",
            Self::Target => "target",
        }
    }
}

const CHANGES: &str = "arrangements";

statements! {
    PUT = "-- arrangements.put
        INSERT INTO arrangement (kind, id, body) VALUES (?1, ?2, ?3)
            ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
    ALL = "-- arrangements.all
        SELECT body FROM arrangement WHERE kind = ?1 ORDER BY id";
    FIND = "-- arrangements.find
        SELECT body FROM arrangement WHERE kind = ?1 AND id = ?2";
    COUNT = "-- arrangements.count
        SELECT COUNT(*) FROM arrangement WHERE kind = ?1";
    DELETE = "-- arrangements.delete
        DELETE FROM arrangement WHERE kind = ?1 AND id = ?2";
}

/// Stores a thing, in place of the one with its id.
pub fn put<T: Serialize>(
    tx: &mut Tx<'_>,
    sort: Sort,
    id: &str,
    thing: &T,
) -> Result<(), StoreError> {
    tx.execute(PUT, params![sort.as_str(), id, json(thing)])?;
    counter::next(tx, CHANGES, 1).map(|_| ())
}

/// Everything of a sort.
pub fn all<T: DeserializeOwned>(tx: &mut Tx<'_>, sort: Sort) -> Result<Vec<T>, StoreError> {
    let rows = tx.query(ALL, params![sort.as_str()])?;
    rows.iter().map(|row| row.json(0)).collect()
}

/// The thing with this id.
pub fn find<T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    sort: Sort,
    id: &str,
) -> Result<Option<T>, StoreError> {
    let row = tx.query_one(FIND, params![sort.as_str(), id])?;
    row.map(|row| row.json(0)).transpose()
}

/// How many there are of a sort.
pub fn count(tx: &mut Tx<'_>, sort: Sort) -> Result<i64, StoreError> {
    tx.query_one(COUNT, params![sort.as_str()])?
        .map_or(Ok(0), |row| row.int(0))
}

/// Forgets a thing; `false` if there is none.
pub fn delete(tx: &mut Tx<'_>, sort: Sort, id: &str) -> Result<bool, StoreError> {
    let was_there = tx.execute(DELETE, params![sort.as_str(), id])? == 1;
    if was_there {
        counter::next(tx, CHANGES, 1)?;
    }
    Ok(was_there)
}

/// How often anything was changed.
pub fn changes(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    counter::last(tx, CHANGES)
}
