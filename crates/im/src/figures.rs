//! The figures of this installation: the metrics engine, fed from the database.
//!
//! Whoever asks gets an engine that knows every fact and every deployment that was committed before the question: what is
//! new is read first, some facts at a time. A server also reads when the run loop tells of new facts,
//! so a question finds little to do. Other processes may write to the same database; nothing here
//! depends on who did.
//!
//! Nothing of it is stored: what is in memory follows from the facts and the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use im_core::{Actor, ActorKind, Fact, IncidentNumber, Mapping, Named, Person, Story};
use im_engine::{connector, record};
use im_metrics::input::{Deployment, DeploymentStatus, History, Settings};
use im_metrics::{Engine, history};
use im_store::deployments::{DeploymentRow, Status};
use im_store::{Db, StoreError, Tx, deployments, facts};
use jiff::tz::TimeZone;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio_util::sync::CancellationToken;

use crate::http::api::settings::time_zone;

/// Facts that one transaction reads the incidents of: a reader is held for some ten milliseconds.
const BATCH: u32 = 500;

/// The figures, shared by all who ask.
pub struct Figures {
    known: Arc<Mutex<Known>>,
}

/// What is in memory.
pub struct Known {
    /// The engine.
    pub engine: Engine,
    /// The names of what has an id at PagerDuty.
    pub names: BTreeMap<String, String>,
    /// The number of the last fact that it knows.
    seq: i64,
    /// What was erased up to this fact was gone when reading began.
    begun: i64,
    /// The number of the last change of a deployment that it knows.
    changed: i64,
    /// The tables by which incidents were read.
    mappings: BTreeMap<String, Mapping>,
}

/// What the next facts change.
struct News {
    incidents: Vec<(IncidentNumber, Option<History>)>,
    names: BTreeMap<String, String>,
    last: i64,
    erased: Option<i64>,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            known: Arc::new(Mutex::new(Known::new(TimeZone::UTC, BTreeMap::new(), 0))),
        }
    }
}

impl Known {
    fn new(zone: TimeZone, mappings: BTreeMap<String, Mapping>, begun: i64) -> Self {
        Self {
            engine: Engine::new(Settings::new(zone)),
            names: BTreeMap::new(),
            seq: 0,
            begun,
            changed: 0,
            mappings,
        }
    }

    /// The name of an id, else the id.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    fn learn(&mut self, news: News) {
        for (number, history) in &news.incidents {
            match history {
                Some(history) => self.engine.put(history),
                None => self.engine.remove(number.get()),
            }
        }
        self.names.extend(news.names);
        self.seq = news.last;
    }
}

impl Figures {
    /// What is known, every fact committed before included.
    pub async fn known(&self, db: &Db) -> Result<OwnedMutexGuard<Known>, StoreError> {
        let mut known = Arc::clone(&self.known).lock_owned().await;
        let (zone, mappings) = db.read(surroundings).await?;
        if known.mappings != mappings {
            // Severities are read by these tables.
            *known = Known::new(zone, mappings, known.begun);
        } else if known.engine.settings().zone != zone {
            known.engine.set(Settings::new(zone));
        }
        loop {
            let seq = known.seq;
            match db.read(move |tx| news(tx, seq)).await? {
                Some(news) if news.erased > Some(known.begun) => {
                    let begun = db.read(facts::last).await?;
                    let (zone, mappings) = db.read(surroundings).await?;
                    *known = Known::new(zone, mappings, begun);
                }
                Some(news) => known.learn(news),
                None => break,
            }
        }
        loop {
            let changed = known.changed;
            let told = db.read(move |tx| deployments::after(tx, changed, BATCH));
            let Some((rows, last)) = told.await? else {
                return Ok(known);
            };
            let rows: Vec<Deployment> = rows.into_iter().map(deployment).collect();
            known.engine.put_deployments(&rows);
            known.changed = last;
        }
    }

    /// Reads what is new whenever there is something, until `stop`.
    pub async fn follow(&self, db: Db, mut news: watch::Receiver<i64>, stop: CancellationToken) {
        loop {
            if let Err(error) = self.known(&db).await {
                // Whoever asks tries again, and is told.
                tracing::debug!("figures wait for the database: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                told = news.changed() => if told.is_err() { return },
            }
        }
    }
}

fn deployment(row: DeploymentRow) -> Deployment {
    Deployment {
        id: row.id,
        service: row.service,
        environment: row.environment,
        version: row.version,
        started_at: row.started_at,
        finished_at: row.finished_at,
        status: match row.status {
            Status::Success => DeploymentStatus::Success,
            Status::Failure => DeploymentStatus::Failure,
            Status::InProgress => DeploymentStatus::InProgress,
            Status::Cancelled => DeploymentStatus::Cancelled,
        },
        unplanned_fix: row.unplanned_fix,
        commits: row.commits.iter().map(|commit| commit.time).collect(),
    }
}

/// The organisation's zone, and the tables by which incidents are read.
fn surroundings(tx: &mut Tx<'_>) -> Result<(TimeZone, BTreeMap<String, Mapping>), StoreError> {
    let connectors = connector::all(tx)?.into_iter();
    let mappings = connectors.map(|connector| (connector.row.name, connector.mapping));
    let mappings = mappings.collect();
    Ok((time_zone(tx)?, mappings))
}

/// The incidents that the next facts are about, as they are now.
fn news(tx: &mut Tx<'_>, seq: i64) -> Result<Option<News>, StoreError> {
    let Some(told) = facts::after(tx, seq, BATCH)? else {
        return Ok(None);
    };
    let mut news = News {
        incidents: Vec::new(),
        names: BTreeMap::new(),
        last: told.last,
        erased: told.erased,
    };
    for number in told.incidents {
        let told = record::told(tx, number)?;
        if let Some((facts, story)) = &told {
            tell_names(facts, story, &mut news.names);
        }
        let history = told.and_then(|(facts, story)| history(number, &facts, &story));
        news.incidents.push((number, history));
    }
    Ok(Some(news))
}

/// Learns the names that the facts of an incident tell; the newest look tells them last.
fn tell_names(facts: &[Fact], story: &Story, names: &mut BTreeMap<String, String>) {
    let mut thing = |named: Option<&Named>| {
        if let Some(Named {
            id,
            name: Some(name),
        }) = named
        {
            names.insert(id.clone(), name.clone());
        }
    };
    let looks = facts.iter().filter_map(|fact| fact.snapshot.as_ref());
    for look in looks {
        thing(look.service.as_ref());
        thing(look.policy.as_ref());
        thing(look.priority.as_ref().and_then(Option::as_ref));
        look.teams
            .iter()
            .flatten()
            .for_each(|team| thing(Some(team)));
    }
    if let Some(peer) = &story.peer {
        thing(peer.service.as_ref());
        thing(peer.policy.as_ref());
        thing(peer.priority.as_ref());
        peer.teams.iter().for_each(|team| thing(Some(team)));
    }
    for fact in facts {
        for Person { id, name } in &fact.people {
            names.extend(name.clone().map(|name| (id.clone(), name)));
        }
        let Actor { kind, id, name } = &fact.actor;
        if *kind == ActorKind::User {
            names.extend(id.clone().zip(name.clone()));
        }
    }
}
