//! What a connection remembers of facts is what the database holds, whoever writes and whatever is undone.

use fastrand::Rng;
use im_core::{Actor, Fact, IncidentNumber, Kind, Source};
use im_store::fault::{Fault, Faults};
use im_store::{Db, LocalDb, StoreError, facts};
use jiff::Timestamp;

use crate::backend::{each, each_shared};

const INCIDENTS: i64 = 3;
/// More than a connection keeps in memory.
const MANY: usize = 5_000;

fn fact(number: usize) -> (Fact, Option<String>) {
    let id = format!("fact-{number}");
    let fact = Fact::new(
        Source::Webhook,
        id,
        Kind::Noted,
        Actor::NOBODY,
        Timestamp::UNIX_EPOCH,
    );
    (fact, None)
}

fn incident(number: i64) -> IncidentNumber {
    IncidentNumber::new(number).unwrap()
}

/// The ids of an incident's facts, as this connection tells them.
fn told(db: &mut LocalDb, number: i64) -> Vec<String> {
    let facts = db.read(|tx| facts::of_incident(tx, incident(number)));
    ids(&facts.unwrap())
}

fn ids(facts: &[Fact]) -> Vec<String> {
    facts.iter().map(|fact| fact.source_id.clone()).collect()
}

#[test]
fn several_connections_tell_the_same_facts_though_some_are_undone() {
    each_shared(|backend| {
        let faults = Faults::new();
        let mut failing = backend.options.clone();
        failing.faults = Some(faults.clone());
        let mut dbs = [backend.local(), LocalDb::open(&failing).unwrap()];
        let mut rng = Rng::with_seed(4);
        let mut kept: Vec<Vec<String>> = vec![Vec::new(); 4];
        for number in 0..300 {
            let (who, about) = (rng.usize(0..2), rng.i64(1..=INCIDENTS));
            let is_given_up = rng.u8(0..3) == 0;
            // The commit fails, or it succeeds and nobody hears of it.
            let (fails, is_unheard) = (rng.u8(0..4) == 0, rng.u8(0..4) == 0);
            if who == 1 && fails {
                faults.fail_commit(Fault::Io);
            } else if who == 1 && is_unheard {
                faults.lose_commit_answer();
            }
            let written = dbs[who].write(|tx| {
                facts::append(tx, incident(about), &[fact(number)])?;
                // It sees its own.
                let last = facts::of_incident(tx, incident(about))?.last().cloned();
                assert_eq!(last, Some(fact(number).0));
                if is_given_up {
                    Err(StoreError::Stale)
                } else {
                    Ok(())
                }
            });
            faults.disarm();
            if written.is_ok() || (who == 1 && is_unheard && !fails && !is_given_up) {
                kept[usize::try_from(about).unwrap()].push(format!("fact-{number}"));
            }
            let (reader, of) = (rng.usize(0..2), rng.i64(1..=INCIDENTS));
            let expect = &kept[usize::try_from(of).unwrap()];
            assert_eq!(&told(&mut dbs[reader], of), expect, "after fact {number}");
        }
    });
}

#[test]
fn what_is_undone_leaves_nothing_to_the_next_job() {
    each(|backend| {
        let faults = Faults::new();
        backend.options.faults = Some(faults.clone());
        let db: Db = backend.db();
        // A whole group is undone first.
        faults.fail_commit(Fault::Io);
        let undone = db.write(|tx| {
            facts::append(tx, incident(1), &[fact(100)])?;
            facts::of_incident(tx, incident(1)).map(drop)
        });
        undone.wait().unwrap_err();
        let jobs = (0..60).map(|number| {
            db.write(move |tx| {
                facts::append(tx, incident(1), &[fact(number)])?;
                let seen = ids(&facts::of_incident(tx, incident(1))?);
                if number % 3 == 1 {
                    Err(StoreError::Stale)
                } else {
                    Ok(seen)
                }
            })
        });
        let seen: Vec<_> = jobs
            .collect::<Vec<_>>()
            .into_iter()
            .map(im_store::Pending::wait)
            .collect();
        let mut expect = Vec::new();
        for (number, seen) in seen.into_iter().enumerate() {
            if number % 3 != 1 {
                expect.push(format!("fact-{number}"));
                assert_eq!(seen.unwrap(), expect);
            }
        }
    });
}

#[test]
fn more_facts_than_are_remembered_are_told_whole() {
    each(|backend| {
        let mut db = backend.local();
        let all: Vec<_> = (0..MANY).map(fact).collect();
        let written: Result<_, StoreError> = db.write(|tx| {
            facts::append(tx, incident(1), &all)?;
            facts::append(tx, incident(2), &all[..10])
        });
        written.unwrap();
        for _ in 0..2 {
            assert_eq!(told(&mut db, 1).len(), MANY);
            assert_eq!(told(&mut db, 2).len(), 10);
        }
    });
}
