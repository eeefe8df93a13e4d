//! The facts of incidents: appended, never changed.
//!
//! Writers take turns, so a fact's number is the highest before it plus one: the order of commits. So
//! what a connection has read of an incident stays true, and the next time it reads what came since
//! ([`crate::session`]). Facts go only with their whole incident ([`crate::erase`]), whose number
//! does not come again.

use std::sync::Arc;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use im_core::{Actor, ActorKind, Fact, IncidentNumber, Kind, Snapshot, Source};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::statements::statements;
use crate::{Row, StoreError, Tx, erase, params};

statements! {
    INSERT = "-- facts.insert
        INSERT INTO fact (seq, incident, source, source_id, kind, at, actor_kind, actor_id, actor_name,
                          people, value, detail, answers, service, policy, urgency, priority, recorded_at)
        VALUES ((SELECT COALESCE(MAX(seq), 0) + 1 FROM fact),
                ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
            ON CONFLICT (incident, source, source_id) DO NOTHING
     RETURNING seq";
    IS_KNOWN = "-- facts.is_known
        SELECT 1 FROM fact WHERE incident = ?1 AND source = ?2 AND source_id = ?3";
    LAST = "-- facts.last
        SELECT COALESCE(MAX(seq), 0) FROM fact";
    IDENTITY = "-- facts.identity
        SELECT incident, source, source_id, recorded_at FROM fact WHERE seq = ?1";
    AFTER = "-- facts.after
        SELECT seq, incident FROM fact WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    INSERT_SOURCE = "-- facts.insert_source
        INSERT INTO fact_source (seq, snapshot, raw) VALUES (?1, ?2, ?3)";
    OF_INCIDENT = "-- facts.of_incident
        SELECT f.source, f.source_id, f.kind, f.at, f.actor_kind, f.actor_id, f.actor_name,
               f.people, f.value, f.detail, f.answers, s.snapshot, f.seq
          FROM fact f LEFT JOIN fact_source s ON s.seq = f.seq
         WHERE f.incident = ?1 AND f.seq > ?2
         ORDER BY f.seq";
    IN_RANGE = "-- facts.in_range
        SELECT f.source, f.source_id, f.kind, f.at, f.actor_kind, f.actor_id, f.actor_name,
               f.people, f.value, f.detail, f.answers, s.snapshot, f.seq, f.incident
          FROM fact f LEFT JOIN fact_source s ON s.seq = f.seq
         WHERE f.incident >= ?1 AND f.incident < ?2
         ORDER BY f.incident, f.seq";
    SHOWN = "-- facts.shown
        SELECT f.source, f.source_id, f.kind, f.at, f.actor_kind, f.actor_id, f.actor_name,
               f.people, f.value, f.detail, f.answers, f.seq, f.incident, f.recorded_at,
               f.service, f.policy, f.urgency, f.priority
          FROM fact f JOIN incident i ON i.number = f.incident
         WHERE f.seq > ?1 AND f.seq <= ?2 AND f.at >= ?3 AND f.at < ?4 AND i.hidden = 0 AND i.deleted = 0
         ORDER BY f.seq";
    SET_HERE = "-- facts.set_here
        SELECT DISTINCT incident FROM fact
         WHERE source = 'command' AND kind IN ('severity_changed', 'fields_changed')
         ORDER BY incident";
    SHOWN_OF = "-- facts.shown_of
        SELECT f.source, f.source_id, f.kind, f.at, f.actor_kind, f.actor_id, f.actor_name,
               f.people, f.value, f.detail, f.answers, f.seq, f.incident, f.recorded_at,
               f.service, f.policy, f.urgency, f.priority
          FROM fact f
         WHERE f.incident = ?1 AND f.seq < ?2
         ORDER BY f.seq DESC LIMIT ?3";
    LAST_RECORDED = "-- facts.last_recorded
        SELECT recorded_at FROM fact
         WHERE seq > ?1 AND seq <= ?2 AND recorded_at IS NOT NULL
         ORDER BY seq DESC LIMIT 1";
    OF_INCIDENT_BY = "-- facts.of_incident_by
        SELECT COUNT(*) FROM fact WHERE incident = ?1 AND seq <= ?2";
    RAW = "-- facts.raw
        SELECT s.raw FROM fact f JOIN fact_source s ON s.seq = f.seq
         WHERE f.incident = ?1 AND f.source = ?2 AND f.source_id = ?3";
}

/// Stores what is new among `facts`, with the report each came from, as known since `now`; says how many were.
pub fn append(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    facts: &[(Fact, Option<String>)],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut added = 0;
    for (fact, raw) in facts {
        if insert(tx, incident, fact, raw.as_deref(), now)? {
            added += 1;
        }
    }
    Ok(added)
}

fn insert(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    fact: &Fact,
    raw: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let shown = fact.snapshot.as_ref();
    let people = (!fact.people.is_empty()).then(|| json(&fact.people));
    let inserted = tx.query_one(
        INSERT,
        params![
            incident.get(),
            fact.source.as_str(),
            fact.source_id.as_str(),
            fact.kind.as_str(),
            fact.at,
            fact.actor.kind.as_str(),
            fact.actor.id.as_deref(),
            fact.actor.name.as_deref(),
            people,
            fact.value.as_deref(),
            fact.detail.as_deref(),
            fact.answers.as_deref(),
            shown
                .and_then(|shown| shown.service.as_ref())
                .map(|service| service.id.as_str()),
            shown
                .and_then(|shown| shown.policy.as_ref())
                .map(|policy| policy.id.as_str()),
            shown
                .and_then(|shown| shown.urgency)
                .map(im_core::Urgency::as_str),
            shown
                .and_then(|shown| shown.priority.as_ref()?.as_ref())
                .map(|priority| priority.id.as_str()),
            now,
        ],
    )?;
    let Some(row) = inserted else {
        return Ok(false);
    };
    if shown.is_some() || raw.is_some() {
        tx.execute(INSERT_SOURCE, params![row.int(0)?, shown.map(json), raw])?;
    }
    Ok(true)
}

/// Whether each of `facts` is stored already.
pub fn are_known(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    facts: &[Fact],
) -> Result<bool, StoreError> {
    for fact in facts {
        let key = params![
            incident.get(),
            fact.source.as_str(),
            fact.source_id.as_str()
        ];
        if tx.query_one(IS_KNOWN, key)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The number of the last fact, 0 if there is none: it grows with each fact, whoever stores it.
pub fn last(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_one(LAST, &[])?.map_or(Ok(0), |row| row.int(0))
}

/// What a fact is, so that it is not taken for the one with its number in another database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    incident: i64,
    source: String,
    source_id: String,
    recorded_at: Option<Timestamp>,
}

/// What the fact with a number is; `None` if there is none.
pub fn identity(tx: &mut Tx<'_>, seq: i64) -> Result<Option<Identity>, StoreError> {
    let Some(mut row) = tx.query_one(IDENTITY, params![seq])? else {
        return Ok(None);
    };
    Ok(Some(Identity {
        incident: row.int(0)?,
        source: row.take_text(1)?,
        source_id: row.take_text(2)?,
        recorded_at: row.opt_time(3)?,
    }))
}

/// What the next facts after a number are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// These incidents.
    pub incidents: BTreeSet<IncidentNumber>,
    /// The number of the last of these facts.
    pub last: i64,
    /// The number of the last mark among them: incidents were erased ([`crate::erase`]).
    pub erased: Option<i64>,
}

/// What the next facts after a number are about; `None` if there are none.
pub fn after(tx: &mut Tx<'_>, seq: i64, limit: u32) -> Result<Option<News>, StoreError> {
    let rows = tx.query(AFTER, params![seq, i64::from(limit)])?;
    let mut news = News {
        incidents: BTreeSet::new(),
        last: seq,
        erased: None,
    };
    for row in &rows {
        news.last = row.int(0)?;
        match row.int(1)? {
            erase::MARK => news.erased = Some(news.last),
            number => news.incidents.extend(IncidentNumber::new(number)),
        }
    }
    Ok((!rows.is_empty()).then_some(news))
}

/// All facts of an incident.
pub fn of_incident(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
) -> Result<Arc<Vec<Fact>>, StoreError> {
    let mut known = tx.known_facts().take(incident);
    let news = tx.query(OF_INCIDENT, params![incident.get(), known.last])?;
    if !news.is_empty() {
        let facts = Arc::make_mut(&mut known.facts);
        for row in news {
            known.last = row.int(12)?;
            let snapshot = row.opt_json::<Snapshot>(11)?;
            facts.push(read(row, snapshot)?);
        }
    }
    let facts = Arc::clone(&known.facts);
    tx.known_facts().put(incident, known);
    Ok(facts)
}

/// All facts of each incident whose number is in a range.
pub fn in_range(
    tx: &mut Tx<'_>,
    range: Range<i64>,
) -> Result<BTreeMap<IncidentNumber, Vec<Fact>>, StoreError> {
    let mut all: BTreeMap<IncidentNumber, Vec<Fact>> = BTreeMap::new();
    for row in tx.query(IN_RANGE, params![range.start, range.end])? {
        if let Some(incident) = IncidentNumber::new(row.int(13)?) {
            let snapshot = row.opt_json::<Snapshot>(11)?;
            all.entry(incident).or_default().push(read(row, snapshot)?);
        }
    }
    Ok(all)
}

/// A fact as whoever takes facts out of here is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its number: facts were recorded in this order.
    pub seq: i64,
    /// The incident.
    pub incident: IncidentNumber,
    /// When it became known here; `None` for facts of before that was kept.
    pub recorded_at: Option<Timestamp>,
    /// The fact, without what PagerDuty's incident looked like.
    pub fact: Fact,
    /// Of that: its service, by PagerDuty's id.
    pub service: Option<String>,
    /// Its escalation policy, by PagerDuty's id.
    pub policy: Option<String>,
    /// Its urgency.
    pub urgency: Option<String>,
    /// Its priority, by PagerDuty's id.
    pub priority: Option<String>,
}

/// Those of the facts after one number up to another that happened from an instant to before another, of
/// incidents that are neither deleted nor hidden.
pub fn shown(
    tx: &mut Tx<'_>,
    (after, until): (i64, i64),
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Shown>, StoreError> {
    all_shown(tx.query(SHOWN, params![after, until, from, to])?)
}

/// The incidents of which somebody set the severity or a field of their own.
pub fn set_here(tx: &mut Tx<'_>) -> Result<Vec<IncidentNumber>, StoreError> {
    let mut all = Vec::new();
    for row in tx.query(SET_HERE, params![])? {
        all.extend(IncidentNumber::new(row.int(0)?));
    }
    Ok(all)
}

/// At most `limit` facts of one incident before a number, the last recorded first.
pub fn shown_of(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    before: i64,
    limit: u32,
) -> Result<Vec<Shown>, StoreError> {
    all_shown(tx.query(SHOWN_OF, params![incident.get(), before, i64::from(limit)])?)
}

fn all_shown(rows: Vec<Row>) -> Result<Vec<Shown>, StoreError> {
    let mut all = Vec::with_capacity(rows.len());
    for mut row in rows {
        let Some(incident) = IncidentNumber::new(row.int(12)?) else {
            continue;
        };
        all.push(Shown {
            seq: row.int(11)?,
            incident,
            recorded_at: row.opt_time(13)?,
            service: row.take_opt_text(14)?,
            policy: row.take_opt_text(15)?,
            urgency: row.take_opt_text(16)?,
            priority: row.take_opt_text(17)?,
            fact: read(row, None)?,
        });
    }
    Ok(all)
}

/// The number of the last fact that was known at an instant. Facts are numbered in the order in which they
/// were recorded, so it is found by halving. What has no time was recorded before times were kept, or is an old
/// mark: it tells nothing.
pub fn last_known(tx: &mut Tx<'_>, at: Timestamp) -> Result<i64, StoreError> {
    let (mut known, mut end) = (0, last(tx)? + 1);
    while known + 1 < end {
        let middle = known + (end - known) / 2;
        let row = tx.query_one(LAST_RECORDED, params![known, middle])?;
        let recorded = row.map(|row| row.opt_time(0)).transpose()?.flatten();
        if recorded.is_some_and(|recorded| recorded > at) {
            end = middle;
        } else {
            known = middle;
        }
    }
    Ok(known)
}

/// How many facts of an incident were recorded up to a number.
pub fn count_up_to(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    seq: i64,
) -> Result<usize, StoreError> {
    let row = tx.query_one(OF_INCIDENT_BY, params![incident.get(), seq])?;
    let count = row.map_or(Ok(0), |row| row.int(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The report behind a fact, as it came.
pub fn raw(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    source: Source,
    source_id: &str,
) -> Result<Option<String>, StoreError> {
    let row = tx.query_one(RAW, params![incident.get(), source.as_str(), source_id])?;
    Ok(row
        .map(|row| row.opt_text(0).map(|raw| raw.map(str::to_owned)))
        .transpose()?
        .flatten())
}

fn read(mut row: Row, snapshot: Option<Snapshot>) -> Result<Fact, StoreError> {
    Ok(Fact {
        source: word(&row, 0, Source::parse)?,
        source_id: row.take_text(1)?,
        kind: word(&row, 2, Kind::parse)?,
        at: row.time(3)?,
        actor: Actor {
            kind: word(&row, 4, ActorKind::parse)?,
            id: row.take_opt_text(5)?,
            name: row.take_opt_text(6)?,
        },
        people: row.opt_json(7)?.unwrap_or_default(),
        value: row.take_opt_text(8)?,
        detail: row.take_opt_text(9)?,
        snapshot,
        answers: row.take_opt_text(10)?,
    })
}

/// A column that holds one of our own words.
pub(crate) fn word<T>(
    row: &Row,
    column: usize,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, StoreError> {
    let word = row.text(column)?;
    parse(word).ok_or_else(|| {
        row.content(
            column,
            std::any::type_name::<T>(),
            format!("`{word}` is unknown"),
        )
    })
}

/// Our own types as JSON.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types have text keys and cannot fail")
}
