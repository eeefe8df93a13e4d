//! What is kept of calls to PagerDuty.

use im_store::calls::{self, Asked, CallEntry, Why};
use jiff::{SignedDuration, Timestamp};

use crate::backend::each;

fn after(minutes: i64) -> Timestamp {
    let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    now + SignedDuration::from_mins(minutes)
}

fn call(connector: &str, minute: i64, status: Option<u16>) -> CallEntry {
    CallEntry {
        at: after(minute),
        connector: connector.to_owned(),
        why: Why::Compare,
        method: "GET".to_owned(),
        path: "/incidents".to_owned(),
        key: "********WXYZ".to_owned(),
        status,
        outcome: if status == Some(200) {
            "done"
        } else {
            "unclear"
        }
        .to_owned(),
        ms: 87,
    }
}

#[test]
fn calls_are_read_by_connector_and_failure_and_bounded_by_age_and_number() {
    each(|backend| {
        let mut db = backend.local();
        let first = [call("prod", 0, Some(200)), call("test", 1, None)];
        let second = [call("prod", 2, None), call("prod", 3, Some(200))];
        db.write(|tx| calls::insert(tx, &first)).unwrap();
        db.write(|tx| calls::insert(tx, &second)).unwrap();
        let asked = Asked {
            connector: None,
            since: after(0),
            failed: false,
            before: i64::MAX,
            limit: 100,
        };
        let mut ids = |asked: &Asked| {
            let rows = db.write(|tx| calls::newest(tx, asked)).unwrap();
            rows.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&asked), [4, 3, 2, 1]);
        let of = |name: &str| Asked {
            connector: Some(name.to_owned()),
            ..asked.clone()
        };
        assert_eq!(ids(&of("prod")), [4, 3, 1]);
        assert_eq!(
            ids(&Asked {
                failed: true,
                ..of("prod")
            }),
            [3]
        );
        assert_eq!(
            ids(&Asked {
                before: 3,
                limit: 1,
                ..asked.clone()
            }),
            [2]
        );
        assert_eq!(
            ids(&Asked {
                since: after(2),
                ..asked.clone()
            }),
            [4, 3]
        );
        let rows = db.write(|tx| calls::newest(tx, &of("test"))).unwrap();
        assert_eq!(rows[0].entry, first[1]);
        let mut left = |before, most| {
            db.write(|tx| calls::forget(tx, before, most)).unwrap();
            let rows = db.write(|tx| calls::newest(tx, &asked)).unwrap();
            rows.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(left(after(1), 100), [4, 3, 2], "by age");
        assert_eq!(left(after(0), 1), [4], "by number");
    });
}
