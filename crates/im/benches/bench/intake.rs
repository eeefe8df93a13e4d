//! How many signed webhooks are stored in a second, and how long one takes.
//!
//! The limit is a bare writer: the same database threads, rows of the same size, as many senders,
//! and neither HTTP nor signatures. It runs before each round of deliveries, because the speed of
//! a shared disk changes from minute to minute.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use im_store::{Db, StoreError, Value};
use tokio::task::LocalSet;

use crate::events::{Events, delivery};
use crate::report::{Figure, Report, Target, say};
use crate::scratch::Scratch;
use crate::server::{self, Server, client};
use crate::spread::{Spread, mean, rate};
use crate::wire::Wire;

/// Connections, and senders of the bare writer.
const SENDERS: usize = 256;
/// Deliveries in one round.
const ROUND: usize = 15_000;
const ROUNDS: u64 = 3;

const CREATE: &str = "-- bench.create
    CREATE TABLE bare (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)";
const INSERT: &str = "-- bench.insert
    INSERT INTO bare (id, body) VALUES (?1, ?2)";

/// What one round of deliveries reached, and the bare writer just before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) bare: f64,
    pub(crate) signed: f64,
    digested: f64,
}

impl Round {
    pub(crate) fn share(self) -> f64 {
        self.signed / self.bare
    }
}

/// Measures on an empty database; returns its rounds.
pub(crate) fn measure(scratch: &Scratch, report: &mut Report) -> Vec<Round> {
    say("webhooks into an empty database");
    let bare = Bare::open(&scratch.dir("bare"));
    let alone = bare.one_after_another(200);
    let server = Server::start(&scratch.dir("intake"));
    server.connect_nowhere();
    let rounds: Vec<Round> = (1..=ROUNDS)
        .map(|seed| round(&server, &bare, seed))
        .collect();
    report_rates(&rounds, report);
    for (name, each_second, p99) in [
        ("intake at 100/s", 100, 50.0),
        ("intake at 2,000/s", 2_000, 250.0),
    ] {
        let took = paced(server.address, each_second);
        server.digest_all();
        report.add(Figure {
            name,
            value: took.words(),
            limit: format!("one commit after another: {}", alone.words()),
            target: Some(Target::at_most(took.percentile_ms(99), p99, "ms for p99")),
        });
    }
    server.stop();
    rounds
}

fn report_rates(rounds: &[Round], report: &mut Report) {
    let of = |value: fn(&Round) -> f64| mean(&rounds.iter().map(value).collect::<Vec<_>>());
    let (bare, signed) = (of(|round| round.bare), of(|round| round.signed));
    let share = of(|round| round.share());
    report.add(Figure {
        name: "intake rate",
        value: format!("{signed:.0} signed webhooks a second, {share:.2} of the bare writer's"),
        limit: format!(
            "bare writer {bare:.0} rows a second; shares of the rounds: {}",
            shares(rounds)
        ),
        target: Some(Target::at_least(share, 0.5, "of the bare writer's")),
    });
    report.add(Figure {
        name: "digestion of a backlog",
        value: format!("{:.0} webhooks a second", of(|round| round.digested)),
        limit: "one thread writes".to_owned(),
        target: None,
    });
}

pub(crate) fn shares(rounds: &[Round]) -> String {
    let shares: Vec<String> = rounds
        .iter()
        .map(|round| format!("{:.2}", round.share()))
        .collect();
    shares.join(", ")
}

/// One round: the bare writer, as many deliveries, and the time until all of them are digested.
pub(crate) fn round(server: &Server, bare: &Bare, seed: u64) -> Round {
    let bodies = Events::seeded(seed).bodies(ROUND);
    let requests: Vec<Vec<u8>> = bodies.iter().map(|body| delivery(body)).collect();
    let bare = bare.all_at_once(bodies);
    let signed = storm(server.address, requests);
    let (begun, behind) = (Instant::now(), client(server.waiting()));
    server.digest_all();
    let behind = usize::try_from(behind).unwrap_or(0);
    Round {
        bare,
        signed,
        digested: rate(behind, begun.elapsed()),
    }
}

/// Sends all, each connection one after another; returns how many were accepted in a second.
fn storm(address: SocketAddr, requests: Vec<Vec<u8>>) -> f64 {
    let requests = Rc::new(requests);
    let local = LocalSet::new();
    client(local.run_until(async {
        let mut wires = Vec::new();
        for _ in 0..SENDERS {
            wires.push(Wire::open(address).await);
        }
        let begun = Instant::now();
        let mut tasks = Vec::new();
        for (nth, mut wire) in wires.into_iter().enumerate() {
            let requests = Rc::clone(&requests);
            tasks.push(tokio::task::spawn_local(async move {
                for request in requests.iter().skip(nth).step_by(SENDERS) {
                    wire.send(request).await.is(202);
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        rate(requests.len(), begun.elapsed())
    }))
}

/// Sends at an even pace for five seconds, whatever the answers do; from sending to the answer.
fn paced(address: SocketAddr, each_second: u32) -> Spread {
    const SECONDS: u32 = 5;
    /// So many that none has to send while it still waits.
    const WIRES: usize = 100;
    let count = usize::try_from(each_second * SECONDS).unwrap_or(0);
    let bodies = Events::seeded(u64::from(each_second) + 1_000).bodies(count);
    let requests: Rc<Vec<Vec<u8>>> = Rc::new(bodies.iter().map(|body| delivery(body)).collect());
    let local = LocalSet::new();
    client(local.run_until(async {
        let begun = tokio::time::Instant::now() + Duration::from_millis(200);
        let mut tasks = Vec::new();
        for nth in 0..WIRES {
            let requests = Rc::clone(&requests);
            let mut wire = Wire::open(address).await;
            tasks.push(tokio::task::spawn_local(async move {
                let mut took = Vec::new();
                for (number, request) in requests.iter().enumerate().skip(nth).step_by(WIRES) {
                    let number = u32::try_from(number).unwrap_or(0);
                    tokio::time::sleep_until(begun + Duration::from_secs(1) * number / each_second)
                        .await;
                    let sent = Instant::now();
                    wire.send(request).await.is(202);
                    took.push(sent.elapsed());
                }
                took
            }));
        }
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        Spread::of(all)
    }))
}

/// A writer with nothing around it.
pub(crate) struct Bare(Db);

impl Bare {
    pub(crate) fn open(dir: &Path) -> Self {
        let db = server::open(dir);
        let created = db.write(|tx| tx.execute(CREATE, &[]));
        created.wait().map_err(|error: StoreError| error).unwrap();
        Self(db)
    }

    /// Stores a row for each body with as many senders as there are connections.
    fn all_at_once(&self, bodies: Vec<String>) -> f64 {
        let count = bodies.len();
        let bodies = Rc::new(bodies);
        let local = LocalSet::new();
        client(local.run_until(async {
            let begun = Instant::now();
            let mut tasks = Vec::new();
            for nth in 0..SENDERS {
                let (db, bodies) = (self.0.clone(), Rc::clone(&bodies));
                tasks.push(tokio::task::spawn_local(async move {
                    for body in bodies.iter().skip(nth).step_by(SENDERS) {
                        insert(&db, body.clone()).await;
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            rate(count, begun.elapsed())
        }))
    }

    /// Stores rows one by one, each in a commit of its own.
    fn one_after_another(&self, count: usize) -> Spread {
        let bodies = Events::seeded(999).bodies(count);
        client(async {
            let mut took = Vec::new();
            for body in bodies {
                let begun = Instant::now();
                insert(&self.0, body).await;
                took.push(begun.elapsed());
            }
            Spread::of(took)
        })
    }
}

async fn insert(db: &Db, body: String) {
    // The id of the event, as the inbox has it in an index.
    let id = im_pagerduty::read_envelope(body.as_bytes())
        .unwrap()
        .event_id
        .into_owned();
    let row = [Value::Text(id), Value::Text(body)];
    let written = db.write(move |tx| tx.execute(INSERT, &row)).await;
    written.map_err(|error: StoreError| error).unwrap();
}
