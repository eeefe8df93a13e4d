//! Webhooks: stored as they come, understood at our own pace.
//!
//! Invariants
//! - Nothing is lost by not being understood: what cannot be applied is kept and says why.
//! - An event is applied once, whatever the number of deliveries: its signed id is the key.
//! - An incident is made only for an event that is about an incident which we do not know, and
//!   never while a create of ours may be under way that it could be the echo of (S22).

use im_core::{Actor, Fact, IncidentNumber, Kind, Source};
use im_pagerduty::{Heard, Subject, note_mark, read_webhook};
use im_store::inbox::{self, Arrival, Digested, InboxRow};
use im_store::{StoreError, Tx, connectors, facts, incidents, outbox, repair, tallies};
use jiff::{SignedDuration, Timestamp};

use crate::connector::{self, Connector};
use crate::record::{self, record};
use crate::{directory, early, gone, read, whose};

/// How many events one transaction digests.
pub const DIGEST_MAX: u32 = 100;

/// How long an event waits at least for the incident that it is about to be read.
const HOLD: SignedDuration = SignedDuration::from_secs(2);

/// The longest such wait: waits grow with the age of the event.
const HOLD_MAX: SignedDuration = SignedDuration::from_mins(1);

/// An event whose incident cannot be read is given up at this age; PagerDuty may show a new
/// incident to us later than it tells of it.
const ORPHAN_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Stores a delivery before it is answered. `false` if the event was here before.
pub fn receive(tx: &mut Tx<'_>, arrival: Arrival, now: Timestamp) -> Result<bool, StoreError> {
    inbox::receive(tx, arrival, now)
}

/// Applies what waits, in order of arrival; says how many events it looked at.
pub fn digest(tx: &mut Tx<'_>, limit: u32, now: Timestamp) -> Result<usize, StoreError> {
    let rows = inbox::due(tx, limit, now)?;
    for row in &rows {
        match digest_one(tx, row, now)? {
            Step::Finish(how) => inbox::finish(tx, row.id, how)?,
            Step::Hold(until) => inbox::defer(tx, row.id, until)?,
        }
    }
    Ok(rows.len())
}

enum Step {
    Finish(Digested),
    Hold(Timestamp),
}

fn digest_one(tx: &mut Tx<'_>, row: &InboxRow, now: Timestamp) -> Result<Step, StoreError> {
    let Some(connector) = connector::load(tx, &row.connector)? else {
        return Ok(Step::Finish(Digested::Orphan));
    };
    if !row.held {
        tallies::add(tx, connector.name(), "webhooks", 1, row.received_at)?;
    }
    if row.verified {
        connectors::heard(tx, connector.name(), row.received_at)?;
    }
    let webhook = match read_webhook(row.body.as_bytes()) {
        Ok(webhook) => webhook,
        Err(error) => {
            tracing::warn!(
                connector = connector.name(),
                event.id = row.event_id,
                "a webhook cannot be read: {error}"
            );
            return Ok(Step::Finish(Digested::Unreadable));
        }
    };
    if !connector.mapping.direction.receives() {
        return Ok(Step::Finish(Digested::Ignored));
    }
    match &webhook.subject {
        Subject::Ping => Ok(Step::Finish(Digested::Ignored)),
        Subject::Incident(heard) if !row.verified => hint(tx, &connector, heard, now),
        Subject::Incident(heard) => apply_all(tx, &connector, row, heard, now),
        Subject::Service(event) if row.verified => {
            let (id, at) = (&event.service.id, webhook.occurred_at);
            match webhook.event_type.as_str() {
                "service.deleted" => {
                    gone::remember(tx, &connector, id, &row.event_id, at, now)?;
                    directory::heard(tx, connector.name(), event, true, at)?;
                }
                "service.created" | "service.updated" => {
                    directory::heard(tx, connector.name(), event, false, at)?;
                }
                _ => {}
            }
            Ok(Step::Finish(Digested::Done))
        }
        Subject::Service(_) => Ok(Step::Finish(Digested::Done)),
        Subject::Unknown { incident_id } => {
            if let Some(id) = incident_id {
                repair::want(tx, connector.name(), id, 0, true, now)?;
            }
            Ok(Step::Finish(Digested::Unknown))
        }
    }
}

/// A webhook whose signature nobody can check says only where to look (S09).
fn hint(
    tx: &mut Tx<'_>,
    connector: &Connector,
    heard: &[Heard],
    now: Timestamp,
) -> Result<Step, StoreError> {
    for id in heard
        .iter()
        .filter_map(|heard| heard.incident_id.as_deref())
    {
        repair::want(tx, connector.name(), id, 0, true, now)?;
    }
    Ok(Step::Finish(Digested::Done))
}

fn apply_all(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &InboxRow,
    heard: &[Heard],
    now: Timestamp,
) -> Result<Step, StoreError> {
    for heard in heard {
        let Some(pd_id) = heard.incident_id.as_deref() else {
            continue;
        };
        match locate(tx, connector, row, pd_id, heard, now)? {
            Place::Known(incident) => {
                apply(tx, connector, incident, row, heard, now)?;
            }
            Place::New => {
                let incident = incidents::insert(tx, Some(connector.name()), |_| None, now)?;
                birth(tx, connector, (incident, pd_id), row, heard, now)?;
                early::look_soon(tx, connector, pd_id, now)?;
            }
            // It is told to the connector that made it, or is not to be told here.
            Place::Anothers | Place::LeftOut => {}
            Place::Gone => return Ok(Step::Finish(Digested::Orphan)),
            Place::Later(until) => return Ok(Step::Hold(until)),
        }
    }
    Ok(Step::Finish(Digested::Done))
}

enum Place {
    Known(IncidentNumber),
    New,
    Anothers,
    LeftOut,
    Gone,
    Later(Timestamp),
}

/// Which of our incidents PagerDuty means.
fn locate(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &InboxRow,
    pd_id: &str,
    heard: &Heard,
    now: Timestamp,
) -> Result<Place, StoreError> {
    if let Some(known) = incidents::by_twin(tx, connector.name(), pd_id)? {
        return Ok(Place::Known(known));
    }
    let service = heard
        .snapshot()
        .and_then(|snapshot| snapshot.service.as_ref());
    if let Some(key) = heard.incident_key.as_deref()
        && let Some(ours) = read::by_key(tx, connector, key, service)?
    {
        return Ok(Place::Known(ours));
    }
    if whose::is_anothers(tx, connector, pd_id, heard.incident_key.as_deref(), service)? {
        return Ok(Place::Anothers);
    }
    let later = Place::Later(now + hold(row, now));
    if heard
        .snapshot()
        .is_some_and(|shown| read::is_left_out(connector, shown))
    {
        return Ok(Place::LeftOut);
    }
    if heard.snapshot().is_none() {
        // Too little to make an incident of: read it first, then come back.
        let read = row.held && repair::wanted(tx, connector.name(), pd_id)?.is_none();
        // Where services are chosen, what is not here after it was read is of another service.
        if read && connector.mapping.synced.is_some() {
            let is_old = now.duration_since(row.received_at) > HOLD_MAX;
            return Ok(if is_old { Place::LeftOut } else { later });
        }
        if read && now.duration_since(row.received_at) > ORPHAN_AFTER {
            return Ok(Place::Gone);
        }
        repair::want(tx, connector.name(), pd_id, 0, true, now)?;
        return Ok(later);
    }
    // The key may be hidden or not ours to see: wait for the answer that tells the id.
    match outbox::create_in_flight(tx, connector.name(), now)? {
        Some(_) => Ok(later),
        None => Ok(Place::New),
    }
}

/// How long an event is put aside: the longer it has waited, the longer it waits.
fn hold(row: &InboxRow, now: Timestamp) -> SignedDuration {
    let age = now.duration_since(row.received_at);
    age.clamp(HOLD, HOLD_MAX)
}

/// The first that we hear of an incident of PagerDuty's.
fn birth(
    tx: &mut Tx<'_>,
    connector: &Connector,
    (incident, pd_id): (IncidentNumber, &str),
    row: &InboxRow,
    heard: &Heard,
    now: Timestamp,
) -> Result<(), StoreError> {
    let began = heard.facts.iter().any(|fact| fact.kind == Kind::Triggered);
    let created_at = heard.snapshot().and_then(|snapshot| snapshot.created_at);
    if let (false, Some(at)) = (began, created_at) {
        // We missed its beginning, and perhaps more (S23).
        let title = heard
            .snapshot()
            .and_then(|snapshot| snapshot.title.clone())
            .unwrap_or_default();
        let fact = Fact::new(
            Source::Read,
            format!("created:{pd_id}"),
            Kind::Triggered,
            Actor::NOBODY,
            at,
        );
        facts::append(tx, incident, &[(fact.with_value(title), None)], now)?;
        repair::want(tx, connector.name(), pd_id, 0, true, now)?;
    }
    apply(tx, connector, incident, row, heard, now)
}

/// Stores what was heard about a known incident.
fn apply(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    row: &InboxRow,
    heard: &Heard,
    now: Timestamp,
) -> Result<(), StoreError> {
    apply_together(tx, connector, incident, &[heard], now)?;
    if let Some(environment) = &row.environment {
        let at = heard.facts.iter().map(|fact| fact.at).max();
        let fact = Fact::environment(environment, at.unwrap_or(row.received_at));
        record(tx, incident, Some(connector), &[(fact, None)], now)?;
    }
    Ok(())
}

/// Stores what a page of the log says of a known incident.
pub(crate) fn apply_together(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    heard: &[&Heard],
    now: Timestamp,
) -> Result<record::Recorded, StoreError> {
    let mut reports: Vec<(Fact, Option<String>)> = heard
        .iter()
        .flat_map(|heard| &heard.facts)
        .cloned()
        .map(|fact| (fact, None))
        .collect();
    adopt_marks(tx, incident, &mut reports)?;
    record(tx, incident, Some(connector), &reports, now)
}

/// A note that carries the mark of one of our commands is that command's echo (S57).
fn adopt_marks(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    reports: &mut [(Fact, Option<String>)],
) -> Result<(), StoreError> {
    for (fact, _) in reports
        .iter_mut()
        .filter(|(fact, _)| fact.kind == Kind::Noted)
    {
        let Some(mark) = fact.value.as_deref().and_then(note_mark).map(str::to_owned) else {
            continue;
        };
        let known = facts::of_incident(tx, incident)?;
        fact.answers = known
            .iter()
            .find(|known| known.source == Source::Command && known.source_id.ends_with(&mark))
            .map(|known| known.source_id.clone());
    }
    Ok(())
}
