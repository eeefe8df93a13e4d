//! The chores of the project: `cargo xtask test`, `check`, `seeds`, `short`, `real`, `kills`,
//! `broken`, `truth`, `mutants`, `fuzz`, `bless`, `docs`, `screenshots`, `foreign` and `bench`.
//!
//! A chore is a list of steps. Each step is announced, timed and run with its own output on the
//! terminal; a step that fails does not hide what the next ones have to say.
//!
//! Nothing here is shipped, and nothing here knows the crates of the workspace: it only runs
//! the tools that a person could run by hand.
#![expect(clippy::print_stdout, reason = "a chore talks to the terminal")]

use std::process::ExitCode;

mod apt;
mod broken;
mod cargo;
mod chores;
mod foreign;
mod fuzz;
mod mutants;
mod postgres;
mod real;
mod seeds;
mod steps;
mod tools;

const USAGE: &str = "\
Usage: cargo xtask <CHORE>

Chores:
  test    everything: format, lints, the core alone, all tests on SQLite and PostgreSQL
  check   the quick part: format, lints, the core alone
  seeds   play random scripts on both sides of the sync: `seeds 10000`, or `seeds 17-17` to
          replay one that failed
  short   play every short script of two people on one incident; `short 6+2`: of up to six acts
          and two faults; `short 0-13-4`: the one that failed
  real    real processes that are killed, with proxies between them that cut, hold and repeat,
          until 100000 deliveries were taken; `real 2000 1`: fewer, and by which seed
  kills   kill the program at each step of ingest and delivery, 20 times: the tests do it once
  broken  break the program on purpose, in five ways, and see that `seeds` notices
  truth   50,000 random histories against a second implementation, from what the engine is fed and
          from reports, and the past of 100,000 incidents, killed 20 times while it is read
  mutants change the code that must not be wrong in hundreds of ways, and see that a test notices
          each; takes hours: `mutants fold.rs` tries a part
  fuzz    make up input of each kind that comes from outside: `fuzz`, or `fuzz TARGET SECONDS`
          (signature, webhook, answer, config, time, arguments)
  bless   run the tests and accept what the snapshots show now; read `git diff` afterwards
  docs    run each command of docs/cli.md and write below it what it says; read `git diff` afterwards
  screenshots  pictures of every page, in both colour schemes and on a telephone, into
          target/screenshots or the folder that is named
  foreign other people's programs against `im sim`; what they need is fetched into target/foreign
  bench   the figures of docs/performance.md; words after it choose parts
          (commands, seen, past, figures, pages, load, intake, million); `--peers` asks DuckDB as well

Environment:
  CI                    when set: no part may be skipped, tests run in nextest's profile `ci`
  IM_TEST_POSTGRES_URL  test on this PostgreSQL server instead of starting one
  IM_TEST_BROWSER       open pages in this program instead of the Chromium that is found
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => chores::test(),
        ["check"] => chores::check(),
        ["seeds", which] => chores::seeds(which),
        ["short"] => chores::short(None),
        ["short", script] => chores::short(Some(script)),
        ["real", words @ ..] => chores::real(words),
        ["kills"] => chores::kills("20"),
        ["kills", rounds] => chores::kills(rounds),
        ["broken"] => chores::broken(),
        ["truth"] => chores::truth(),
        ["mutants"] => chores::mutants(None),
        ["mutants", part] => chores::mutants(Some(part)),
        ["fuzz"] => chores::fuzz(None, None),
        ["fuzz", target] => chores::fuzz(Some(target), None),
        ["fuzz", target, seconds] => chores::fuzz(Some(target), Some(seconds)),
        ["bless"] => chores::bless(),
        ["docs"] => chores::docs(),
        ["screenshots"] => chores::screenshots(None),
        ["screenshots", folder] => chores::screenshots(Some(folder)),
        ["foreign"] => chores::foreign(),
        ["bench", parts @ ..] => chores::bench(parts),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        [] => refuse("no chore was named"),
        words => refuse(&format!("there is no chore `{}`", words.join(" "))),
    }
}

fn refuse(why: &str) -> ExitCode {
    print!("error: {why}\n\n{USAGE}");
    ExitCode::from(2)
}
