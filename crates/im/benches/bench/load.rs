//! What a server with much history does when it starts: all facts become figures; and how soon a new one counts.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::events::Events;
use crate::fill;
use crate::machine::resident_kib;
use crate::report::{Figure, Report, Target, say};
use crate::scratch::Scratch;
use crate::server::{self, Server, client};
use crate::spread::Spread;
use crate::wire::{self, Wire};

const IM: &str = env!("CARGO_BIN_EXE_im");

const INCIDENTS: i64 = 1_000_000;
/// New facts whose way into the figures is measured.
const NEW: usize = 200;

/// Six entries of PagerDuty's log, and what PagerDuty showed once.
pub(crate) const FACTS: &str = "-- bench.load_facts
    WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2),
         k(k, kind, after, actor, person, people, value) AS (VALUES
            (0, 'triggered',    0,   'service', NULL,     NULL, 'Checkout error rate above 5%'),
            (1, 'assigned',     0,   'service', NULL,     '[{\"id\":\"PUSR001\",\"name\":\"Ann Lee\"}]', NULL),
            (2, 'notified',     2,   'service', NULL,     '[{\"id\":\"PUSR001\",\"name\":\"Ann Lee\"}]', 'push'),
            (3, 'acknowledged', 120, 'user',    'PUSR001', NULL, NULL),
            (4, 'noted',        300, 'user',    'PUSR001', NULL, 'Restarted the pool'),
            (5, 'resolved',     600, 'user',    'PUSR001', NULL, 'human'),
            (6, 'seen',         601, 'none',    NULL,     NULL, NULL))
    INSERT INTO fact (seq, incident, source, source_id, kind, at, actor_kind, actor_id, people, value)
    SELECT 7 * (i - 1) + 1 + k, i, CASE k WHEN 6 THEN 'read' ELSE 'log_entry' END,
        printf('%010X%016X', i * 549755, k), kind, 1600000000000000 + i * 100000000 + after * 1000000,
        actor, person, people, value
      FROM n, k";

pub(crate) const SHOWN: &str = "-- bench.load_sources
    INSERT INTO fact_source (seq, snapshot)
    SELECT seq, json_object('version', strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000000, 'unixepoch'),
        'id', printf('PFILL%09d', incident), 'number', incident,
        'html_url', printf('https://example.pagerduty.com/incidents/PFILL%09d', incident),
        'incident_key', NULL, 'read_at', NULL, 'created_at', NULL, 'status', 'resolved',
        'title', printf('Checkout error rate above 5%% (%d)', incident), 'urgency', 'high',
        'priority', NULL, 'service', json_object('id', printf('PSVC%03d', incident % 40), 'name', 'Checkout'),
        'policy', json_object('id', printf('PPOL%03d', incident % 20), 'name', 'Operations'),
        'assignees', json('[]'), 'teams', json('[{\"id\":\"PTEAM01\",\"name\":\"Core\"}]'), 'merged_into', NULL)
      FROM fact WHERE seq BETWEEN 7 * (?1 - 1) + 1 AND 7 * ?2 AND kind = 'seen'";

/// A server of its own process.
struct Running {
    process: Child,
    address: SocketAddr,
}

impl Running {
    /// Starts a server and asks it for a figure; how long it takes until there is one.
    fn start(dir: &Path) -> (Self, Duration) {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let begun = Instant::now();
        let mut command = Command::new(IM);
        command.arg("--data-dir").arg(dir).arg("serve");
        command.args(["--listen", &address.to_string()]);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = quiet.spawn().unwrap();
        let running = Self { process, address };
        running.ask();
        (running, begun.elapsed())
    }

    /// Waits for a figure.
    fn ask(&self) {
        let question = wire::get("/api/v1/metrics/incident_frequency?bucket=all");
        client(async {
            loop {
                if TcpStream::connect(self.address).is_ok() {
                    let answer = Wire::open(self.address).await.send(&question).await;
                    if answer.status == 200 {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
    }

    fn stop(mut self) {
        let id = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.process.wait().unwrap();
    }
}

/// Measures.
pub(crate) fn measure(scratch: &Scratch, report: &mut Report) {
    say("a server with a million incidents starts");
    let dir = scratch.dir("load");
    let server = Server::start(&dir);
    server.connect_nowhere();
    server.stop();
    let db = server::open(&dir);
    let begun = Instant::now();
    fill::rows(&db, INCIDENTS, &[fill::INCIDENTS, FACTS, SHOWN]);
    println!("  filled in {:.0} s", begun.elapsed().as_secs_f64());
    let (running, took) = Running::start(&dir);
    report.add(Figure {
        name: "the first figure after a start without an image",
        value: format!("{:.1} s", took.as_secs_f64()),
        limit: format!("{INCIDENTS} incidents with seven facts each, all of them read"),
        target: None,
    });
    running.stop();
    let image = dir.join("figures.image").metadata();
    let image_mb = image.map_or(0, |file| file.len() / 1_000_000);
    let (running, took) = Running::start(&dir);
    let took = took.as_secs_f64();
    let kib = resident_kib(running.process.id()).and_then(|kib| u32::try_from(kib).ok());
    let held = f64::from(kib.unwrap_or(0)) * 1_024.0 / 1e6;
    report.add(Figure {
        name: "the first figure after a start",
        value: format!("{took:.1} s"),
        limit: format!("an image of {image_mb} MB is read"),
        target: Some(Target::at_most(took, 4.0, "s")),
    });
    report.add(Figure {
        name: "memory of the server",
        value: format!("{held:.0} MB resident"),
        limit: "once it gave its first figure".to_owned(),
        target: Some(Target::at_most(held, 300.0, "MB")),
    });
    let mut events = Events::seeded(7);
    let rounds = (0..NEW).map(|nth| {
        fill::digest(&db, &[events.body(nth, 0)]);
        let begun = Instant::now();
        running.ask();
        begun.elapsed()
    });
    let spread = Spread::of(rounds.collect());
    report.add(Figure {
        name: "a new fact counts, after its commit",
        value: format!("{:.2} ms at most of 99 in 100", spread.percentile_ms(99)),
        limit: format!("median {:.2} ms", spread.percentile_ms(50)),
        target: Some(Target::at_most(spread.percentile_ms(99), 100.0, "ms")),
    });
    running.stop();
}
