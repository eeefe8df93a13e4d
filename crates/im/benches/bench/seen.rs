//! How long until the other side knows: a webhook until the API shows it, a declaration until
//! PagerDuty is called.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::middleware::{self, Next};
use im::clock::Clock;
use im::sim::StandIn;
use pd_sim::{Sim, account};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::events::{Events, delivery};
use crate::report::{Figure, Report, Target, say};
use crate::scratch::Scratch;
use crate::server::{Server, client};
use crate::spread::Spread;
use crate::wire::{self, Wire};

const TIMES: usize = 100;
/// What is not seen by then is a mistake and no slowness.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn measure(scratch: &Scratch, report: &mut Report) {
    say("from one side to the other");
    let mut pagerduty = PagerDuty::start();
    let server = Server::start(&scratch.dir("seen"));
    let known = &pagerduty.stand_in;
    let (service, _, _) = known.account.services.first().unwrap();
    let (_, _, email) = known.account.users.first().unwrap();
    server.connect(&known.base_url, &known.account.api_key, service, email);
    let (mut asked, mut inward) = (Vec::new(), Vec::new());
    let mut outward = Vec::new();
    client(async {
        let mut wire = Wire::open(server.address).await;
        first_sync(&mut wire).await;
        let mut events = Events::seeded(42);
        for nth in 0..TIMES {
            inward.extend(life(&mut wire, &mut events, nth).await);
        }
        for nth in 0..TIMES {
            outward.push(declare(&mut wire, &mut pagerduty.created, nth).await);
            let begun = Instant::now();
            wire.send(&wire::get("/health")).await.is(200);
            asked.push(begun.elapsed());
        }
    });
    let limit = format!(
        "a request that reads one row: {}",
        Spread::of(asked).words()
    );
    let inward = Spread::of(inward);
    report.add(Figure {
        name: "webhook sent → incident shows it",
        value: inward.words(),
        limit: limit.clone(),
        target: Some(Target::at_most(
            inward.percentile_ms(95),
            100.0,
            "ms for p95",
        )),
    });
    let outward = Spread::of(outward);
    report.add(Figure {
        name: "declared → PagerDuty is called",
        value: outward.words(),
        limit,
        target: Some(Target::at_most(
            outward.percentile_ms(95),
            100.0,
            "ms for p95",
        )),
    });
    server.stop();
}

/// Waits until the connector has looked at PagerDuty once.
async fn first_sync(wire: &mut Wire) {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let view = wire
            .send(&wire::get("/api/v1/connectors/prod"))
            .await
            .is(200);
        if view["last_sync"].is_string() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Triggers and acknowledges an incident at PagerDuty; how long each took to be seen.
async fn life(wire: &mut Wire, events: &mut Events, nth: usize) -> [Duration; 2] {
    let triggered = delivery(&events.body(nth, 0));
    let acknowledged = delivery(&events.body(nth, 1));
    let begun = Instant::now();
    wire.send(&triggered).await.is(202);
    let list = wire::get(&format!("/api/v1/incidents?limit=1&q=(42-{nth})"));
    let mut number = None;
    while number.is_none() {
        assert!(begun.elapsed() < PATIENCE, "incident {nth} is not seen");
        number = wire.send(&list).await.is(200)[0]["number"].as_u64();
    }
    let first = begun.elapsed();
    let begun = Instant::now();
    wire.send(&acknowledged).await.is(202);
    let show = wire::get(&format!("/api/v1/incidents/{}", number.unwrap()));
    while wire.send(&show).await.is(200)["status"] == "open" {
        assert!(begun.elapsed() < PATIENCE, "incident {nth} stays open");
    }
    [first, begun.elapsed()]
}

/// Declares an incident here; how long until its twin is asked for.
async fn declare(wire: &mut Wire, created: &mut Receiver<Instant>, nth: usize) -> Duration {
    let incident = json!({"title": format!("declared {nth}"), "severity": "SEV-2"});
    let request = wire::post("/api/v1/incidents", "", &incident.to_string());
    let begun = Instant::now();
    wire.send(&request).await.is(201);
    let called = tokio::time::timeout(PATIENCE, created.recv()).await;
    called.unwrap().unwrap().duration_since(begun)
}

/// The stand-in, which tells when an incident is to be created.
struct PagerDuty {
    stand_in: Arc<StandIn>,
    created: Receiver<Instant>,
    /// Stops it when dropped.
    _runtime: Runtime,
}

impl PagerDuty {
    fn start() -> Self {
        let (tell, created) = mpsc::channel(TIMES);
        let runtime = Runtime::new().unwrap();
        let stand_in = runtime.block_on(async {
            let listener = im::serve::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
            let address = listener.local_addr().unwrap();
            let stand_in = Arc::new(StandIn::new(address, Clock::System, |options| {
                let now = im::clock::now();
                let mut sim = Sim::new(options, now);
                let account = account::lively(&mut sim, now);
                (sim, account)
            }));
            let watched =
                middleware::from_fn(move |request, next| watch(tell.clone(), request, next));
            let router = im::sim::router(Arc::clone(&stand_in)).layer(watched);
            tokio::spawn(axum::serve(listener, router).into_future());
            stand_in
        });
        Self {
            stand_in,
            created,
            _runtime: runtime,
        }
    }
}

async fn watch(tell: Sender<Instant>, request: Request, next: Next) -> axum::response::Response {
    if request.method() == "POST" && request.uri().path() == "/incidents" {
        tell.try_send(Instant::now())
            .expect("each call is waited for before the next one");
    }
    next.run(request).await
}
