//! Real processes: the program, stand-ins of PagerDuty and proxies that cut, hold and repeat, while the program is killed.
//!
//! The run is an ignored test of `im`, so that it shares its tools with the other tests of real processes; here it is built and given its
//! size and seed.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::cargo::{cargo, root, succeed};

/// The test.
const TEST: &str = "real::nothing_is_lost_doubled_or_diverges_between_real_processes";

/// How much, and by which plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    deliveries: u64,
    seed: u64,
}

/// The program that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// Optimised.
    Release,
    /// What all tests use, which is there already.
    Tests,
}

impl Run {
    /// The run of all tests.
    pub(crate) const IN_TESTS: Self = Self {
        deliveries: 2_000,
        seed: 1,
    };

    /// Reads `[DELIVERIES [SEED]]`.
    pub(crate) fn parse(words: &[&str]) -> Option<Self> {
        let whole = Self {
            deliveries: 100_000,
            seed: 1,
        };
        let (deliveries, seed) = match words {
            [] => return Some(whole),
            [deliveries] => (deliveries.parse().ok()?, whole.seed),
            [deliveries, seed] => (deliveries.parse().ok()?, seed.parse().ok()?),
            _ => return None,
        };
        (deliveries > 0).then_some(Self { deliveries, seed })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} deliveries by seed {}", self.deliveries, self.seed)
    }
}

/// Builds it and lets it run.
pub(crate) fn run(run: Run, build: Build) -> anyhow::Result<()> {
    let program = program(build)?;
    succeed(
        Command::new(program)
            .args([TEST, "--exact", "--ignored", "--nocapture"])
            .env("IM_REAL", format!("{} {}", run.deliveries, run.seed)),
    )
}

/// Kills at each step of ingest and delivery, so many times.
pub(crate) fn kills(rounds: u32) -> anyhow::Result<()> {
    let program = program(Build::Release)?;
    // One after the other: each test has eight servers.
    succeed(
        Command::new(program)
            .args(["kill::", "--test-threads=1"])
            .env("IM_KILL_ROUNDS", rounds.to_string()),
    )
}

/// Builds the tests of `im`, with the program, and says where they are.
fn program(build: Build) -> anyhow::Result<PathBuf> {
    let which: &[&str] = match build {
        Build::Release => &["--release", "-p", "im"],
        // With the same features as in the run of all tests, so that nothing is built again.
        Build::Tests => &["--workspace"],
    };
    let output = cargo(&[
        "test",
        "--test",
        "it",
        "--no-run",
        "--message-format",
        "json",
    ])
    .args(which)
    .stderr(Stdio::inherit())
    .output()
    .context("cannot start cargo")?;
    ensure!(output.status.success(), "the tests of im do not build");
    let manifest = root().join("crates/im/Cargo.toml");
    let manifest = format!("\"manifest_path\":\"{}\"", manifest.display());
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains(&manifest) && line.contains("\"kind\":[\"test\"]"))
        .filter_map(|line| line.split_once("\"executable\":\""))
        .filter_map(|(_, rest)| Some(rest.split_once('"')?.0))
        .next_back()
        .map(PathBuf::from)
        .context("cargo named no program")
}
