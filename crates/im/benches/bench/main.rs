//! The promises about speed, measured: `cargo xtask bench`.
//!
//! Each figure is printed beside what this machine allows, measured in the same run, and beside its
//! target. Words on the command line choose parts (`intake`, `seen`, `commands`, `figures`,
//! `past`, `pages`, `load`, `million`); without any, all of them run, in some ten minutes. `--peers` asks other programs as well, where there are some.
//!
//! Invariants
//! - Nothing fails because a figure is bad: a slow machine is no mistake of the program's.
//! - Everything is on loopback and in one fresh temporary directory (`TMPDIR` moves it).
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement reads the clock, talks to the terminal and ends where it cannot go on"
)]

mod commands;
mod events;
mod figures;
mod fill;
mod intake;
mod load;
mod machine;
mod million;
mod pages;
mod past;
mod report;
mod scratch;
mod seen;
mod server;
mod spread;
mod wire;

use report::Report;
use scratch::Scratch;

fn main() {
    // Cargo adds flags such as `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let with_peers = std::env::args().any(|word| word == "--peers");
    let asked = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    let scratch = Scratch::new();
    machine::describe(scratch.path());
    let mut report = Report::begin();
    if asked("commands") {
        commands::measure(&scratch, &mut report);
    }
    if asked("seen") {
        seen::measure(&scratch, &mut report);
    }
    if asked("past") {
        past::measure(&scratch, &mut report);
    }
    if asked("figures") {
        figures::measure(&scratch, with_peers, &mut report);
    }
    if asked("pages") {
        pages::measure(&scratch, &mut report);
    }
    if asked("load") {
        load::measure(&scratch, &mut report);
    }
    if asked("intake") || asked("million") {
        let small = intake::measure(&scratch, &mut report);
        if asked("million") {
            million::measure(&scratch, &small, &mut report);
        }
    }
    report.finish();
}
