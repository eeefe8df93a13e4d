//! What a transaction promises, on each database.

use im_store::{LocalDb, StoreError, Tx, Value, counter, params};
use jiff::Timestamp;

use crate::backend::each;

const CREATE: &str = "CREATE TABLE thing (
    id BIGINT NOT NULL PRIMARY KEY, name TEXT UNIQUE, weight DOUBLE PRECISION, at BIGINT)";
const PUT: &str = "-- thing.put
    INSERT INTO thing (id, name, weight, at) VALUES (?1, ?2, ?3, ?4)";
const GET: &str = "-- thing.get
    SELECT id, name, weight, at FROM thing WHERE id = ?1";
const COUNT: &str = "SELECT COUNT(*) FROM thing";

fn put(tx: &mut Tx<'_>, id: i64, name: Option<&str>) -> Result<(), StoreError> {
    tx.execute(PUT, params![id, name, 0.5, 0_i64]).map(drop)
}

fn with_table(mut db: LocalDb) -> LocalDb {
    db.write(|tx| tx.execute(CREATE, &[])).unwrap();
    db
}

fn count(db: &mut LocalDb) -> i64 {
    db.read(|tx| tx.query_one(COUNT, &[])?.unwrap().int(0))
        .unwrap()
}

#[test]
fn values_come_back_as_they_went() {
    each(|backend| {
        let mut db = with_table(backend.local());
        let at: Timestamp = "2026-02-03T04:05:06.000007Z".parse().unwrap();
        for (id, name, weight) in [
            (1, Some("Zoë 🚒 日本\u{1F468}\u{200D}\u{1F692}"), Some(0.1)),
            (i64::MAX, Some(""), Some(-1e300)),
            (i64::MIN, None, None),
        ] {
            db.write(|tx| tx.execute(PUT, params![id, name, weight, at]))
                .unwrap();
            let row = db
                .read(|tx| tx.query_one(GET, params![id]))
                .unwrap()
                .unwrap();
            assert_eq!(row.int(0).unwrap(), id);
            assert_eq!(row.opt_text(1).unwrap(), name);
            assert_eq!(row.opt_real(2).unwrap(), weight);
            assert_eq!(row.time(3).unwrap(), at);
        }
    });
}

#[test]
fn nul_in_text_is_replaced() {
    each(|backend| {
        let mut db = with_table(backend.local());
        db.write(|tx| put(tx, 1, Some("a\0b"))).unwrap();
        let row = db
            .read(|tx| tx.query_one(GET, params![1_i64]))
            .unwrap()
            .unwrap();
        assert_eq!(row.text(1).unwrap(), "a\u{FFFD}b");
    });
}

#[test]
fn a_refused_write_leaves_nothing() {
    each(|backend| {
        let mut db = with_table(backend.local());
        let refused: Result<(), StoreError> = db.write(|tx| {
            put(tx, 1, None)?;
            Err(StoreError::Stale)
        });
        assert!(matches!(refused, Err(StoreError::Stale)));
        assert_eq!(count(&mut db), 0);
    });
}

#[test]
fn a_failed_statement_ends_the_transaction_even_if_it_is_ignored() {
    each(|backend| {
        let mut db = with_table(backend.local());
        let result = db.write(|tx| {
            put(tx, 1, Some("a"))?;
            drop(put(tx, 1, Some("b")));
            assert!(matches!(
                put(tx, 2, Some("c")),
                Err(StoreError::Duplicate { .. })
            ));
            Ok(())
        });
        assert!(
            matches!(result, Err(StoreError::Duplicate { .. })),
            "{result:?}"
        );
        assert_eq!(count(&mut db), 0);
    });
}

#[test]
fn a_reader_cannot_write() {
    each(|backend| {
        let mut db = with_table(backend.local());
        let direct = db.read(|tx| put(tx, 1, None));
        assert!(matches!(direct, Err(StoreError::Sql { .. })), "{direct:?}");
        let returning = "INSERT INTO thing (id) VALUES (1) RETURNING id";
        let hidden = db.read(|tx| tx.query(returning, &[]));
        assert!(matches!(hidden, Err(StoreError::Sql { .. })), "{hidden:?}");
        assert_eq!(count(&mut db), 0);
    });
}

#[test]
fn counters_have_no_gaps_and_are_apart() {
    each(|backend| {
        let mut db = backend.local();
        let first = db.write(|tx| counter::next(tx, "fact", 3)).unwrap();
        let refused: Result<(), StoreError> = db.write(|tx| {
            counter::next(tx, "fact", 5)?;
            Err(StoreError::Stale)
        });
        let second = db.write(|tx| counter::next(tx, "fact", 1)).unwrap();
        let other = db.write(|tx| counter::next(tx, "incident", 1)).unwrap();
        let last = db.read(|tx| counter::last(tx, "fact")).unwrap();
        assert!(refused.is_err());
        assert_eq!((first, second, other, last), (1, 4, 1, 4));
    });
}

#[test]
fn a_wrong_column_is_named() {
    each(|backend| {
        let mut db = with_table(backend.local());
        db.write(|tx| put(tx, 1, Some("2b"))).unwrap();
        let row = db
            .read(|tx| tx.query_one(GET, params![1_i64]))
            .unwrap()
            .unwrap();
        let say = |error: StoreError| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", source.unwrap_or_default())
        };
        let place = "cannot read what `thing.get` found";
        let found = [
            say(row.int(1).unwrap_err()),
            say(row.text(0).unwrap_err()),
            say(row.int(9).unwrap_err()),
            say(row.parse::<i64>(1).unwrap_err()),
        ];
        assert_eq!(found[0], format!("{place}: column 1 is text, not a number"));
        assert_eq!(found[1], format!("{place}: column 0 is a number, not text"));
        assert_eq!(found[2], format!("{place}: there is no column 9"));
        assert_eq!(found[3], format!("{place}: column 1 is not i64"));
        assert!(matches!(row.value(0).unwrap(), Value::Int(1)));
    });
}

#[test]
fn ids_are_replayed_by_their_seed() {
    each(|backend| {
        let now = Timestamp::from_second(1_770_000_000).unwrap();
        let ids = |mut db: LocalDb| {
            let ids = db.write(|tx| Ok::<_, StoreError>([tx.new_id(now), tx.new_id(now)]));
            ids.unwrap()
        };
        let (once, again) = (ids(backend.local()), ids(backend.local()));
        assert_eq!(once, again);
        assert_ne!(once[0], once[1]);
        assert_eq!(once[0].get_version_num(), 7);
    });
}
