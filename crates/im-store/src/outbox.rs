//! What PagerDuty still has to hear of.
//!
//! A row is written in the transaction that stores the fact behind it and leaves when PagerDuty
//! has answered. A retry is the same row with a later `due_at`; a dead letter is the same row
//! with the state `parked`.
//!
//! Invariants
//! - Rows of one incident leave in the order of their ids; rows of different incidents are
//!   independent.
//! - A row is sent only by who holds its lease; a lease that ends means that nobody knows what
//!   became of the call.

use im_core::{Actor, Effect, IncidentNumber, Owed};
use jiff::Timestamp;

use crate::facts::json;
use crate::statements::statements;
use crate::{Row, StoreError, Tx, counter, params};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id: the order of sending.
    pub id: i64,
    /// By which connector it leaves.
    pub connector: String,
    /// Which incident it is about.
    pub incident: IncidentNumber,
    /// When it was first asked for.
    pub since: Timestamp,
    /// What to change.
    pub effect: Effect,
    /// The commands that it carries.
    pub commands: Vec<String>,
    /// Who asked.
    pub actor: Actor,
    /// Whether a person has to decide.
    pub parked: bool,
    /// Why it is still here.
    pub reason: Option<String>,
    /// Not to be sent before.
    pub due_at: Timestamp,
    /// Somebody is sending it until then.
    pub lease_until: Option<Timestamp>,
    /// How often it was taken up.
    pub attempt: u32,
    /// When the other side was last looked at for it.
    pub checked_at: Option<Timestamp>,
    /// The actor's own address was refused: send as the connector's person.
    pub plain_from: bool,
    /// How many rows may leave together with it.
    pub batch_max: u32,
}

statements! {
    INSERT = "-- outbox.insert
        INSERT INTO outbox (id, connector, incident, since, effect, commands, actor, state, due_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8)";
    REPLACE = "-- outbox.replace
        UPDATE outbox SET effect = ?2, commands = ?3, actor = ?4 WHERE id = ?1";
    DELETE = "-- outbox.delete
        DELETE FROM outbox WHERE id = ?1";
    OF_INCIDENT = "-- outbox.of_incident
        SELECT id, connector, incident, since, effect, commands, actor, state, reason, due_at, lease_until, attempt,
               checked_at, plain_from, batch_max
          FROM outbox WHERE incident = ?1 ORDER BY id";
    BY_ID = "-- outbox.by_id
        SELECT id, connector, incident, since, effect, commands, actor, state, reason, due_at, lease_until, attempt,
               checked_at, plain_from, batch_max
          FROM outbox WHERE id = ?1";
    OF_CONNECTOR = "-- outbox.of_connector
        SELECT id, connector, incident, since, effect, commands, actor, state, reason, due_at, lease_until, attempt,
               checked_at, plain_from, batch_max
          FROM outbox WHERE connector = ?1 ORDER BY id LIMIT ?2";
    CLAIM_DUE = "-- outbox.claim_due
        UPDATE outbox SET lease_until = ?3, attempt = attempt + 1
         WHERE id IN (SELECT o.id FROM outbox o
                       WHERE o.connector = ?1 AND o.state = 'waiting' AND o.due_at <= ?2 AND o.lease_until <= ?2
                         AND NOT EXISTS (SELECT 1 FROM outbox earlier
                                          WHERE earlier.incident = o.incident AND earlier.id < o.id
                                            AND (earlier.state = 'waiting' OR earlier.effect = '\"create\"'))
                       ORDER BY CASE WHEN o.checked_at <= ?5 THEN 0 ELSE 1 END, o.due_at, o.id LIMIT ?4)
           AND lease_until <= ?2 -- again: another worker may have won since
     RETURNING id, connector, incident, since, effect, commands, actor, state, reason, due_at, lease_until, attempt,
               checked_at, plain_from, batch_max";
    CLAIM_ALIKE = "-- outbox.claim_alike
        UPDATE outbox SET lease_until = ?3, attempt = attempt + 1
         WHERE id IN (SELECT o.id FROM outbox o
                       WHERE o.connector = ?1 AND o.state = 'waiting' AND o.due_at <= ?2 AND o.lease_until <= ?2
                         AND o.effect = ?5 AND o.actor = ?6 AND o.plain_from = ?7 AND o.batch_max = ?8
                         AND ((o.attempt = 0 AND o.since >= ?9) OR o.checked_at >= ?10)
                         AND NOT EXISTS (SELECT 1 FROM outbox earlier
                                          WHERE earlier.incident = o.incident AND earlier.id < o.id
                                            AND (earlier.state = 'waiting' OR earlier.effect = '\"create\"'))
                       ORDER BY o.due_at, o.id LIMIT ?4)
           AND lease_until <= ?2 -- again: another worker may have won since
     RETURNING id, connector, incident, since, effect, commands, actor, state, reason, due_at, lease_until, attempt,
               checked_at, plain_from, batch_max";
    POSTPONE = "-- outbox.postpone
        UPDATE outbox SET due_at = ?2, lease_until = 0, reason = ?3, checked_at = ?4 WHERE id = ?1";
    CHECKED = "-- outbox.checked
        UPDATE outbox SET due_at = ?2, lease_until = 0, checked_at = ?2 WHERE id = ?1";
    PARK = "-- outbox.park
        UPDATE outbox SET state = 'parked', lease_until = 0, reason = ?2 WHERE id = ?1";
    RETRY = "-- outbox.retry
        UPDATE outbox SET state = 'waiting', lease_until = 0, due_at = ?2, since = ?2, checked_at = NULL, plain_from = 0
         WHERE id = ?1 AND state = 'parked'";
    BEGUN = "-- outbox.begun
        UPDATE outbox SET checked_at = NULL WHERE id = ?1";
    SEND_PLAIN = "-- outbox.send_plain
        UPDATE outbox SET plain_from = 1, lease_until = 0, due_at = ?2 WHERE id = ?1";
    REFUSED_TOGETHER = "-- outbox.refused_together
        UPDATE outbox SET batch_max = ?2, due_at = ?3, checked_at = ?3, lease_until = 0, reason = ?4,
               attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END
         WHERE id = ?1";
    HURRY = "-- outbox.hurry
        UPDATE outbox SET due_at = ?2
         WHERE connector = ?1 AND state = 'waiting' AND due_at > ?2 AND lease_until <= ?2 AND reason = ?3";
    NEXT_DUE = "-- outbox.next_due
        SELECT MIN(CASE WHEN o.lease_until > o.due_at THEN o.lease_until ELSE o.due_at END) FROM outbox o
         WHERE o.connector = ?1 AND o.state = 'waiting'
           AND NOT EXISTS (SELECT 1 FROM outbox earlier
                            WHERE earlier.incident = o.incident AND earlier.id < o.id
                              AND (earlier.state = 'waiting' OR earlier.effect = '\"create\"'))";
    UNDER_WAY = "-- outbox.under_way
        SELECT connector, COUNT(*) FROM outbox WHERE lease_until > 0 AND lease_until > ?1 GROUP BY connector";
    COUNTS = "-- outbox.counts
        SELECT state, COUNT(*) FROM outbox WHERE connector = ?1 GROUP BY state";
    CREATE_IN_FLIGHT = "-- outbox.create_in_flight
        SELECT MAX(CASE WHEN lease_until > ?2 THEN lease_until ELSE due_at END) FROM outbox
         WHERE connector = ?1 AND effect = '\"create\"' AND attempt > 0 AND state = 'waiting'";
}

/// A new debt.
pub fn insert(
    tx: &mut Tx<'_>,
    connector: &str,
    incident: IncidentNumber,
    owed: &Owed,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let id = counter::next(tx, "outbox", 1)?;
    tx.execute(
        INSERT,
        params![
            id,
            connector,
            incident.get(),
            owed.since,
            json(&owed.effect),
            json(&owed.commands),
            json(&owed.actor),
            now
        ],
    )?;
    Ok(id)
}

/// A newer intent takes the place of one that was not sent.
pub fn replace(tx: &mut Tx<'_>, id: i64, owed: &Owed) -> Result<(), StoreError> {
    tx.execute(
        REPLACE,
        params![
            id,
            json(&owed.effect),
            json(&owed.commands),
            json(&owed.actor)
        ],
    )?;
    Ok(())
}

/// The debt is paid, or void.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.execute(DELETE, params![id])?;
    Ok(())
}

/// What is owed for one incident, in order.
pub fn of_incident(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
) -> Result<Vec<OutboxRow>, StoreError> {
    tx.query(OF_INCIDENT, params![incident.get()])?
        .iter()
        .map(read)
        .collect()
}

/// What a connector owes, in order.
pub fn of_connector(
    tx: &mut Tx<'_>,
    connector: &str,
    limit: u32,
) -> Result<Vec<OutboxRow>, StoreError> {
    tx.query(OF_CONNECTOR, params![connector, limit])?
        .iter()
        .map(read)
        .collect()
}

/// One row.
pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<OutboxRow>, StoreError> {
    tx.query_one(BY_ID, params![id])?
        .as_ref()
        .map(read)
        .transpose()
}

/// Takes what is due: at most one row of each incident, and none behind an unsent create. First
/// come the rows for which the other side was looked at before `looked_before`: what was seen
/// there does not hold much longer.
pub fn claim_due(
    tx: &mut Tx<'_>,
    connector: &str,
    lease_until: Timestamp,
    limit: u32,
    looked_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<OutboxRow>, StoreError> {
    let rows = tx.query(
        CLAIM_DUE,
        params![connector, now, lease_until, limit, looked_before],
    )?;
    let mut rows: Vec<OutboxRow> = rows.iter().map(read).collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// What a row must be to leave together with another without a look at the other side.
#[derive(Debug, Clone, Copy)]
pub struct Alike<'a> {
    /// The same change by the same person, and as many together.
    pub row: &'a OutboxRow,
    /// Asked for since then and not tried yet,
    pub since: Timestamp,
    /// or looked at since then.
    pub checked_since: Timestamp,
}

/// Takes more of what is due, by the same rules as [`claim_due`] and only what is like a row
/// that was taken.
pub fn claim_alike(
    tx: &mut Tx<'_>,
    alike: &Alike<'_>,
    lease_until: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<OutboxRow>, StoreError> {
    let row = alike.row;
    let rows = tx.query(
        CLAIM_ALIKE,
        params![
            row.connector.as_str(),
            now,
            lease_until,
            limit,
            json(&row.effect),
            json(&row.actor),
            row.plain_from,
            row.batch_max,
            alike.since,
            alike.checked_since
        ],
    )?;
    let mut rows: Vec<OutboxRow> = rows.iter().map(read).collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

/// Gives the lease back; the row is tried again at `due_at`, after a look at the other side
/// unless `checked_at` says that one was taken.
pub fn postpone(
    tx: &mut Tx<'_>,
    id: i64,
    due_at: Timestamp,
    reason: Option<&str>,
    checked_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(POSTPONE, params![id, due_at, reason, checked_at])?;
    Ok(())
}

/// The other side was looked at; the row may be sent now.
pub fn mark_checked(tx: &mut Tx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(CHECKED, params![id, now])?;
    Ok(())
}

/// The row is being sent: what was seen at the other side before says nothing about it any more.
pub fn begun(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.execute(BEGUN, params![id])?;
    Ok(())
}

/// A person has to decide.
pub fn park(tx: &mut Tx<'_>, id: i64, reason: &str) -> Result<(), StoreError> {
    tx.execute(PARK, params![id, reason])?;
    Ok(())
}

/// A person decided: try it again. `false` if it is not parked.
pub fn retry(tx: &mut Tx<'_>, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(RETRY, params![id, now])? == 1)
}

/// The actor's own address was refused: send it as the connector's person.
pub fn send_plain(tx: &mut Tx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(SEND_PLAIN, params![id, now])?;
    Ok(())
}

/// A request that carried the row with others was refused and changed nothing: it goes again at
/// once among at most `batch_max`. That was no attempt of its own.
pub fn refused_together(
    tx: &mut Tx<'_>,
    id: i64,
    batch_max: u32,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(REFUSED_TOGETHER, params![id, batch_max, now, reason])?;
    Ok(())
}

/// What waits for this reason need not wait any longer.
pub fn hurry(
    tx: &mut Tx<'_>,
    connector: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(HURRY, params![connector, now, reason])?;
    Ok(())
}

/// When the connector next has something to send.
pub fn next_due(tx: &mut Tx<'_>, connector: &str) -> Result<Option<Timestamp>, StoreError> {
    tx.query_one(NEXT_DUE, params![connector])?
        .map_or(Ok(None), |row| row.opt_time(0))
}

/// How many rows of each connector somebody is busy with.
pub fn under_way(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = tx.query(UNDER_WAY, params![now])?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?)))
        .collect()
}

/// How many rows wait, and how many are parked.
pub fn counts(tx: &mut Tx<'_>, connector: &str) -> Result<(i64, i64), StoreError> {
    let mut counts = (0, 0);
    for row in tx.query(COUNTS, params![connector])? {
        match row.text(0)? {
            "parked" => counts.1 = row.int(1)?,
            _ => counts.0 = row.int(1)?,
        }
    }
    Ok(counts)
}

/// Until when a create may be under way whose answer we do not have.
pub fn create_in_flight(
    tx: &mut Tx<'_>,
    connector: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    tx.query_one(CREATE_IN_FLIGHT, params![connector, now])?
        .map_or(Ok(None), |row| row.opt_time(0))
}

fn read(row: &Row) -> Result<OutboxRow, StoreError> {
    let number = row.int(2)?;
    Ok(OutboxRow {
        id: row.int(0)?,
        connector: row.text(1)?.to_owned(),
        incident: IncidentNumber::new(number)
            .ok_or_else(|| row.content(2, "an incident number", number.to_string()))?,
        since: row.time(3)?,
        effect: row.json(4)?,
        commands: row.json(5)?,
        actor: row.json(6)?,
        parked: row.text(7)? == "parked",
        reason: row.opt_text(8)?.map(str::to_owned),
        due_at: row.time(9)?,
        lease_until: Some(row.time(10)?).filter(|until| *until != Timestamp::UNIX_EPOCH),
        attempt: row.number(11)?,
        checked_at: row.opt_time(12)?,
        plain_from: row.bool(13)?,
        batch_max: row.number(14)?,
    })
}
