//! The chores themselves.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::cargo::{cargo, first_line, root, succeed};
use crate::postgres::{self, Postgres};
use crate::real::{self, Build, Run};
use crate::seeds::{self, Seeds};
use crate::steps::{Steps, is_ci};
use crate::tools::{
    self, BROWSER, BROWSER_HINT, CLIPPY_HINT, Database, POSTGRES_HINT, RUSTFMT_HINT, Tools,
};
use crate::{broken, foreign, fuzz as fuzzing, mutants as mutating};

/// Everything.
pub(crate) fn test() -> ExitCode {
    let mut steps = Steps::begin();
    if let Some(tools) = steps.run("tools", "what the steps need", tools::for_tests) {
        lints(&mut steps, &tools);
        let server = server(&mut steps, &tools);
        if tools.browser.is_none() {
            steps.skip("pages in a browser", BROWSER_HINT);
        }
        steps.run("tests", about(&tools), || {
            succeed(&mut tests(&tools, server.as_ref()))
        });
        play(&mut steps, Seeds::IN_TESTS);
        play_short(&mut steps, seeds::SHORT);
        run_real(&mut steps, Run::IN_TESTS, Build::Tests);
        prove(&mut steps);
    }
    steps.finish()
}

/// Random scripts alone.
pub(crate) fn seeds(which: &str) -> ExitCode {
    let mut steps = Steps::begin();
    match Seeds::parse(which) {
        Some(seeds) => play(&mut steps, seeds),
        None => {
            steps.run("seeds", which, || -> anyhow::Result<()> {
                bail!("`{which}` is neither a number of seeds nor a range such as 17-20")
            });
        }
    }
    steps.finish()
}

fn play(steps: &mut Steps, seeds: Seeds) {
    let about = format!("seeds {seeds} of random scripts on both sides");
    steps.run("seeds", &about, || seeds::play(seeds));
}

/// Every short script up to a length, or one of them.
pub(crate) fn short(which: Option<&str>) -> ExitCode {
    let mut steps = Steps::begin();
    play_short(&mut steps, which.unwrap_or(seeds::SHORT));
    steps.finish()
}

fn play_short(steps: &mut Steps, which: &str) {
    let about = "every short script of two people on one incident";
    steps.run("short", about, || seeds::play_short(which));
}

/// Real processes alone.
pub(crate) fn real(words: &[&str]) -> ExitCode {
    let mut steps = Steps::begin();
    match Run::parse(words) {
        Some(run) => run_real(&mut steps, run, Build::Release),
        None => {
            steps.run("real", &words.join(" "), || -> anyhow::Result<()> {
                bail!("say how many deliveries, and by which seed: `real 100000 1`")
            });
        }
    }
    steps.finish()
}

fn run_real(steps: &mut Steps, run: Run, build: Build) {
    let about = format!("real processes that are killed: {run}");
    steps.run("real", &about, || real::run(run, build));
}

/// Kills at each step, more often than in the tests.
pub(crate) fn kills(rounds: &str) -> ExitCode {
    let mut steps = Steps::begin();
    let about = format!("a kill at each step, {rounds} times, on the databases that there are");
    steps.run("kills", &about, || {
        let count = rounds.parse();
        real::kills(count.with_context(|| format!("`{rounds}` is no number of rounds"))?)
    });
    steps.finish()
}

/// The proof that random scripts can fail, alone.
pub(crate) fn broken() -> ExitCode {
    let mut steps = Steps::begin();
    prove(&mut steps);
    steps.finish()
}

fn prove(steps: &mut Steps) {
    let about = "what is broken on purpose is caught by random scripts";
    steps.run("broken", about, broken::run);
}

/// The long tests of figures and of the past.
pub(crate) fn truth() -> ExitCode {
    let mut steps = Steps::begin();
    for (name, package, test, about) in [
        (
            "figures",
            "im-metrics",
            "fifty_thousand_histories",
            "50,000 random histories, twice",
        ),
        (
            "past",
            "im-engine",
            "mw06_the_past_of_a_hundred_thousand",
            "100,000 incidents and 20 deaths",
        ),
    ] {
        steps.run(name, about, || {
            let words = ["test", "--profile", "seeds", "-p", package, "--test", "it"];
            succeed(cargo(&words).args(["--", "--ignored", "--nocapture", test]))
        });
    }
    steps.finish()
}

/// Changed code, of which tests must notice each change.
pub(crate) fn mutants(part: Option<&str>) -> ExitCode {
    let mut steps = Steps::begin();
    steps.run("mutants", part.unwrap_or("of all that is listed"), || {
        mutating::run(part)
    });
    steps.finish()
}

/// Made-up input of one kind or of each.
pub(crate) fn fuzz(target: Option<&str>, seconds: Option<&str>) -> ExitCode {
    let mut steps = Steps::begin();
    steps.run("fuzz", target.unwrap_or("each target in turn"), || {
        let seconds = match seconds {
            Some(text) => text
                .parse()
                .with_context(|| format!("`{text}` is not a number of seconds"))?,
            None => fuzzing::SECONDS,
        };
        fuzzing::run(target, seconds)
    });
    steps.finish()
}

/// Other people's programs alone.
pub(crate) fn foreign() -> ExitCode {
    let mut steps = Steps::begin();
    foreign::run(&mut steps);
    steps.finish()
}

/// The figures of `docs/performance.md`, or some of them.
pub(crate) fn bench(parts: &[&str]) -> ExitCode {
    let mut steps = Steps::begin();
    steps.run("bench", "cargo bench -p im", || {
        succeed(cargo(&words("bench -p im --bench bench --")).args(parts))
    });
    steps.finish()
}

/// The quick part.
pub(crate) fn check() -> ExitCode {
    let mut steps = Steps::begin();
    if let Some(tools) = steps.run("tools", "what the steps need", tools::for_lints) {
        lints(&mut steps, &tools);
    }
    steps.finish()
}

/// Accepts the snapshots as they are now.
pub(crate) fn bless() -> ExitCode {
    let mut steps = Steps::begin();
    if let Some(tools) = steps.run("tools", "what the steps need", tools::for_snapshots) {
        let server = server(&mut steps, &tools);
        steps.run("bless", "run the tests, accept their snapshots", || {
            let mut command = accepting(&tools);
            leave_out_pages(&mut command, &tools);
            if let Some(server) = &server {
                command.env("IM_TEST_POSTGRES_URL", server.url());
            }
            succeed(command.env("IM_DOCS", "write"))
        });
    }
    steps.finish()
}

/// Writes the document that is a record of commands.
pub(crate) fn docs() -> ExitCode {
    let mut steps = Steps::begin();
    steps.run("docs", "run the commands of docs/cli.md", || {
        let mut command = cargo(&words("test -p im --test it cli_document::"));
        succeed(command.env("IM_DOCS", "write"))
    });
    steps.finish()
}

/// Pictures of every page.
pub(crate) fn screenshots(folder: Option<&str>) -> ExitCode {
    let mut steps = Steps::begin();
    let folder = folder.map_or_else(|| root().join("target/screenshots"), PathBuf::from);
    let about = format!("pictures of every page, into {}", folder.display());
    steps.run("screenshots", &about, || {
        let folder = std::path::absolute(&folder)?;
        if tools::browser().is_none() {
            bail!("{BROWSER_HINT}");
        }
        let test = "test -p im --test it browser::pictures:: -- --ignored --nocapture";
        succeed(cargo(&words(test)).env("IM_SCREENSHOTS", folder))
    });
    steps.finish()
}

fn lints(steps: &mut Steps, tools: &Tools) {
    if tools.rustfmt {
        steps.run("fmt", "cargo fmt --check", || {
            succeed(&mut cargo(&["fmt", "--all", "--check"])).context("`cargo fmt` mends it")
        });
    } else {
        steps.skip("fmt", RUSTFMT_HINT);
    }
    if tools.clippy {
        let clippy = "clippy --workspace --all-targets -- -D warnings";
        steps.run("clippy", &format!("cargo {clippy}"), || {
            succeed(&mut cargo(&words(clippy)))
        });
    } else {
        steps.skip("clippy", CLIPPY_HINT);
    }
    // In a build of the workspace jiff has its `std` feature and with it a clock; built alone,
    // the core has not, and reading the clock there does not compile.
    steps.run("core", "cargo check -p im-core, without a clock", || {
        succeed(&mut cargo(&["check", "-p", "im-core"]))
    });
}

fn server(steps: &mut Steps, tools: &Tools) -> Option<Postgres> {
    match tools.database {
        Database::Given => None,
        Database::Startable => {
            let about = "start a throw-away PostgreSQL cluster";
            steps.run("postgres", about, postgres::start)
        }
        Database::Missing => {
            steps.skip("postgres", POSTGRES_HINT);
            None
        }
    }
}

fn about(tools: &Tools) -> &'static str {
    if tools.nextest {
        "cargo nextest run --workspace"
    } else {
        "cargo test --workspace"
    }
}

fn tests(tools: &Tools, server: Option<&Postgres>) -> Command {
    let mut command = match (tools.nextest, is_ci()) {
        (true, true) => cargo(&words("nextest run --workspace --profile ci")),
        (true, false) => cargo(&words("nextest run --workspace --no-fail-fast")),
        (false, _) => cargo(&words("test --workspace --no-fail-fast")),
    };
    if let Some(server) = server {
        command.env("IM_TEST_POSTGRES_URL", server.url());
    }
    leave_out_pages(&mut command, tools);
    command
}

/// What needs a browser is left out where there is none.
fn leave_out_pages(command: &mut Command, tools: &Tools) {
    if tools.browser.is_none() {
        command.env(BROWSER, "none");
    }
}

/// insta alone rewrites snapshot files; only cargo-insta rewrites snapshots inside test code.
fn accepting(tools: &Tools) -> Command {
    if first_line(&mut cargo(&["insta", "--version"])).is_some() {
        let mut command = cargo(&words(
            "insta test --accept --workspace --unreferenced=ignore",
        ));
        if tools.nextest {
            command.args(["--test-runner", "nextest"]);
        }
        return command;
    }
    println!("    cargo-insta is not installed: snapshot files are rewritten, inline ones are not");
    let mut command = tests(tools, None);
    command.env("INSTA_UPDATE", "always");
    command
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}
