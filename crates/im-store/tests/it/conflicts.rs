//! Of a field of an incident one conflict is pending at most, and what is decided stays.

use im_core::{Conflict, Field, IncidentNumber, Side, Strategy};
use im_store::conflicts::{self, Decision, State};
use im_store::{LocalDb, StoreError, Tx};
use jiff::Timestamp;

use crate::backend::each;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn conflict(theirs: &str) -> Conflict {
    Conflict {
        field: Field::Title,
        base: "Slow".to_owned(),
        ours: "Slow checkout".to_owned(),
        ours_at: at(1),
        ours_by: Some("Ann".to_owned()),
        theirs: theirs.to_owned(),
        theirs_at: at(2),
        strategy: Strategy::ManualReview,
        verdict: None,
    }
}

fn write<T>(db: &mut LocalDb, work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
    db.write(work).unwrap()
}

#[test]
fn a_pending_conflict_is_told_anew_and_decided_once() {
    each(|backend| {
        let mut db = backend.local();
        let incident = IncidentNumber::new(7).unwrap();
        let (found, anew) = (conflict("Slow payments"), conflict("Slow refunds"));
        write(&mut db, |tx| {
            conflicts::put(tx, ("prod", incident), &found, "c1", State::Pending, at(3))?;
            let id = conflicts::pending_of(tx, incident)?[0].id;
            conflicts::renew(tx, id, &anew, "c1", State::Pending, at(3))
        });
        let pending = write(&mut db, |tx| conflicts::pending_of(tx, incident));
        assert_eq!(pending.len(), 1);
        assert_eq!(pending[0].conflict, conflict("Slow refunds"));
        let decision = Decision {
            state: State::Resolved,
            kept: Some(Side::External),
            reason: "Ann decided",
            by: Some("Ann"),
        };
        let id = pending[0].id;
        assert!(write(&mut db, |tx| conflicts::decide(
            tx,
            id,
            decision,
            at(4)
        )));
        assert!(
            !write(&mut db, |tx| conflicts::decide(tx, id, decision, at(5))),
            "once"
        );
        let row = write(&mut db, |tx| conflicts::find(tx, id)).unwrap();
        assert_eq!(
            row.conflict.verdict,
            Some((Side::External, "Ann decided".to_owned()))
        );
        assert_eq!(
            (row.decided_at, row.decided_by.as_deref()),
            (Some(at(4)), Some("Ann"))
        );
        // The next one of the same field is another.
        let next = conflict("Slower");
        write(&mut db, |tx| {
            conflicts::put(tx, ("prod", incident), &next, "c2", State::Pending, at(6))
        });
        let count = |db: &mut LocalDb| write(db, |tx| conflicts::count_pending(tx, "prod"));
        assert_eq!(count(&mut db), 1);
        write(&mut db, |tx| {
            conflicts::ignore_all(tx, "prod", "removed", at(7))
        });
        assert_eq!(count(&mut db), 0);
        let all = write(&mut db, |tx| {
            conflicts::newest(tx, "prod", (None, None), 10)
        });
        assert_eq!(
            all.iter().map(|row| row.state).collect::<Vec<_>>(),
            [State::Ignored, State::Resolved]
        );
        let resolved = write(&mut db, |tx| {
            conflicts::newest(tx, "prod", (Some(State::Resolved), None), 10)
        });
        assert_eq!(resolved, [row]);
    });
}
