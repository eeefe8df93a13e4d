//! The pages of a server with a hundred thousand incidents of the last four months: how soon each begins to come, how much comes, when a
//! page of figures can be used, and how soon two hundred open pages show what happened.

mod browser;
mod open;
mod routes;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use im_store::accounts::Role;
use im_store::{Db, StoreError, Tx, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fill;
use crate::load::{FACTS, SHOWN};
use crate::report::{Figure, Report, Target, say};
use crate::scratch::Scratch;
use crate::server::{self, Server, client};
use crate::spread::Spread;

const INCIDENTS: i64 = 100_000;
/// Each page is asked for so many times.
const ROUNDS: usize = 40;

/// A cookie of the owner, who is signed in.
const OWNER: &str = "0000000000000000000000000000000000000000000000000000000000000abc";
/// What a first visit brings beside the page.
const ASSETS: [&str; 4] = [
    "/assets/app.css",
    "/assets/live.js",
    "/assets/chart.js",
    "/assets/keys.js",
];

const LAST: &str = "-- bench.last
    SELECT MAX(at) FROM fact";
const MOVE_FACTS: &str = "-- bench.move_facts
    UPDATE fact SET at = at + ?1";
const MOVE_INCIDENTS: &str = "-- bench.move_incidents
    UPDATE incident SET created_at = created_at + ?1, resolved_at = resolved_at + ?1, updated_at = updated_at + ?1";
const DATE_SOURCES: &str = "-- bench.date_sources
    UPDATE fact_source SET snapshot = json_set(snapshot, '$.version',
        (SELECT strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000000, 'unixepoch') FROM fact WHERE fact.seq = fact_source.seq))
     WHERE snapshot IS NOT NULL";
/// Each fiftieth incident began a minute after its service was deployed.
const DEPLOYMENTS: &str = "-- bench.deployments
    INSERT INTO deployment (id, service, environment, version, started_at, finished_at, status, unplanned_fix, commits, changed)
    SELECT printf('dep_%d', number), printf('PSVC%03d', number / 50 % 40), 'production', printf('v%d', number),
        created_at - 120000000, created_at - 60000000, 'success', 0, '[]', number
      FROM incident WHERE number % 50 = 0";

/// An answer, as it came.
struct Came {
    first_byte: Duration,
    bytes: usize,
    status: String,
}

/// Asks for one page as a browser does, on a connection of its own.
async fn get(address: SocketAddr, path: &str, headers: &str) -> Came {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}accept-encoding: gzip\r\nconnection: close\r\n\r\n"
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
    be_of_now(&db);
    let server = Server::start(&dir);
    // Figures are read first.
    client(get(
        server.address,
        "/api/v1/metrics/incident_frequency",
        "",
    ));
    match browser::is_missing() {
        None => browser::measure(server.address, report),
        Some(why) => println!(
            "  not measured: when a page of figures is interactive, and when a browser shows what happened: {why}"
        ),
    }
    open::measure(&server, report);
    first_bytes(&server, report);
    server.stop();
}

/// How soon each page comes, and how much comes.
fn first_bytes(server: &Server, report: &mut Report) {
    say("each page, for an owner who is signed in");
    let owner = |tx: &mut Tx<'_>| open::person(tx, "owner@company.com", Role::Owner, OWNER);
    server.db.write(owner).wait().unwrap();
    let cookie = format!("cookie: im={OWNER}\r\n");
    let assets = ASSETS.iter();
    let assets: usize = assets
        .map(|path| client(get(server.address, path, "")).bytes)
        .sum();
    let inside = routes::ROUTES.iter().map(|route| (route.1, &*cookie));
    let doors = routes::DOORS.iter().map(|route| (route.1, ""));
    let pages: Vec<(&str, &str)> = inside
        .chain(doors)
        .flat_map(|(paths, headers)| paths.iter().map(move |path| (*path, headers)))
        .collect();
    let (mut slowest, mut largest) = ((0.0, ""), (0, ""));
    for (path, headers) in &pages {
        let rounds = (0..=ROUNDS).map(|_| client(get(server.address, path, headers)));
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
            pages.len()
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
}

/// Lets the last incident be of now, and services be deployed.
fn be_of_now(db: &Db) {
    let written = db.write(|tx| {
        let last = tx.query_one(LAST, &[])?;
        let last = last.map_or(Ok(0), |row| row.int(0))?;
        let by = [Value::Int(im::clock::now().as_microsecond() - last)];
        for sql in [MOVE_FACTS, MOVE_INCIDENTS] {
            tx.execute(sql, &by)?;
        }
        tx.execute(DATE_SOURCES, &[])?;
        tx.execute(DEPLOYMENTS, &[])
    });
    written.wait().map_err(|error: StoreError| error).unwrap();
}
