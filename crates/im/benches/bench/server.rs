//! The shipped server on a file database, in this process and on threads of its own.
//!
//! It differs from `im serve` in one thing: its doors take more than 600 webhooks a minute.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use im::clock::Clock;
use im::http::hooks::Doors;
use im::secret::Vault;
use im::{local, serve};
use im_store::{Db, DbOptions, StoreError, inbox};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::events::SECRET;
use crate::wire::{self, Wire};

/// A microsecond for each webhook: no limit that a test could meet.
const PER_MINUTE: i64 = 60_000_000;
/// Nothing listens there, so nothing is asked.
const NOWHERE: &str = "http://127.0.0.1:1";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) db: Db,
    runtime: Runtime,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Opens the database of a data directory.
pub(crate) fn open(dir: &Path) -> Db {
    let path = dir.join("im.db").display().to_string();
    Db::open(&DbOptions::new(&path, 7).unwrap()).unwrap()
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        let db = open(dir);
        let vault = Arc::new(Vault::in_file(dir.join("secret.key")));
        let mut app = local::assemble(db.clone(), vault, Clock::System, true);
        app.doors = Doors::taking(PER_MINUTE);
        let stop = app.stop.clone();
        let runtime = Runtime::new().unwrap();
        let (address, task) = runtime.block_on(async {
            let listener = serve::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
            let address = listener.local_addr().unwrap();
            let serving = serve::serve(Arc::new(app), listener);
            (address, tokio::spawn(serving))
        });
        Self {
            address,
            db,
            runtime,
            stop,
            task,
        }
    }

    /// Adds the connector `prod` to a PagerDuty.
    pub(crate) fn connect(&self, base_url: &str, key: &str, service: &str, email: &str) {
        let connector = json!({"name": "prod", "type": "pagerduty", "config": {
            "api_key": key, "base_url": base_url, "sync_direction": "bidirectional",
            "webhook_secret": SECRET, "custom": {"service_id": service, "from_email": email},
        }});
        let request = wire::post("/api/v1/connectors", "", &connector.to_string());
        let answer = client(async { Wire::open(self.address).await.send(&request).await });
        answer.is(201);
    }

    /// Adds the connector `prod` to a PagerDuty that is away.
    pub(crate) fn connect_nowhere(&self) {
        self.connect(
            NOWHERE,
            "u+abcdefghijklmnopqrst",
            "PSVCA01",
            "ops@company.com",
        );
    }

    /// Waits until every webhook is digested.
    pub(crate) fn digest_all(&self) {
        client(async {
            while self.waiting().await > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }

    /// How many webhooks wait to be digested.
    pub(crate) async fn waiting(&self) -> i64 {
        let waiting = self.db.read(inbox::waiting);
        waiting.await.map_err(|error: StoreError| error).unwrap()
    }

    pub(crate) fn stop(self) {
        self.stop.cancel();
        self.runtime.block_on(self.task).unwrap();
    }
}

/// Runs a client on one thread of its own, so that it takes little from the server.
pub(crate) fn client<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}
