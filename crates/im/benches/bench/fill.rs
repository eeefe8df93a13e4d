//! Databases with something in them.

use im_engine::inbox;
use im_store::inbox::Arrival;
use im_store::{Db, StoreError, Value, counter};

use crate::events::Events;

/// Webhooks in one transaction.
const AT_ONCE: usize = 500;
/// Incidents in one transaction.
const CHUNK: i64 = 100_000;

/// Stores and digests a trigger and an acknowledgement of each incident, for the connector `prod`.
pub(crate) fn by_webhooks(db: &Db, incidents: usize) {
    let mut events = Events::seeded(7);
    let bodies: Vec<String> = [0, 1]
        .into_iter()
        .flat_map(|step| (0..incidents).map(move |incident| (incident, step)))
        .map(|(incident, step)| events.body(incident, step))
        .collect();
    digest(db, &bodies);
}

/// Stores and digests webhooks for the connector `prod`.
pub(crate) fn digest(db: &Db, bodies: &[String]) {
    for chunk in bodies.chunks(AT_ONCE) {
        let arrivals: Vec<Arrival> = chunk.iter().map(|body| arrival(body)).collect();
        let now = im::clock::now();
        let digested = db.write(move |tx| {
            for arrival in arrivals {
                inbox::receive(tx, arrival, now)?;
            }
            inbox::digest(tx, u32::try_from(AT_ONCE).unwrap_or(u32::MAX), now)
        });
        digested.wait().map_err(|error: StoreError| error).unwrap();
    }
}

fn arrival(body: &str) -> Arrival {
    let envelope = im_pagerduty::read_envelope(body.as_bytes()).unwrap();
    Arrival {
        connector: "prod".parse().unwrap(),
        event_id: envelope.event_id.into_owned(),
        delivery_id: None,
        verified: true,
        environment: None,
        body: body.to_owned(),
    }
}

pub(crate) const INCIDENTS: &str = "-- bench.incidents
    WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
    INSERT INTO incident (number, connector, pd_id, pd_number, pd_url, pd_status, status, title,
        severity, severity_source, service, assignees, created_at, acknowledged_at, resolved_at,
        updated_at, version)
    SELECT i, 'prod', printf('PFILL%09d', i), i, printf('https://example.pagerduty.com/incidents/PFILL%09d', i),
        'resolved', 'resolved', printf('Checkout error rate above 5%% (%d)', i), 'SEV-2', NULL,
        'Checkout API', '[]', 1600000000000000 + i * 100000000, NULL,
        1600000000000000 + i * 100000000 + 600000000, 1600000000000000 + i * 100000000 + 600000000, 2
      FROM n";

/// The id of a report is spread evenly over all ids, as those that come later will be.
const FACTS: &str = "-- bench.facts
    WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
    INSERT INTO fact (seq, incident, source, source_id, kind, at, actor_kind, value, service, policy, urgency)
    SELECT 2 * i - 1 + k, i, 'webhook', printf('%010X%016X', i * 549755, k),
        CASE k WHEN 0 THEN 'triggered' ELSE 'resolved' END,
        1600000000000000 + i * 100000000 + k * 600000000, 'service',
        printf('Checkout error rate above 5%% (%d)', i), 'PSVCA01', 'PEPOL01', 'high'
      FROM n, (SELECT 0 AS k UNION ALL SELECT 1)";

const SOURCES: &str = "-- bench.sources
    INSERT INTO fact_source (seq, snapshot)
    SELECT seq, NULL FROM fact WHERE seq BETWEEN 2 * ?1 - 1 AND 2 * ?2";

const INBOX: &str = "-- bench.inbox
    INSERT INTO inbox (id, connector, event_id, verified, received_at, body, state, due_at)
    SELECT seq, 'prod', source_id, 1, at, '{}', 'done', at FROM fact WHERE seq BETWEEN 2 * ?1 - 1 AND 2 * ?2";

/// Stores incidents with two facts and two digested webhooks each; the bodies are left empty.
pub(crate) fn by_rows(db: &Db, incidents: i64) {
    rows(db, incidents, &[INCIDENTS, FACTS, SOURCES, INBOX]);
}

/// Runs statements for each stretch of so many incidents; the first of them stores the incidents.
pub(crate) fn rows(db: &Db, incidents: i64, statements: &[&'static str]) {
    let mut from = 1;
    while from <= incidents {
        let to = incidents.min(from + CHUNK - 1);
        let chunk = [Value::Int(from), Value::Int(to)];
        let statements = statements.to_vec();
        let filled = db.write(move |tx| {
            for sql in statements {
                tx.execute(sql, &chunk)?;
            }
            let count = u32::try_from(to - from + 1).unwrap_or(0);
            counter::next(tx, "incident", count)
        });
        filled.wait().map_err(|error: StoreError| error).unwrap();
        from = to + 1;
    }
}
