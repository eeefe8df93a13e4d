//! Links that let somebody choose a password, once: only hashes of their secrets are kept.

use jiff::Timestamp;

use crate::statements::statements;
use crate::{Row, StoreError, Tx, params};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Make the account of the first owner.
    FirstOwner,
    /// Choose the first password of an account.
    Invitation,
    /// Choose another password.
    Reset,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::FirstOwner, Self::Invitation, Self::Reset];

    fn as_str(self) -> &'static str {
        match self {
            Self::FirstOwner => "first_owner",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }
}

/// A link that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose password it is; none for the first owner, who has no account yet.
    pub email: Option<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

statements! {
    INSERT = "-- links.insert
        INSERT INTO access_link (hash, purpose, email, made_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    FIND = "-- links.find
        SELECT purpose, email, expires_at FROM access_link WHERE hash = ?1 AND expires_at > ?2 AND used_at IS NULL";
    USE = "-- links.use
        UPDATE access_link SET used_at = ?2 WHERE hash = ?1 AND expires_at > ?2 AND used_at IS NULL";
    END_OF = "-- links.end_of
        DELETE FROM access_link WHERE email = ?1 AND used_at IS NULL";
    END_FIRST = "-- links.end_first
        DELETE FROM access_link WHERE purpose = 'first_owner' AND used_at IS NULL";
    FORGET = "-- links.forget
        DELETE FROM access_link WHERE expires_at <= ?1";
}

/// A new link. Those that the same person was given before end.
pub fn insert(
    tx: &mut Tx<'_>,
    hash: &str,
    link: &LinkRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    match &link.email {
        Some(email) => end_of(tx, email)?,
        None => end_first(tx)?,
    }
    let email = link.email.as_deref();
    let values = params![hash, link.purpose.as_str(), email, now, link.expires_at];
    tx.execute(INSERT, values)?;
    Ok(())
}

/// The link with this hash, if it was not used and is not over.
pub fn find(tx: &mut Tx<'_>, hash: &str, now: Timestamp) -> Result<Option<LinkRow>, StoreError> {
    tx.query_one(FIND, params![hash, now])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Uses a link up; `false` if it could not be used any more.
pub fn take(tx: &mut Tx<'_>, hash: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(USE, params![hash, now])? == 1)
}

/// Ends every link of an account.
pub fn end_of(tx: &mut Tx<'_>, email: &str) -> Result<(), StoreError> {
    tx.execute(END_OF, params![email])?;
    Ok(())
}

/// Ends every link for the first owner.
pub fn end_first(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(END_FIRST, &[])?;
    Ok(())
}

/// Forgets links that were over before.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET, params![before])?;
    Ok(())
}

fn read(row: &Row) -> Result<LinkRow, StoreError> {
    let word = row.text(0)?;
    let purpose = Purpose::ALL
        .into_iter()
        .find(|purpose| purpose.as_str() == word)
        .ok_or_else(|| row.content(0, "a purpose", word.to_owned()))?;
    Ok(LinkRow {
        purpose,
        email: row.opt_text(1)?.map(str::to_owned),
        expires_at: row.time(2)?,
    })
}
