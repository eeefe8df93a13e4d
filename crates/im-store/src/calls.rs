//! Every call that was made to PagerDuty: when, by which connector, with which key, why, and what came of it.
//!
//! Rows are bounded by age and by number ([`forget`]), and written many at a time.

use jiff::Timestamp;

use crate::statements::statements;
use crate::{Row, StoreError, Tx, counter, params};

/// Why a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A change is sent.
    Change,
    /// The other side is looked at before a change is sent again.
    Check,
    /// Both sides are compared.
    Compare,
    /// The past is read.
    Import,
    /// An incident, or its log, is read.
    Read,
    /// Somebody asked for something that PagerDuty knows, or tried a key.
    Asked,
    /// Somebody signs in (OAuth), or a sign-in is renewed.
    SignIn,
}

impl Why {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Change,
        Self::Check,
        Self::Compare,
        Self::Import,
        Self::Read,
        Self::Asked,
        Self::SignIn,
    ];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Check => "check",
            Self::Compare => "compare",
            Self::Import => "import",
            Self::Read => "read",
            Self::Asked => "asked",
            Self::SignIn => "sign-in",
        }
    }
}

/// What is kept of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEntry {
    /// When it left.
    pub at: Timestamp,
    /// By which connector.
    pub connector: String,
    /// Why.
    pub why: Why,
    /// The method of HTTP.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The end of the key, or the app of the sign-in.
    pub key: String,
    /// The status of HTTP, if there was an answer.
    pub status: Option<u16>,
    /// What came of it, in a word.
    pub outcome: String,
    /// How long it took, in milliseconds.
    pub ms: i64,
}

/// A call with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Its number: each is higher than the one before.
    pub id: i64,
    /// The call.
    pub entry: CallEntry,
}

/// Which calls are asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Those of one connector.
    pub connector: Option<String>,
    /// Not older than this.
    pub since: Timestamp,
    /// Those that did not do what they were for.
    pub failed: bool,
    /// Only those before this number.
    pub before: i64,
    /// At most so many.
    pub limit: u32,
}

statements! {
    INSERT = "-- calls.insert
        INSERT INTO api_call (id, at, connector, why, method, path, key, status, outcome, ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    NEWEST = "-- calls.newest
        SELECT id, at, connector, why, method, path, key, status, outcome, ms FROM api_call
         WHERE id < ?1 AND at >= ?2 AND (?3 = 0 OR outcome <> 'done') ORDER BY id DESC LIMIT ?4";
    NEWEST_OF = "-- calls.newest_of
        SELECT id, at, connector, why, method, path, key, status, outcome, ms FROM api_call
         WHERE id < ?1 AND at >= ?2 AND (?3 = 0 OR outcome <> 'done') AND connector = ?5 ORDER BY id DESC LIMIT ?4";
    FORGET = "-- calls.forget
        DELETE FROM api_call WHERE at < ?1 OR id <= ?2";
}

/// The counter of their numbers.
const COUNTER: &str = "api_call";

/// Keeps calls, in their order.
pub fn insert(tx: &mut Tx<'_>, calls: &[CallEntry]) -> Result<(), StoreError> {
    let count = u32::try_from(calls.len()).unwrap_or(u32::MAX);
    let first = counter::next(tx, COUNTER, count)?;
    for (id, call) in (first..).zip(calls) {
        let values = params![
            id,
            call.at,
            call.connector.as_str(),
            call.why.as_str(),
            call.method.as_str(),
            call.path.as_str(),
            call.key.as_str(),
            call.status,
            call.outcome.as_str(),
            call.ms
        ];
        tx.execute(INSERT, values)?;
    }
    Ok(())
}

/// Calls, the last first.
pub fn newest(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<CallRow>, StoreError> {
    let failed = i64::from(asked.failed);
    let (before, since, limit) = (asked.before, asked.since, asked.limit);
    let rows = match &asked.connector {
        None => tx.query(NEWEST, params![before, since, failed, limit])?,
        Some(name) => tx.query(
            NEWEST_OF,
            params![before, since, failed, limit, name.as_str()],
        )?,
    };
    rows.iter().map(read).collect()
}

/// Forgets calls before an instant, and all but the last `most`.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp, most: i64) -> Result<(), StoreError> {
    let last = counter::last(tx, COUNTER)?;
    tx.execute(FORGET, params![before, last - most])?;
    Ok(())
}

fn read(row: &Row) -> Result<CallRow, StoreError> {
    let word = row.text(3)?;
    let why = Why::ALL
        .into_iter()
        .find(|why| why.as_str() == word)
        .ok_or_else(|| row.content(3, "why a call was made", word.to_owned()))?;
    Ok(CallRow {
        id: row.int(0)?,
        entry: CallEntry {
            at: row.time(1)?,
            connector: row.text(2)?.to_owned(),
            why,
            method: row.text(4)?.to_owned(),
            path: row.text(5)?.to_owned(),
            key: row.text(6)?.to_owned(),
            status: row.opt_number(7)?,
            outcome: row.text(8)?.to_owned(),
            ms: row.int(9)?,
        },
    })
}
