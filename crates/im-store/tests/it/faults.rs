//! Whatever fails and wherever: an `Ok` was kept, an error was not.

use im_store::{
    Db, LocalDb, Pending, StoreError, Tx,
    fault::{Fault, Faults},
    params,
};

use crate::backend::{Backend, each};

const CREATE: &str =
    "CREATE TABLE line (job BIGINT NOT NULL, part BIGINT NOT NULL, PRIMARY KEY (job, part))";
const PUT: &str = "INSERT INTO line (job, part) VALUES (?1, ?2)";
const PARTS: &str = "SELECT COUNT(*) FROM line WHERE job = ?1";

const ALL: [Fault; 4] = [Fault::Full, Fault::Busy, Fault::Io, Fault::Unavailable];

fn put_three(tx: &mut Tx<'_>, job: i64) -> Result<(), StoreError> {
    (0..3_i64).try_for_each(|part| tx.execute(PUT, params![job, part]).map(drop))
}

fn parts(tx: &mut Tx<'_>, job: i64) -> Result<i64, StoreError> {
    tx.query_one(PARTS, params![job])?
        .map_or(Ok(0), |row| row.int(0))
}

fn with_faults(backend: &mut Backend) -> Faults {
    let faults = Faults::new();
    backend.options.faults = Some(faults.clone());
    faults
}

#[track_caller]
fn check_class(fault: Fault, error: &StoreError) {
    let fits = match fault {
        Fault::Full => matches!(error, StoreError::Full(_)),
        Fault::Busy => matches!(error, StoreError::Busy(_)),
        Fault::Io | Fault::Unavailable => matches!(error, StoreError::Unavailable(_)),
    };
    assert!(fits, "{fault:?} became {error:?}");
}

#[test]
fn a_transaction_is_kept_whole_or_not_at_all() {
    each(|backend| {
        let faults = with_faults(backend);
        let mut db: LocalDb = backend.local();
        db.write(|tx| tx.execute(CREATE, &[])).unwrap();
        let mut job = 0;
        for fault in ALL {
            for statement in 1.. {
                job += 1;
                faults.fail_statement(statement, fault);
                let result = db.write(|tx| put_three(tx, job));
                let spared = faults.disarm();
                let kept = db.read(|tx| parts(tx, job)).unwrap();
                match &result {
                    Ok(()) => assert_eq!(kept, 3),
                    Err(error) => {
                        check_class(fault, error);
                        assert_eq!(kept, 0);
                    }
                }
                if spared {
                    assert_eq!(statement, 4, "three statements can fail");
                    break;
                }
            }
        }
    });
}

#[test]
fn a_failed_commit_keeps_nothing() {
    each(|backend| {
        let faults = with_faults(backend);
        let mut db = backend.local();
        db.write(|tx| tx.execute(CREATE, &[])).unwrap();
        for (job, fault) in (1..).zip([Fault::Full, Fault::Io, Fault::Unavailable]) {
            faults.fail_commit(fault);
            check_class(fault, &db.write(|tx| put_three(tx, job)).unwrap_err());
            assert_eq!(db.read(|tx| parts(tx, job)).unwrap(), 0);
        }
    });
}

#[test]
fn a_lost_answer_is_an_error_for_what_was_kept() {
    each(|backend| {
        let faults = with_faults(backend);
        let mut db = backend.local();
        db.write(|tx| tx.execute(CREATE, &[])).unwrap();
        faults.lose_commit_answer();
        let result = db.write(|tx| put_three(tx, 1));
        assert!(
            matches!(result, Err(StoreError::Unavailable(_))),
            "{result:?}"
        );
        assert_eq!(db.read(|tx| parts(tx, 1)).unwrap(), 3);
    });
}

/// Sends jobs at once and checks that each was told the truth.
fn check_jobs(db: &Db, faults: &Faults, first: i64) {
    let jobs = first..first + 8;
    let pending: Vec<Pending<(), StoreError>> = jobs
        .clone()
        .map(|job| db.write(move |tx| put_three(tx, job)))
        .collect();
    let results: Vec<_> = pending.into_iter().map(Pending::wait).collect();
    faults.disarm();
    for (job, result) in jobs.zip(results) {
        let kept = db.read(move |tx| parts(tx, job)).wait().unwrap();
        let expect = if result.is_ok() { 3 } else { 0 };
        assert_eq!(kept, expect, "job {job}: {result:?}");
    }
}

#[test]
fn a_group_tells_each_job_the_truth() {
    each(|backend| {
        let faults = with_faults(backend);
        let db = backend.db();
        db.write(|tx| tx.execute(CREATE, &[])).wait().unwrap();
        let mut first = 0;
        for fault in ALL {
            for statement in 1..20 {
                faults.fail_statement(statement, fault);
                check_jobs(&db, &faults, first);
                first += 8;
            }
            faults.fail_commit(fault);
            check_jobs(&db, &faults, first);
            first += 8;
        }
    });
}
