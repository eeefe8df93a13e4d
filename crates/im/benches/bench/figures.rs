//! The metrics of a million incidents: twelve questions of a dashboard.
//!
//! The incidents come from a seed and are fed to the engine one by one, as a server does. With `--peers`
//! `duckdb` gets the same facts as one table each of incidents, pages and deployments, in memory, answers the same questions with one thread
//! in the same run, and has to give the same answers.

mod asked;
mod made;
mod peer;

use std::time::{Duration, Instant};

use im_metrics::{Engine, Query, parse};

use crate::machine::resident_kib;
use crate::report::{Figure, Report, Target, say};
use crate::scratch::Scratch;
use crate::spread::{Spread, rate};

use asked::{Asked, QUESTIONS, Row};
use made::Made;

const INCIDENTS: usize = 1_000_000;
/// Each question is asked so many times, by us and by the peer; the median counts.
const ROUNDS: usize = 7;

/// How often each of the questions whose costs are compared is asked.
const GROWTH_ROUNDS: usize = 31;
/// Where 42 days begin.
const WEEKS: &str = "2026-09-21";

/// An answer and how long it took.
struct Answered {
    rows: Vec<Row>,
    took: Duration,
}

/// Measures; `with_peer` against `duckdb`.
pub(crate) fn measure(scratch: &Scratch, with_peer: bool, report: &mut Report) {
    say("the metrics of a million incidents");
    let made = Made::seeded(11, INCIDENTS);
    let engine = fill(&made, report);
    let limit = limit();
    let ours: Vec<Answered> = QUESTIONS.iter().map(|asked| ask(&engine, asked)).collect();
    let peers = with_peer.then(|| peer::ask(&scratch.dir("peer"), &made, ROUNDS));
    let mut sums = (0.0, 0.0);
    for (place, (asked, ours)) in QUESTIONS.iter().zip(&ours).enumerate() {
        let took = ms(ours.took);
        let theirs = peers.as_ref().map(|peers| &peers[place]);
        sums.0 += took;
        sums.1 += theirs.map_or(0.0, |theirs| ms(theirs.took));
        report.add(Figure {
            name: asked.name,
            value: format!("{took:.1} ms{}", against(took, theirs)),
            limit: format!(
                "{} figures; one pass over one column of them {limit:.2} ms{}",
                ours.rows.len(),
                theirs.map_or("", |theirs| same(&ours.rows, &theirs.rows)),
            ),
            target: theirs.map(|theirs| Target::at_most(took / ms(theirs.took), 0.5, "of DuckDB")),
        });
    }
    report.add(Figure {
        name: "the twelve together",
        value: format!("{:.1} ms", sums.0),
        limit: if with_peer {
            format!("DuckDB {:.1} ms: {:.2} of it", sums.1, sums.0 / sums.1)
        } else {
            "`--peers` asks DuckDB as well".to_owned()
        },
        target: with_peer.then(|| Target::at_most(sums.0 / sums.1, 0.3, "of DuckDB")),
    });
    growth(&engine, report);
    one_more(engine, &made, report);
}

/// Whether what a question costs grows faster than the rows that it covers: over 42 days and over a year, as a server
/// answers it and by one thread, for each incident that it counts.
fn growth(engine: &Engine, report: &mut Report) {
    let cost = |from: &str, threads: Option<usize>| {
        let params = [("from", from), ("to", "2026-11-01"), ("bucket", "all")];
        let query = parse("mttr", params).unwrap();
        let mut counted = 0;
        let rounds = (0..GROWTH_ROUNDS).map(|_| {
            let begun = Instant::now();
            let answer = match threads {
                Some(threads) => engine.answer_in(&query, made::now(), threads),
                None => engine.answer(&query, made::now()),
            };
            let took = begun.elapsed();
            counted = answer.unwrap().series[0].total.figure.count();
            took
        });
        let took = median(rounds.collect());
        let each = took.as_secs_f64() * 1e9 / f64::from(u32::try_from(counted).unwrap());
        (each, counted)
    };
    let both = |threads| (cost(WEEKS, threads), cost("2025-11-03", threads));
    let ((of_weeks, few), (of_year, many)) = both(None);
    let ((weeks_alone, _), (year_alone, _)) = both(Some(1));
    report.add(Figure {
        name: "MTTR of a year to that of 42 days, for each incident",
        value: format!("{of_year:.1} to {of_weeks:.1} ns"),
        limit: format!(
            "{many} incidents and {few}; by one thread {year_alone:.1} to {weeks_alone:.1} ns"
        ),
        target: Some(Target::at_most(of_year / of_weeks, 1.25, "times")),
    });
}

fn against(took: f64, theirs: Option<&Answered>) -> String {
    theirs.map_or(String::new(), |theirs| {
        let theirs = ms(theirs.took);
        format!(", DuckDB {theirs:.1} ms: {:.2} of it", took / theirs)
    })
}

/// Feeds the engine and says how fast, and what it holds.
fn fill(made: &Made, report: &mut Report) -> Engine {
    let held = || resident_kib(std::process::id()).unwrap_or(0);
    let before = held();
    let mut engine = Engine::new(made.settings());
    engine.put_deployments(&made.deployments());
    let mut took = Duration::ZERO;
    for number in 1..=INCIDENTS {
        let history = made.lived(number).history();
        let begun = Instant::now();
        engine.put(&history);
        took += begun.elapsed();
    }
    report.add(Figure {
        name: "histories taken into columns",
        value: format!("{:.0} a second", rate(INCIDENTS, took)),
        limit: format!("{INCIDENTS} incidents in {:.1} s", took.as_secs_f64()),
        target: None,
    });
    let kb = (held() - before) * 1_024 / 1_000;
    let mb = f64::from(u32::try_from(kb / 1_000).unwrap_or(u32::MAX));
    report.add(Figure {
        name: "memory of the columns",
        value: format!("{mb:.0} MB"),
        limit: format!(
            "{} bytes an incident",
            kb * 1_000 / u64::try_from(INCIDENTS).unwrap()
        ),
        target: Some(Target::at_most(mb, 300.0, "MB")),
    });
    engine
}

fn ask(engine: &Engine, asked: &Asked) -> Answered {
    let query: Query = parse(asked.metric, asked.params.iter().copied()).unwrap();
    let now = made::now();
    let mut rounds = Vec::new();
    let mut answer = None;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        answer = Some(engine.answer(&query, now).unwrap());
        rounds.push(begun.elapsed());
    }
    Answered {
        rows: asked.rows(&answer.unwrap()),
        took: median(rounds),
    }
}

/// What a new incident costs while there are a million.
fn one_more(mut engine: Engine, made: &Made, report: &mut Report) {
    let rounds = (0..1_000).map(|nth| {
        let history = made.lived(INCIDENTS - nth * 7).history();
        let begun = Instant::now();
        engine.put(&history);
        begun.elapsed()
    });
    let spread = Spread::of(rounds.collect());
    report.add(Figure {
        name: "an incident that changed, among a million",
        value: format!("{:.3} ms at most of 99 in 100", spread.percentile_ms(99)),
        limit: format!("median {:.4} ms", spread.percentile_ms(50)),
        target: None,
    });
}

/// How long a sum over one column of as many rows takes, in milliseconds.
fn limit() -> f64 {
    let column: Vec<i64> = (0..).take(INCIDENTS).collect();
    let rounds = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        std::hint::black_box(std::hint::black_box(&column).iter().sum::<i64>());
        begun.elapsed()
    });
    ms(median(rounds.collect()))
}

fn same(ours: &[Row], theirs: &[Row]) -> &'static str {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(1.0);
    let differ = |a: &Row, b: &Row| {
        a.key != b.key || a.bucket != b.bucket || a.n != b.n || !close(a.value, b.value)
    };
    let first = ours.iter().zip(theirs).find(|(a, b)| differ(a, b));
    if first.is_none() && ours.len() == theirs.len() {
        return "; the same answer";
    }
    println!(
        "    not the same: {} and {} rows, first {first:?}",
        ours.len(),
        theirs.len()
    );
    "; NOT THE SAME ANSWER"
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds[rounds.len() / 2]
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
