//! The body of a webhook, from the door to the story. Input: the body.

use std::cell::RefCell;

use im_engine::{connector, inbox, record};
use im_pagerduty::{Subject, Webhook, read_envelope, read_webhook};
use im_store::inbox::Arrival;
use im_store::{DbOptions, LocalDb, StoreError, Tx, connectors, facts, incidents};
use jiff::Timestamp;

const CONNECTOR: &str = "pd";

const CONFIG: &str = r#"{"custom": {"service_id": "PSVCA01", "from_email": "ops@company.com"}}"#;

/// When every webhook comes: after what it tells, or long before.
const NOW: &str = "2026-03-10T08:00:00Z";

thread_local! {
    static DB: RefCell<LocalDb> = RefCell::new(database());
}

/// Ends a transaction that nothing is to be left of.
enum End {
    Checked,
    Failed(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

pub(crate) fn check(input: &[u8]) {
    let read = read_webhook(input);
    let envelope = read_envelope(input);
    if let Ok(webhook) = &read {
        let envelope = envelope.as_ref().expect("the door takes what can be read");
        assert_eq!(envelope.event_id, webhook.event_id);
        assert_eq!(envelope.event_type, webhook.event_type);
    }
    let (Ok(envelope), Ok(body)) = (envelope, std::str::from_utf8(input)) else {
        return;
    };
    let arrival = Arrival {
        connector: CONNECTOR.parse().expect("a name"),
        event_id: envelope.event_id.into_owned(),
        delivery_id: None,
        verified: true,
        body: body.to_owned(),
        environment: None,
    };
    DB.with_borrow_mut(|db| {
        let now = NOW.parse().expect("an instant");
        let end = db.write(|tx| {
            digest(tx, &arrival, read.as_ref().ok(), now)?;
            Err::<(), End>(End::Checked)
        });
        if let Err(End::Failed(error)) = end {
            // What a text of the database cannot hold is refused at the door, and sent again.
            assert!(body.contains('\0') || body.contains("\\u0000"), "{error:?}");
        }
    });
}

fn database() -> LocalDb {
    let now = NOW.parse().expect("an instant");
    let options = DbOptions::new("sqlite::memory:", 7).expect("an address");
    let mut db = LocalDb::open(&options).expect("a database in memory");
    let made = db.write(|tx| connectors::insert(tx, CONNECTOR, CONFIG, "sealed", &[], now));
    assert!(made.is_ok_and(|made| made));
    db
}

/// The event comes twice and is digested: it is one event, and its row is what its facts say.
fn digest(
    tx: &mut Tx<'_>,
    arrival: &Arrival,
    read: Option<&Webhook>,
    now: Timestamp,
) -> Result<(), StoreError> {
    assert!(inbox::receive(tx, arrival.clone(), now)?, "it is new");
    assert!(!inbox::receive(tx, arrival.clone(), now)?, "it is not new");
    assert_eq!(inbox::digest(tx, inbox::DIGEST_MAX, now)?, 1);
    assert_eq!(inbox::digest(tx, inbox::DIGEST_MAX, now)?, 0);
    let connector = connector::load(tx, CONNECTOR)?.expect("it is there");
    let heard = match read.map(|webhook| &webhook.subject) {
        Some(Subject::Incident(heard)) => heard.as_slice(),
        _ => &[],
    };
    for heard in heard {
        let Some(id) = heard.incident_id.as_deref() else {
            continue;
        };
        let Some(incident) = incidents::by_twin(tx, CONNECTOR, id)? else {
            continue;
        };
        let known = facts::of_incident(tx, incident)?;
        for fact in &heard.facts {
            assert!(known.contains(fact), "{fact:?} was stored as another");
        }
        let story = record::story(tx, incident, Some(&connector))?.expect("it has facts");
        let row = incidents::find(tx, incident)?.expect("it has a row");
        assert_eq!(row.title, story.title);
        assert_eq!(row.status, story.status);
    }
    Ok(())
}
