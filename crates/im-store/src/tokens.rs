//! Access tokens: only their hashes are kept.

use jiff::Timestamp;

use crate::accounts::Role;
use crate::statements::statements;
use crate::{Row, StoreError, Tx, params};

/// Something that only a token or an account which says so may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// See how single people respond.
    PersonalLoad,
}

impl Scope {
    /// Every one.
    pub const ALL: [Self; 1] = [Self::PersonalLoad];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PersonalLoad => "personal_load",
        }
    }

    /// The scope of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its name.
    pub name: String,
    /// The person it speaks for.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
    /// What it may do.
    pub role: Role,
    /// What it may see beside what its role may.
    pub scopes: Vec<Scope>,
}

statements! {
    INSERT = "-- tokens.insert
        INSERT INTO token (name, hash, email, role, scopes, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING";
    BY_HASH = "-- tokens.by_hash
        SELECT name, email, created_at, used_at, scopes, role FROM token WHERE hash = ?1";
    ALL = "-- tokens.all
        SELECT name, email, created_at, used_at, scopes, role FROM token ORDER BY created_at, name";
    USED = "-- tokens.used
        UPDATE token SET used_at = ?2 WHERE name = ?1";
    DELETE = "-- tokens.delete
        DELETE FROM token WHERE name = ?1";
}

/// A new token; `false` if the name is taken.
pub fn insert(
    tx: &mut Tx<'_>,
    name: &str,
    hash: &str,
    email: Option<&str>,
    (role, scopes): (Role, &[Scope]),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let row = params![name, hash, email, role.as_str(), words.join(" "), now];
    Ok(tx.execute(INSERT, row)? == 1)
}

/// The token with this hash.
pub fn by_hash(tx: &mut Tx<'_>, hash: &str) -> Result<Option<TokenRow>, StoreError> {
    tx.query_one(BY_HASH, params![hash])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Every token, oldest first.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<TokenRow>, StoreError> {
    tx.query(ALL, &[])?.iter().map(read).collect()
}

/// Notes that a token was used.
pub fn used(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(USED, params![name, now])?;
    Ok(())
}

/// Forgets a token; `false` if there is none.
pub fn delete(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![name])? == 1)
}

fn read(row: &Row) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        name: row.text(0)?.to_owned(),
        email: row.opt_text(1)?.map(str::to_owned),
        created_at: row.time(2)?,
        used_at: row.opt_time(3)?,
        role: Role::read(row, 5)?,
        scopes: row
            .text(4)?
            .split_whitespace()
            .filter_map(Scope::parse)
            .collect(),
    })
}
