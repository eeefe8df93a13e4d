//! Races between connections.

use std::{sync::Barrier, thread};

use im_store::{LocalDb, StoreError, Tx, counter, params};

use crate::backend::each_shared;

const CREATE: &str = "CREATE TABLE work (
    id BIGINT NOT NULL PRIMARY KEY, lease_until BIGINT NOT NULL DEFAULT 0)";
const PUT: &str = "INSERT INTO work (id) VALUES (?1)";
const CLAIM: &str = "-- work.claim
    UPDATE work SET lease_until = ?2
     WHERE id IN (SELECT id FROM work WHERE lease_until <= ?1 ORDER BY id LIMIT ?3)
       AND lease_until <= ?1
 RETURNING id";

const TOUCH: &str = "-- work.touch
    UPDATE work SET lease_until = lease_until + 1 WHERE id = ?1";
const SEEN: &str = "-- work.seen
    SELECT lease_until FROM work WHERE id = ?1";

const WORKERS: usize = 4;
const ROWS: i64 = 100;

/// Runs `work` on four connections at once and gathers what they return.
fn race<T: Send>(open: impl Fn() -> LocalDb + Sync, work: impl Fn(LocalDb) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(WORKERS);
    thread::scope(|scope| {
        let handles: Vec<_> = (0..WORKERS)
            .map(|_| {
                scope.spawn(|| {
                    let db = open();
                    start.wait();
                    work(db)
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .collect()
    })
}

/// Goes on until the database is not busy.
fn persist<T>(mut attempt: impl FnMut() -> Result<T, StoreError>) -> T {
    loop {
        match attempt() {
            Err(StoreError::Busy(_)) => {}
            result => return result.unwrap(),
        }
    }
}

fn claim_all(mut db: LocalDb) -> Vec<i64> {
    let mut mine = Vec::new();
    loop {
        let ids: Vec<i64> = persist(|| {
            db.write(|tx| {
                let rows = tx.query(CLAIM, params![1_i64, 9_i64, 3_i64])?;
                rows.iter().map(|row| row.int(0)).collect()
            })
        });
        if ids.is_empty() {
            return mine;
        }
        mine.extend(ids);
    }
}

#[test]
fn each_row_is_claimed_once() {
    each_shared(|backend| {
        let mut db = backend.local();
        db.write(|tx| {
            tx.execute(CREATE, &[])?;
            (1..=ROWS).try_for_each(|id| tx.execute(PUT, params![id]).map(drop))
        })
        .unwrap();
        let mut claimed = race(|| backend.local(), claim_all).concat();
        claimed.sort_unstable();
        assert_eq!(claimed, (1..=ROWS).collect::<Vec<_>>());
    });
}

#[test]
fn each_number_is_given_once_and_nobody_starves() {
    each_shared(|backend| {
        backend.local();
        let mut numbers = race(
            || backend.local(),
            |mut db| -> Vec<i64> {
                (0..25)
                    .map(|_| db.write(|tx| counter::next(tx, "fact", 1)).unwrap())
                    .collect()
            },
        )
        .concat();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    });
}

#[test]
fn writers_that_touch_the_same_rows_in_another_order_take_turns() {
    each_shared(|backend| {
        let mut db = backend.local();
        db.write(|tx| {
            tx.execute(CREATE, &[])?;
            tx.execute(PUT, params![1_i64]).map(drop)
        })
        .unwrap();
        let row = |tx: &mut Tx<'_>| tx.execute(TOUCH, params![1_i64]).map(drop);
        let number = |tx: &mut Tx<'_>| counter::next(tx, "fact", 1).map(drop);
        race(
            || backend.local(),
            |mut db| {
                for _ in 0..50 {
                    db.write(|tx| row(tx).and_then(|()| number(tx))).unwrap();
                    db.write(|tx| number(tx).and_then(|()| row(tx))).unwrap();
                }
            },
        );
        let seen = db.read(|tx| {
            let row = tx.query_one(SEEN, params![1_i64])?.unwrap();
            Ok::<_, StoreError>((row.int(0)?, counter::last(tx, "fact")?))
        });
        assert_eq!(seen.unwrap(), (400, 400));
    });
}
