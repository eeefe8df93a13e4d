//! Both sides in one process: the shipped API and run loop, and the stand-in for PagerDuty on a
//! port of this machine. Their clock stands until a command is given.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::{Extension, Router};
use im::clock::Clock;
use im::http::App;
use im::http::auth::InProcess;
use im::local::{assemble, engine};
use im::run::{self, COMMAND_DRAIN};
use im::secret::Vault;
use im::sim::{self, StandIn};
use im_engine::{Capacity, plan};
use im_pagerduty::Secret;
use im_store::{Db, DbOptions, StoreError, Tx, backfill, connectors, outbox, repair};
use jiff::{SignedDuration, Timestamp};
use pd_sim::{Account, Options, Sim, account};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::cli::{Run, Said, on_router};

/// Time passes between two commands, so that each has an instant of its own.
const BETWEEN: SignedDuration = SignedDuration::from_secs(2);

/// How often, and how many times, both sides are looked at until they rest.
const LOOK_AGAIN: Duration = Duration::from_millis(4);
const LOOKS_MAX: u32 = 2_000;

/// A server that works, and its PagerDuty.
pub(crate) struct Story {
    pub(crate) stand_in: Arc<StandIn>,
    pub(crate) app: Arc<App>,
    /// Where PagerDuty reaches the server.
    pub(crate) url: String,
    /// Where both sides work.
    pub(crate) there: Handle,
    router: Router,
    stop: CancellationToken,
}

/// A port of this machine.
fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

impl Story {
    /// Both sides, not connected yet.
    pub(crate) fn new() -> Self {
        Self::of(|options, now| {
            let mut sim = Sim::new(options, now);
            let account = account::lively(&mut sim, now);
            (sim, account)
        })
    }

    /// Both sides, not connected yet, with an account of its own.
    pub(crate) fn of(fill: impl FnOnce(Options, Timestamp) -> (Sim, Account)) -> Self {
        let clock = Clock::manual("2026-11-20T09:14:05Z".parse().unwrap());
        let stop = CancellationToken::new();
        let (pagerduty, address) = listener();
        let now = clock.now();
        let stand_in = Arc::new(StandIn::new(address, clock.clone(), |options| {
            fill(options, now)
        }));
        let db = Db::open(&DbOptions::new(":memory:", 7).unwrap()).unwrap();
        let vault = Arc::new(Vault::with_key(Secret::new("ab".repeat(32))));
        let app: Arc<App> = Arc::new(assemble(db, vault, clock, false));
        let (standing_in, working) = (Arc::clone(&stand_in), engine(&app));
        let (ours, address) = listener();
        let door = im::http::router(Arc::clone(&app));
        let stopped = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let there = runtime.handle().clone();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(pagerduty).unwrap();
                let serving = sim::serve(standing_in, listener, stopped.clone());
                let listener = tokio::net::TcpListener::from_std(ours).unwrap();
                let door = door.into_make_service_with_connect_info::<SocketAddr>();
                tokio::spawn(axum::serve(listener, door).into_future());
                let running = run::run(working, stopped, COMMAND_DRAIN);
                let (served, ()) = tokio::join!(serving, running);
                served.unwrap();
            });
        });
        // Each command has a runtime of its own, and connections to PagerDuty end with the runtime
        // that opened them: the API works where the run loop does, as in a server.
        let here = there.clone();
        let on_server = middleware::from_fn(move |request: Request, next: Next| {
            let handled = here.spawn(next.run(request));
            async move { handled.await.expect("a handler ends") }
        });
        let router = im::http::router(Arc::clone(&app))
            .layer(Extension(InProcess))
            .layer(on_server);
        Self {
            stand_in,
            app,
            url: format!("http://{address}"),
            there,
            router,
            stop,
        }
    }

    /// Both sides with a connector `prod` whose configuration is changed by `changes`.
    pub(crate) fn connected(changes: &Value) -> Self {
        let story = Self::new();
        story.add("prod", changes);
        story
    }

    /// Adds a connector to the stand-in: its `db` is the service of that name there.
    pub(crate) fn add(&self, name: &str, changes: &Value) {
        let account = &self.stand_in.account;
        let mut config = json!({
            "api_key": account.api_key,
            "base_url": self.stand_in.base_url,
            "sync_direction": "bidirectional",
            "custom": {
                "service_id": account.services[0].0,
                "from_email": account.users[0].2,
                "service_mappings": {"db": account.services[2].0},
            },
        });
        merge(&mut config, changes);
        self.done(&format!(
            "connector add pagerduty {name} --config '{config}'"
        ));
    }

    /// Adds a connector `other` as if to another account: the stand-in by another name of its address.
    pub(crate) fn add_other(&self, changes: &Value) {
        let mut config =
            json!({"base_url": self.stand_in.base_url.replace("127.0.0.1", "localhost")});
        merge(&mut config, changes);
        self.add("other", &config);
    }

    /// Gives a command as one would type it.
    pub(crate) fn im(&self, line: &str) -> Said {
        self.run().im(line)
    }

    /// A command to come, for somebody with other habits.
    pub(crate) fn run(&self) -> Run {
        self.app.clock.advance(BETWEEN);
        on_router(self.router.clone())
    }

    /// Time goes by.
    pub(crate) fn pass(&self, seconds: i64) {
        self.app.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Somebody with the right to changes PagerDuty by its API; what it answered.
    #[track_caller]
    pub(crate) fn changed_there(&self, method: &str, path: &str, body: &Value) -> Value {
        let key = format!("Token token={}", self.stand_in.account.api_key);
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = pd_sim::Request::new(method, place)
            .with_header("Authorization", &key)
            .with_header("From", &self.stand_in.account.users[0].2)
            .with_header("Content-Type", "application/json")
            .with_json(body);
        for (name, value) in query.split('&').filter_map(|part| part.split_once('=')) {
            request = request.with_query(name, value);
        }
        let answer = self.there(|sim, now| sim.handle(&request, now).response);
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// The same; it must succeed. Returns what it said on standard output.
    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> String {
        let said = self.im(line);
        assert_eq!(said.code, 0, "{line}: {}", said.all());
        said.out
    }

    /// Somebody works at PagerDuty.
    pub(crate) fn there<T>(&self, work: impl FnOnce(&mut pd_sim::Sim, jiff::Timestamp) -> T) -> T {
        let now = self.app.clock.now();
        self.stand_in.with(|sim| work(sim, now))
    }

    /// Posts to the stand-in's control API.
    pub(crate) fn control(&self, address: &str) {
        let request = axum::http::Request::post(format!("/_sim/{address}"))
            .body(Body::empty())
            .unwrap();
        let router = sim::router(Arc::clone(&self.stand_in));
        let answer = self.there.block_on(router.oneshot(request)).unwrap();
        assert!(
            answer.status().is_success(),
            "{address}: {}",
            answer.status()
        );
    }

    /// Waits until everything that is due has happened, here and there.
    pub(crate) fn rest(&self) {
        let mut idle = 0;
        for _ in 0..LOOKS_MAX {
            // A push of nothing ends when each webhook is answered.
            self.control("clock?advance=0s");
            self.app.signals.nudge();
            idle = if self.is_idle() { idle + 1 } else { 0 };
            if idle == 3 {
                return;
            }
            // Until something is recorded; what is read and is no news is not.
            let mut changes = self.app.signals.changes();
            let news = async { tokio::time::timeout(LOOK_AGAIN, changes.changed()).await };
            drop(self.there.block_on(news));
        }
        panic!("it does not come to rest");
    }

    /// Whether nothing is due here, and no call is under way.
    fn is_idle(&self) -> bool {
        let app = &self.app;
        let (now, lease) = (app.clock.now(), app.lease);
        // What it claims is given back with the transaction.
        let looked = app
            .db
            .write(move |tx| Err::<(), Look>(Look::Seen(is_idle(tx, lease, now)?)));
        match self.there.block_on(looked) {
            Err(Look::Seen(idle)) => idle,
            Err(Look::Failed(error)) => panic!("{error}"),
            Ok(()) => panic!("nothing was looked at"),
        }
    }

    /// The newest incident at PagerDuty: its state and its notes.
    pub(crate) fn newest_there(&self) -> Option<(String, Vec<String>)> {
        self.there(|sim, _| {
            let newest = sim.incidents().max_by_key(|incident| incident.number)?;
            Some((newest.status.to_owned(), newest.notes.clone()))
        })
    }
}

enum Look {
    Seen(bool),
    Failed(StoreError),
}

impl From<StoreError> for Look {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

fn is_idle(tx: &mut Tx<'_>, lease: SignedDuration, now: Timestamp) -> Result<bool, StoreError> {
    if !outbox::under_way(tx, now)?.is_empty() {
        return Ok(false);
    }
    for connector in connectors::all(tx)? {
        let name = &connector.name;
        for due in [
            repair::wanted_next_due(tx, name)?,
            repair::next_due(tx, name)?,
            backfill::next_due(tx, name)?,
        ] {
            // What is under way is due again when its lease ends.
            if due == Some(now + lease) {
                return Ok(false);
            }
        }
    }
    let capacity = Capacity {
        live: 1,
        repair: 1,
        attach: 1,
        lease,
    };
    let plan = plan(tx, capacity, now)?;
    Ok(plan.calls.is_empty() && plan.wake_at.is_none_or(|at| at > now))
}

impl Drop for Story {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn merge(document: &mut Value, changes: &Value) {
    match (document, changes) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    fields.remove(name);
                } else {
                    merge(fields.entry(name).or_insert(Value::Null), change);
                }
            }
        }
        (document, change) => *document = change.clone(),
    }
}
