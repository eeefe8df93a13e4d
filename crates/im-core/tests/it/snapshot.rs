//! What PagerDuty showed, as it is kept.

use im_core::{Named, Snapshot};

use crate::given::{at, blank_snapshot};

#[test]
fn a_priority_that_was_not_shown_is_not_one_that_is_not_there() {
    let p1 = Named {
        id: "PP1".to_owned(),
        name: Some("P1".to_owned()),
    };
    for priority in [None, Some(None), Some(Some(p1))] {
        let shown = Snapshot {
            priority,
            ..blank_snapshot(at("09:00"))
        };
        let kept = serde_json::to_string(&shown).unwrap();
        let read: Snapshot = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, shown, "{kept}");
    }
}
