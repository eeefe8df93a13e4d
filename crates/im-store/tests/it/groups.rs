//! Threads: order, isolation, overload, panics.

use std::{
    pin::pin,
    sync::{Arc, mpsc},
    task::{Context, Poll, Wake},
    thread::{self, Thread},
};

use im_store::{Db, Pending, StoreError, params};

use crate::backend::{Backend, each};

const CREATE: &str = "CREATE TABLE line (id BIGINT NOT NULL PRIMARY KEY, text TEXT)";
const PUT: &str = "INSERT INTO line (id, text) VALUES (?1, ?2)";
const IDS: &str = "SELECT id FROM line ORDER BY id";

fn create(db: &Db) {
    db.write(|tx| tx.execute(CREATE, &[])).wait().unwrap();
}

fn ids(db: &Db) -> Vec<i64> {
    db.read(|tx| {
        tx.query(IDS, &[])?
            .iter()
            .map(|row| row.int(0))
            .collect::<Result<_, StoreError>>()
    })
    .wait()
    .unwrap()
}

/// Keeps a writer busy until the sender is dropped, so that jobs pile up behind it.
fn block(db: &Db) -> (mpsc::SyncSender<()>, Pending<(), StoreError>) {
    let (sender, receiver) = mpsc::sync_channel::<()>(0);
    let (started, is_started) = mpsc::sync_channel(1);
    let pending = db.write(move |_| {
        started.send(()).unwrap();
        receiver.recv().unwrap_err(); // the sender is dropped
        Ok(())
    });
    is_started.recv().unwrap();
    (sender, pending)
}

#[test]
fn a_failing_job_takes_nobody_with_it() {
    each(|backend| {
        let db = backend.db();
        create(&db);
        let (release, blocked) = block(&db);
        let pending: Vec<_> = (0..50_i64)
            .map(|id| {
                db.write(move |tx| {
                    tx.execute(PUT, params![id, "x"])?;
                    match id % 5 {
                        0 => Err(StoreError::Stale),
                        1 => tx.execute(PUT, params![id, "again"]).map(drop),
                        2 => panic!("job {id}"),
                        _ => Ok(()),
                    }
                })
            })
            .collect();
        drop(release);
        blocked.wait().unwrap();
        for (id, pending) in (0..50_i64).zip(pending) {
            match (id % 5, pending.wait()) {
                (2, Err(StoreError::Panicked { message })) => {
                    assert_eq!(message, format!("job {id}"));
                }
                (0, Err(StoreError::Stale))
                | (1, Err(StoreError::Duplicate { .. }))
                | (3 | 4, Ok(())) => {}
                (_, other) => panic!("job {id}: {other:?}"),
            }
        }
        let kept: Vec<i64> = (0..50).filter(|id| id % 5 > 2).collect();
        assert_eq!(ids(&db), kept);
    });
}

#[test]
fn a_full_queue_says_so_and_forgets_nothing() {
    let mut backend = Backend::file();
    backend.options.queue_max = 3;
    let db = backend.db();
    create(&db);
    let (release, blocked) = block(&db);
    let pending: Vec<_> = (0..5_i64)
        .map(|id| db.write(move |tx| tx.execute(PUT, params![id, "x"])))
        .collect();
    assert_eq!(db.writes_waiting(), 3);
    drop(release);
    blocked.wait().unwrap();
    let results: Vec<_> = pending.into_iter().map(Pending::wait).collect();
    assert!(results[..3].iter().all(Result::is_ok));
    assert!(
        results[3..]
            .iter()
            .all(|result| matches!(result, Err(StoreError::Overloaded)))
    );
    assert_eq!(ids(&db), [0, 1, 2]);
}

#[test]
fn closing_runs_what_waits() {
    let backend = Backend::file();
    let db = backend.db();
    create(&db);
    let (release, blocked) = block(&db);
    let pending: Vec<_> = (0..5_i64)
        .map(|id| db.write(move |tx| tx.execute(PUT, params![id, "x"])))
        .collect();
    drop(release);
    drop(db);
    blocked.wait().unwrap();
    assert!(
        pending
            .into_iter()
            .map(Pending::wait)
            .all(|result| result.is_ok())
    );
    assert_eq!(ids(&backend.db()), [0, 1, 2, 3, 4]);
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_result_can_be_awaited() {
    each(|backend| {
        let db = backend.db();
        create(&db);
        let kept = block_on(async {
            db.write(|tx| tx.execute(PUT, params![1_i64, "x"])).await?;
            db.read(|tx| tx.query(IDS, &[])).await
        });
        assert_eq!(
            kept.map_err(|error: StoreError| error.to_string())
                .unwrap()
                .len(),
            1
        );
    });
}

#[test]
fn a_job_may_drop_the_last_handle() {
    each(|backend| {
        let db = backend.db();
        let mut last = Some(db.clone());
        let pending = db.write(move |_| {
            last.take();
            Ok::<_, StoreError>(())
        });
        drop(db);
        pending.wait().unwrap();
    });
}

#[test]
fn a_lost_connection_is_made_again() {
    let Some(backend) = Backend::postgres() else {
        return;
    };
    let db = backend.db();
    create(&db);
    for id in 0..4_i64 {
        let kill = "SELECT pg_terminate_backend(pg_backend_pid())";
        let killed = db.write(move |tx| {
            tx.execute(PUT, params![id, "x"])?;
            tx.execute(kill, &[])
        });
        let killed = killed.wait();
        assert!(
            matches!(killed, Err(StoreError::Unavailable(_))),
            "{killed:?}"
        );
    }
    db.write(|tx| tx.execute(PUT, params![9_i64, "x"]))
        .wait()
        .unwrap();
    assert_eq!(ids(&db), [9]);
}
