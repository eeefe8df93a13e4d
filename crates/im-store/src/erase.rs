//! Erasing what a connector brought here: the one thing that deletes facts.
//!
//! Invariants
//! - Numbers are not used again: those of incidents come from their counter, and before facts go, a
//!   mark with the next number is set among them. Who follows the facts sees by the mark that what
//!   was known may be gone ([`crate::facts::after`]).
//! - An incident goes as a whole, with everything that is stored of it.

use im_core::{IncidentNumber, Kind, Source};
use jiff::Timestamp;

use crate::statements::statements;
use crate::{Row, StoreError, Tx, incidents, params};

/// The incident of a mark: none.
pub(crate) const MARK: i64 = 0;

statements! {
    NEXT = "-- erase.next
        SELECT number FROM incident WHERE connector = ?1 ORDER BY updated_at, number LIMIT ?2";
    NEXT_HIDDEN = "-- erase.next_hidden
        SELECT number FROM incident
         WHERE connector = ?1 AND hidden = 1
           -- A part goes once its whole is hidden: until then it is a part of what people see.
           AND (number < ?3 OR EXISTS (SELECT 1 FROM incident AS whole
                                        WHERE whole.number = incident.number % ?3 AND whole.hidden = 1))
         ORDER BY number LIMIT ?2";
    SET_MARK = "-- erase.set_mark
        INSERT INTO fact (seq, incident, source, source_id, kind, at, actor_kind, recorded_at)
        VALUES ((SELECT COALESCE(MAX(seq), 0) + 1 FROM fact), ?1, ?2, ?3, ?4, ?5, 'none', ?5)
            ON CONFLICT (incident, source, source_id) DO NOTHING";
    LAST_MARK = "-- erase.last_mark
        SELECT COALESCE(MAX(seq), 0) FROM fact WHERE incident = ?1";
    SOURCES = "-- erase.sources
        DELETE FROM fact_source WHERE seq IN (SELECT seq FROM fact WHERE incident = ?1)";
    FACTS = "-- erase.facts
        DELETE FROM fact WHERE incident = ?1";
    OUTBOX = "-- erase.outbox
        DELETE FROM outbox WHERE incident = ?1";
    ANNOTATIONS = "-- erase.annotations
        DELETE FROM annotation WHERE incident = ?1";
    CONFLICTS = "-- erase.conflicts
        DELETE FROM conflict WHERE incident = ?1";
    EVENTS = "-- erase.events
        DELETE FROM connector_event WHERE subject = ?1";
    INCIDENT = "-- erase.incident
        DELETE FROM incident WHERE number = ?1";
    DELIVERIES = "-- erase.deliveries
        DELETE FROM inbox WHERE connector = ?1";
    RUNS = "-- erase.runs
        DELETE FROM sync_run WHERE connector = ?1";
    TALLIES = "-- erase.tallies
        DELETE FROM tally WHERE connector = ?1";
    DIRECTORY = "-- erase.directory
        DELETE FROM directory WHERE connector = ?1";
}

/// The number of the last mark; 0 if nothing was ever erased.
pub fn last_mark(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let row = tx.query_one(LAST_MARK, params![MARK])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Rows: incidents, and parts of incidents. None: nothing is left to erase.
    pub rows: usize,
    /// Incidents as people count them.
    pub incidents: usize,
}

/// Erases at most `limit` rows of incidents of a connector.
pub fn some_incidents(
    tx: &mut Tx<'_>,
    connector: &str,
    limit: u32,
    now: Timestamp,
) -> Result<Erased, StoreError> {
    let rows = tx.query(NEXT, params![connector, limit])?;
    erase(tx, connector, &rows, now)
}

/// The same of those on services that are not chosen to be synced.
pub fn some_hidden(
    tx: &mut Tx<'_>,
    connector: &str,
    limit: u32,
    now: Timestamp,
) -> Result<Erased, StoreError> {
    let values = params![connector, limit, IncidentNumber::FIRST_OF_PARTS];
    let rows = tx.query(NEXT_HIDDEN, values)?;
    erase(tx, connector, &rows, now)
}

fn erase(
    tx: &mut Tx<'_>,
    connector: &str,
    rows: &[Row],
    now: Timestamp,
) -> Result<Erased, StoreError> {
    let numbers: Vec<i64> = rows
        .iter()
        .map(|row| row.int(0))
        .collect::<Result<_, _>>()?;
    let Some(first) = numbers.first() else {
        return Ok(Erased::default());
    };
    // No number is erased twice, so each of these marks is new.
    let id = format!("erased:{connector}:{first}");
    let (source, kind) = (Source::Command.as_str(), Kind::Deleted.as_str());
    tx.execute(SET_MARK, params![MARK, source, id, kind, now])?;
    let mut incidents = 0;
    for number in &numbers {
        incident(tx, *number)?;
        match IncidentNumber::new(*number).and_then(IncidentNumber::whole) {
            Some(whole) if has_parts(tx, whole)? => {}
            Some(whole) => {
                incident(tx, whole.get())?;
                incidents += 1;
            }
            None => incidents += 1,
        }
    }
    tx.forget_facts();
    Ok(Erased {
        rows: numbers.len(),
        incidents,
    })
}

fn incident(tx: &mut Tx<'_>, number: i64) -> Result<(), StoreError> {
    for sql in [SOURCES, FACTS, OUTBOX, ANNOTATIONS, CONFLICTS, INCIDENT] {
        tx.execute(sql, params![number])?;
    }
    if let Some(number) = IncidentNumber::new(number) {
        tx.execute(EVENTS, params![number.to_string()])?;
    }
    Ok(())
}

fn has_parts(tx: &mut Tx<'_>, whole: IncidentNumber) -> Result<bool, StoreError> {
    let parts = incidents::find(tx, whole)?.map_or(0, |row| row.parts);
    for index in 1..=u8::try_from(parts).unwrap_or(u8::MAX) {
        if incidents::find(tx, whole.part(index))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Erases what is kept of a connector beside incidents: deliveries, repairs, counts, people and things.
pub fn the_rest(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    for sql in [DELIVERIES, RUNS, TALLIES, DIRECTORY] {
        tx.execute(sql, params![connector])?;
    }
    Ok(())
}
