//! The record of every call to PagerDuty (ADR 0024).
//!
//! Calls wait in memory for at most [`TOGETHER`] and are then written in one transaction, so an import is not slowed.
//!
//! Invariants
//! - Nothing of a query or a body is kept.
//! - A call that left is kept, whether or not anybody waited for its answer.
//! - A process that ends in order has written all of them; one that is killed loses those of the last second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use im_store::calls::{self, CallEntry, Why};
use im_store::{Db, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
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

/// A call that is under way. Dropped before it is kept, nobody waited for its answer, and it is unclear.
pub(super) struct Begun {
    calls: Arc<Calls>,
    watch: Stopwatch,
    /// What is known of it, until it is kept.
    call: Option<CallEntry>,
}

impl Begun {
    /// Keeps the call, and says how many milliseconds it took.
    pub(super) fn keep(mut self, status: Option<u16>, outcome: &str) -> i64 {
        self.end(status, outcome)
    }

    fn end(&mut self, status: Option<u16>, outcome: &str) -> i64 {
        let ms = i64::try_from(self.watch.elapsed().as_millis()).unwrap_or(i64::MAX);
        if let Some(call) = self.call.take() {
            self.calls.add(CallEntry {
                status,
                outcome: outcome.to_owned(),
                ms,
                ..call
            });
        }
        ms
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.end(None, plain_outcome(None));
    }
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
    /// Whose turn it is to write.
    turn: tokio::sync::Mutex<()>,
    has_written: AtomicBool,
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
            turn: tokio::sync::Mutex::default(),
            has_written: AtomicBool::new(false),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// A call leaves now.
    pub(super) fn begin(self: &Arc<Self>, made: Made<'_>) -> Begun {
        // Addresses of people stand in queries.
        let path = made.path.split('?').next().unwrap_or_default();
        Begun {
            calls: Arc::clone(self),
            watch: self.clock.stopwatch(),
            call: Some(CallEntry {
                at: self.clock.now(),
                connector: made.connector.to_owned(),
                why: made.why,
                method: made.method.to_owned(),
                path: path.to_owned(),
                key: made.key,
                status: None,
                outcome: String::new(),
                ms: 0,
            }),
        }
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
        // Where nothing runs any more, what waits is written when it is closed.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if !waiting.is_watched && !self.stop.is_cancelled() {
            waiting.is_watched = true;
            let calls = Arc::clone(self);
            self.tasks
                .spawn_on(async move { calls.watch().await }, &runtime);
        }
    }

    /// Writes until nothing waits.
    async fn watch(self: &Arc<Self>) {
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

    /// Writes what waits, to the end, whoever waits for it.
    pub(super) async fn write(self: &Arc<Self>) -> Result<(), StoreError> {
        let calls = Arc::clone(self);
        let writing = self.tasks.spawn(async move { calls.write_now().await });
        writing.await.unwrap_or_else(|error| {
            tracing::error!("calls were not kept by a mistake of ours: {error}");
            Ok(())
        })
    }

    async fn write_now(&self) -> Result<(), StoreError> {
        // Whoever comes while others write reads what they wrote.
        let _mine = self.turn.lock().await;
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
        } else {
            self.has_written.store(true, Ordering::Relaxed);
        }
        written
    }

    /// Writes what waits, and nothing after that by itself; forgets what is too old, since a command does not go on to
    /// do so later, as a server does.
    pub(super) async fn close(self: &Arc<Self>) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = self.write().await {
            tracing::error!(
                "the record of calls misses the last ones: {}",
                chain(&error)
            );
        }
        if !self.has_written.load(Ordering::Relaxed) {
            return;
        }
        let now = self.clock.now();
        if let Err(error) = self.db.write(move |tx| forget(tx, now)).await {
            tracing::warn!("old calls are not forgotten yet: {}", chain(&error));
        }
    }
}

/// Forgets what is too old, or too much.
pub(crate) fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    calls::forget(tx, now - KEPT, KEPT_MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use im_store::DbOptions;
    use im_store::fault::{Fault, Faults};

    use super::*;

    fn over(faults: &Faults) -> Arc<Calls> {
        let mut options = DbOptions::new(":memory:", 7).unwrap();
        options.faults = Some(faults.clone());
        let now = "2026-11-20T09:14:05Z".parse().unwrap();
        let db = Db::open(&options).unwrap();
        Arc::new(Calls::new(db, Clock::manual(now)))
    }

    fn begin(calls: &Arc<Calls>, path: &str) -> Begun {
        calls.begin(Made {
            connector: "prod",
            why: Why::Change,
            method: "PUT",
            path,
            key: "********0000".to_owned(),
        })
    }

    /// What is kept, the last first.
    async fn kept(calls: &Calls) -> Vec<CallEntry> {
        let asked = calls::Asked {
            connector: None,
            since: Timestamp::UNIX_EPOCH,
            failed: true,
            before: i64::MAX,
            limit: 10,
        };
        let kept = calls.db.read(move |tx| calls::newest(tx, &asked));
        let kept: Result<_, StoreError> = kept.await;
        kept.unwrap().into_iter().map(|row| row.entry).collect()
    }

    #[tokio::test]
    async fn a_call_whose_answer_nobody_waits_for_is_kept_as_unclear() {
        let calls = over(&Faults::new());
        drop(begin(&calls, "/incidents/Q1?from=ann"));
        calls.close().await;
        let kept = kept(&calls).await;
        let kept = kept.first().expect("it is kept");
        let said = (&*kept.path, &*kept.outcome, kept.status);
        assert_eq!(said, ("/incidents/Q1", "unclear", None));
    }

    #[tokio::test]
    async fn calls_are_kept_where_who_waited_for_their_writing_goes_away_and_it_fails() {
        let faults = Faults::new();
        let calls = over(&faults);
        for path in ["/incidents/Q1", "/incidents/Q2", "/incidents/Q3"] {
            drop(begin(&calls, path));
        }
        faults.fail_commit(Fault::Full);
        assert!(calls.write().now_or_never().is_none(), "it takes a while");
        calls.close().await;
        assert!(!faults.disarm(), "the first writing failed");
        let paths: Vec<String> = kept(&calls).await.into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["/incidents/Q3", "/incidents/Q2", "/incidents/Q1"]);
    }
}
