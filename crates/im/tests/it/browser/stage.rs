//! The shipped server and a PagerDuty, on sockets of this machine, under one clock that stands until it is moved.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use im::clock::Clock;
use im::http::App;
use im::http::auth::InProcess;
use im::local::assemble;
use im::secret::Vault;
use im::sim::{self, StandIn};
use im_pagerduty::Secret;
use im_store::{Db, DbOptions};
use jiff::{SignedDuration, Timestamp};
use pd_sim::{Account, Options, Sim};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

/// A page may be larger than this only by mistake.
const BODY_MAX: usize = 4 << 20;
/// So often something is looked at until it is so.
const LOOKS_MAX: u32 = 1_000;
/// Between two looks, unless something changes sooner.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How far the clock goes meanwhile.
const STEP: SignedDuration = SignedDuration::from_millis(250);

pub(super) struct Stage {
    runtime: Runtime,
    pub(super) app: Arc<App>,
    clock: Clock,
    pub(super) stand_in: Arc<StandIn>,
    /// Where the server is.
    pub(super) url: String,
    _stop: DropGuard,
}

/// The instant at which it begins.
pub(super) fn begin() -> Timestamp {
    "2026-11-20T14:42:03Z".parse().unwrap()
}

impl Stage {
    /// A server that nobody has used, and an account that `fill` made.
    pub(super) fn new(fill: impl FnOnce(Options, Timestamp) -> (Sim, Account)) -> Self {
        let runtime = Runtime::new().unwrap();
        let clock = Clock::manual(begin());
        let (pagerduty, listener) = runtime.block_on(async {
            let listen = || TcpListener::bind("127.0.0.1:0");
            (listen().await.unwrap(), listen().await.unwrap())
        });
        let there = pagerduty.local_addr().unwrap();
        let fill = |options| fill(options, begin());
        let stand_in = Arc::new(StandIn::new(there, clock.clone(), fill));
        let stop = CancellationToken::new();
        runtime.spawn(sim::serve(Arc::clone(&stand_in), pagerduty, stop.clone()));
        let url = format!("http://{}", listener.local_addr().unwrap());
        let db = Db::open(&DbOptions::new(":memory:", 7).unwrap()).unwrap();
        let vault = Arc::new(Vault::with_key(Secret::new("ab".repeat(32))));
        let mut app = assemble(db, vault, clock.clone(), true);
        app.stop = stop.clone();
        let app = Arc::new(app);
        runtime.spawn(im::serve::serve(Arc::clone(&app), listener));
        let stage = Self {
            runtime,
            app,
            clock,
            stand_in,
            url,
            _stop: stop.drop_guard(),
        };
        stage.api(
            "PATCH",
            "/api/v1/settings",
            &json!({"public_url": stage.url}),
        );
        stage
    }

    /// `host:port` of the server, and of PagerDuty.
    pub(super) fn hosts(&self) -> [&str; 2] {
        [&self.url, &self.stand_in.base_url].map(|url| url.strip_prefix("http://").unwrap())
    }

    /// What comes of some work.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The page of the incident whose title has these words.
    #[track_caller]
    pub(super) fn incident(&self, words: &str) -> String {
        let query = words.replace(' ', "%20");
        let found = self.api(
            "GET",
            &format!("/api/v1/incidents?status=any&q={query}"),
            &Value::Null,
        );
        let id = found[0]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no incident is called {words}"));
        format!("/incidents/{id}")
    }

    /// Where a server is whose database takes no more work.
    pub(super) fn overloaded(&self) -> String {
        let mut options = DbOptions::new(":memory:", 7).unwrap();
        options.queue_max = 0;
        let vault = Arc::clone(&self.app.vault);
        let app = assemble(Db::open(&options).unwrap(), vault, self.clock.clone(), true);
        let service =
            im::http::router(Arc::new(app)).into_make_service_with_connect_info::<SocketAddr>();
        let listener = self.wait(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        self.runtime
            .spawn(axum::serve(listener, service).into_future());
        format!("http://{address}")
    }

    /// Lets time pass.
    pub(super) fn pass(&self, time: SignedDuration) {
        self.clock.advance(time);
        // Whoever waits for an instant looks at the clock again.
        self.stand_in.with(|_| ());
        self.app.signals.nudge();
    }

    /// What `im` does at the server's machine.
    #[track_caller]
    pub(super) fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::from(body.to_string())).unwrap();
        let router = im::http::router(Arc::clone(&self.app)).layer(Extension(InProcess));
        let (status, bytes) = self.runtime.block_on(async {
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            (parts.status, to_bytes(body, BODY_MAX).await.unwrap())
        });
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        assert!(status.is_success(), "{method} {path}: {status}: {body}");
        body
    }

    /// Lets time pass in small steps until something is so.
    #[track_caller]
    pub(super) fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let mut changes = self.app.signals.changes();
        let mut looks = 0..LOOKS_MAX;
        let found = looks.any(|_| {
            let found = is(self);
            if !found {
                self.pass(STEP);
                let rest = async { tokio::time::timeout(LOOK_AGAIN, changes.changed()).await };
                drop(self.runtime.block_on(rest));
            }
            found
        });
        assert!(found, "{what}: never");
    }
}
