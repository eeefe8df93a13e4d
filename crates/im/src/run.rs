//! The run loop: all the concurrency there is.
//!
//! Digest and plan in one transaction, perform the calls that came out, settle each when it is
//! answered, sleep until there is more to do. The engine decides; this carries.
//!
//! Invariants
//! - A call leaves after the transaction that leased it has committed.
//! - At most [`LIVE_MAX`] calls that people wait for and [`REPAIR_MAX`] others are under way.
//! - Interest in the nudge is registered before the plan is made, so none is missed.
//!
//! Nothing else in the program uses an adapter.

pub(crate) mod calls;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use im_engine::connector::Connector;
use im_engine::events::Untaken;
use im_engine::{Capacity, Plan, Planned, Settled, Ticket, inbox, plan, settle};
use im_pagerduty::config::Logging;
use im_pagerduty::events_v2::Event;
use im_pagerduty::{Call, Limits, Outcome, Reply, Transport, redacted, request};
use im_store::calls::Why;
use im_store::{Db, StoreError, facts};
use jiff::{SignedDuration, Timestamp};
use openidconnect::{HttpRequest, HttpResponse};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::adapters::door::Door;
pub use crate::adapters::door::Seen;
use crate::adapters::notice::Notice;
use crate::adapters::pagerduty::{Carried, PagerDuty};
use crate::adapters::provider::Provider;
pub(crate) use crate::adapters::provider::Silent;
use crate::clock::Clock;
use crate::credential::{Credential, masked};
use crate::http::metrics::Metrics;
use crate::secret::{SecretError, Vault};
use crate::telemetry;
use calls::{Calls, Made, plain_outcome};
pub(crate) use tokens::NoTokens;
use tokens::SignIns;

/// Calls under way that people wait for: above the number of people who act at once.
pub const LIVE_MAX: u32 = 16;
/// Calls under way that read what we may have missed: a part of PagerDuty's allowance.
pub const REPAIR_MAX: u32 = 4;

/// Events digested in one turn while others wait to write: a storm is stored first, because
/// PagerDuty waits five seconds for its answers, and understood as fast as that leaves room.
const DIGEST_IN_STORM: u32 = 8;
/// So many writes under way are a storm; the acts of people are never as many.
const STORM: usize = 32;
/// Incidents of a connector that follow its new configuration in one turn: so many cost the
/// writer some ten milliseconds.
const ATTACH_MAX: u32 = 50;
/// Other processes may write to the same database; nobody nudges us then.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// What is due at once and cannot be taken up yet must not turn into a busy loop.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// How long running calls may take to end when a server stops.
pub const SERVER_DRAIN: Duration = Duration::from_secs(4);
/// The same when a command ends whose person has waited already.
pub const COMMAND_DRAIN: Duration = Duration::from_secs(1);
/// A store that fails is asked again after this time, then after twice that …
const STORE_WAIT_MIN: Duration = Duration::from_millis(250);
/// … and so on up to this.
const STORE_WAIT_MAX: Duration = Duration::from_secs(30);
/// How often an answer is offered to a store that fails; then the lease runs out and the engine
/// looks at PagerDuty again.
const SETTLE_TRIES: u32 = 5;

/// How the parts of the server tell one another that something happened.
pub struct Signals {
    nudge: Notify,
    changed: watch::Sender<i64>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            nudge: Notify::new(),
            changed: watch::Sender::new(0),
        }
    }
}

impl Signals {
    /// There may be work: the loop looks at once.
    pub fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// The number of the last fact that the loop has seen, whoever stored it.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.changed.subscribe()
    }

    fn tell(&self, facts: i64) {
        self.changed.send_if_modified(|known| {
            let is_new = *known != facts;
            *known = facts;
            is_new
        });
    }
}

/// Performs single calls: for the loop, and for commands that need PagerDuty's answer now.
pub struct Caller {
    pagerduty: Arc<PagerDuty>,
    door: Door,
    notice: Notice,
    provider: Provider,
    sign_ins: Arc<SignIns>,
    calls: Arc<Calls>,
    vault: Arc<Vault>,
    metrics: Arc<Metrics>,
}

impl Caller {
    /// A caller that opens keys with `vault`, and stores tokens that it renews in `db`.
    pub fn new(db: Db, vault: Arc<Vault>, metrics: Arc<Metrics>, clock: Clock) -> Self {
        let pagerduty = Arc::new(PagerDuty::default());
        let calls = Arc::new(Calls::new(db.clone(), clock));
        let through = (Arc::clone(&pagerduty), Arc::clone(&calls));
        Self {
            sign_ins: Arc::new(SignIns::new(through, db, Arc::clone(&vault))),
            calls,
            pagerduty,
            door: Door::default(),
            notice: Notice::default(),
            provider: Provider::default(),
            vault,
            metrics,
        }
    }

    /// Until when the certificate of `url` is valid; `None` without encryption.
    pub async fn certificate(&self, url: &str) -> Option<Result<Timestamp, String>> {
        self.door.certificate(url).await
    }

    /// How our own door at `url` looks from outside.
    pub async fn look_at_door(&self, url: &str) -> Seen {
        self.door.look(url).await
    }

    /// Tells the webhook at `url`; why it did not take it.
    pub async fn tell(&self, url: &str, body: &serde_json::Value) -> Result<(), Untaken> {
        self.notice.send(url, body).await
    }

    /// Asks a provider of OpenID Connect.
    pub(crate) async fn provider(&self, request: HttpRequest) -> Result<HttpResponse, Silent> {
        self.provider.ask(request).await
    }

    /// Asks the PagerDuty of `connector`.
    pub async fn ask(
        &self,
        connector: &Connector,
        call: &Call,
        now: Timestamp,
    ) -> Result<(Outcome, Limits), SecretError> {
        let place = Place {
            connector: connector.name(),
            made_at: Some(connector.row.created_at),
            base_url: &connector.config.base_url,
            sealed_key: &connector.row.api_key,
            logging: connector.config.logging,
            why: Why::Asked,
        };
        self.perform(place, call, now).await
    }

    /// Sends an event to the PagerDuty of `connector`.
    pub async fn send(&self, connector: &Connector, event: &Event<'_>) -> Result<Reply, Transport> {
        let request = event.request();
        let begun = self.calls.begin(Made {
            connector: connector.name(),
            why: Why::Asked,
            method: request.method.as_str(),
            path: &request.path_and_query,
            key: masked(Some(event.routing_key)),
        });
        let answer = self.pagerduty.send(&connector.config.base_url, event).await;
        let status = answer.as_ref().ok().map(|reply| reply.status);
        tracing::debug!(
            connector = connector.name(),
            event = event.action.as_str(),
            status,
            "sent PagerDuty an event"
        );
        begun.keep(status, plain_outcome(status));
        answer
    }

    /// Writes the calls that were made and are not written yet.
    pub(crate) async fn write_calls(&self) -> Result<(), StoreError> {
        self.calls.write().await
    }

    /// Nothing more is called.
    pub async fn close(&self) {
        self.calls.close().await;
    }

    async fn carry(
        &self,
        place: &Place<'_>,
        with: &Credential,
        call: &Call,
        now: Timestamp,
    ) -> Carried {
        let request = request(call);
        let begun = self.calls.begin(Made {
            connector: place.connector,
            why: place.why,
            method: request.method.as_str(),
            path: &request.path_and_query,
            key: with.label(),
        });
        let header = with.header();
        let carried = self
            .pagerduty
            .perform(place.base_url, &header, call, now)
            .await;
        let outcome = outcome_word(&carried.outcome);
        let ms = begun.keep(carried.status, outcome);
        log(place, call, &carried, outcome, ms);
        self.metrics.called(place.connector, call.name(), outcome);
        carried
    }

    async fn perform(
        &self,
        place: Place<'_>,
        call: &Call,
        now: Timestamp,
    ) -> Result<(Outcome, Limits), SecretError> {
        let credential = Credential::read(self.vault.open(place.sealed_key)?);
        let is_signed_in = matches!(credential, Credential::Tokens(_));
        let mut with = match self.current(&place, credential, false, now).await? {
            Ok(credential) => credential,
            Err(outcome) => return Ok((outcome, Limits::default())),
        };
        let mut carried = self.carry(&place, &with, call, now).await;
        // What is not taken was not done.
        if is_signed_in && carried.status == Some(UNAUTHORIZED) {
            with = match self.current(&place, with, true, now).await? {
                Ok(credential) => credential,
                Err(outcome) => return Ok((outcome, Limits::default())),
            };
            carried = self.carry(&place, &with, call, now).await;
        }
        Ok((carried.outcome, carried.limits))
    }
}

/// What PagerDuty answers to a key or a token that it does not take.
const UNAUTHORIZED: u16 = 401;

/// Whose PagerDuty a call goes to.
#[derive(Clone, Copy)]
struct Place<'a> {
    connector: &'a str,
    /// When the connector at hand was made; a draft that is only tried is of another time than what is stored
    /// under its name. None: it is the stored one.
    made_at: Option<Timestamp>,
    base_url: &'a str,
    sealed_key: &'a str,
    logging: Logging,
    /// What it is called for.
    why: Why,
}

/// Every call is a line: for all to see where the connector's settings say so, else for those who
/// look closer, and for the journal. Queries are left out: addresses stand in them.
fn log(place: &Place<'_>, call: &Call, carried: &Carried, outcome: &str, ms: i64) {
    let connector = place.connector;
    let request = request(call);
    let path = request.path_and_query.split('?').next().unwrap_or_default();
    let method = request.method.as_str();
    let answer = match carried.status {
        Some(status) => status.to_string(),
        None => "no answer".to_owned(),
    };
    let text = format!("{method} {path}: {answer} after {ms} ms");
    let Logging {
        debug, requests, ..
    } = place.logging;
    let is_debug = telemetry::pagerduty_debug().unwrap_or(debug);
    if is_debug || requests {
        tracing::info!(target: "im::api", connector, call = call.name(), outcome, "{text}");
    } else {
        tracing::debug!(target: "im::api", connector, call = call.name(), outcome, "{text}");
    }
    if place.logging.responses {
        let body = redacted(&carried.body);
        tracing::info!(target: "im::api", connector, call = call.name(), "{method} {path} answered {body}");
    }
}

fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Wait { why, .. } => why.as_str(),
        Outcome::Gone => "gone",
        Outcome::Refused(refusal) => refusal.why.as_str(),
        Outcome::Unclear(_) => "unclear",
    }
}

/// What the loop works with.
#[derive(Clone)]
pub struct Engine {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Who performs calls.
    pub caller: Arc<Caller>,
    /// Who nudges, and who is told.
    pub signals: Arc<Signals>,
    /// How long a call whose answer never came is left alone.
    pub lease: SignedDuration,
}

/// Calls under way, by the class that limits them.
#[derive(Default)]
struct UnderWay {
    live: u32,
    repair: u32,
    tasks: JoinSet<bool>,
}

/// Runs until `stop`, then gives running calls the time of `drain` to end.
pub async fn run(engine: Engine, stop: CancellationToken, drain: Duration) {
    let mut under_way = UnderWay::default();
    let mut trouble = Trouble::default();
    while !stop.is_cancelled() {
        let (pause, is_storm) = match turn(&engine, &under_way).await {
            Ok(turn) => {
                trouble.over();
                start(&engine, turn.plan.calls, &mut under_way);
                (turn.pause, turn.is_storm)
            }
            Err(error) => (trouble.met(&error), false),
        };
        tokio::select! {
            () = stop.cancelled() => {}
            // In a storm everything nudges, and each turn takes the writer from those who wait.
            () = engine.signals.nudge.notified(), if !is_storm => {}
            Some(ended) = under_way.tasks.join_next() => under_way.ended(ended),
            () = tokio::time::sleep(pause) => {}
        }
        while let Some(ended) = under_way.tasks.try_join_next() {
            under_way.ended(ended);
        }
    }
    finish(under_way, drain).await;
    engine.caller.rest().await;
}

struct Turn {
    plan: Plan,
    pause: Duration,
    /// Whether so many wait to write that nudges say nothing new.
    is_storm: bool,
}

/// Digests what came and plans what is due.
async fn turn(engine: &Engine, under_way: &UnderWay) -> Result<Turn, StoreError> {
    let now = engine.clock.now();
    let is_storm = engine.db.writes_under_way() >= STORM;
    let (digest_max, attach) = if is_storm {
        (DIGEST_IN_STORM, 0)
    } else {
        (inbox::DIGEST_MAX, ATTACH_MAX)
    };
    let capacity = Capacity {
        live: LIVE_MAX.saturating_sub(under_way.live),
        repair: REPAIR_MAX.saturating_sub(under_way.repair),
        attach,
        lease: engine.lease,
    };
    let (facts, plan) = engine
        .db
        .write(move |tx| {
            inbox::digest(tx, digest_max, now)?;
            let plan = plan(tx, capacity, now)?;
            // Other processes write to this database, too: the last fact shows it.
            Ok::<_, StoreError>((facts::last(tx)?, plan))
        })
        .await?;
    engine.signals.tell(facts);
    let pause = plan.wake_at.map_or(LOOK_AGAIN, |at| {
        let wait = at.duration_since(engine.clock.now());
        Duration::try_from(wait).unwrap_or(Duration::ZERO)
    });
    Ok(Turn {
        plan,
        pause: pause.clamp(PAUSE_MIN, LOOK_AGAIN),
        is_storm,
    })
}

fn start(engine: &Engine, calls: Vec<Planned>, under_way: &mut UnderWay) {
    for planned in calls {
        let is_live = planned.ticket.is_live();
        if is_live {
            under_way.live += 1;
        } else {
            under_way.repair += 1;
        }
        let engine = engine.clone();
        under_way.tasks.spawn(async move {
            perform(&engine, planned).await;
            is_live
        });
    }
}

impl UnderWay {
    fn ended(&mut self, ended: Result<bool, tokio::task::JoinError>) {
        match ended {
            Ok(true) => self.live = self.live.saturating_sub(1),
            Ok(false) => self.repair = self.repair.saturating_sub(1),
            Err(error) => tracing::error!("a call ended by a mistake of ours: {error}"),
        }
        if self.tasks.is_empty() {
            (self.live, self.repair) = (0, 0);
        }
    }
}

/// What a call of the loop is for.
fn why(ticket: &Ticket) -> Why {
    match ticket {
        Ticket::Send(_) | Ticket::SendTogether(_) => Why::Change,
        Ticket::Check(_) => Why::Check,
        Ticket::Run(_) => Why::Compare,
        Ticket::Backfill => Why::Import,
        Ticket::Wanted => Why::Read,
    }
}

async fn perform(engine: &Engine, planned: Planned) {
    let Planned {
        ticket,
        connector,
        base_url,
        api_key,
        logging,
        call,
        at,
        ..
    } = &planned;
    let place = Place {
        connector,
        made_at: None,
        base_url,
        sealed_key: api_key,
        logging: *logging,
        why: why(ticket),
    };
    let performing = engine.caller.perform(place, call, *at);
    match tokio::time::timeout(patience(engine.lease), performing).await {
        Ok(Ok((outcome, limits))) => {
            let settled = Settled {
                planned,
                outcome,
                limits,
            };
            record(engine, Arc::new(settled)).await;
        }
        // The lease keeps it from being tried again at once.
        Ok(Err(error)) => tracing::error!(connector, "cannot call PagerDuty: {error}"),
        Err(_late) => tracing::warn!(
            connector,
            call = call.name(),
            "PagerDuty has not answered; the call is looked into again when its lease ends"
        ),
    }
}

/// How long an answer is waited for: it must be stored while the lease lasts.
fn patience(lease: SignedDuration) -> Duration {
    Duration::try_from(lease).unwrap_or_default() * 3 / 4
}

async fn record(engine: &Engine, settled: Arc<Settled>) {
    let mut wait = STORE_WAIT_MIN;
    for _ in 0..SETTLE_TRIES {
        let now = engine.clock.now();
        let what = Arc::clone(&settled);
        match engine.db.write(move |tx| settle(tx, &what, now)).await {
            Ok(()) => {
                engine.signals.nudge();
                return;
            }
            Err(error) => tracing::warn!("an answer could not be stored: {}", chain(&error)),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(STORE_WAIT_MAX);
    }
    tracing::error!(
        call = settled.planned.call.name(),
        "an answer of PagerDuty's was lost; the call is looked into again when its lease ends"
    );
}

/// A store that fails: said once, asked less and less often.
#[derive(Default)]
struct Trouble {
    wait: Option<Duration>,
}

impl Trouble {
    fn met(&mut self, error: &StoreError) -> Duration {
        if self.wait.is_none() {
            tracing::error!(
                "the database fails, synchronisation stands: {}",
                chain(error)
            );
        }
        let wait = self
            .wait
            .map_or(STORE_WAIT_MIN, |wait| (wait * 2).min(STORE_WAIT_MAX));
        self.wait = Some(wait);
        wait
    }

    fn over(&mut self) {
        if self.wait.take().is_some() {
            tracing::info!("the database works again");
        }
    }
}

/// An error with its causes.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

async fn finish(mut under_way: UnderWay, drain: Duration) {
    let all = async { while under_way.tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, all).await.is_err() {
        tracing::warn!(
            calls = under_way.tasks.len(),
            "stopped before PagerDuty answered; it is looked into at the next start"
        );
    }
}
