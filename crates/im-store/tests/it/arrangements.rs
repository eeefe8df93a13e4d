//! What an organisation settles, and what people say of incidents.

use im_core::{Actor, ActorKind, IncidentNumber};
use im_store::accounts::Role;
use im_store::annotations::{self, AnnotationRow, Field};
use im_store::arrangements::{self, Sort};
use im_store::tokens::{self, Scope};
use im_store::{LocalDb, StoreError, Tx, erase, incidents};
use jiff::Timestamp;

use crate::backend::each;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn write<T>(db: &mut LocalDb, work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
    db.write(work).unwrap()
}

#[test]
fn what_was_settled_is_replaced_counted_and_forgotten() {
    each(|backend| {
        let mut db = backend.local();
        let put = |db: &mut LocalDb, sort: Sort, id: &str, body: [i64; 2]| {
            write(db, |tx| arrangements::put(tx, sort, id, &body));
        };
        put(&mut db, Sort::Team, "web", [1, 2]);
        put(&mut db, Sort::Team, "ops", [3, 4]);
        put(&mut db, Sort::Target, "ops", [5, 6]);
        put(&mut db, Sort::Team, "web", [7, 8]);
        let all = |db: &mut LocalDb| -> Vec<[i64; 2]> {
            write(db, |tx| arrangements::all(tx, Sort::Team))
        };
        assert_eq!(all(&mut db), [[3, 4], [7, 8]]);
        assert_eq!(write(&mut db, |tx| arrangements::count(tx, Sort::Team)), 2);
        assert_eq!(write(&mut db, arrangements::changes), 4);
        let delete = |db: &mut LocalDb| write(db, |tx| arrangements::delete(tx, Sort::Team, "ops"));
        assert!(delete(&mut db));
        assert!(!delete(&mut db));
        assert_eq!(write(&mut db, arrangements::changes), 5);
        assert_eq!(all(&mut db), [[7, 8]]);
        let find = |db: &mut LocalDb, sort| -> Option<[i64; 2]> {
            write(db, |tx| arrangements::find(tx, sort, "ops"))
        };
        assert_eq!(find(&mut db, Sort::Target), Some([5, 6]));
        assert_eq!(find(&mut db, Sort::Team), None);
    });
}

#[test]
fn s96_what_was_said_of_an_incident_stays_in_order() {
    each(|backend| {
        let mut db = backend.local();
        let now = at("2026-11-20T09:00:00.000001Z");
        let number = |tx: &mut Tx<'_>| incidents::insert(tx, None, |_| None, now);
        let first = write(&mut db, number);
        let second = write(&mut db, number);
        let row = |incident: IncidentNumber, field, value: Option<&str>| AnnotationRow {
            incident,
            field,
            value: value.map(str::to_owned),
            reason: value.map(|_| "seen in the graphs".to_owned()),
            at: now,
            actor: Actor {
                kind: ActorKind::User,
                id: Some("ann@example.com".to_owned()),
                name: None,
            },
        };
        let rows = [
            row(first, Field::ImpactStart, Some("2026-11-20T08:40:00Z")),
            row(second, Field::Cause, Some("certificate")),
            row(first, Field::ImpactStart, None),
        ];
        for row in &rows {
            write(&mut db, |tx| annotations::append(tx, row));
        }
        let [start, cause, end] = rows;
        let of_first = write(&mut db, |tx| annotations::of_incident(tx, first));
        assert_eq!(of_first, [start.clone(), end.clone()]);
        assert_eq!(write(&mut db, annotations::all), [start, end, cause]);
        let after =
            |db: &mut LocalDb, seq, limit| write(db, |tx| annotations::after(tx, seq, limit));
        assert_eq!(after(&mut db, 0, 1), Some(([first].into(), 1)));
        assert_eq!(after(&mut db, 1, 9), Some(([first, second].into(), 3)));
        assert_eq!(after(&mut db, 3, 9), None);
    });
}

#[test]
fn what_was_said_of_an_erased_incident_goes_and_its_number_never_comes_again() {
    each(|backend| {
        let mut db = backend.local();
        let now = at("2026-11-20T09:00:00Z");
        let said = |db: &mut LocalDb, connector: Option<&str>| {
            write(db, |tx| {
                let incident = incidents::insert(tx, connector, |_| None, now)?;
                let row = AnnotationRow {
                    incident,
                    field: Field::Cause,
                    value: Some("certificate".to_owned()),
                    reason: None,
                    at: now,
                    actor: Actor::NOBODY,
                };
                annotations::append(tx, &row)?;
                Ok(row)
            })
        };
        let kept = said(&mut db, None);
        said(&mut db, Some("prod"));
        let erased = write(&mut db, |tx| erase::some_incidents(tx, "prod", 9, now));
        assert_eq!(erased.rows, 1);
        assert_eq!(write(&mut db, annotations::all), [kept]);
        let next = said(&mut db, None);
        let news = write(&mut db, |tx| annotations::after(tx, 2, 9));
        assert_eq!(news, Some(([next.incident].into(), 3)));
    });
}

#[test]
fn a_token_keeps_what_it_may_do() {
    each(|backend| {
        let mut db = backend.local();
        let now = at("2026-11-20T09:00:00Z");
        let make = |db: &mut LocalDb, name: &str, scopes: &[Scope]| {
            assert!(write(db, |tx| tokens::insert(
                tx,
                name,
                name,
                None,
                (Role::Viewer, scopes),
                now
            )));
        };
        make(&mut db, "plain", &[]);
        make(&mut db, "lead", &[Scope::PersonalLoad]);
        let scopes = |db: &mut LocalDb, hash: &str| {
            write(db, |tx| tokens::by_hash(tx, hash)).unwrap().scopes
        };
        assert_eq!(scopes(&mut db, "plain"), []);
        assert_eq!(scopes(&mut db, "lead"), [Scope::PersonalLoad]);
        let all = write(&mut db, tokens::all);
        assert!(all.iter().all(|token| token.role == Role::Viewer));
    });
}
