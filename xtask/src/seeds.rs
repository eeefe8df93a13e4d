//! The simulation: random scripts on both sides of the sync, each replayed by its seed.
//!
//! The scripts are tests of `im-engine`; here they run in an optimised build with every assertion, and
//! the time they take is told.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::cargo::{cargo, root, succeed};

/// How long short scripts are where nobody says: acts, and what goes wrong.
pub(crate) const SHORT: &str = "3+2";

/// Which seeds, both ends included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeds {
    first: u64,
    last: u64,
}

impl Seeds {
    /// Those that every run of all tests plays.
    pub(crate) const IN_TESTS: Self = Self {
        first: 1,
        last: 500,
    };

    /// Reads `1000` or `17-20`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
            None => (1, text.parse().ok()?),
        };
        (1 <= first && first <= last).then_some(Self { first, last })
    }

    fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// Plays them and says how fast.
pub(crate) fn play(seeds: Seeds) -> anyhow::Result<()> {
    let program = build(&root())?;
    let begun = now();
    let output = player(&program, seeds)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start the simulation")?;
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    ensure!(output.status.success(), "not all seeds passed");
    let deliveries: u64 = said
        .lines()
        .filter_map(|line| line.split_once("deliveries: ")?.1.parse::<u64>().ok())
        .sum();
    let took = begun.elapsed().as_secs_f64();
    let count = f64::from(u32::try_from(seeds.count()).unwrap_or(u32::MAX));
    println!(
        "    {count} seeds in {took:.1} s, {:.1} seeds/s; {deliveries} webhook deliveries",
        count / took
    );
    Ok(())
}

/// Plays every short script up to a length (`6+2`), or the one that failed (`0-13-4`).
pub(crate) fn play_short(which: &str) -> anyhow::Result<()> {
    let program = build(&root())?;
    let asked = if which.contains('+') {
        which.to_owned()
    } else {
        format!("={which}")
    };
    succeed(
        Command::new(program)
            .args(["converge::every", "--nocapture"])
            .env("IM_SHORT", asked),
    )
}

/// The command that plays them.
pub(crate) fn player(program: &Path, seeds: Seeds) -> Command {
    let mut command = Command::new(program);
    // One direction after the other: each uses all cores.
    command
        .args(["converge::", "--skip", "quiet", "--skip", "every::"])
        .args(["--test-threads=1", "--nocapture"])
        .env("IM_SEEDS", seeds.to_string());
    command
}

/// Builds the simulation of the workspace in `folder` and says where it is.
pub(crate) fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let arguments = "test --profile seeds -p im-engine --test it --no-run --message-format json";
    let words: Vec<&str> = arguments.split(' ').collect();
    let output = cargo(&words)
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "the simulation does not build");
    // One JSON object a line; the last that names a program is the test's.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_once("\"executable\":\""))
        .filter_map(|(_, rest)| Some(rest.split_once('"')?.0))
        .next_back()
        .map(PathBuf::from)
        .context("cargo named no program")
}

#[expect(clippy::disallowed_methods, reason = "a chore tells how long it took")]
fn now() -> Instant {
    Instant::now()
}
