//! The world of a story: the shipped engine and SQL, the stand-in for PagerDuty, and time.
//!
//! Everything runs in one thread under virtual time. The only randomness is the seed's, so a
//! seed replays a world bit for bit. Crashes, lost answers and outages are switches of the world.

mod door;
mod people;
mod seen;
mod wire;

use std::collections::VecDeque;
use std::sync::LazyLock;

use fastrand::Rng;
use im_engine::{
    Capacity, LEASE, Plan, Planned, Settled, connector, inbox, plan, request_sync, settle,
};
use im_pagerduty::{Call, EVENTS, Limits, Outcome, Reply};
use im_store::fault::Faults;
use im_store::{
    Address, Connection, DbOptions, LocalDb, PostgresAddress, PostgresConnection, SqliteImage,
    StoreError, Tx, connectors,
};
use jiff::{SignedDuration, Timestamp};
use pd_sim::{DeliveryResult, Sim};

use door::Door;
pub(crate) use door::{event, is_event};
pub(crate) use wire::Asked;
use wire::{Instead, Tamper};

/// The connector of every story.
pub(crate) const CONNECTOR: &str = "pd";
/// A Tuesday morning.
const START: &str = "2026-03-10T08:00:00Z";
/// How many moves a second of virtual time may take before a story is called a loop.
const MOVES_MAX: usize = 20_000;
static IMAGE: LazyLock<SqliteImage> = LazyLock::new(|| SqliteImage::new().unwrap());

/// A call that is on its way.
struct InFlight {
    planned: Planned,
    outcome: Outcome,
    limits: Limits,
    done_at: Timestamp,
}

/// How many incidents follow a new configuration at once; the engine goes on with the others.
pub(crate) const ATTACHED_AT_ONCE: u32 = 20;

fn begin_attaching(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    connector::begin_attaching(tx, CONNECTOR)?;
    let connector = connector::load(tx, CONNECTOR)?.unwrap();
    connector::attach(tx, &connector, ATTACHED_AT_ONCE, now).map(drop)
}

/// How our program dies at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// The step is never begun.
    Before,
    /// The step is done, and nobody hears of it.
    After,
}

/// Another PagerDuty account, by a connector of its own.
struct Other {
    connector: String,
    sim: Sim,
    account: pd_sim::Account,
    secrets: Vec<String>,
}

/// A schema of its own on the server, gone with the world.
struct Schema {
    server: Box<PostgresAddress>,
    name: String,
}

impl Schema {
    fn on_server(&self, what: &str) {
        let script = format!("SET client_min_messages = error; {what} {}", self.name);
        let mut connection = PostgresConnection::open(&self.server).unwrap();
        connection.script(&script).unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        self.name = format!("{name} CASCADE");
        self.on_server("DROP SCHEMA");
    }
}

/// Both sides, and what is between them.
pub(crate) struct World {
    pub(crate) db: LocalDb,
    pub(crate) sim: Sim,
    /// PagerDuty's clock.
    pub(crate) now: Timestamp,
    pub(crate) account: pd_sim::Account,
    pub(crate) rng: Rng,
    in_flight: Vec<InFlight>,
    others: Vec<Other>,
    /// What our door does: `None` as it should, else what it answers instead.
    pub(crate) door: Option<DeliveryResult>,
    /// How webhooks fare between PagerDuty and us.
    pub(crate) way: Door,
    /// Whether PagerDuty's REST can be reached.
    pub(crate) wire_up: bool,
    /// When our program looks again: when it wants to, or at once where something came in.
    wakes_at: Option<Timestamp>,
    /// Whether our program runs at all.
    pub(crate) asleep: bool,
    /// Changes answers on their way.
    pub(crate) tamper: Option<Tamper>,
    /// Answers in PagerDuty's place.
    pub(crate) instead: Option<Instead>,
    /// What the database is going to refuse.
    pub(crate) faults: Faults,
    /// Whether our program may die of its database.
    pub(crate) mortal: bool,
    /// Steps of our program so far: each transaction, call and delivery is one.
    pub(crate) steps: usize,
    /// The step at which our program dies, and how.
    pub(crate) dies_at: Option<(usize, Death)>,
    /// How often it did.
    pub(crate) deaths: usize,
    /// The time that a call takes.
    pub(crate) latency: SignedDuration,
    /// Our clock minus PagerDuty's.
    pub(crate) skew: SignedDuration,
    /// Calls made, by name.
    pub(crate) calls: Vec<&'static str>,
    /// Calls made, in full.
    pub(crate) asked: Vec<Asked>,
    /// Calls whose answer we never heard of.
    pub(crate) unheard: Vec<Call>,
    pub(crate) secrets: Vec<String>,
    /// Where the data is, on a server.
    schema: Option<Schema>,
}

impl World {
    /// A two-way connector with its webhook, on SQLite in memory.
    pub(crate) fn sqlite() -> Self {
        Self::seeded(7)
    }

    /// The same on PostgreSQL, in a schema of its own; `None` where there is no server.
    pub(crate) fn postgres() -> Option<Self> {
        let url = std::env::var("IM_TEST_POSTGRES_URL").ok()?;
        let Address::Postgres(server) = Address::parse(&url).unwrap() else {
            return None;
        };
        let name = format!("story_{:016x}", Rng::new().u64(..));
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}options=-c%20search_path%3D{name}");
        let schema = Schema { server, name };
        schema.on_server("CREATE SCHEMA");
        let faults = Faults::new();
        let mut options = DbOptions::new(&url, 7).unwrap();
        options.faults = Some(faults.clone());
        let mut world = Self::on(LocalDb::open(&options).unwrap(), faults, 7);
        world.schema = Some(schema);
        Some(world)
    }

    /// A world of its own for each seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        let faults = Faults::new();
        let connection = faults.wrap(Box::new(IMAGE.open().unwrap()));
        Self::on(LocalDb::on(connection, seed), faults, seed)
    }

    fn on(db: LocalDb, faults: Faults, seed: u64) -> Self {
        let now: Timestamp = START.parse().unwrap();
        let options = pd_sim::Options {
            seed,
            limits: Some(1.0),
            ..pd_sim::Options::default()
        };
        let mut sim = Sim::new(options, now);
        let account = pd_sim::account::lively(&mut sim, now);
        let mut world = Self {
            db,
            sim,
            now,
            account,
            rng: Rng::with_seed(seed),
            in_flight: Vec::new(),
            others: Vec::new(),
            door: None,
            way: Door::default(),
            wire_up: true,
            wakes_at: None,
            asleep: false,
            tamper: None,
            instead: None,
            faults,
            mortal: false,
            steps: 0,
            dies_at: None,
            deaths: 0,
            latency: SignedDuration::from_millis(80),
            skew: SignedDuration::ZERO,
            calls: Vec::new(),
            asked: Vec::new(),
            unheard: Vec::new(),
            secrets: Vec::new(),
            schema: None,
        };
        let account = world.account.clone();
        world.add_connector(CONNECTOR, "http://pagerduty.test", &account);
        let (id, secret) = world.subscribe("account_reference", None);
        world.secrets = vec![secret];
        world.write(|tx| connectors::set_webhook(tx, CONNECTOR, Some(&id), &["sealed".to_owned()]));
        world.run_for(SignedDuration::from_secs(20));
        world.forget_calls();
        world
    }

    fn add_connector(&mut self, name: &str, base_url: &str, account: &pd_sim::Account) {
        let config = serde_json::json!({
            "base_url": base_url,
            "api_key": account.api_key,
            "sync_direction": "bidirectional",
            "custom": {
                "service_id": account.services[0].0,
                "from_email": account.users[0].2,
                "service_mappings": {
                    "db": account.services[2].0,
                    "database": account.services[2].0,
                    "web": account.services[1].0
                }
            }
        });
        let parted = connector::part(&config.to_string()).unwrap();
        let (key, now) = (account.api_key.clone(), self.our_now());
        self.write(|tx| connectors::insert(tx, name, &parted.stored, &key, &[], now));
    }

    /// Adds a connector to the same account, without a webhook.
    pub(crate) fn add_second_connector(&mut self, name: &str) {
        let account = self.account.clone();
        self.add_connector(name, "http://pagerduty.test", &account);
    }

    /// Adds a connector to another account, on another host, and its webhook.
    pub(crate) fn add_account(&mut self, name: &str, base_url: &str) {
        let options = pd_sim::Options {
            seed: 99,
            ..pd_sim::Options::default()
        };
        let mut sim = Sim::new(options, self.now);
        let account = pd_sim::account::lively(&mut sim, self.now);
        self.add_connector(name, base_url, &account);
        let (id, secret) = wire::subscribe(
            &mut sim,
            &account,
            name,
            &EVENTS,
            "account_reference",
            None,
            self.now,
        );
        self.write(|tx| connectors::set_webhook(tx, name, Some(&id), &["sealed".to_owned()]));
        self.others.push(Other {
            connector: name.to_owned(),
            sim,
            account,
            secrets: vec![secret],
        });
    }

    /// The other account, to do something in it.
    pub(crate) fn other(&mut self) -> (&mut Sim, &pd_sim::Account) {
        let other = &mut self.others[0];
        (&mut other.sim, &other.account)
    }

    /// Changes the connector's settings, as `im connector config` does.
    pub(crate) fn configure(&mut self, change: impl Fn(&mut serde_json::Value)) {
        let now = self.our_now();
        self.write(|tx| {
            let row = connectors::find(tx, CONNECTOR)?.unwrap();
            let mut config: serde_json::Value = serde_json::from_str(&row.config).unwrap();
            change(&mut config);
            connectors::configure(tx, CONNECTOR, &config.to_string(), &row.api_key, row.state)?;
            request_sync(tx, CONNECTOR, "configured", now)?;
            begin_attaching(tx, now)
        });
    }

    /// Removes the connector, as `im connector remove` does.
    pub(crate) fn remove_connector(&mut self) {
        let now = self.our_now();
        self.write(|tx| connector::forget(tx, CONNECTOR, now));
    }

    /// Adds the connector anew, as `im connector add` does.
    pub(crate) fn add_connector_again(&mut self) {
        let (account, now) = (self.account.clone(), self.our_now());
        self.add_connector(CONNECTOR, "http://pagerduty.test", &account);
        self.write(|tx| begin_attaching(tx, now));
    }

    /// Gives the connector another API key.
    pub(crate) fn use_key(&mut self, key: &str) {
        self.write(|tx| {
            let row = connectors::find(tx, CONNECTOR)?.unwrap();
            connectors::configure(tx, CONNECTOR, &row.config, key, row.state)
        });
    }

    /// A webhook subscription of this scope; its id and secret.
    pub(crate) fn subscribe(&mut self, scope: &str, of: Option<&str>) -> (String, String) {
        let account = self.account.clone();
        wire::subscribe(
            &mut self.sim,
            &account,
            CONNECTOR,
            &EVENTS,
            scope,
            of,
            self.now,
        )
    }

    /// Asks PagerDuty something as a client of its own, outside the engine.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: Vec<u8>) -> Reply {
        let account = self.account.clone();
        wire::ask(&mut self.sim, &account, method, path, body, self.now)
    }

    /// Our clock.
    pub(crate) fn our_now(&self) -> Timestamp {
        self.now + self.skew
    }

    pub(crate) fn write<T>(&mut self, work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
        self.db.write(work).unwrap()
    }

    /// Work of our program; it dies where the database fails, and starts again.
    fn attempt<T>(&mut self, work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>) -> Option<T> {
        let death = self.next_step();
        if death == Some(Death::Before) {
            return None;
        }
        let done = self.db.write(work);
        if death.is_some() {
            return None;
        }
        if let Err(error) = &done {
            assert!(self.mortal, "our program died: {error}");
            self.deaths += 1;
            self.crash();
        }
        done.ok()
    }

    /// Counts a step, and says whether our program dies at it. What was on its way is lost.
    fn next_step(&mut self) -> Option<Death> {
        self.steps += 1;
        let (_, death) = self.dies_at.take_if(|(step, _)| *step == self.steps)?;
        self.deaths += 1;
        self.crash();
        Some(death)
    }

    // Time.

    /// Lets `duration` pass, with everything that happens in it.
    pub(crate) fn run_for(&mut self, duration: SignedDuration) {
        let end = self.now + duration;
        let mut moves = 0;
        // Whoever let no time pass may have changed anything.
        self.wakes_at = Some(self.now);
        loop {
            moves += 1;
            assert!(
                moves < MOVES_MAX,
                "the world never goes quiet: {:?}",
                self.calls.iter().rev().take(40).collect::<Vec<_>>()
            );
            let wake = self.step();
            let next = [
                wake,
                self.sim.wake_at(),
                self.others
                    .iter()
                    .filter_map(|other| other.sim.wake_at())
                    .min(),
                self.in_flight.iter().map(|call| call.done_at).min(),
            ];
            let Some(next) = next.into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
        }
        self.now = end;
    }

    /// Long enough for whatever was just done to reach the other side and come back.
    pub(crate) fn settle_down(&mut self) {
        self.run_for(SignedDuration::from_secs(10));
    }

    /// One round of everybody; says when the engine wants to wake.
    fn step(&mut self) -> Option<Timestamp> {
        let came_in = self.deliver() + self.finish_calls();
        // As in the shipped program nothing happens before it is time, unless something comes in.
        if came_in > 0 || self.wakes_at.is_some_and(|at| at <= self.now) {
            self.wakes_at = self.engine();
        }
        if self.deliver() > 0 {
            self.wakes_at = Some(self.now);
        }
        self.wakes_at
    }

    fn engine(&mut self) -> Option<Timestamp> {
        if self.asleep {
            return None;
        }
        let Some(wake_at) = self.live() else {
            // Whoever watches over us starts us again.
            return Some(self.now + SignedDuration::from_secs(1));
        };
        // Time moves on at least a little between two rounds.
        wake_at.map(|at| (at - self.skew).max(self.now + SignedDuration::from_millis(1)))
    }

    /// What our program does now; `None` if it dies of it.
    fn live(&mut self) -> Option<Option<Timestamp>> {
        while self.digest_once()? > 0 {}
        let plan = self.plan_once()?;
        // A turn may have nothing to claim and still move something on. Where there is no room for
        // another call, the end of one wakes us; who spins for ever meets `MOVES_MAX`.
        let now = self.our_now();
        let is_stuck = plan.calls.is_empty() && plan.wake_at.is_some_and(|at| at <= now);
        for planned in plan.calls {
            self.perform(planned)?;
        }
        // Where there is no room for another call, the end of one wakes us.
        Some(
            plan.wake_at
                .filter(|_| !is_stuck || self.in_flight.is_empty()),
        )
    }

    /// One transaction's worth of webhooks; says how many.
    pub(crate) fn digest_once(&mut self) -> Option<usize> {
        let now = self.our_now();
        self.attempt(|tx| inbox::digest(tx, inbox::DIGEST_MAX, now))
    }

    /// What the engine would do now, claimed and not done.
    pub(crate) fn plan_once(&mut self) -> Option<Plan> {
        let now = self.our_now();
        let (live, repair): (Vec<_>, Vec<_>) = self
            .in_flight
            .iter()
            .partition(|call| call.planned.ticket.is_live());
        let left = |max: u32, used: usize| max.saturating_sub(u32::try_from(used).unwrap());
        let capacity = Capacity {
            live: left(16, live.len()),
            repair: left(4, repair.len()),
            attach: ATTACHED_AT_ONCE,
            lease: LEASE,
        };
        self.attempt(|tx| plan(tx, capacity, now))
    }

    /// Settles what was answered; says how much that was.
    fn finish_calls(&mut self) -> usize {
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.in_flight)
            .into_iter()
            .partition(|call| call.done_at <= self.now);
        self.in_flight = waiting;
        let (now, count) = (self.our_now(), done.len());
        let mut done = VecDeque::from(done);
        while let Some(call) = done.pop_front() {
            let InFlight {
                planned,
                outcome,
                limits,
                ..
            } = call;
            let settled = Settled {
                planned,
                outcome,
                limits,
            };
            if self.attempt(|tx| settle(tx, &settled, now)).is_none() {
                self.unheard.push(settled.planned.call);
                self.unheard
                    .extend(done.drain(..).map(|call| call.planned.call));
                break;
            }
        }
        count
    }

    /// We die: what was on its way is never heard of again.
    pub(crate) fn crash(&mut self) {
        let lost = self.in_flight.drain(..);
        self.unheard.extend(lost.map(|call| call.planned.call));
    }

    /// Forgets which calls were made.
    pub(crate) fn forget_calls(&mut self) {
        self.calls.clear();
        self.asked.clear();
    }
}
