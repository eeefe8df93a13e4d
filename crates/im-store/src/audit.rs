//! The audit log: who did what, from where, and what came of it. Rows are added and, after a time,
//! forgotten; none is changed.

use jiff::Timestamp;

use crate::statements::statements;
use crate::{Row, StoreError, Tx, counter, params};

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person who signed in.
    Account,
    /// A token of the API.
    Token,
    /// Whoever sits at the machine of the server.
    Local,
    /// Nobody who is known.
    Nobody,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Account, Self::Token, Self::Local, Self::Nobody];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Token => "token",
            Self::Local => "local",
            Self::Nobody => "nobody",
        }
    }
}

/// What is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What they are.
    pub kind: Kind,
    /// Who: an e-mail address, or the name of a token.
    pub who: String,
    /// For whom they acted.
    pub acts_as: Option<String>,
    /// From where; empty for this machine, without a network.
    pub address: String,
    /// What they did, in words.
    pub act: String,
    /// To what.
    pub thing: String,
    /// What was answered, as a status of HTTP.
    pub status: u16,
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub entry: Entry,
}

/// Which rows are asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Not older than this.
    pub since: Timestamp,
    /// Whose: an e-mail address or the name of a token, in any case.
    pub who: Option<String>,
    /// Only those before this number.
    pub before: i64,
    /// At most so many.
    pub limit: u32,
}

statements! {
    INSERT = "-- audit.insert
        INSERT INTO audit (id, at, kind, who, acts_as, address, act, thing, status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    NEWEST = "-- audit.newest
        SELECT id, at, kind, who, acts_as, address, act, thing, status FROM audit
         WHERE at >= ?1 AND id < ?2
           AND (CAST(?3 AS TEXT) IS NULL OR LOWER(who) = LOWER(CAST(?3 AS TEXT)) OR LOWER(acts_as) = LOWER(CAST(?3 AS TEXT)))
         ORDER BY id DESC LIMIT ?4";
    FORGET = "-- audit.forget
        DELETE FROM audit WHERE at < ?1";
}

/// Keeps what somebody did.
pub fn insert(tx: &mut Tx<'_>, entry: &Entry, now: Timestamp) -> Result<(), StoreError> {
    let id = counter::next(tx, "audit", 1)?;
    let values = params![
        id,
        now,
        entry.kind.as_str(),
        entry.who.as_str(),
        entry.acts_as.as_deref(),
        entry.address.as_str(),
        entry.act.as_str(),
        entry.thing.as_str(),
        entry.status
    ];
    tx.execute(INSERT, values)?;
    Ok(())
}

/// What was done, the last first.
pub fn newest(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<AuditRow>, StoreError> {
    let values = params![asked.since, asked.before, asked.who.as_deref(), asked.limit];
    tx.query(NEWEST, values)?.iter().map(read).collect()
}

/// Forgets what was done before.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET, params![before])?;
    Ok(())
}

fn read(row: &Row) -> Result<AuditRow, StoreError> {
    let word = row.text(2)?;
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| row.content(2, "who it was", word.to_owned()))?;
    Ok(AuditRow {
        id: row.int(0)?,
        at: row.time(1)?,
        entry: Entry {
            kind,
            who: row.text(3)?.to_owned(),
            acts_as: row.opt_text(4)?.map(str::to_owned),
            address: row.text(5)?.to_owned(),
            act: row.text(6)?.to_owned(),
            thing: row.text(7)?.to_owned(),
            status: row.number(8)?,
        },
    })
}
