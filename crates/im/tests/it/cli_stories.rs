//! Both sides in one process: the shipped API and run loop, and the stand-in for PagerDuty on a
//! port of this machine. Their clock stands until a command is given.

use std::sync::Arc;

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
use im_pagerduty::Secret;
use im_store::{Db, DbOptions};
use jiff::SignedDuration;
use pd_sim::account;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cli::{Run, Said, on_router};

/// Time passes between two commands, so that each has an instant of its own.
const BETWEEN: SignedDuration = SignedDuration::from_secs(2);

/// A server that works, and its PagerDuty.
pub(crate) struct Story {
    pub(crate) stand_in: Arc<StandIn>,
    pub(crate) app: Arc<App>,
    router: Router,
    clock: Clock,
    stop: CancellationToken,
}

impl Story {
    /// Both sides, not connected yet.
    pub(crate) fn new() -> Self {
        let clock = Clock::manual("2026-11-20T09:14:05Z".parse().unwrap());
        let stop = CancellationToken::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let now = clock.now();
        let stand_in = Arc::new(StandIn::new(address, clock.clone(), |options| {
            let mut sim = pd_sim::Sim::new(options, now);
            let account = account::lively(&mut sim, now);
            (sim, account)
        }));
        let db = Db::open(&DbOptions::new(":memory:", 7).unwrap()).unwrap();
        let vault = Arc::new(Vault::with_key(Secret::new("ab".repeat(32))));
        let app: Arc<App> = Arc::new(assemble(db, vault, clock.clone(), false));
        let (standing_in, working) = (Arc::clone(&stand_in), engine(&app));
        let stopped = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let here = runtime.handle().clone();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let serving = sim::serve(standing_in, listener, stopped.clone());
                let running = run::run(working, stopped, COMMAND_DRAIN);
                let (served, ()) = tokio::join!(serving, running);
                served.unwrap();
            });
        });
        // Each command has a runtime of its own, and connections to PagerDuty end with the runtime
        // that opened them: the API works where the run loop does, as in a server.
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
            router,
            clock,
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

    /// Gives a command as one would type it.
    pub(crate) fn im(&self, line: &str) -> Said {
        self.run().im(line)
    }

    /// A command to come, for somebody with other habits.
    pub(crate) fn run(&self) -> Run {
        self.clock.advance(BETWEEN);
        on_router(self.router.clone())
    }

    /// Time goes by.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Somebody with the right to changes PagerDuty by its API; what it answered.
    #[track_caller]
    pub(crate) fn changed_there(&self, method: &str, path: &str, body: &Value) -> Value {
        let key = format!("Token token={}", self.stand_in.account.api_key);
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = pd_sim::Request::new(method, place)
            .with_header("Authorization", &key)
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
        let now = self.clock.now();
        self.stand_in.with(|sim| work(sim, now))
    }

    /// The newest incident at PagerDuty: its state and its notes.
    pub(crate) fn newest_there(&self) -> Option<(String, Vec<String>)> {
        self.there(|sim, _| {
            let newest = sim.incidents().max_by_key(|incident| incident.number)?;
            Some((newest.status.to_owned(), newest.notes.clone()))
        })
    }
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
