//! How long the past of an account takes: a thousand incidents with all that happened to them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use im::clock::Clock;
use im::sim::StandIn;
use jiff::{SignedDuration, Timestamp};
use pd_sim::account::{self, Account};
use pd_sim::{Options, Sim};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::report::{Figure, Report, Target, say};
use crate::scratch::Scratch;
use crate::server::{Server, client};
use crate::wire::{self, Wire};

const INCIDENTS: usize = 1_000;
const APART: SignedDuration = SignedDuration::from_hours(3);
/// The target, and what is not read by then is a mistake and no slowness.
const SECONDS_MAX: f64 = 40.0;
const REQUESTS_MAX: f64 = 320.0;
const PATIENCE: Duration = Duration::from_mins(2);

/// Connects a server to an account with a past, and waits until all of it is here.
pub(crate) fn measure(scratch: &Scratch, report: &mut Report) {
    say("a past of 1,000 incidents");
    let runtime = Runtime::new().unwrap();
    let mut entries = 0;
    let stand_in = runtime.block_on(async {
        let listener = im::serve::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stand_in = Arc::new(StandIn::new(address, Clock::System, |options| {
            let (sim, account) = lived(options, im::clock::now());
            entries = sim.log_entries().count();
            (sim, account)
        }));
        let router = im::sim::router(Arc::clone(&stand_in));
        tokio::spawn(axum::serve(listener, router).into_future());
        stand_in
    });
    let server = Server::start(&scratch.dir("past"));
    let (service, _, _) = stand_in.account.services.first().unwrap();
    let (_, _, email) = stand_in.account.users.first().unwrap();
    let begun = Instant::now();
    server.connect(
        &stand_in.base_url,
        &stand_in.account.api_key,
        service,
        email,
    );
    let state = client(finished(&server));
    let took = begun.elapsed().as_secs_f64();
    assert_eq!(state["message"], Value::Null, "it is complete");
    let requests = state["requests"].as_f64().unwrap();
    let rows = f64::from(u32::try_from(INCIDENTS + entries).unwrap());
    report.add(Figure {
        name: "1,000 incidents of the past with all their log, half of PagerDuty's allowance",
        value: format!("{took:.1} s, {entries} log entries"),
        limit: "8 requests a second".to_owned(),
        target: Some(Target::at_most(took, SECONDS_MAX, "s")),
    });
    report.add(Figure {
        name: "requests for it",
        value: format!("{requests:.0}"),
        limit: format!("pages of 100 rows: {:.0}", (rows / 100.0).ceil()),
        target: Some(Target::at_most(requests, REQUESTS_MAX, "requests")),
    });
    server.stop();
}

/// An account in which each incident was acknowledged and resolved, the last of them lately.
fn lived(options: Options, now: Timestamp) -> (Sim, Account) {
    let began = now - APART * i32::try_from(INCIDENTS + 1).unwrap();
    let mut sim = Sim::new(options, began);
    let account = account::lively(&mut sim, began);
    let (user, _, _) = account.users.first().unwrap();
    let mut at = began;
    for (nth, (service, _, _)) in (0..INCIDENTS).zip(account.services.iter().cycle()) {
        at += APART;
        let title = format!("Checkout error rate above 5% ({nth})");
        let incident = sim.trigger(service, &title, at).unwrap();
        let acknowledged = at + SignedDuration::from_mins(4);
        sim.acknowledge(user, &incident, acknowledged).unwrap();
        let resolved = at + SignedDuration::from_mins(40);
        sim.resolve(user, &incident, resolved).unwrap();
        sim.due(resolved);
    }
    (sim, account)
}

/// How the reading of the past ended.
async fn finished(server: &Server) -> Value {
    let mut wire = Wire::open(server.address).await;
    let request = wire::get("/api/v1/connectors/prod/backfill");
    let begun = Instant::now();
    loop {
        let state = wire.send(&request).await.is(200);
        if state["state"] == "finished" {
            return state;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not end: {state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
