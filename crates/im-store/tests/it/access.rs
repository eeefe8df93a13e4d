//! Who signs in, and what is kept of what they did.

use im_store::accounts::{self, Identity, Role};
use im_store::audit::{self, Asked, Entry, Kind};
use im_store::links::{self, LinkRow, Purpose};
use im_store::sessions::{self, SessionRow, Used};
use im_store::tokens;
use im_store::{Db, LocalDb, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};

use crate::backend::{Backend, each};

const ANN: &str = "ann@example.com";

fn now() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

fn write<T>(db: &mut LocalDb, work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
    db.write(work).unwrap()
}

fn add(db: &mut LocalDb, email: &str, role: Role) -> bool {
    write(db, |tx| accounts::insert(tx, email, "", role, false, now()))
}

#[test]
fn an_owner_without_a_password_or_right_to_sign_in_is_no_other_owner() {
    each(|backend| {
        let mut db = backend.local();
        let others = |db: &mut LocalDb| write(db, |tx| accounts::other_owners(tx, ANN));
        assert!(!write(&mut db, accounts::any));
        assert!(add(&mut db, ANN, Role::Owner));
        assert!(
            !add(&mut db, ANN, Role::Viewer),
            "an address has one account"
        );
        assert!(add(&mut db, "bob@example.com", Role::Owner));
        assert!(write(&mut db, accounts::any));
        assert_eq!(others(&mut db), 0);
        let bob = "bob@example.com";
        write(&mut db, |tx| {
            accounts::set_password(tx, bob, Some("$argon2id$…"))
        });
        assert_eq!(others(&mut db), 1);
        write(&mut db, |tx| accounts::set_disabled(tx, bob, Some(now())));
        assert_eq!(others(&mut db), 0);
        write(&mut db, |tx| {
            accounts::set_disabled(tx, bob, None)?;
            accounts::set_role(tx, bob, Role::Admin, true)
        });
        assert_eq!(others(&mut db), 0);
        let bob = write(&mut db, |tx| accounts::find(tx, bob)).unwrap();
        assert_eq!((bob.role, bob.personal_load), (Role::Admin, true));
        assert_eq!(write(&mut db, accounts::all).len(), 2);
    });
}

/// Makes accounts as a process does that looks first; of each, whether it made it or found it.
fn make(db: &Db) -> Vec<Option<bool>> {
    let make = |number: usize| {
        let email = format!("person{number}@example.com");
        let made = db.write(move |tx| match accounts::find(tx, &email)? {
            Some(_) => Ok(None),
            None => accounts::insert(tx, &email, "", Role::Viewer, false, now()).map(Some),
        });
        made.wait().map_err(|error: StoreError| error).unwrap()
    };
    (0..100).map(make).collect()
}

#[test]
fn of_two_processes_that_make_an_account_at_once_one_makes_it_and_the_other_finds_it() {
    let backends = [Some(Backend::file()), Backend::postgres()];
    for backend in backends.into_iter().flatten() {
        let (one, other) = (backend.db(), backend.db());
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(|| make(&other));
            (make(&one), other.join().unwrap())
        });
        for both in one.into_iter().zip(other) {
            assert!(
                [(Some(true), None), (None, Some(true))].contains(&both),
                "{both:?}"
            );
        }
    }
}

#[test]
fn somebody_at_a_provider_has_one_account_and_an_account_one_such_person() {
    each(|backend| {
        let mut db = backend.local();
        let bob = "bob@example.com";
        add(&mut db, ANN, Role::Viewer);
        add(&mut db, bob, Role::Viewer);
        let of = |issuer: &str, subject: &str| Identity {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        };
        let ours = of("https://login.example.com", "1");
        write(&mut db, |tx| accounts::set_identity(tx, ANN, Some(&ours)));
        let found = |db: &mut LocalDb, identity: &Identity| {
            let account = write(db, |tx| accounts::find_identity(tx, identity));
            account.map(|account| account.email)
        };
        assert_eq!(found(&mut db, &ours).as_deref(), Some(ANN));
        for other in [
            of("https://login.example.com", "2"),
            of("https://evil.example.com", "1"),
        ] {
            assert_eq!(found(&mut db, &other), None);
        }
        let taken = db.write(|tx| accounts::set_identity(tx, bob, Some(&ours)));
        assert!(taken.is_err(), "one person, one account");
        write(&mut db, |tx| accounts::set_identity(tx, ANN, None));
        write(&mut db, |tx| accounts::set_identity(tx, bob, Some(&ours)));
        assert_eq!(found(&mut db, &ours).as_deref(), Some(bob));
    });
}

#[test]
fn a_session_ends_when_it_is_not_used_when_it_is_old_and_when_it_is_ended() {
    each(|backend| {
        let mut db = backend.local();
        add(&mut db, ANN, Role::Viewer);
        let row = |hash: &str| SessionRow {
            hash: hash.to_owned(),
            email: ANN.to_owned(),
            made_at: now(),
            expires_at: after(100),
            address: "192.0.2.7".to_owned(),
            agent: "Firefox".to_owned(),
            seen_at: now(),
        };
        for hash in ["a", "b"] {
            write(&mut db, |tx| sessions::insert(tx, &row(hash)));
        }
        let used = |minute| Used {
            since: after(minute - 30),
            now: after(minute),
        };
        let is_on = |db: &mut LocalDb, hash: &str, minute| {
            write(db, |tx| sessions::find(tx, hash, used(minute))).is_some()
        };
        assert!(is_on(&mut db, "a", 29));
        assert!(!is_on(&mut db, "a", 30), "half an hour without use");
        write(&mut db, |tx| sessions::seen(tx, "a", after(90)));
        assert!(is_on(&mut db, "a", 99));
        assert!(!is_on(&mut db, "a", 100), "however much it is used");
        assert_eq!(
            write(&mut db, |tx| sessions::of(tx, ANN, used(20))).len(),
            2
        );
        write(&mut db, |tx| sessions::forget(tx, used(95), now()));
        assert!(!is_on(&mut db, "b", 20), "over, so it is forgotten");
        assert!(is_on(&mut db, "a", 95));
        write(&mut db, |tx| sessions::end(tx, "a"));
        assert!(!is_on(&mut db, "a", 95));
        write(&mut db, |tx| sessions::insert(tx, &row("c")));
        assert_eq!(write(&mut db, |tx| sessions::end_of(tx, ANN)), 1);
    });
}

#[test]
fn attempts_are_counted_by_person_and_by_address_until_one_succeeds() {
    each(|backend| {
        let mut db = backend.local();
        for (minute, who, address) in [(0, "a", "1"), (5, "a", "2"), (6, "b", "2")] {
            write(&mut db, |tx| {
                sessions::attempt(tx, who, address, after(minute))
            });
        }
        let by_who =
            |db: &mut LocalDb| write(db, |tx| sessions::tried_by_who(tx, "a", after(-1), 9));
        let by_address =
            |db: &mut LocalDb, since| write(db, |tx| sessions::tried_by_address(tx, "2", since, 9));
        assert_eq!(by_who(&mut db), [after(5), now()]);
        assert_eq!(by_address(&mut db, now()), [after(6), after(5)]);
        assert_eq!(by_address(&mut db, after(5)), [after(6)]);
        write(&mut db, |tx| sessions::succeeded(tx, "a"));
        assert!(by_who(&mut db).is_empty());
        assert_eq!(by_address(&mut db, now()), [after(6)]);
        let used = Used {
            since: now(),
            now: now(),
        };
        write(&mut db, |tx| sessions::forget(tx, used, after(6)));
        assert!(by_address(&mut db, now()).is_empty());
    });
}

#[test]
fn a_link_is_used_once_and_ended_by_the_next() {
    each(|backend| {
        let mut db = backend.local();
        add(&mut db, ANN, Role::Viewer);
        let link = |email: Option<&str>, purpose| LinkRow {
            purpose,
            email: email.map(str::to_owned),
            expires_at: after(60),
        };
        let put = |db: &mut LocalDb, hash: &str, row: LinkRow| {
            write(db, |tx| links::insert(tx, hash, &row, now()));
        };
        let is_there = |db: &mut LocalDb, hash: &str, minute| {
            write(db, |tx| links::find(tx, hash, after(minute))).is_some()
        };
        put(&mut db, "first", link(None, Purpose::FirstOwner));
        put(&mut db, "second", link(None, Purpose::FirstOwner));
        put(&mut db, "ann", link(Some(ANN), Purpose::Invitation));
        assert!(!is_there(&mut db, "first", 0));
        assert!(is_there(&mut db, "second", 0));
        assert!(is_there(&mut db, "ann", 59));
        assert!(!is_there(&mut db, "ann", 60), "it ends after an hour");
        put(&mut db, "new", link(Some(ANN), Purpose::Reset));
        assert!(!is_there(&mut db, "ann", 0));
        assert!(!write(&mut db, |tx| links::take(tx, "new", after(60))));
        assert!(write(&mut db, |tx| links::take(tx, "new", after(1))));
        assert!(!write(&mut db, |tx| links::take(tx, "new", after(1))));
        assert!(!is_there(&mut db, "new", 1));
        write(&mut db, links::end_first);
        assert!(!is_there(&mut db, "second", 0));
        put(&mut db, "third", link(Some(ANN), Purpose::Reset));
        write(&mut db, |tx| links::forget(tx, after(60)));
        assert!(!is_there(&mut db, "third", 0));
    });
}

#[test]
fn the_audit_log_is_read_by_who_and_since_when_and_forgotten() {
    each(|backend| {
        let mut db = backend.local();
        let entry = |who: &str, acts_as: Option<&str>, thing: &str| Entry {
            kind: Kind::Token,
            who: who.to_owned(),
            acts_as: acts_as.map(str::to_owned),
            address: String::new(),
            act: "resolved an incident".to_owned(),
            thing: thing.to_owned(),
            status: 200,
        };
        let entries = [
            entry("CI", None, "INC-1"),
            entry("bot", Some(ANN), "INC-2"),
            entry(ANN, None, "INC-3"),
        ];
        for (minute, entry) in (0..).zip(&entries) {
            write(&mut db, |tx| audit::insert(tx, entry, after(minute)));
        }
        let things = |db: &mut LocalDb, since, who: Option<&str>, before, limit| -> Vec<String> {
            let asked = Asked {
                since,
                who: who.map(str::to_owned),
                before,
                limit,
            };
            let rows = write(db, |tx| audit::newest(tx, &asked));
            rows.into_iter().map(|row| row.entry.thing).collect()
        };
        let all = i64::MAX;
        assert_eq!(
            things(&mut db, now(), None, all, 9),
            ["INC-3", "INC-2", "INC-1"]
        );
        assert_eq!(
            things(&mut db, now(), Some("Ann@Example.com"), all, 9),
            ["INC-3", "INC-2"]
        );
        assert_eq!(things(&mut db, now(), Some("ci"), all, 9), ["INC-1"]);
        assert_eq!(things(&mut db, after(1), None, all, 1), ["INC-3"]);
        assert_eq!(things(&mut db, after(1), None, 3, 9), ["INC-2"]);
        write(&mut db, |tx| audit::forget(tx, after(1)));
        assert_eq!(things(&mut db, now(), None, all, 9), ["INC-3", "INC-2"]);
    });
}

#[test]
fn a_token_that_was_there_before_roles_may_do_what_it_could() {
    each(|backend| {
        let mut db = backend.local();
        let before = "INSERT INTO token (name, hash, scopes, created_at) VALUES ('ci', 'h', '', 0)";
        write(&mut db, |tx| tx.execute(before, &[]));
        let token = write(&mut db, |tx| tokens::by_hash(tx, "h")).unwrap();
        assert_eq!(token.role, Role::Admin);
    });
}
