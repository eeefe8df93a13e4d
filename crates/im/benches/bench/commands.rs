//! The binary as people start it: how long a command takes, and what a server that waits holds.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::report::{Figure, Report, Target, say};
use crate::scratch::Scratch;
use crate::server::{self, Server, client};
use crate::spread::Spread;
use crate::{fill, machine};

const IM: &str = env!("CARGO_BIN_EXE_im");
const STARTS: usize = 20;
const INCIDENTS: usize = 10_000;
const IDLE: Duration = Duration::from_secs(10);

pub(crate) fn measure(scratch: &Scratch, report: &mut Report) {
    list(scratch, report);
    idle(scratch, report);
}

fn list(scratch: &Scratch, report: &mut Report) {
    say("`im list` on 10,000 incidents");
    let dir = scratch.dir("list");
    let server = Server::start(&dir);
    server.connect_nowhere();
    server.stop();
    let begun = Instant::now();
    fill::by_webhooks(&server::open(&dir), INCIDENTS);
    println!(
        "  filled by webhooks in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let list = starts(&dir, &["list"]);
    let version = starts(&dir, &["--version"]);
    report.add(Figure {
        name: "`im list`, the newest 50 of 10,000",
        value: format!(
            "median {:.1} ms, p95 {:.1} ms",
            list.percentile_ms(50),
            list.percentile_ms(95)
        ),
        limit: format!("`im --version`: median {:.1} ms", version.percentile_ms(50)),
        target: Some(Target::at_most(
            list.percentile_ms(50),
            20.0,
            "ms for the median",
        )),
    });
}

/// How long the process takes from start to end.
fn starts(dir: &Path, words: &[&str]) -> Spread {
    let once = || {
        let begun = Instant::now();
        let mut command = Command::new(IM);
        command.arg("--data-dir").arg(dir).args(words);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "im {words:?} failed");
        begun.elapsed()
    };
    once();
    Spread::of((0..STARTS).map(|_| once()).collect())
}

fn idle(scratch: &Scratch, report: &mut Report) {
    say("a server that waits");
    let mut command = Command::new(IM);
    command
        .arg("--data-dir")
        .arg(scratch.dir("idle"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut server = command.spawn().unwrap();
    client(async { tokio::time::sleep(IDLE).await });
    let kib = machine::resident_kib(server.id());
    server.kill().unwrap();
    server.wait().unwrap();
    let Some(kib) = kib.and_then(|kib| u32::try_from(kib).ok()) else {
        println!("  the memory of a process cannot be read here");
        return;
    };
    let mb = f64::from(kib) * 1024.0 / 1e6;
    report.add(Figure {
        name: "idle server's memory after 10 s",
        value: format!("{mb:.1} MB resident"),
        limit: "—".to_owned(),
        target: Some(Target::at_most(mb, 30.0, "MB")),
    });
}
