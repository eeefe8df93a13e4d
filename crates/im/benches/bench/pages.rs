//! The pages of a server with a hundred thousand incidents: how soon each begins to come, how much comes, and how soon
//! two hundred open pages show what happened.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::fill;
use crate::load::{FACTS, SHOWN};
use crate::report::{Figure, Report, Target, say};
use crate::scratch::Scratch;
use crate::server::{self, Server, client};
use crate::spread::Spread;
use crate::wire::{self, Wire};

const INCIDENTS: i64 = 100_000;
/// Each page is asked for so many times.
const ROUNDS: usize = 40;
const OPEN: usize = 200;
/// New incidents that open pages show.
const NEW: usize = 10;

const PAGES: [&str; 22] = [
    "/",
    "/?q=rate",
    "/?service=Checkout%20API",
    "/incidents/INC-99999",
    "/declare",
    "/overview",
    "/metric/mttr",
    "/metric/mtta",
    "/metric/pages",
    "/metric/change_failure_rate",
    "/metric/deployment_frequency",
    "/metric/page_disruptions",
    "/metric/incident_frequency",
    "/on-call",
    "/integrations",
    "/connectors/prod",
    "/settings",
    "/status",
    "/people",
    "/account",
    "/audit",
    "/tokens",
];
/// What a first visit brings beside the page.
const ASSETS: [&str; 4] = [
    "/assets/app.css",
    "/assets/live.js",
    "/assets/chart.js",
    "/assets/keys.js",
];

/// An answer, as it came.
struct Came {
    first_byte: Duration,
    bytes: usize,
    status: String,
}

/// Asks for one page as a browser does, on a connection of its own.
async fn get(address: SocketAddr, path: &str) -> Came {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n"
    );
    let begun = Instant::now();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::with_capacity(1 << 18);
    stream.read_buf(&mut answer).await.unwrap();
    let first_byte = begun.elapsed();
    stream.read_to_end(&mut answer).await.unwrap();
    let status = answer.get(9..12).unwrap_or_default();
    Came {
        first_byte,
        bytes: answer.len(),
        status: String::from_utf8_lossy(status).into_owned(),
    }
}

/// Measures.
pub(crate) fn measure(scratch: &Scratch, report: &mut Report) {
    say("the pages of a hundred thousand incidents");
    let dir = scratch.dir("pages");
    let server = Server::start(&dir);
    server.connect_nowhere();
    server.stop();
    let db = server::open(&dir);
    fill::rows(&db, INCIDENTS, &[fill::INCIDENTS, FACTS, SHOWN]);
    let server = Server::start(&dir);
    // Figures are read first.
    client(get(server.address, "/api/v1/metrics/incident_frequency"));
    let assets: usize = ASSETS
        .iter()
        .map(|path| client(get(server.address, path)).bytes)
        .sum();
    let (mut slowest, mut largest) = ((0.0, ""), (0, ""));
    for path in PAGES {
        let rounds = (0..=ROUNDS).map(|_| client(get(server.address, path)));
        // The first one meets nothing in memory.
        let rounds: Vec<Came> = rounds.skip(1).collect();
        let spread = Spread::of(rounds.iter().map(|came| came.first_byte).collect());
        let last = rounds.last().unwrap();
        let bytes = last.bytes;
        println!(
            "    {path}: {}, {bytes} bytes, {}",
            spread.words(),
            last.status
        );
        if spread.percentile_ms(95) > slowest.0 {
            slowest = (spread.percentile_ms(95), path);
        }
        if bytes > largest.0 {
            largest = (bytes, path);
        }
    }
    report.add(Figure {
        name: "first byte of the slowest page",
        value: format!("p95 {:.1} ms", slowest.0),
        limit: format!(
            "{} of {} pages, {INCIDENTS} incidents",
            slowest.1,
            PAGES.len()
        ),
        target: Some(Target::at_most(slowest.0, 30.0, "ms")),
    });
    let kb = f64::from(u32::try_from(largest.0 + assets).unwrap()) / 1_000.0;
    report.add(Figure {
        name: "a first visit of the largest page",
        value: format!("{kb:.0} kB"),
        limit: format!("{}, with {assets} bytes of style and scripts", largest.1),
        target: Some(Target::at_most(kb, 100.0, "kB")),
    });
    let spread = client(open_pages(&server));
    report.add(Figure {
        name: "200 open pages are told of a new incident and show it",
        value: spread.words(),
        limit: "each asks for its page anew when it is told".to_owned(),
        target: Some(Target::at_most(spread.percentile_ms(95), 200.0, "ms")),
    });
    server.stop();
}

/// Opens pages, lets something happen, and waits until each has been told and has come again.
async fn open_pages(server: &Server) -> Spread {
    let address = server.address;
    let mut streams = Vec::new();
    for _ in 0..OPEN {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        told(&mut stream).await;
        streams.push(stream);
    }
    let new = r#"{"title": "Checkout is down", "severity": "SEV-1"}"#;
    let new = wire::post("/api/v1/incidents", "", new);
    let mut took = Vec::new();
    for _ in 0..NEW {
        let mut pages = JoinSet::new();
        Wire::open(address).await.send(&new).await.is(201);
        let committed = Instant::now();
        for mut stream in streams.drain(..) {
            pages.spawn(async move {
                told(&mut stream).await;
                get(address, "/").await;
                (stream, committed.elapsed())
            });
        }
        for (stream, time) in pages.join_all().await {
            streams.push(stream);
            took.push(time);
        }
    }
    Spread::of(took)
}

/// Waits for the next number.
async fn told(stream: &mut TcpStream) {
    let mut told = Vec::new();
    while !told.windows(5).any(|some| some == b"data:") {
        assert!(stream.read_buf(&mut told).await.unwrap() > 0);
    }
}
