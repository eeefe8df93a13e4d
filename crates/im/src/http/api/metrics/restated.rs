//! What became known late: figures of the past that are not what they were when they were read, and why.
//!
//! A figure as of an instant depends on the facts up to it. What was known of them then are the facts that
//! had been recorded by then; where the two differ, something was told late. Settings, links and annotations
//! are those of today in both.

use std::collections::BTreeMap;

use im_core::{IncidentNumber, Kind};
use im_engine::record::{self, Mappings};
use im_metrics::input::History;
use im_metrics::{Behind, Engine, Query, Thing};
use im_store::facts::{self, Shown};
use im_store::{Db, StoreError, Tx};
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::types::{Adds, Answer, said};
use crate::figures::{Known, told_history};
use crate::http::error::ApiError;
use crate::organisation::annotations::Annotations;

/// Incidents that are told at most: the first that became known late.
const INCIDENTS_MAX: usize = 1_000;
/// Facts that are read at once.
const STRETCH: i64 = 2_000;
/// Incidents that are read at once.
const BATCH: usize = 50;

/// What changed in a figure since an instant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Restated {
    /// The figure is the one as of this instant: as it was known then, and as it is known now.
    since: Timestamp,
    /// As it was known then; null where more incidents became known late than were looked at.
    before: Option<Answer>,
    /// As it is known now.
    now: Answer,
    /// Whether more incidents became known late than were looked at.
    more: bool,
    /// The incidents that add something else now than they did then.
    incidents: Vec<Changed>,
}

/// An incident that adds something else than before.
#[derive(Debug, Serialize, ToSchema)]
struct Changed {
    #[schema(example = "INC-42")]
    incident: String,
    /// What it added, as it was known then; nothing where it did not count.
    before: Vec<Part>,
    /// What it adds now.
    now: Vec<Part>,
    /// What became known since.
    why: Vec<Late>,
}

/// What an incident adds to a bucket.
#[derive(Debug, Serialize, ToSchema)]
struct Part {
    /// The place of its bucket among the metric's, from 0.
    bucket: usize,
    #[serde(flatten)]
    value: Adds,
}

/// A fact that became known late.
#[derive(Debug, Serialize, ToSchema)]
struct Late {
    kind: &'static str,
    /// When it happened.
    at: Timestamp,
    /// Who told it.
    source: &'static str,
    /// When it became known here.
    recorded_at: Option<Timestamp>,
}

/// What became known after an instant of the time up to it.
pub(super) struct Lateness {
    since: Timestamp,
    more: bool,
    incidents: Vec<LateIncident>,
}

/// An incident of which something became known late.
struct LateIncident {
    number: IncidentNumber,
    late: Vec<Shown>,
    then: Option<History>,
    now: Option<History>,
}

/// Reads it: of each incident what was told then and what is told now. No reader is held for longer than one stretch
/// of facts, or a few incidents, takes.
pub(super) async fn late(db: &Db, since: Timestamp) -> Result<Lateness, StoreError> {
    let (known, last) = db
        .read(move |tx| Ok::<_, StoreError>((facts::last_known(tx, since)?, facts::last(tx)?)))
        .await?;
    // What happens at the instant itself counts in the figure as of it; the store keeps microseconds.
    let end = since.checked_add(1.microsecond()).unwrap_or(since);
    let mut late: BTreeMap<IncidentNumber, Vec<Shown>> = BTreeMap::new();
    let (mut after, mut more) = (known, false);
    while after < last && !more {
        let until = last.min(after + STRETCH);
        let stretch = db
            .read(move |tx| facts::shown(tx, (after, until), (Timestamp::MIN, end)))
            .await?;
        for fact in stretch.into_iter().filter(|fact| is_read(fact.fact.kind)) {
            let is_new = !late.contains_key(&fact.incident);
            if is_new && late.len() >= INCIDENTS_MAX {
                more = true;
            } else {
                late.entry(fact.incident).or_default().push(fact);
            }
        }
        after = until;
    }
    let mut incidents = Vec::new();
    let mut left = late.into_iter().peekable();
    while left.peek().is_some() {
        let batch: Vec<_> = left.by_ref().take(BATCH).collect();
        let read = db.read(move |tx| {
            let told = |(number, late)| LateIncident::read(tx, number, late, known);
            batch.into_iter().map(told).collect::<Result<Vec<_>, _>>()
        });
        incidents.extend(read.await?);
    }
    Ok(Lateness {
        since,
        more,
        incidents,
    })
}

impl Lateness {
    /// Everything, without what became known late.
    fn as_known_then(&self, engine: &Engine) -> Engine {
        let mut then = engine.clone();
        for one in &self.incidents {
            match &one.then {
                Some(history) => then.put(history),
                None => then.remove(one.number.get()),
            }
        }
        then
    }
}

/// Whether figures depend on facts of a kind.
fn is_read(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Seen
            | Kind::Noted
            | Kind::Described
            | Kind::StatusUpdated
            | Kind::Responder
            | Kind::Linked
            | Kind::Settled
            | Kind::Exhausted
            | Kind::Other
    )
}

impl LateIncident {
    fn read(
        tx: &mut Tx<'_>,
        number: IncidentNumber,
        late: Vec<Shown>,
        known: i64,
    ) -> Result<Self, StoreError> {
        let said = Annotations::load(tx, number.said())?;
        let then = record::told_up_to(tx, number, known)?;
        let now = record::told(tx, number, &mut Mappings::default())?;
        Ok(Self {
            number,
            late,
            then: then.and_then(|then| told_history(number, &then, Some(&said))),
            now: now.and_then(|now| told_history(number, &now, Some(&said))),
        })
    }
}

impl Restated {
    /// The incidents of which a figure has something else now.
    pub(super) fn new(query: &Query, late: &Lateness, known: &Known) -> Result<Self, ApiError> {
        let query = Query {
            as_of_time: Some(late.since),
            ..query.clone()
        };
        let figures = |engine: &Engine| -> Result<Answer, ApiError> {
            let answer = engine.answer(&query, late.since)?;
            Ok(Answer::new(&answer, &query, known))
        };
        let as_known_then = (!late.more).then(|| late.as_known_then(&known.engine));
        let mut engines = [(); 2].map(|()| Engine::new(known.engine.settings().clone()));
        let [before, now] = &mut engines;
        for one in &late.incidents {
            for (engine, told) in [(&mut *before, &one.then), (&mut *now, &one.now)] {
                if let Some(history) = told {
                    engine.put(history);
                }
            }
        }
        let [before, now] = engines.map(|engine| engine.items(&query, late.since));
        let (before, now) = (before?, now?);
        let changed = late.incidents.iter().filter_map(|one| {
            let (before, now) = (of(&before, one.number), of(&now, one.number));
            let adds = |items: &[&Behind]| -> Vec<_> {
                items.iter().map(|item| (item.bucket, item.worth)).collect()
            };
            (adds(&before) != adds(&now)).then(|| Changed {
                incident: said(one.number.get()),
                before: before.into_iter().map(Part::new).collect(),
                now: now.into_iter().map(Part::new).collect(),
                why: one.late.iter().map(Late::new).collect(),
            })
        });
        Ok(Self {
            since: late.since,
            before: as_known_then.as_ref().map(figures).transpose()?,
            now: figures(&known.engine)?,
            more: late.more,
            incidents: changed.collect(),
        })
    }
}

fn of(items: &[Behind], number: IncidentNumber) -> Vec<&Behind> {
    let what = Thing::Incident(number.get());
    items.iter().filter(|item| item.what == what).collect()
}

impl Part {
    fn new(item: &Behind) -> Self {
        Self {
            bucket: item.bucket,
            value: Adds::from(item.worth),
        }
    }
}

impl Late {
    fn new(late: &Shown) -> Self {
        Self {
            kind: late.fact.kind.as_str(),
            at: late.fact.at,
            source: late.fact.source.as_str(),
            recorded_at: late.recorded_at,
        }
    }
}
