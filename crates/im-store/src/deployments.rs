//! Deployments: changes that were brought out. Unlike facts they are told anew when they end.
//!
//! Writers take turns, so the number of a change is the highest before it plus one: who remembers the
//! last number has missed nothing below it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::facts::{json, word};
use crate::statements::statements;
use crate::{Row, StoreError, Tx, Value, params};

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRow {
    /// Its id.
    pub id: String,
    /// The service that it changed: PagerDuty's id, or our name where it has none.
    pub service: String,
    /// Where.
    pub environment: Option<String>,
    /// The version brought out.
    pub version: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// How it went.
    pub status: Status,
    /// Whether it repaired an earlier one, unplanned.
    pub unplanned_fix: bool,
    /// What is in it.
    pub commits: Vec<Commit>,
}

/// A commit in a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its hash.
    pub sha: String,
    /// When it was made.
    pub time: Timestamp,
}

/// How a deployment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is out.
    Success,
    /// It failed.
    Failure,
    /// It is under way.
    InProgress,
    /// It was given up.
    Cancelled,
}

impl Status {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::Success,
        Self::Failure,
        Self::InProgress,
        Self::Cancelled,
    ];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::InProgress => "in_progress",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

statements! {
    PUT = "-- deployments.put
        INSERT INTO deployment (id, service, environment, version, started_at, finished_at, status, unplanned_fix,
                                commits, changed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, (SELECT COALESCE(MAX(changed), 0) + 1 FROM deployment))
            ON CONFLICT (id) DO UPDATE
           SET service = excluded.service, environment = excluded.environment, version = excluded.version,
               started_at = excluded.started_at, finished_at = excluded.finished_at, status = excluded.status,
               unplanned_fix = excluded.unplanned_fix, commits = excluded.commits, changed = excluded.changed";
    FIND = "-- deployments.find
        SELECT id, service, environment, version, started_at, finished_at, status, unplanned_fix, commits, changed
          FROM deployment WHERE id = ?1";
    NEWEST = "-- deployments.newest
        SELECT id, service, environment, version, started_at, finished_at, status, unplanned_fix, commits, changed
          FROM deployment WHERE service = ?1 OR ?1 IS NULL
         ORDER BY started_at DESC, id DESC LIMIT ?2";
    OF_UNLISTED = "-- deployments.of_unlisted_services
        SELECT DISTINCT service FROM deployment
         WHERE service NOT IN (SELECT id FROM directory WHERE kind = 'service')";
    AFTER = "-- deployments.after
        SELECT id, service, environment, version, started_at, finished_at, status, unplanned_fix, commits, changed
          FROM deployment WHERE changed > ?1 ORDER BY changed LIMIT ?2";
}

/// Stores a deployment, in place of the one with its id.
pub fn put(tx: &mut Tx<'_>, deployment: &DeploymentRow) -> Result<(), StoreError> {
    tx.execute(
        PUT,
        params![
            deployment.id.as_str(),
            deployment.service.as_str(),
            deployment.environment.as_deref(),
            deployment.version.as_deref(),
            deployment.started_at,
            deployment.finished_at,
            deployment.status.as_str(),
            deployment.unplanned_fix,
            json(&deployment.commits),
        ],
    )?;
    Ok(())
}

/// The deployment with this id.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<DeploymentRow>, StoreError> {
    tx.query_one(FIND, params![id])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Those of some deployments that there are, in no order.
pub fn of_ids(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<DeploymentRow>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<Value> = ids.iter().map(|id| id.as_str().into()).collect();
    let marks: Vec<String> = (1..=values.len()).map(|mark| format!("?{mark}")).collect();
    let sql = format!(
        "-- deployments.of_ids
         SELECT id, service, environment, version, started_at, finished_at, status, unplanned_fix, commits, changed
           FROM deployment WHERE id IN ({})",
        marks.join(", ")
    );
    tx.query(&sql, &values)?.iter().map(read).collect()
}

/// The services of deployments that PagerDuty's lists never had, in no order.
pub fn of_unlisted_services(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let rows = tx.query(OF_UNLISTED, &[])?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// The newest deployments, of one service if one is given.
pub fn newest(
    tx: &mut Tx<'_>,
    service: Option<&str>,
    limit: u32,
) -> Result<Vec<DeploymentRow>, StoreError> {
    let rows = tx.query(NEWEST, params![service, i64::from(limit)])?;
    rows.iter().map(read).collect()
}

/// The next deployments that were told of after a change, and the number of the last of these
/// changes; `None` if there are none.
pub fn after(
    tx: &mut Tx<'_>,
    changed: i64,
    limit: u32,
) -> Result<Option<(Vec<DeploymentRow>, i64)>, StoreError> {
    let rows = tx.query(AFTER, params![changed, i64::from(limit)])?;
    let Some(last) = rows.last() else {
        return Ok(None);
    };
    let last = last.int(9)?;
    let rows: Result<_, _> = rows.iter().map(read).collect();
    Ok(Some((rows?, last)))
}

fn read(row: &Row) -> Result<DeploymentRow, StoreError> {
    Ok(DeploymentRow {
        id: row.text(0)?.to_owned(),
        service: row.text(1)?.to_owned(),
        environment: row.opt_text(2)?.map(str::to_owned),
        version: row.opt_text(3)?.map(str::to_owned),
        started_at: row.time(4)?,
        finished_at: row.opt_time(5)?,
        status: word(row, 6, Status::parse)?,
        unplanned_fix: row.bool(7)?,
        commits: row.json(8)?,
    })
}
