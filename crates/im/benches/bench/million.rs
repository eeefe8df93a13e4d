//! What a million stored incidents change.

use std::time::Instant;

use crate::intake::{Bare, Round, round, shares};
use crate::report::{Figure, Report, say};
use crate::scratch::Scratch;
use crate::server::{self, Server};
use crate::spread::mean;
use crate::{fill, machine};

const INCIDENTS: i64 = 1_000_000;
const ROUNDS: u64 = 2;
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
