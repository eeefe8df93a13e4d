//! The keys of connectors.

use im_store::connectors;
use jiff::Timestamp;

use crate::backend::each;

#[test]
fn a_key_is_renewed_once_and_never_over_another_one() {
    each(|backend| {
        let mut db = backend.local();
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let key = |name: &str, db: &mut im_store::LocalDb| {
            let name = name.to_owned();
            let row = db.read(|tx| connectors::find(tx, &name)).unwrap();
            row.unwrap().api_key
        };
        db.write(|tx| {
            connectors::insert(tx, "one", "{}", "first", &[], now)?;
            connectors::insert(tx, "two", "{}", "first", &[], now)
        })
        .unwrap();
        let mut renew = |before: &str, after: &str| {
            db.write(|tx| connectors::renew_key(tx, "one", before, after))
                .unwrap()
        };
        assert!(renew("first", "second"));
        assert!(!renew("first", "third"), "somebody was faster");
        assert_eq!(key("one", &mut db), "second");
        assert_eq!(key("two", &mut db), "first", "of that connector alone");
    });
}
