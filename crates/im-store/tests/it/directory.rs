//! The directory: stretches of time, numbers of changes, what lists lack.

use im_store::directory::{self, About, DirectoryRow, Kind};
use im_store::{LocalDb, StoreError, Tx};
use jiff::Timestamp;

use crate::backend::each;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn write<T>(db: &mut LocalDb, work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
    db.write(work).unwrap()
}

fn row(kind: Kind, id: &str, since: &str) -> DirectoryRow {
    DirectoryRow {
        connector: "pd".to_owned(),
        kind,
        id: id.to_owned(),
        since: at(since),
        until: None,
        name: Some(format!("Name of {id}")),
        about: About {
            time_zone: Some("Europe/Berlin".to_owned()),
            teams: vec!["T1".to_owned(), "T2".to_owned()],
            rank: Some(3),
            ..About::default()
        },
        state: Some("active".to_owned()),
    }
}

#[test]
fn a_thing_comes_back_as_it_was_in_each_stretch_of_time() {
    each(|backend| {
        let mut db = backend.local();
        let first = row(Kind::User, "U1", "2026-11-20T09:00:00.000001Z");
        let mut second = row(Kind::User, "U1", "2026-11-21T09:00:00Z");
        second.name = None;
        second.about = About::default();
        second.state = None;
        write(&mut db, |tx| directory::begin(tx, &first, 1));
        assert_eq!(write(&mut db, directory::last), 1);
        let changed_at = second.since;
        assert!(write(&mut db, |tx| directory::end(
            tx,
            "pd",
            Kind::User,
            "U1",
            changed_at
        )));
        write(&mut db, |tx| directory::begin(tx, &second, 2));
        assert_eq!(
            write(&mut db, directory::last),
            3,
            "each change has a number"
        );
        let ended = DirectoryRow {
            until: Some(changed_at),
            ..first
        };
        let known = write(&mut db, |tx| directory::versions(tx, Kind::User, "U1"));
        assert_eq!(known, [ended.clone(), second.clone()]);
        let latest = write(&mut db, |tx| directory::latest(tx, "pd", Kind::User, "U1"));
        assert_eq!(latest, Some(second.clone()));
        let of_kind = write(&mut db, |tx| directory::of_kind(tx, Kind::User));
        assert_eq!(of_kind, [ended, second]);
        assert_eq!(write(&mut db, directory::all), of_kind);
        let others = write(&mut db, |tx| directory::of_kind(tx, Kind::Team));
        assert_eq!(others, []);
        let gone = at("2026-11-22T09:00:00Z");
        assert!(write(&mut db, |tx| directory::end(
            tx,
            "pd",
            Kind::User,
            "U1",
            gone
        )));
        assert!(
            !write(&mut db, |tx| directory::end(
                tx,
                "pd",
                Kind::User,
                "U1",
                gone
            )),
            "what is gone ends once"
        );
    });
}

#[test]
fn a_run_knows_what_it_did_not_list() {
    each(|backend| {
        let mut db = backend.local();
        for id in ["T1", "T2"] {
            let team = row(Kind::Team, id, "2026-11-20T09:00:00Z");
            write(&mut db, |tx| directory::begin(tx, &team, 1));
        }
        let last = write(&mut db, directory::last);
        write(&mut db, |tx| {
            directory::see(tx, "pd", Kind::Team, "T1", 2, None)
        });
        let unseen =
            |db: &mut LocalDb, run| write(db, |tx| directory::unseen(tx, "pd", Kind::Team, run));
        assert_eq!(unseen(&mut db, 2), [("T2".to_owned(), None)]);
        let (first, later) = (at("2026-11-21T09:00:00Z"), at("2026-11-22T09:00:00Z"));
        for missed in [first, later] {
            write(&mut db, |tx| {
                directory::miss(tx, "pd", Kind::Team, "T2", missed)
            });
        }
        assert_eq!(unseen(&mut db, 2), [("T2".to_owned(), Some(first))]);
        write(&mut db, |tx| {
            directory::see(tx, "pd", Kind::Team, "T2", 2, Some("active"))
        });
        assert_eq!(unseen(&mut db, 2), []);
        assert_eq!(unseen(&mut db, 3).len(), 2);
        assert_eq!(unseen(&mut db, 3)[1].1, None, "it was seen since");
        assert_eq!(
            write(&mut db, directory::last),
            last,
            "looking is no change"
        );
    });
}
