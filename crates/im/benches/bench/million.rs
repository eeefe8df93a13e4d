//! What a million stored incidents change.

use std::time::Instant;

use im_store::{Db, StoreError, Value};

use crate::intake::{Bare, Round, round, shares};
use crate::report::{Figure, Report, say};
use crate::scratch::Scratch;
use crate::server::{self, Server};
use crate::spread::{mean, rate};
use crate::{fill, machine};

const INCIDENTS: i64 = 1_000_000;
const ROUNDS: u64 = 2;
/// Facts in one read.
const PAGE: i64 = 50_000;

const LOAD: &str = "-- bench.load
    SELECT seq, incident, kind, at FROM fact WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// Measures on a full database; `small` are the rounds on an empty one.
pub(crate) fn measure(scratch: &Scratch, small: &[Round], report: &mut Report) {
    say("a million incidents");
    let dir = scratch.dir("million");
    // Before there is anything: a connector that is added later lets what carries its name follow
    // its configuration first.
    let server = Server::start(&dir);
    server.connect_nowhere();
    server.stop();
    let db = server::open(&dir);
    let begun = Instant::now();
    fill::by_rows(&db, INCIDENTS);
    println!("  filled in {:.0} s", begun.elapsed().as_secs_f64());
    load(&db, report);
    drop(db);
    let server = Server::start(&dir);
    let bare = Bare::open(&scratch.dir("bare-again"));
    let full: Vec<Round> = (0..ROUNDS)
        .map(|nth| round(&server, &bare, 100 + nth))
        .collect();
    server.stop();
    let signed =
        |rounds: &[Round]| mean(&rounds.iter().map(|round| round.signed).collect::<Vec<_>>());
    let share =
        |rounds: &[Round]| mean(&rounds.iter().map(|round| round.share()).collect::<Vec<_>>());
    report.add(Figure {
        name: "intake rate with 1,000,000 incidents stored",
        value: format!(
            "{:.0} a second, {:.2} of the rate on an empty database",
            signed(&full),
            signed(&full) / signed(small)
        ),
        limit: format!(
            "shares of the bare writer's rate: {}; with an empty database {:.2}; this process holds {} MB",
            shares(&full),
            share(small),
            machine::resident_kib(std::process::id()).unwrap_or(0) / 1000,
        ),
        target: None,
    });
}

/// Reads what metrics need of every fact.
fn load(db: &Db, report: &mut Report) {
    let (begun, mut count, mut last) = (Instant::now(), 0, 0);
    loop {
        let page = db.read(move |tx| tx.query(LOAD, &[Value::Int(last), Value::Int(PAGE)]));
        let page = page.wait().map_err(|error: StoreError| error).unwrap();
        let Some(row) = page.last() else { break };
        last = row.int(0).unwrap();
        count += page.len();
    }
    report.add(Figure {
        name: "facts read for metrics (incident, kind, at)",
        value: format!("{:.0} rows a second", rate(count, begun.elapsed())),
        limit: format!("{count} facts, pages of {PAGE}"),
        target: None,
    });
}
