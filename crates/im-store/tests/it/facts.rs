//! What a connection remembers of facts is what the database holds, whoever writes and whatever is undone.

use fastrand::Rng;
use im_core::{
    Actor, Fact, IncidentNumber, Kind, Named, PeerStatus, Person, Snapshot, Source, Urgency,
};
use im_store::facts::News;
use im_store::fault::{Fault, Faults};
use im_store::{Db, LocalDb, StoreError, Tx, erase, facts, incidents, params};
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
                facts::append(tx, incident(about), &[fact(number)], Timestamp::UNIX_EPOCH)?;
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
            facts::append(tx, incident(1), &[fact(100)], Timestamp::UNIX_EPOCH)?;
            facts::of_incident(tx, incident(1)).map(drop)
        });
        undone.wait().unwrap_err();
        let jobs = (0..60).map(|number| {
            db.write(move |tx| {
                facts::append(tx, incident(1), &[fact(number)], Timestamp::UNIX_EPOCH)?;
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
            facts::append(tx, incident(1), &all, Timestamp::UNIX_EPOCH)?;
            facts::append(tx, incident(2), &all[..10], Timestamp::UNIX_EPOCH)
        });
        written.unwrap();
        for _ in 0..2 {
            assert_eq!(told(&mut db, 1).len(), MANY);
            assert_eq!(told(&mut db, 2).len(), 10);
        }
    });
}

fn write<T>(db: &mut LocalDb, work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
    db.write(work).unwrap()
}

fn named(id: &str) -> Named {
    Named {
        id: id.to_owned(),
        name: Some(format!("name of {id}")),
    }
}

fn person(id: &str) -> Person {
    Person {
        id: id.to_owned(),
        name: None,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

/// A fact with everything that a fact can have.
fn full() -> Fact {
    let snapshot = Snapshot {
        version: at(1),
        read_at: Some(at(2)),
        answered_at: Some(at(3)),
        id: "QA1".to_owned(),
        number: Some(12),
        html_url: Some("https://example.test/QA1".to_owned()),
        incident_key: Some("key".to_owned()),
        created_at: Some(at(0)),
        status: Some(PeerStatus::Acknowledged),
        title: Some("Slow".to_owned()),
        urgency: Some(Urgency::High),
        priority: Some(Some(named("P1"))),
        service: Some(named("SDB")),
        policy: Some(named("E1")),
        assignees: Some(vec![person("U1")]),
        teams: Some(vec![named("T1")]),
        merged_into: Some("QB2".to_owned()),
    };
    Fact::new(
        Source::LogEntry,
        "R1",
        Kind::Delegated,
        Actor::user("U1", "Ann"),
        at(4),
    )
    .about(vec![person("U2"), person("U3")])
    .with_value("value")
    .with_detail("detail")
    .showing(snapshot)
    .answering("command")
}

#[test]
fn a_fact_comes_back_as_it_was_told() {
    each(|backend| {
        let mut db = backend.local();
        let bare = fact(1).0;
        let mut shown = full();
        shown.source_id = "R2".to_owned();
        let all = [
            (full(), Some("its report".to_owned())),
            (bare.clone(), None),
            // What it shows is kept without the report, and the report without anything shown.
            (shown.clone(), None),
            (fact(2).0, Some("another report".to_owned())),
        ];
        let added = write(&mut db, |tx| {
            facts::append(tx, incident(1), &all, Timestamp::UNIX_EPOCH)
        });
        assert_eq!(added, 4);
        let told = write(&mut db, |tx| facts::of_incident(tx, incident(1)));
        assert_eq!(*told, [full(), bare, shown, fact(2).0]);
        let mut raw = |source, id| write(&mut db, |tx| facts::raw(tx, incident(1), source, id));
        assert_eq!(raw(Source::LogEntry, "R1").as_deref(), Some("its report"));
        assert_eq!(raw(Source::LogEntry, "R2"), None);
        assert_eq!(raw(Source::Webhook, "fact-1"), None);
        assert_eq!(
            raw(Source::Webhook, "fact-2").as_deref(),
            Some("another report")
        );
        assert_eq!(raw(Source::Look, "R1"), None, "another source's");
    });
}

#[test]
fn what_is_told_again_is_no_new_fact() {
    each(|backend| {
        let mut db = backend.local();
        let append = |db: &mut LocalDb, number, numbers: &[usize]| {
            let all: Vec<_> = numbers.iter().map(|number| fact(*number)).collect();
            write(db, |tx| {
                facts::append(tx, incident(number), &all, Timestamp::UNIX_EPOCH)
            })
        };
        assert_eq!(append(&mut db, 1, &[]), 0);
        assert_eq!(append(&mut db, 1, &[1, 2, 1]), 2, "twice in one telling");
        assert_eq!(append(&mut db, 1, &[2, 1]), 0);
        assert_eq!(append(&mut db, 1, &[3, 2, 4, 5]), 3);
        assert_eq!(
            told(&mut db, 1),
            ["fact-1", "fact-2", "fact-3", "fact-4", "fact-5"]
        );
        // The first telling stays, whatever the second one says.
        let mut other = fact(1);
        other.0.value = Some("changed".to_owned());
        other.1 = Some("its report".to_owned());
        let again = write(&mut db, |tx| {
            facts::append(
                tx,
                incident(1),
                std::slice::from_ref(&other),
                Timestamp::UNIX_EPOCH,
            )
        });
        assert_eq!(again, 0);
        let kept = write(&mut db, |tx| facts::of_incident(tx, incident(1)));
        assert_eq!(kept.first(), Some(&fact(1).0));
        let raw = write(&mut db, |tx| {
            facts::raw(tx, incident(1), Source::Webhook, "fact-1")
        });
        assert_eq!(raw, None);
        // Another incident, or another source, has its own.
        assert_eq!(append(&mut db, 2, &[1]), 1);
        let mut by_log = fact(1);
        by_log.0.source = Source::LogEntry;
        let by_log = write(&mut db, |tx| {
            facts::append(
                tx,
                incident(1),
                std::slice::from_ref(&by_log),
                Timestamp::UNIX_EPOCH,
            )
        });
        assert_eq!(by_log, 1);
    });
}

#[test]
fn facts_are_known_when_each_of_them_is() {
    each(|backend| {
        let mut db = backend.local();
        let known = |db: &mut LocalDb, number, numbers: &[usize]| {
            let all: Vec<Fact> = numbers.iter().map(|number| fact(*number).0).collect();
            write(db, |tx| facts::are_known(tx, incident(number), &all))
        };
        assert!(!known(&mut db, 1, &[1]));
        write(&mut db, |tx| {
            facts::append(tx, incident(1), &[fact(1), fact(2)], Timestamp::UNIX_EPOCH)
        });
        assert!(known(&mut db, 1, &[1]) && known(&mut db, 1, &[2, 1]));
        assert!(!known(&mut db, 1, &[1, 2, 3]));
        assert!(!known(&mut db, 2, &[1]), "of another incident");
        assert!(known(&mut db, 2, &[]), "nothing is missing of nothing");
    });
}

#[test]
fn whoever_follows_the_facts_misses_none_and_hears_of_what_was_erased() {
    each(|backend| {
        let mut db = backend.local();
        let after = |db: &mut LocalDb, seq, limit| write(db, |tx| facts::after(tx, seq, limit));
        let news = |numbers: &[i64], last, erased| {
            Some(News {
                incidents: numbers.iter().map(|number| incident(*number)).collect(),
                last,
                erased,
            })
        };
        assert_eq!(write(&mut db, facts::last), 0);
        assert_eq!(after(&mut db, 0, 10), None);
        write(&mut db, |tx| {
            let first = incidents::insert(tx, Some("prod"), |_| None, at(0))?;
            let second = incidents::insert(tx, Some("test"), |_| None, at(0))?;
            facts::append(tx, first, &[fact(1), fact(2)], Timestamp::UNIX_EPOCH)?;
            facts::append(tx, second, &[fact(3)], Timestamp::UNIX_EPOCH)
        });
        assert_eq!(write(&mut db, facts::last), 3);
        assert_eq!(after(&mut db, 0, 10), news(&[1, 2], 3, None));
        assert_eq!(after(&mut db, 0, 2), news(&[1], 2, None));
        assert_eq!(after(&mut db, 2, 2), news(&[2], 3, None));
        assert_eq!(after(&mut db, 3, 2), None);
        write(&mut db, |tx| erase::some_incidents(tx, "prod", 10, at(1)));
        write(&mut db, |tx| {
            facts::append(tx, incident(2), &[fact(4)], Timestamp::UNIX_EPOCH)
        });
        assert_eq!(write(&mut db, facts::last), 5, "numbers do not come again");
        assert_eq!(after(&mut db, 3, 1), news(&[], 4, Some(4)));
        assert_eq!(after(&mut db, 3, 10), news(&[2], 5, Some(4)));
        assert_eq!(after(&mut db, 4, 10), news(&[2], 5, None));
    });
}

#[test]
fn s102_what_was_known_at_an_instant_is_found_whatever_was_erased_and_before_times_were_kept() {
    each(|backend| {
        let mut db = backend.local();
        let of = |number| {
            move |tx: &mut Tx<'_>| {
                let time = at(i64::try_from(number).unwrap());
                facts::append(tx, incident(2), &[fact(number)], time)
            }
        };
        let known = |db: &mut LocalDb, minute| write(db, |tx| facts::last_known(tx, at(minute)));
        write(&mut db, |tx| {
            incidents::insert(tx, Some("prod"), |_| None, at(0))?;
            incidents::insert(tx, Some("test"), |_| None, at(0))
        });
        assert_eq!(known(&mut db, 9), 0);
        for number in 1..=3 {
            write(&mut db, of(number));
        }
        write(&mut db, |tx| erase::some_incidents(tx, "prod", 10, at(4)));
        for number in 5..=6 {
            write(&mut db, of(number));
        }
        let all = |db: &mut LocalDb| [0, 1, 3, 4, 5, 9].map(|minute| known(db, minute));
        assert_eq!(all(&mut db), [0, 1, 3, 4, 5, 6]);
        // A mark of before they had times; it is in the middle, where halving looks first.
        let forget = |db: &mut LocalDb, which: &'static str| {
            write(db, |tx| tx.execute(which, params![]));
        };
        forget(
            &mut db,
            "-- test.forget_mark
            UPDATE fact SET recorded_at = NULL WHERE incident = 0",
        );
        assert_eq!(all(&mut db), [0, 1, 4, 4, 5, 6]);
        // What was recorded before times were kept was known.
        forget(
            &mut db,
            "-- test.forget_first
            UPDATE fact SET recorded_at = NULL WHERE seq <= 2",
        );
        assert_eq!(all(&mut db), [2, 2, 4, 4, 5, 6]);
        forget(
            &mut db,
            "-- test.forget_all
            UPDATE fact SET recorded_at = NULL",
        );
        assert_eq!(known(&mut db, 0), 6);
    });
}

#[test]
fn a_word_that_nobody_here_wrote_is_said() {
    each(|backend| {
        let mut db = backend.local();
        write(&mut db, |tx| {
            facts::append(tx, incident(1), &[fact(1)], Timestamp::UNIX_EPOCH)
        });
        let spoil = "-- spoil
            UPDATE fact SET kind = 'exploded'";
        write(&mut db, |tx| tx.execute(spoil, &[]));
        let read = db.read(|tx| facts::of_incident(tx, incident(1)));
        let error = std::error::Error::source(&read.unwrap_err()).map(ToString::to_string);
        assert_eq!(
            error.as_deref(),
            Some("column 2 is not im_core::fact::Kind")
        );
    });
}
