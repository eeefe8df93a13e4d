//! The figures of this installation: the metrics engine, fed from the database.
//!
//! Whoever asks gets an engine that knows every fact and every deployment that was committed before the question: what is
//! new is read first, some facts at a time. A server also reads when the run loop tells of new facts,
//! so a question finds little to do. Other processes may write to the same database; nothing here
//! depends on who did.
//!
//! What is in memory follows from the facts and the settings. A server keeps a copy of what facts told beside
//! the database ([`image`]), so that the next start need not read all of them.

mod directory;
mod image;
mod meant;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use im_core::{Actor, ActorKind, Fact, IncidentNumber, Mapping, Named, Person, Story};
use im_engine::connector::{self, Connector};
use im_engine::record::{self, Mappings};
use im_metrics::input::{Deployment, DeploymentStatus, History, Settings, TEST_KEYWORD};
use im_metrics::{Dimension, Engine, history};
use im_store::backfill;
use im_store::deployments::{DeploymentRow, Status};
use im_store::facts::Identity;
use im_store::{
    Db, StoreError, Tx, annotations, arrangements, deployments, erase, facts, incidents,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio_util::sync::CancellationToken;

use self::directory::Directory;
use self::image::{Head, Image};
use crate::http::api::settings::{hides_emails, test_keyword, time_zone};
use crate::organisation::annotations::Annotations;
use crate::organisation::{Candidates, Organisation, Whose, is_email};

/// Numbers of incidents that one transaction reads where all are read: who waits for a reader waits for some ten
/// milliseconds.
const RANGE: i64 = 200;

/// While a server runs, an image is worth writing for so many new facts, and for one of so many that there are.
const NEW_FACTS: i64 = 50_000;
const NEW_SHARE: i64 = 8;

/// Facts that one transaction reads the incidents of: a reader is held for some ten milliseconds.
const BATCH: u32 = 500;

/// Incidents that one transaction reads anew.
const RENEWED: usize = 500;

/// The figures, shared by all who ask.
pub struct Figures {
    known: Arc<Mutex<Known>>,
    /// Whether everything was read once.
    is_read: AtomicBool,
    image: Image,
}

/// What is in memory.
pub struct Known {
    /// The engine.
    pub engine: Engine,
    /// What the organisation settled.
    pub organisation: Organisation,
    /// The services that incidents were on, by PagerDuty's id.
    pub services: BTreeSet<String>,
    /// The names of what has an id at PagerDuty, as the newest facts tell them.
    names: BTreeMap<String, Told>,
    /// What PagerDuty's own lists tell, which is newer.
    directory: Directory,
    /// The names that the organisation gives.
    own_names: BTreeMap<String, String>,
    /// Who acts here, once somebody asked; it takes a look at every incident.
    acted: OnceLock<Candidates>,
    /// The number of the last fact that it knows.
    seq: i64,
    /// What was erased up to this fact was gone when reading began.
    begun: i64,
    /// While not all incidents were read: the number of the next one.
    next: i64,
    /// The number of the last fact that the image knows.
    kept: i64,
    /// The number of the last change of a deployment that it knows.
    changed: i64,
    /// The number of the last annotation that it knows.
    said: i64,
    /// The incidents of which anything was said.
    annotated: Arc<BTreeSet<IncidentNumber>>,
    /// Those of them that were not read since.
    renewed: BTreeSet<IncidentNumber>,
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
    /// Whether the past of the accounts was read.
    past: Past,
    /// Whether addresses of PagerDuty's people are left out of answers.
    hides_emails: bool,
}

/// How far the past of all accounts is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    /// That of one was not, or was stopped.
    Unread,
    /// That of one is being read.
    Reading,
    /// All of it was.
    Read,
}

/// A name, and when it was told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    name: String,
}

/// What the next facts change.
#[derive(Default)]
struct News {
    incidents: Vec<(IncidentNumber, Option<History>)>,
    names: BTreeMap<String, Told>,
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
                    past: Past::Unread,
                    hides_emails: false,
                },
                Organisation::default(),
                Directory::default(),
            ))),
            is_read: AtomicBool::new(false),
            image: Image::default(),
        }
    }
}

impl Known {
    fn new(surroundings: Surroundings, organisation: Organisation, directory: Directory) -> Self {
        Self {
            engine: Engine::new(settings(&surroundings, &organisation, &directory)),
            services: BTreeSet::new(),
            names: BTreeMap::new(),
            own_names: organisation.names(&directory.names),
            acted: OnceLock::new(),
            organisation,
            directory,
            seq: 0,
            begun: 0,
            next: 1,
            kept: 0,
            changed: 0,
            said: 0,
            annotated: Arc::default(),
            renewed: BTreeSet::new(),
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
            *self = Self::new(surroundings, organisation, directory);
            return;
        }
        let settings = settings(&surroundings, &organisation, &directory);
        if *self.engine.settings() != settings {
            self.engine.set(settings);
        }
        self.own_names = organisation.names(&directory.names);
        self.acted = OnceLock::new();
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

    /// The services, users and priorities that incidents name, those that PagerDuty's lists do not have any more
    /// included.
    pub fn of_incidents(&self) -> BTreeSet<String> {
        let users = self.engine.of_incidents(Dimension::User);
        let priorities = self.engine.of_incidents(Dimension::Priority);
        let services = self.services.iter().map(String::as_str);
        users
            .into_iter()
            .chain(priorities)
            .chain(services)
            .map(str::to_owned)
            .collect()
    }

    /// The addresses under which people act here, but those that were linked to a person.
    pub fn acted(&self) -> &Candidates {
        self.acted.get_or_init(|| self.look_who_acted())
    }

    fn look_who_acted(&self) -> Candidates {
        let links = &self.engine.settings().same_person;
        let mut found = Candidates::default();
        for id in self.engine.of_incidents(Dimension::User) {
            if is_email(id) && !links.contains_key(id) {
                let name = self.name(id);
                found.add(id, (name != id).then_some(name));
            }
        }
        found
    }

    /// The name of an id, else the id.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        let own = self.own_names.get(id);
        let listed = own.or_else(|| self.directory.names.get(id));
        let told = self.names.get(id).map(|told| &told.name);
        listed
            .or(told)
            .map_or_else(|| self.shown(id), String::as_str)
    }

    /// Whether nothing was read yet.
    fn is_new(&self) -> bool {
        self.seq == 0 && self.next == 1
    }

    /// What the image says beside the engine.
    fn head(&self, last: Identity, last_said: Option<(i64, String, i64)>) -> Head {
        Head {
            program: image::program(),
            seq: self.seq,
            last,
            begun: self.begun,
            said: self.said,
            last_said,
            mappings: self.surroundings.mappings.clone(),
            services: self.services.clone(),
            names: self.names.clone(),
            annotated: self.annotated.iter().map(|number| number.get()).collect(),
        }
    }

    /// Takes what an image holds.
    fn take(&mut self, head: Head, engine: Engine) {
        self.engine = engine;
        self.acted = OnceLock::new();
        self.seq = head.seq;
        self.kept = head.seq;
        self.begun = head.begun;
        self.said = head.said;
        self.services = head.services;
        self.names = head.names;
        let annotated = head.annotated.into_iter();
        self.annotated = Arc::new(annotated.filter_map(IncidentNumber::new).collect());
    }

    fn learn(&mut self, news: News) {
        self.acted = OnceLock::new();
        for (number, history) in &news.incidents {
            match history {
                Some(history) => self.engine.put(history),
                None => self.engine.remove(number.get()),
            }
        }
        for (id, told) in news.names {
            newest(&mut self.names, &id, told);
        }
        self.services.extend(news.services);
    }
}

impl Figures {
    /// Figures with an image in a directory.
    pub fn in_dir(dir: &Path) -> Self {
        Self {
            image: Image::in_dir(dir),
            ..Self::default()
        }
    }

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
        if known.is_new() {
            self.restore(db, &mut known).await?;
        }
        listen(db, &mut known).await?;
        loop {
            if known.seq == 0 {
                read_all(db, &mut known).await?;
            }
            let (seq, annotated) = (known.seq, Arc::clone(&known.annotated));
            match db.read(move |tx| news(tx, seq, &annotated)).await? {
                Some(news) if news.erased > Some(known.begun) => {
                    self.image.forget();
                    let surroundings = known.surroundings.clone();
                    let organisation = known.organisation.clone();
                    let directory = known.directory.clone();
                    *known = Known::new(surroundings, organisation, directory);
                    listen(db, &mut known).await?;
                }
                Some(news) => {
                    known.seq = news.last;
                    known.learn(news);
                }
                None => break,
            }
        }
        while !known.renewed.is_empty() {
            let some: Vec<_> = known.renewed.iter().copied().take(RENEWED).collect();
            let (asked, annotated) = (some.clone(), Arc::clone(&known.annotated));
            let again = db.read(move |tx| tell(tx, asked, &annotated)).await?;
            known.learn(again);
            known.renewed.retain(|number| !some.contains(number));
        }
        let (mut changed, mut after) = (Vec::new(), known.changed);
        while let Some((rows, last)) = db
            .read(move |tx| deployments::after(tx, after, BATCH))
            .await?
        {
            changed.extend(rows.into_iter().map(deployment));
            after = last;
        }
        if !changed.is_empty() {
            known.engine.put_deployments(&changed);
            known.changed = after;
        }
        self.is_read.store(true, Ordering::Relaxed);
        Ok(known)
    }

    /// The same for who can do without: nothing while a start reads all there is.
    pub async fn known_soon(&self, db: &Db) -> Result<Option<OwnedMutexGuard<Known>>, StoreError> {
        if self.is_read.load(Ordering::Relaxed) {
            self.known(db).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Takes what the image holds, where it is one of this database.
    async fn restore(&self, db: &Db, known: &mut Known) -> Result<(), StoreError> {
        let (image, mappings) = (self.image.clone(), known.surroundings.mappings.clone());
        let settings = known.engine.settings().clone();
        let read = tokio::task::spawn_blocking(move || image.read(&mappings, settings));
        let Ok(Some((head, engine))) = read.await else {
            return Ok(());
        };
        let (seq, said) = (head.seq, head.said);
        let there = move |tx: &mut Tx<'_>| {
            let last = facts::identity(tx, seq)?;
            Ok::<_, StoreError>((last, annotations::identity(tx, said)?))
        };
        if db.read(there).await? == (Some(head.last.clone()), head.last_said.clone()) {
            known.take(head, engine);
        } else {
            // Of a database that is not there any more, or with what was erased.
            self.image.forget();
        }
        Ok(())
    }

    /// Removes the copy of what is to be erased from the database.
    pub async fn forget_image(&self) {
        // None is being written meanwhile.
        let known = self.known.lock().await;
        self.image.forget();
        drop(known);
    }

    /// Writes the image where enough is new.
    async fn keep(&self, db: &Db, known: OwnedMutexGuard<Known>, enough: i64) {
        let (seq, said) = (known.seq, known.said);
        let is_whole = known.renewed.is_empty();
        if !self.image.is_kept() || !is_whole || seq - known.kept < enough {
            return;
        }
        let ends = move |tx: &mut Tx<'_>| {
            let last = facts::identity(tx, seq)?;
            let last_said = annotations::identity(tx, said)?;
            Ok::<_, StoreError>((last, last_said, erase::last_mark(tx)?))
        };
        let Ok((Some(last), last_said, mark)) = db.read(ends).await else {
            return;
        };
        if mark > known.begun {
            // Some of what is known was erased since.
            self.image.forget();
            return;
        }
        let image = self.image.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut known = known;
            if image.write(&known.head(last, last_said), &known.engine) {
                known.kept = seq;
            }
        });
        if let Err(error) = written.await {
            tracing::error!("the image of the figures ended by a mistake of ours: {error}");
        }
    }

    /// Reads what is new whenever there is something, until `stop`.
    pub async fn follow(&self, db: Db, mut news: watch::Receiver<i64>, stop: CancellationToken) {
        loop {
            match self.known(&db).await {
                Ok(known) => {
                    let enough = NEW_FACTS.max(known.seq / NEW_SHARE);
                    self.keep(&db, known, enough).await;
                }
                // Whoever asks tries again, and is told.
                Err(error) => tracing::debug!("figures wait for the database: {error}"),
            }
            tokio::select! {
                () = stop.cancelled() => break,
                told = news.changed() => if told.is_err() { break },
            }
        }
        let known = Arc::clone(&self.known).lock_owned().await;
        self.keep(&db, known, 1).await;
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
    Ok(Surroundings {
        mappings: connector::mappings(tx)?,
        zone: time_zone(tx)?,
        changes: arrangements::changes(tx)?,
        listed: im_store::directory::last(tx)?,
        gap_since,
        test_keyword: test_keyword(tx)?,
        past: past(tx, &connectors)?,
        hides_emails: hides_emails(tx)?,
    })
}

fn past(tx: &mut Tx<'_>, connectors: &[Connector]) -> Result<Past, StoreError> {
    let mut all = Past::Read;
    for connector in connectors {
        let row = backfill::find(tx, connector.name())?;
        // Of no time at all: it was left out.
        match row.filter(|row| row.since < row.until) {
            Some(row) if row.finished_at.is_some() => {}
            Some(row) if row.stopped_at.is_none() => return Ok(Past::Reading),
            Some(_) | None => all = Past::Unread,
        }
    }
    Ok(all)
}

/// Learns of which incidents something was said.
async fn listen(db: &Db, known: &mut Known) -> Result<(), StoreError> {
    loop {
        let said = known.said;
        let told = db.read(move |tx| annotations::after(tx, said, BATCH));
        let Some((incidents, last)) = told.await? else {
            return Ok(());
        };
        Arc::make_mut(&mut known.annotated).extend(&incidents);
        known.renewed.extend(incidents);
        known.said = last;
    }
}

/// Reads all incidents, by their numbers: each once, and not once for each batch that has facts of it. Facts of later
/// are read as news.
async fn read_all(db: &Db, known: &mut Known) -> Result<(), StoreError> {
    let ends =
        |tx: &mut Tx<'_>| Ok::<_, StoreError>((facts::last(tx)?, incidents::last_whole(tx)?));
    let (last_fact, last_number) = db.read(ends).await?;
    if known.next == 1 {
        known.begun = last_fact;
        // What was said of them is read with them.
        known.renewed.clear();
    }
    let read = |known: &Known, from: i64| {
        let annotated = Arc::clone(&known.annotated);
        db.read(move |tx| tell_range(tx, from..from + RANGE, &annotated))
    };
    // One range is read while the one before is taken in; pages find the other readers free.
    let mut reading = read(known, known.next);
    while known.next <= last_number {
        let told = reading.await?;
        reading = read(known, known.next + RANGE);
        known.learn(told);
        known.next += RANGE;
    }
    known.seq = known.begun;
    Ok(())
}

/// The incidents with numbers in a range, as they are now, and their parts.
fn tell_range(
    tx: &mut Tx<'_>,
    range: Range<i64>,
    annotated: &BTreeSet<IncidentNumber>,
) -> Result<News, StoreError> {
    let mut news = News::default();
    let mut parts = Vec::new();
    for (number, told) in record::told_in(tx, range)? {
        parts.extend(tell_one(tx, (number, told), annotated, &mut news)?);
    }
    let of_parts = tell(tx, parts, annotated)?;
    news.incidents.extend(of_parts.incidents);
    for (id, told) in of_parts.names {
        newest(&mut news.names, &id, told);
    }
    news.services.extend(of_parts.services);
    Ok(news)
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
    let mut mappings = Mappings::default();
    let mut left = incidents;
    left.reverse();
    while let Some(number) = left.pop() {
        let told = record::told(tx, number, &mut mappings)?;
        left.extend(tell_one(tx, (number, told), annotated, &mut news)?);
    }
    Ok(news)
}

/// Tells of one incident; returns its parts.
fn tell_one(
    tx: &mut Tx<'_>,
    (number, told): (IncidentNumber, Option<record::Told>),
    annotated: &BTreeSet<IncidentNumber>,
    news: &mut News,
) -> Result<Vec<IncidentNumber>, StoreError> {
    let Some(told) = told else {
        news.incidents.push((number, None));
        return Ok(Vec::new());
    };
    tell_names(&told.facts, &told.story, news);
    let is_annotated = annotated.contains(&number.said());
    let said = is_annotated.then(|| Annotations::load(tx, number.said()));
    let found = told_history(number, &told, said.transpose()?.as_ref());
    news.incidents.push((number, found));
    let spans = told.story.spans.iter();
    Ok(spans.map(|span| number.part(span.part)).collect())
}

/// The history of an incident with what is said of it; none of what is hidden. What is said of an incident is said of
/// each of its parts.
pub(crate) fn told_history(
    number: IncidentNumber,
    told: &record::Told,
    said: Option<&Annotations>,
) -> Option<History> {
    let found = history(number, &told.facts, &told.story).filter(|_| !told.hidden)?;
    Some(match said {
        Some(said) => said.tell(found),
        None => found,
    })
}

/// Learns the names that the facts of an incident tell.
fn tell_names(facts: &[Fact], story: &Story, news: &mut News) {
    let looks = || {
        facts
            .iter()
            .filter_map(|fact| Some((fact.at, fact.snapshot.as_ref()?)))
    };
    let services = looks().filter_map(|(_, look)| look.service.as_ref());
    let services = services.map(|service| service.id.clone());
    news.services.extend(services.chain(story.service.clone()));
    let names = &mut news.names;
    let mut tell = |at: Timestamp, id: Option<&String>, name: Option<&String>| {
        if let Some((id, name)) = id.zip(name) {
            let name = name.clone();
            newest(names, id, Told { at, name });
        }
    };
    let mut thing = |at: Timestamp, named: Option<&Named>| {
        let name = named.and_then(|named| named.name.as_ref());
        tell(at, named.map(|named| &named.id), name);
    };
    for (at, look) in looks() {
        thing(at, look.service.as_ref());
        thing(at, look.policy.as_ref());
        thing(at, look.priority.as_ref().and_then(Option::as_ref));
        let teams = look.teams.iter().flatten();
        teams.for_each(|team| thing(at, Some(team)));
    }
    for fact in facts {
        for Person { id, name } in &fact.people {
            tell(fact.at, Some(id), name.as_ref());
        }
        let Actor { kind, id, name } = &fact.actor;
        if *kind == ActorKind::User {
            tell(fact.at, id.as_ref(), name.as_ref());
        }
    }
}

/// Keeps the name that was told last.
fn newest(names: &mut BTreeMap<String, Told>, id: &str, told: Told) {
    match names.get_mut(id) {
        Some(known) if *known < told => *known = told,
        Some(_) => {}
        None => {
            names.insert(id.to_owned(), told);
        }
    }
}
