//! What came in is kept once, is digested when it is due, and is found again.

use im_store::inbox::{self, Arrival, Digested, InboxRow};
use im_store::{LocalDb, StoreError, Tx};
use jiff::Timestamp;

use crate::backend::each;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn arrival(connector: &str, event_id: &str) -> Arrival {
    Arrival {
        connector: connector.parse().unwrap(),
        event_id: event_id.to_owned(),
        delivery_id: Some(format!("delivery of {event_id}")),
        verified: true,
        environment: None,
        body: format!("{{\"event\":\"{event_id}\"}}"),
    }
}

fn write<T>(db: &mut LocalDb, work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
    let mut work = Some(work);
    db.write(|tx| work.take().unwrap()(tx)).unwrap()
}

/// Whether it is new.
fn receive(db: &mut LocalDb, arrival: Arrival, now: Timestamp) -> bool {
    write(db, |tx| inbox::receive(tx, arrival, now))
}

fn due(db: &mut LocalDb, limit: u32, now: Timestamp) -> Vec<InboxRow> {
    write(db, |tx| inbox::due(tx, limit, now))
}

fn due_ids(db: &mut LocalDb, limit: u32, now: Timestamp) -> Vec<String> {
    let rows = due(db, limit, now);
    rows.into_iter().map(|row| row.event_id).collect()
}

#[test]
fn a_copy_that_alone_names_an_environment_is_digested_once_more() {
    each(|backend| {
        let mut db = backend.local();
        receive(&mut db, arrival("prod", "E1"), at(0));
        let first = due(&mut db, 10, at(1)).remove(0);
        assert_eq!((first.environment, first.held), (None, false));
        write(&mut db, |tx| inbox::finish(tx, first.id, Digested::Done));
        let named = |environment: &str| Arrival {
            environment: Some(environment.to_owned()),
            ..arrival("prod", "E1")
        };
        assert!(!receive(&mut db, named("prod"), at(5)));
        let again = due(&mut db, 10, at(6)).remove(0);
        assert_eq!(again.environment.as_deref(), Some("prod"));
        assert!(again.held, "it is counted as heard of once");
        write(&mut db, |tx| inbox::finish(tx, again.id, Digested::Done));
        for copy in [named("staging"), arrival("prod", "E1")] {
            assert!(!receive(&mut db, copy, at(9)));
            assert_eq!(due_ids(&mut db, 10, at(10)), Vec::<String>::new());
        }
    });
}

#[test]
fn an_event_that_comes_again_is_counted_and_digested_once() {
    each(|backend| {
        let mut db = backend.local();
        assert!(receive(&mut db, arrival("prod", "E1"), at(0)));
        let mut copy = arrival("prod", "E1");
        copy.delivery_id = Some("another".to_owned());
        copy.body = "another".to_owned();
        copy.verified = false;
        assert!(!receive(&mut db, copy.clone(), at(5)), "the second");
        assert!(!receive(&mut db, copy, at(6)), "the third");
        // Each connector has its own events.
        assert!(receive(&mut db, arrival("test", "E1"), at(7)));
        let rows = due(&mut db, 10, at(9));
        let doors: Vec<&str> = rows.iter().map(|row| row.connector.as_str()).collect();
        assert_eq!(doors, ["prod", "test"]);
        let first = rows.first().unwrap();
        assert_eq!(first.event_id, "E1");
        assert_eq!(first.body, "{\"event\":\"E1\"}");
        assert_eq!(first.received_at, at(0));
        assert!(first.verified && !first.held);
        let kept = write(&mut db, |tx| inbox::find(tx, "prod", first.id)).unwrap();
        assert_eq!((kept.id, kept.copies), (first.id, 3));
        assert_eq!(kept.event_id, "E1");
        assert_eq!(kept.delivery_id.as_deref(), Some("delivery of E1"));
        assert_eq!(kept.body, "{\"event\":\"E1\"}");
        assert_eq!((kept.received_at, kept.verified), (at(0), true));
        assert_eq!(kept.state, "waiting");
        assert!(write(&mut db, |tx| inbox::find(tx, "test", first.id)).is_none());
    });
}

#[test]
fn an_event_that_comes_again_after_it_was_digested_is_not_digested_again() {
    each(|backend| {
        let mut db = backend.local();
        assert!(receive(&mut db, arrival("prod", "E1"), at(0)));
        let id = due(&mut db, 10, at(0)).first().unwrap().id;
        write(&mut db, |tx| inbox::finish(tx, id, Digested::Done));
        assert!(!receive(&mut db, arrival("prod", "E1"), at(86_400)));
        assert!(due(&mut db, 10, at(86_401)).is_empty());
        let state = write(&mut db, |tx| inbox::state(tx, "prod", "E1"));
        assert_eq!(state.as_deref(), Some("done"));
    });
}

#[test]
fn what_nobody_signed_stays_unsigned() {
    each(|backend| {
        let mut db = backend.local();
        let mut hint = arrival("prod", "E1");
        (hint.verified, hint.delivery_id) = (false, None);
        receive(&mut db, hint, at(0));
        let rows = due(&mut db, 10, at(0));
        let row = rows.first().unwrap();
        assert!(!row.verified);
        let kept = write(&mut db, |tx| inbox::find(tx, "prod", row.id)).unwrap();
        assert_eq!((kept.verified, kept.delivery_id), (false, None));
    });
}

#[test]
fn events_come_in_order_of_arrival_and_what_is_put_aside_when_it_is_due() {
    each(|backend| {
        let mut db = backend.local();
        assert_eq!(write(&mut db, inbox::next_due), None);
        for (second, id) in [(3, "C"), (1, "A"), (1, "B")] {
            receive(&mut db, arrival("prod", id), at(second));
        }
        assert_eq!(write(&mut db, inbox::next_due), Some(at(1)));
        assert_eq!(due_ids(&mut db, 10, at(0)), [""; 0], "none is due");
        assert_eq!(due_ids(&mut db, 10, at(2)), ["A", "B"]);
        assert_eq!(due_ids(&mut db, 10, at(3)), ["A", "B", "C"]);
        assert_eq!(due_ids(&mut db, 2, at(3)), ["A", "B"], "a step's worth");
        let first = due(&mut db, 1, at(3)).first().unwrap().id;
        write(&mut db, |tx| inbox::defer(tx, first, at(20)));
        assert_eq!(due_ids(&mut db, 10, at(19)), ["B", "C"]);
        let rows = due(&mut db, 10, at(20));
        let held: Vec<(&str, bool)> = rows
            .iter()
            .map(|row| (row.event_id.as_str(), row.held))
            .collect();
        assert_eq!(held, [("B", false), ("C", false), ("A", true)]);
        assert_eq!(write(&mut db, inbox::next_due), Some(at(1)));
        for row in rows.iter().filter(|row| !row.held) {
            write(&mut db, |tx| inbox::finish(tx, row.id, Digested::Done));
        }
        assert_eq!(write(&mut db, inbox::next_due), Some(at(20)));
        write(&mut db, |tx| inbox::finish(tx, first, Digested::Orphan));
        assert_eq!(write(&mut db, inbox::next_due), None);
    });
}

#[test]
fn how_each_event_fared_is_kept_and_counted() {
    each(|backend| {
        let mut db = backend.local();
        let fates = [
            (Digested::Done, "done"),
            (Digested::Done, "done"),
            (Digested::Ignored, "ignored"),
            (Digested::Unknown, "unknown"),
            (Digested::Unreadable, "unreadable"),
            (Digested::Orphan, "orphan"),
        ];
        assert_eq!(write(&mut db, inbox::waiting), 0);
        for number in 0..9 {
            receive(&mut db, arrival("prod", &format!("E{number}")), at(number));
        }
        receive(&mut db, arrival("test", "E0"), at(10));
        assert_eq!(write(&mut db, inbox::waiting), 10, "of all connectors");
        for (row, (how, _)) in due(&mut db, 10, at(10)).iter().zip(fates) {
            write(&mut db, |tx| inbox::finish(tx, row.id, how));
        }
        assert_eq!(write(&mut db, inbox::waiting), 4);
        for (number, (_, state)) in fates.into_iter().enumerate() {
            let id = format!("E{number}");
            let found = write(&mut db, |tx| inbox::state(tx, "prod", &id));
            assert_eq!(found.as_deref(), Some(state));
        }
        let state = |db: &mut LocalDb, id| write(db, |tx| inbox::state(tx, "prod", id));
        assert_eq!(state(&mut db, "E8").as_deref(), Some("waiting"));
        assert_eq!(state(&mut db, "E9"), None);
        let mut counts = write(&mut db, |tx| inbox::counts(tx, "prod"));
        counts.sort();
        let expect = [
            ("done", 2),
            ("ignored", 1),
            ("orphan", 1),
            ("unknown", 1),
            ("unreadable", 1),
            ("waiting", 3),
        ];
        assert_eq!(
            counts,
            expect.map(|(state, count)| (state.to_owned(), count))
        );
    });
}

#[test]
fn a_connectors_webhooks_are_listed_page_by_page_the_newest_first() {
    each(|backend| {
        let mut db = backend.local();
        for number in 0..5 {
            receive(&mut db, arrival("prod", &format!("E{number}")), at(number));
            receive(&mut db, arrival("test", &format!("T{number}")), at(number));
        }
        let mut page = |before, limit| {
            let rows = write(&mut db, |tx| inbox::list(tx, "prod", before, limit));
            let last = rows.last().map(|row| row.id);
            let ids: Vec<String> = rows.into_iter().map(|row| row.event_id).collect();
            (ids, last)
        };
        let (first, last) = page(None, 3);
        assert_eq!(first, ["E4", "E3", "E2"]);
        let (second, last) = page(last, 3);
        assert_eq!(second, ["E1", "E0"]);
        assert_eq!(page(last, 3).0, [""; 0]);
    });
}

#[test]
fn an_event_is_digested_once_more_when_somebody_asks() {
    each(|backend| {
        let mut db = backend.local();
        for id in ["E1", "E2"] {
            receive(&mut db, arrival("prod", id), at(0));
        }
        let rows = due(&mut db, 10, at(0));
        for row in &rows {
            write(&mut db, |tx| inbox::finish(tx, row.id, Digested::Unknown));
        }
        let id = rows.first().unwrap().id;
        let mut again = |connector, id| write(&mut db, |tx| inbox::again(tx, connector, id, at(9)));
        assert!(!again("test", id), "it is not of that connector");
        assert!(!again("prod", 77), "there is none");
        assert!(again("prod", id));
        assert_eq!(due_ids(&mut db, 10, at(8)), [""; 0]);
        let rows = due(&mut db, 10, at(9));
        let ids: Vec<&str> = rows.iter().map(|row| row.event_id.as_str()).collect();
        assert_eq!(ids, ["E1"]);
        assert!(rows.iter().all(|row| row.held), "it was counted before");
    });
}

#[test]
fn the_last_test_event_is_found_and_no_other_event_is_one() {
    each(|backend| {
        let mut db = backend.local();
        let ping = |db: &mut LocalDb, connector, since| {
            write(db, |tx| inbox::ping_since(tx, connector, since))
        };
        receive(&mut db, arrival("prod", "E1"), at(1));
        assert_eq!(ping(&mut db, "prod", at(0)), None);
        for (second, id) in [(2, "P1"), (4, "P2")] {
            let mut arrival = arrival("prod", id);
            arrival.body = "{\"event\":{\"event_type\":\"pagey.ping\"}}".to_owned();
            receive(&mut db, arrival, at(second));
        }
        assert_eq!(ping(&mut db, "prod", at(0)), Some(at(4)));
        assert_eq!(ping(&mut db, "prod", at(4)), Some(at(4)));
        assert_eq!(ping(&mut db, "prod", at(5)), None);
        assert_eq!(ping(&mut db, "test", at(0)), None);
    });
}

#[test]
fn what_was_told_of_an_incident_is_found_by_its_id() {
    each(|backend| {
        let mut db = backend.local();
        let bodies = [
            (1, "first of QA1"),
            (2, "of QB2"),
            (3, "second of QA1"),
            (4, "third of QA1"),
        ];
        for (second, body) in bodies {
            let mut arrival = arrival("prod", body);
            arrival.body = body.to_owned();
            receive(&mut db, arrival, at(second));
        }
        let mut told = |connector, text, since| {
            write(&mut db, |tx| inbox::bodies_with(tx, connector, text, since))
        };
        let all = ["first of QA1", "second of QA1", "third of QA1"];
        assert_eq!(told("prod", "QA1", at(0)), all);
        assert_eq!(told("prod", "QA1", at(3)), all[1..]);
        assert_eq!(told("prod", "QC3", at(0)), [""; 0]);
        assert_eq!(told("test", "QA1", at(0)), [""; 0]);
    });
}
