//! Accounts: people who sign in, and their roles.
//!
//! Invariants
//! - An address is in lower case, here and in every table that names it.
//! - Somebody who is known at a provider has one account, and an account one such identity.
//! - An account is never deleted: what it did stays the act of somebody who is known.

use jiff::Timestamp;

use crate::statements::statements;
use crate::{Row, StoreError, Tx, params};

/// What an account or a token may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read.
    Viewer,
    /// Act on incidents.
    Responder,
    /// Change connectors, the organisation, settings and tokens.
    Admin,
    /// Give and take roles.
    Owner,
}

impl Role {
    /// Every one, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Responder, Self::Admin, Self::Owner];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    pub(crate) fn read(row: &Row, column: usize) -> Result<Self, StoreError> {
        let word = row.text(column)?;
        Self::parse(word).ok_or_else(|| row.content(column, "a role", word.to_owned()))
    }
}

/// Who somebody is at a provider of OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// What it calls the person, for ever.
    pub subject: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its address, in lower case.
    pub email: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the person is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it may see how single people respond.
    pub personal_load: bool,
    /// The hash of its password, once one was chosen.
    pub password: Option<String>,
    /// Since when it may do nothing.
    pub disabled_at: Option<Timestamp>,
    /// Who signs in by OpenID Connect, once somebody did.
    pub identity: Option<Identity>,
}

statements! {
    INSERT = "-- accounts.insert
        INSERT INTO account (email, created_at, name, role, personal_load) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (email) DO NOTHING";
    FIND = "-- accounts.find
        SELECT email, created_at, name, role, personal_load, password, disabled_at, issuer, subject FROM account WHERE email = ?1";
    FIND_IDENTITY = "-- accounts.find_identity
        SELECT email, created_at, name, role, personal_load, password, disabled_at, issuer, subject FROM account WHERE issuer = ?1 AND subject = ?2";
    ALL = "-- accounts.all
        SELECT email, created_at, name, role, personal_load, password, disabled_at, issuer, subject FROM account ORDER BY created_at, email";
    ANY = "-- accounts.any
        SELECT 1 FROM account LIMIT 1";
    OTHER_OWNERS = "-- accounts.other_owners
        SELECT COUNT(*) FROM account
         WHERE role = 'owner' AND disabled_at IS NULL AND password IS NOT NULL AND email <> ?1";
    SET_ROLE = "-- accounts.set_role
        UPDATE account SET role = ?2, personal_load = ?3 WHERE email = ?1";
    SET_NAME = "-- accounts.set_name
        UPDATE account SET name = ?2 WHERE email = ?1";
    SET_PASSWORD = "-- accounts.set_password
        UPDATE account SET password = ?2 WHERE email = ?1";
    SET_IDENTITY = "-- accounts.set_identity
        UPDATE account SET issuer = ?2, subject = ?3 WHERE email = ?1";
    SET_DISABLED = "-- accounts.set_disabled
        UPDATE account SET disabled_at = ?2 WHERE email = ?1";
}

/// A new account without a password; `false` if the address has one.
pub fn insert(
    tx: &mut Tx<'_>,
    email: &str,
    name: &str,
    role: Role,
    personal_load: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = params![email, now, name, role.as_str(), personal_load];
    Ok(tx.execute(INSERT, row)? == 1)
}

/// The account of an address.
pub fn find(tx: &mut Tx<'_>, email: &str) -> Result<Option<AccountRow>, StoreError> {
    tx.query_one(FIND, params![email])?
        .as_ref()
        .map(read)
        .transpose()
}

/// The account of somebody at a provider.
pub fn find_identity(
    tx: &mut Tx<'_>,
    identity: &Identity,
) -> Result<Option<AccountRow>, StoreError> {
    let key = params![identity.issuer.as_str(), identity.subject.as_str()];
    tx.query_one(FIND_IDENTITY, key)?
        .as_ref()
        .map(read)
        .transpose()
}

/// Every account, oldest first.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<AccountRow>, StoreError> {
    tx.query(ALL, &[])?.iter().map(read).collect()
}

/// Whether there is an account at all.
pub fn any(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.query_one(ANY, &[])?.is_some())
}

/// How many owners can sign in beside this one.
pub fn other_owners(tx: &mut Tx<'_>, email: &str) -> Result<i64, StoreError> {
    let row = tx.query_one(OTHER_OWNERS, params![email])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// What an account may do from now on.
pub fn set_role(
    tx: &mut Tx<'_>,
    email: &str,
    role: Role,
    personal_load: bool,
) -> Result<(), StoreError> {
    tx.execute(SET_ROLE, params![email, role.as_str(), personal_load])?;
    Ok(())
}

/// What a person is called from now on.
pub fn set_name(tx: &mut Tx<'_>, email: &str, name: &str) -> Result<(), StoreError> {
    tx.execute(SET_NAME, params![email, name])?;
    Ok(())
}

/// The hash of the password from now on; none: nobody can sign in by one.
pub fn set_password(tx: &mut Tx<'_>, email: &str, hash: Option<&str>) -> Result<(), StoreError> {
    tx.execute(SET_PASSWORD, params![email, hash])?;
    Ok(())
}

/// Who signs in by OpenID Connect from now on; none: whoever comes first with the address.
pub fn set_identity(
    tx: &mut Tx<'_>,
    email: &str,
    identity: Option<&Identity>,
) -> Result<(), StoreError> {
    let issuer = identity.map(|identity| identity.issuer.as_str());
    let subject = identity.map(|identity| identity.subject.as_str());
    tx.execute(SET_IDENTITY, params![email, issuer, subject])?;
    Ok(())
}

/// Since when an account may do nothing; none: it may again.
pub fn set_disabled(
    tx: &mut Tx<'_>,
    email: &str,
    since: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(SET_DISABLED, params![email, since])?;
    Ok(())
}

fn read(row: &Row) -> Result<AccountRow, StoreError> {
    let identity = row.opt_text(7)?.zip(row.opt_text(8)?);
    Ok(AccountRow {
        email: row.text(0)?.to_owned(),
        created_at: row.time(1)?,
        name: row.text(2)?.to_owned(),
        role: Role::read(row, 3)?,
        personal_load: row.bool(4)?,
        password: row.opt_text(5)?.map(str::to_owned),
        disabled_at: row.opt_time(6)?,
        identity: identity.map(|(issuer, subject)| Identity {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        }),
    })
}
