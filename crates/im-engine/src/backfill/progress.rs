//! How far the reading of a past is, as it is stored, and as people see it.

use im_pagerduty::{Walk, Window};
use im_store::backfill::{self, BackfillRow};
use im_store::repair::Found;
use im_store::{Cause, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::budget::Budget;

/// The rate is that of the last minutes: marks are set so far apart.
const MARK: SignedDuration = SignedDuration::from_mins(1);
/// A window that PagerDuty struggles with is not halved below this.
const SHORTEST: SignedDuration = SignedDuration::from_hours(24);
/// What was interrupted for longer than this has no rate until it is known anew.
const PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// How many log entries there are, so that it can be told how much is left.
    Count,
    /// The incidents that were created in the range.
    Incidents,
    /// The log of the account.
    Log,
    /// Incidents that only the log told of, one by one.
    Single {
        /// How far the log of the next one is read; `None`: the incident itself comes first.
        log_offset: Option<u32>,
    },
}

impl Phase {
    pub(super) fn next(self) -> Option<Self> {
        match self {
            Self::Count => Some(Self::Incidents),
            Self::Incidents => Some(Self::Log),
            Self::Log => Some(Self::Single { log_offset: None }),
            Self::Single { .. } => None,
        }
    }

    /// What it reads, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Count | Self::Incidents => "incidents",
            Self::Log => "log entries",
            Self::Single { .. } => "single incidents",
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) phase: Phase,
    pub(super) incidents: Option<Walk>,
    pub(super) log: Option<Walk>,
    pub(super) budget: Budget,
    /// Calls that were answered.
    pub(super) requests: u64,
    /// Incidents in the first window that was asked for.
    pub(super) created: Option<u64>,
    /// Log entries in the whole range.
    pub(super) entries: Option<u64>,
    /// Incidents still to be read one by one.
    pub(super) singles: u64,
    /// Incidents that were.
    pub(super) singles_read: u64,
    /// What cannot be complete.
    pub(super) incomplete: Vec<String>,
    /// When how many rows were read: the last two marks.
    marks: Vec<(Timestamp, u64)>,
    /// The last step.
    last: Option<Timestamp>,
}

impl Progress {
    pub(super) fn new(share: u32) -> Self {
        Self {
            phase: Phase::Count,
            incidents: None,
            log: None,
            budget: Budget::new(share),
            requests: 0,
            created: None,
            entries: None,
            singles: 0,
            singles_read: 0,
            incomplete: Vec::new(),
            marks: Vec::new(),
            last: None,
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("our own types have text keys and cannot fail")
    }

    fn walk(&mut self) -> Option<&mut Walk> {
        match self.phase {
            Phase::Incidents => self.incidents.as_mut(),
            Phase::Log => self.log.as_mut(),
            Phase::Count | Phase::Single { .. } => None,
        }
    }

    /// PagerDuty says that the window is too large. `false` if there is none.
    pub(super) fn split(&mut self) -> bool {
        self.walk().map(Walk::too_large).is_some()
    }

    /// Halves a window that PagerDuty struggles with, if it can be; the count is given up.
    pub(super) fn halve(&mut self) -> bool {
        if self.phase == Phase::Count {
            self.phase = Phase::Incidents;
            return true;
        }
        self.walk().is_some_and(|walk| {
            let window = walk.window();
            let is_long = |window: Window| window.since.duration_until(window.until) > SHORTEST;
            window.is_some_and(is_long) && walk.split()
        })
    }

    /// Notes how much is read by now.
    pub(super) fn mark(&mut self, now: Timestamp) {
        if self
            .last
            .is_some_and(|last| now.duration_since(last) > PAUSE)
        {
            self.marks.clear();
        }
        self.last = Some(now);
        let newest = self.marks.last().map(|(at, _)| *at);
        if newest.is_none_or(|at| now.duration_since(at) >= MARK) {
            self.marks.push((now, self.rows()));
            let old = self.marks.len().saturating_sub(2);
            self.marks.drain(..old);
        }
    }

    /// Rows that were read.
    fn rows(&self) -> u64 {
        let walk = |walk: &Option<Walk>| walk.as_ref().map_or(0, Walk::rows);
        walk(&self.incidents) + walk(&self.log) + self.singles_read
    }

    /// Rows that there are, as far as anybody knows.
    fn total(&self, row: &BackfillRow) -> Option<u64> {
        let (created, entries) = (self.created?, self.entries?);
        // The first answer is about the first window: the others are taken to be like it.
        let longest = im_pagerduty::Listing::Incidents.longest().as_secs();
        let range = row.until.duration_since(row.since).as_secs();
        let windows = u64::try_from(range).unwrap_or_default();
        let one = u64::try_from(longest.min(range.max(1))).unwrap_or(1);
        let created = created.saturating_mul(windows.max(1)) / one.max(1);
        let known = created + entries + self.singles + self.singles_read;
        Some(known.max(self.rows()))
    }

    /// Rows a minute, between the last marks: what PagerDuty allows for a minute may come in its first
    /// second, so what came since the last mark tells little, and the first minute nothing. Where the next mark is
    /// long due, it waits: then what was read counts until `now`.
    fn rate(&self, now: Timestamp) -> Option<u64> {
        let (since, before) = self.marks.first()?;
        let newest = self.marks.get(1);
        let is_due = |at: Timestamp| now.duration_since(at) >= MARK * 2;
        let (until, rows) = match newest.filter(|(at, _)| !is_due(*at)) {
            Some((until, rows)) => (*until, *rows),
            None if now.duration_since(*since) >= MARK => (now, self.rows()),
            None => return None,
        };
        let ms = until.duration_since(*since).as_millis();
        let ms = u64::try_from(ms).ok().filter(|ms| *ms > 0)?;
        Some(rows.saturating_sub(*before).saturating_mul(60_000) / ms)
    }
}

/// Reads what is stored of a reading.
pub(super) fn read(row: &BackfillRow) -> Result<Progress, StoreError> {
    serde_json::from_str(&row.progress).map_err(|error| StoreError::Corrupt {
        place: format!(
            "the progress of the backfill of connector {}",
            row.connector
        ),
        source: Cause::new(error),
    })
}

/// How far the reading of a past is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// From where on.
    pub since: Timestamp,
    /// Until where.
    pub until: Timestamp,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When somebody stopped it.
    pub stopped_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What is read.
    pub phase: Phase,
    /// Rows that were read: incidents and log entries.
    pub rows: u64,
    /// Rows that there are, about; `None` while nobody knows.
    pub total: Option<u64>,
    /// Rows that are read in a minute; `None` while nobody knows.
    pub rate: Option<u64>,
    /// How long it will take; `None` while nobody knows.
    pub left: Option<SignedDuration>,
    /// When its next step is made at the latest, while it runs: a call that is under way may take until then, and so
    /// may one that was cut off.
    pub next_step_by: Option<Timestamp>,
    /// Calls that were answered.
    pub requests: u64,
    /// Hundredths of PagerDuty's allowance that it may take.
    pub share: u32,
    /// What it found.
    pub found: Found,
    /// What is incomplete, if anything.
    pub message: Option<String>,
}

/// How far the reading of a connector's past is; `None` if none was begun.
pub fn seen(tx: &mut Tx<'_>, connector: &str, now: Timestamp) -> Result<Option<State>, StoreError> {
    let Some(row) = backfill::find(tx, connector)? else {
        return Ok(None);
    };
    let progress = read(&row)?;
    let rows = progress.rows();
    let is_over = row.finished_at.is_some();
    let total = if is_over {
        Some(rows)
    } else {
        progress.total(&row)
    };
    let until = row.stopped_at.unwrap_or(now);
    let rate = progress.rate(until).filter(|_| !is_over);
    let left = match (total, rate) {
        (Some(total), Some(rate)) if rate > 0 && !is_over => {
            let seconds = total.saturating_sub(rows).saturating_mul(60) / rate;
            i64::try_from(seconds).ok().map(SignedDuration::from_secs)
        }
        _ => None,
    };
    Ok(Some(State {
        next_step_by: backfill::next_due(tx, connector)?,
        since: row.since,
        until: row.until,
        started_at: row.started_at,
        stopped_at: row.stopped_at,
        finished_at: row.finished_at,
        phase: progress.phase,
        rows,
        total,
        rate,
        left,
        requests: progress.requests,
        share: progress.budget.share,
        found: row.found,
        message: row.message,
    }))
}
