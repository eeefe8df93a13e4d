//! The figures of this installation: the metrics engine, fed from the database.
//!
//! Whoever asks gets an engine that knows every fact and every deployment that was committed before the question: what is
//! new is read first, some facts at a time. A server also reads when the run loop tells of new facts,
//! so a question finds little to do. Other processes may write to the same database; nothing here
//! depends on who did.
//!
//! Nothing of it is stored: what is in memory follows from the facts and the settings.

mod directory;
mod meant;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use im_core::{Actor, ActorKind, Fact, IncidentNumber, Mapping, Named, Person, Story};
use im_engine::connector;
use im_engine::record::{self, Told};
use im_metrics::input::{Deployment, DeploymentStatus, History, Settings, TEST_KEYWORD};
use im_metrics::{Engine, history};
use im_store::deployments::{DeploymentRow, Status};
use im_store::{Db, StoreError, Tx, annotations, arrangements, deployments, facts};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio_util::sync::CancellationToken;

use self::directory::Directory;
use crate::http::api::settings::{test_keyword, time_zone};
use crate::organisation::annotations::Annotations;
use crate::organisation::{Organisation, Whose};

/// Facts that one transaction reads the incidents of: a reader is held for some ten milliseconds.
const BATCH: u32 = 500;

/// Incidents that one transaction reads anew.
const RENEWED: usize = 500;

/// The figures, shared by all who ask.
pub struct Figures {
    known: Arc<Mutex<Known>>,
}

/// What is in memory.
pub struct Known {
    /// The engine.
    pub engine: Engine,
    /// What the organisation settled.
    pub organisation: Organisation,
    /// The services that incidents were on, by PagerDuty's id.
    pub services: BTreeSet<String>,
    /// The names of what has an id at PagerDuty, as facts tell them.
    names: BTreeMap<String, String>,
    /// What PagerDuty's own lists tell, which is newer.
    directory: Directory,
    /// The names that the organisation gives.
    own_names: BTreeMap<String, String>,
    /// The number of the last fact that it knows.
    seq: i64,
    /// What was erased up to this fact was gone when reading began.
    begun: i64,
    /// The number of the last change of a deployment that it knows.
    changed: i64,
    /// The number of the last annotation that it knows.
    said: i64,
    /// The incidents of which anything was said.
    annotated: Arc<BTreeSet<IncidentNumber>>,
    /// What it was made for.
    surroundings: Surroundings,
}

/// What the figures depend on beside facts, deployments and annotations.
#[derive(Debug, Clone, PartialEq)]
struct Surroundings {
    /// The organisation's zone.
    zone: TimeZone,
    /// How often what the organisation settled was changed.
    changes: i64,
    /// The tables by which incidents are read.
    mappings: BTreeMap<String, Mapping>,
    /// The number of the last change of the directory.
    listed: i64,
    /// Since when webhooks are missing that no repair has made up for.
    gap_since: Option<Timestamp>,
    /// What marks a test incident.
    test_keyword: String,
}

/// What the next facts change.
#[derive(Default)]
struct News {
    incidents: Vec<(IncidentNumber, Option<History>)>,
    names: BTreeMap<String, String>,
    services: BTreeSet<String>,
    last: i64,
    erased: Option<i64>,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            known: Arc::new(Mutex::new(Known::new(
                Surroundings {
                    zone: TimeZone::UTC,
                    changes: 0,
                    mappings: BTreeMap::new(),
                    listed: 0,
                    gap_since: None,
                    test_keyword: TEST_KEYWORD.to_owned(),
                },
                Organisation::default(),
                Directory::default(),
                0,
            ))),
        }
    }
}

impl Known {
    fn new(
        surroundings: Surroundings,
        organisation: Organisation,
        directory: Directory,
        begun: i64,
    ) -> Self {
        Self {
            engine: Engine::new(settings(&surroundings, &organisation, &directory)),
            services: BTreeSet::new(),
            names: BTreeMap::new(),
            own_names: organisation.names(),
            organisation,
            directory,
            seq: 0,
            begun,
            changed: 0,
            said: 0,
            annotated: Arc::default(),
            surroundings,
        }
    }

    /// Takes what was settled since.
    fn settle(
        &mut self,
        surroundings: Surroundings,
        organisation: Organisation,
        directory: Directory,
    ) {
        if self.surroundings.mappings != surroundings.mappings {
            // Severities are read by these tables.
            *self = Self::new(surroundings, organisation, directory, self.begun);
            return;
        }
        let settings = settings(&surroundings, &organisation, &directory);
        if *self.engine.settings() != settings {
            self.engine.set(settings);
        }
        self.own_names = organisation.names();
        self.organisation = organisation;
        self.directory = directory;
        self.surroundings = surroundings;
    }

    /// Since when figures of a range that ends on `last` may lack what happened: webhooks are
    /// missing, and repair has not read what they would have told.
    pub fn incomplete_since(&self, last: Date) -> Option<Timestamp> {
        let zone = &self.engine.settings().zone;
        let since = self.surroundings.gap_since?;
        (im_metrics::local_date(since, zone) <= last).then_some(since)
    }

    /// The dates since which other working hours of the organisation hold.
    pub fn hours_since(&self) -> impl Iterator<Item = Date> {
        let hours = self.organisation.hours.iter();
        let all = hours.filter(|hours| hours.of == Whose::Organisation);
        all.map(|hours| hours.effective_from)
    }

    /// The name of an id, else the id.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        let own = self.own_names.get(id);
        let told = own.or_else(|| self.directory.names.get(id));
        told.or_else(|| self.names.get(id))
            .map_or(id, String::as_str)
    }

    fn learn(&mut self, news: News) {
        for (number, history) in &news.incidents {
            match history {
                Some(history) => self.engine.put(history),
                None => self.engine.remove(number.get()),
            }
        }
        self.names.extend(news.names);
        self.services.extend(news.services);
    }
}

impl Figures {
    /// What is known, every fact committed before included.
    pub async fn known(&self, db: &Db) -> Result<OwnedMutexGuard<Known>, StoreError> {
        let mut known = Arc::clone(&self.known).lock_owned().await;
        let surroundings = db.read(surroundings).await?;
        if known.surroundings != surroundings {
            let zone = surroundings.zone.clone();
            let settled = db.read(move |tx| {
                Ok::<_, StoreError>((Organisation::load(tx)?, directory::read(tx, &zone)?))
            });
            let (organisation, directory) = settled.await?;
            known.settle(surroundings, organisation, directory);
        }
        let is_first = known.seq == 0;
        let mut renewed = listen(db, &mut known).await?;
        loop {
            let (seq, annotated) = (known.seq, Arc::clone(&known.annotated));
            match db.read(move |tx| news(tx, seq, &annotated)).await? {
                Some(news) if news.erased > Some(known.begun) => {
                    let begun = db.read(facts::last).await?;
                    let surroundings = known.surroundings.clone();
                    let organisation = known.organisation.clone();
                    let directory = known.directory.clone();
                    *known = Known::new(surroundings, organisation, directory, begun);
                    // All incidents are told again.
                    listen(db, &mut known).await?;
                    renewed.clear();
                }
                Some(news) => {
                    known.seq = news.last;
                    known.learn(news);
                }
                None => break,
            }
        }
        // The first time, the facts told of them all.
        while !is_first && !renewed.is_empty() {
            let rest = renewed.split_off(renewed.len().min(RENEWED));
            let some = std::mem::replace(&mut renewed, rest);
            let annotated = Arc::clone(&known.annotated);
            let again = db.read(move |tx| tell(tx, some, &annotated)).await?;
            known.learn(again);
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

/// What PagerDuty tells, and what was settled beside it.
fn settings(
    surroundings: &Surroundings,
    organisation: &Organisation,
    directory: &Directory,
) -> Settings {
    let mut told = Settings::new(surroundings.zone.clone());
    told.test_keyword.clone_from(&surroundings.test_keyword);
    directory.tell(&mut told);
    organisation.settle(told)
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

fn surroundings(tx: &mut Tx<'_>) -> Result<Surroundings, StoreError> {
    let connectors = connector::all(tx)?;
    let gaps = connectors.iter().filter_map(|connector| connector.row.gap);
    let gap_since = gaps
        .filter(|gap| gap.to.is_none())
        .map(|gap| gap.from)
        .min();
    let mappings = connectors
        .into_iter()
        .map(|connector| (connector.row.name, connector.mapping));
    Ok(Surroundings {
        mappings: mappings.collect(),
        zone: time_zone(tx)?,
        changes: arrangements::changes(tx)?,
        listed: im_store::directory::last(tx)?,
        gap_since,
        test_keyword: test_keyword(tx)?,
    })
}

/// Learns of which incidents something was said; returns those of which it was said since.
async fn listen(db: &Db, known: &mut Known) -> Result<Vec<IncidentNumber>, StoreError> {
    let mut renewed = BTreeSet::new();
    loop {
        let said = known.said;
        let told = db.read(move |tx| annotations::after(tx, said, BATCH));
        let Some((incidents, last)) = told.await? else {
            return Ok(renewed.into_iter().collect());
        };
        Arc::make_mut(&mut known.annotated).extend(&incidents);
        renewed.extend(incidents);
        known.said = last;
    }
}

/// The incidents that the next facts are about, as they are now.
fn news(
    tx: &mut Tx<'_>,
    seq: i64,
    annotated: &BTreeSet<IncidentNumber>,
) -> Result<Option<News>, StoreError> {
    let Some(told) = facts::after(tx, seq, BATCH)? else {
        return Ok(None);
    };
    let news = tell(tx, told.incidents.into_iter().collect(), annotated)?;
    Ok(Some(News {
        last: told.last,
        erased: told.erased,
        ..news
    }))
}

/// Incidents as they are now; of one that has parts, its parts as well.
fn tell(
    tx: &mut Tx<'_>,
    incidents: Vec<IncidentNumber>,
    annotated: &BTreeSet<IncidentNumber>,
) -> Result<News, StoreError> {
    let mut news = News::default();
    let mut left = incidents;
    // The newest is the last to tell a name.
    left.reverse();
    while let Some(number) = left.pop() {
        let mut found = None;
        if let Some(told) = record::told(tx, number)? {
            let Told { facts, story, .. } = &told;
            tell_names(facts, story, &mut news);
            left.extend(story.spans.iter().map(|span| number.part(span.part)));
            let is_annotated = annotated.contains(&number.said());
            let said = is_annotated.then(|| Annotations::load(tx, number.said()));
            found = told_history(number, &told, said.transpose()?.as_ref());
        }
        news.incidents.push((number, found));
    }
    Ok(news)
}

/// The history of an incident with what is said of it; none of what is hidden. What is said of an incident is said of
/// each of its parts.
pub(crate) fn told_history(
    number: IncidentNumber,
    told: &Told,
    said: Option<&Annotations>,
) -> Option<History> {
    let found = history(number, &told.facts, &told.story).filter(|_| !told.hidden)?;
    Some(match said {
        Some(said) => said.tell(found),
        None => found,
    })
}

/// Learns the names that the facts of an incident tell; the newest look tells them last.
fn tell_names(facts: &[Fact], story: &Story, news: &mut News) {
    let looks = || facts.iter().filter_map(|fact| fact.snapshot.as_ref());
    let services = looks().filter_map(|look| look.service.as_ref());
    let services = services.map(|service| service.id.clone());
    news.services.extend(services.chain(story.service.clone()));
    let names = &mut news.names;
    let mut thing = |named: Option<&Named>| {
        if let Some(Named {
            id,
            name: Some(name),
        }) = named
        {
            names.insert(id.clone(), name.clone());
        }
    };
    for look in looks() {
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
