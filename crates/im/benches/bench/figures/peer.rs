//! `duckdb` over the same facts, run by Python.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use im_metrics::input::DeploymentStatus;
use jiff::Timestamp;
use serde::Deserialize;

use super::Answered;
use super::asked::{QUESTIONS, Row};
use super::made::{Made, person_id};

const SCRIPT: &str = include_str!("duckdb.py");

/// What the script prints for each question.
#[derive(Deserialize)]
struct Told {
    seconds: f64,
    rows: Vec<Row>,
}

/// Asks all questions.
pub(crate) fn ask(dir: &Path, made: &Made, rounds: usize) -> Vec<Answered> {
    incidents_and_pages(dir, made);
    deployments(dir, made);
    let questions: Vec<&str> = QUESTIONS.iter().map(|asked| asked.sql).collect();
    fs::write(
        dir.join("questions.json"),
        serde_json::to_string(&questions).unwrap(),
    )
    .unwrap();
    fs::write(dir.join("peer.py"), SCRIPT).unwrap();
    let output = Command::new("python3")
        .arg(dir.join("peer.py"))
        .args([dir.as_os_str(), rounds.to_string().as_ref()])
        .stderr(Stdio::inherit())
        .output()
        .expect("`--peers` needs python3");
    assert!(
        output.status.success(),
        "`--peers` needs DuckDB for Python: `python3 -m pip install duckdb`"
    );
    let told: Vec<Told> = serde_json::from_slice(&output.stdout).unwrap();
    let answered = told.into_iter().map(|told| Answered {
        rows: told.rows,
        took: Duration::from_secs_f64(told.seconds),
    });
    answered.collect()
}

fn incidents_and_pages(dir: &Path, made: &Made) {
    let mut incidents = BufWriter::new(File::create(dir.join("incident.csv")).unwrap());
    let mut pages = BufWriter::new(File::create(dir.join("page.csv")).unwrap());
    for number in 1..=made.incidents {
        let one = made.lived(number);
        let since = |at: Option<Timestamp>| {
            at.map_or(String::new(), |at| {
                (at.as_microsecond() - one.at.as_microsecond()).to_string()
            })
        };
        writeln!(
            incidents,
            "{},{},{},{},{},{},{},{},{},{}",
            one.number,
            one.title,
            one.service,
            one.policy,
            one.urgency,
            one.priority,
            one.at,
            format_args!("{},{}", one.is_test, one.merged),
            since(one.ack.map(|(_, at)| at)),
            since(one.resolved),
        )
        .unwrap();
        let mut lines = String::new();
        for (person, at) in &one.pages {
            let (is_out, hour) = made.hour(*person, *at);
            let person = person_id(*person);
            let (service, test) = (&one.service, one.is_test);
            writeln!(
                lines,
                "{number},{service},{person},{at},{test},{is_out},{hour}"
            )
            .unwrap();
        }
        pages.write_all(lines.as_bytes()).unwrap();
    }
    incidents.flush().unwrap();
    pages.flush().unwrap();
}

fn deployments(dir: &Path, made: &Made) {
    let mut file = BufWriter::new(File::create(dir.join("deployment.csv")).unwrap());
    for one in made.deployments() {
        let success = one.status == DeploymentStatus::Success;
        let at = one.finished_at.unwrap();
        writeln!(file, "{},{},{at},{success}", one.id, one.service).unwrap();
    }
    file.flush().unwrap();
}
