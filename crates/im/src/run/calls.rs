//! The record of every call to PagerDuty (ADR 0024).
//!
//! Calls wait in memory for at most [`TOGETHER`] and are then written in one transaction, so an import is not slowed.
//!
//! Invariants
//! - Nothing of a query or a body is kept.
//! - A process that ends in order has written all of them; one that is killed loses those of the last second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use im_store::calls::{self, CallEntry, Why};
use im_store::{Db, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{STORE_WAIT_MAX, chain};
use crate::clock::{Clock, Stopwatch};

/// How long calls are kept: a quarter of a year.
pub(crate) const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// So many are kept at most, however young: some 90 MB.
pub(crate) const KEPT_MAX: i64 = 500_000;
/// How long a call waits for others.
const TOGETHER: Duration = Duration::from_secs(1);
/// Calls that wait while the database does not answer; more are not kept.
const WAITING_MAX: usize = 10_000;

/// A call that was made.
pub(super) struct Made<'a> {
    /// By which connector.
    pub(super) connector: &'a str,
    /// What for.
    pub(super) why: Why,
    /// The method of HTTP.
    pub(super) method: &'a str,
    /// The path; a query behind it is not kept.
    pub(super) path: &'a str,
    /// What is shown of the key.
    pub(super) key: String,
}

/// When a call left.
pub(super) struct Begun {
    at: Timestamp,
    watch: Stopwatch,
}

/// What came of a call whose answer is only a status, in a word.
pub(super) fn plain_outcome(status: Option<u16>) -> &'static str {
    match status {
        Some(200..=299) => "done",
        Some(_) => "refused",
        None => "unclear",
    }
}

/// The calls that are not written yet.
pub(super) struct Calls {
    db: Db,
    clock: Clock,
    waiting: Mutex<Waiting>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Waiting {
    calls: Vec<CallEntry>,
    /// Whether somebody is about to write them.
    is_watched: bool,
}

impl Calls {
    pub(super) fn new(db: Db, clock: Clock) -> Self {
        Self {
            db,
            clock,
            waiting: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// A call leaves now.
    pub(super) fn begin(&self) -> Begun {
        Begun {
            at: self.clock.now(),
            watch: self.clock.stopwatch(),
        }
    }

    /// Keeps a call, and says how many milliseconds it took.
    pub(super) fn keep(
        self: &Arc<Self>,
        made: Made<'_>,
        begun: &Begun,
        status: Option<u16>,
        outcome: &str,
    ) -> i64 {
        let ms = i64::try_from(begun.watch.elapsed().as_millis()).unwrap_or(i64::MAX);
        // Addresses of people stand in queries.
        let path = made.path.split('?').next().unwrap_or_default();
        self.add(CallEntry {
            at: begun.at,
            connector: made.connector.to_owned(),
            why: made.why,
            method: made.method.to_owned(),
            path: path.to_owned(),
            key: made.key,
            status,
            outcome: outcome.to_owned(),
            ms,
        });
        ms
    }

    fn add(self: &Arc<Self>, call: CallEntry) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.calls.len() >= WAITING_MAX {
            return;
        }
        waiting.calls.push(call);
        if waiting.calls.len() == WAITING_MAX {
            tracing::error!(
                "the database does not take the record of calls; what is called from now on is missing there"
            );
        }
        if !waiting.is_watched && !self.stop.is_cancelled() {
            waiting.is_watched = true;
            let calls = Arc::clone(self);
            self.tasks.spawn(async move { calls.watch().await });
        }
    }

    /// Writes until nothing waits.
    async fn watch(&self) {
        let mut wait = TOGETHER;
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
            wait = match self.write().await {
                Ok(()) => TOGETHER,
                Err(error) => {
                    if wait == TOGETHER {
                        tracing::warn!("calls cannot be kept yet: {}", chain(&error));
                    }
                    (wait * 2).min(STORE_WAIT_MAX)
                }
            };
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.calls.is_empty() {
                waiting.is_watched = false;
                return;
            }
        }
    }

    /// Writes what waits.
    pub(super) async fn write(&self) -> Result<(), StoreError> {
        let taken = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::new(std::mem::take(&mut waiting.calls))
        };
        if taken.is_empty() {
            return Ok(());
        }
        let rows = Arc::clone(&taken);
        let written = self
            .db
            .write(move |tx: &mut Tx<'_>| calls::insert(tx, &rows))
            .await;
        if written.is_err() {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let since = std::mem::take(&mut waiting.calls);
            waiting.calls = taken.iter().cloned().chain(since).collect();
            waiting.calls.truncate(WAITING_MAX);
        }
        written
    }

    /// Writes what waits, and nothing after that by itself.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = self.write().await {
            tracing::error!(
                "the record of calls misses the last ones: {}",
                chain(&error)
            );
        }
    }
}

/// Forgets what is too old, or too much.
pub(crate) fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    calls::forget(tx, now - KEPT, KEPT_MAX)
}
