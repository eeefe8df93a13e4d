//! Fuzzing: what comes from outside, made up by a program that watches which code it reaches.
//!
//! libFuzzer drives the targets of the crate `fuzz`. It is built with the compiler that is there, a
//! stable one too: coverage is a pass of LLVM, and no sanitizer is asked for, since there is no unsafe
//! code to catch. The crate's sources of a target are `corpus/` and `found/`; what a run adds to them
//! stays under `target/fuzz`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::cargo::{cargo, root};

/// How long one target is fuzzed unless told otherwise.
pub(crate) const SECONDS: u32 = 60;

/// Each target, the longest input that makes sense, and where more cases are.
const TARGETS: [(&str, u32, Option<&str>); 6] = [
    ("signature", 2_048, None),
    (
        "webhook",
        8_192,
        Some("crates/im-pagerduty/tests/fixtures/webhooks"),
    ),
    ("answer", 8_192, None),
    ("config", 2_048, None),
    ("time", 128, None),
    ("arguments", 512, None),
];

/// How the compiler makes a program that tells where it has been.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Copt-level=2",
];

/// Fuzzes one target, or each in turn.
pub(crate) fn run(target: Option<&str>, seconds: u32) -> anyhow::Result<()> {
    let known: Vec<&str> = TARGETS.iter().map(|(name, ..)| *name).collect();
    if let Some(name) = target {
        ensure!(
            known.contains(&name),
            "there is no target `{name}`; there are {}",
            known.join(", ")
        );
    }
    let program = build()?;
    let mut found = Vec::new();
    for (name, bytes_max, more) in TARGETS {
        if target.is_none_or(|target| target == name)
            && !one(&program, name, bytes_max, more, seconds)?
        {
            found.push(name);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!(
        "something was found in {}: make the case small, give it a name, put it into fuzz/found/TARGET and mend what it shows",
        found.join(", ")
    )
}

/// Fuzzes one target and sums up; `false` if something was found.
fn one(
    program: &Path,
    name: &str,
    bytes_max: u32,
    more: Option<&str>,
    seconds: u32,
) -> anyhow::Result<bool> {
    let work = root().join("target/fuzz");
    let grown = work.join("corpus").join(name);
    let cases = work.join("found").join(name);
    for folder in [&grown, &cases] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let log = work.join(format!("{name}.log"));
    let told = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    println!("    {name}: {seconds} s, {}", log.display());
    let kept = ["fuzz/corpus", "fuzz/found"].map(|folder| root().join(folder).join(name));
    let kept = kept
        .into_iter()
        .chain(more.map(|folder| root().join(folder)));
    let status = Command::new(program)
        .arg(&grown)
        .args(kept.filter(|folder| folder.is_dir()))
        .args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={bytes_max}"),
            format!("-artifact_prefix={}/", cases.display()),
        ])
        .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"])
        .env("IM_FUZZ_TARGET", name)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(told)
        .status()
        .context("cannot start the fuzzer")?;
    let told = fs::read_to_string(&log).unwrap_or_default();
    println!("    {name}: {}", figures(&told));
    if !status.success() {
        let shown: Vec<&str> = told
            .lines()
            .filter(|line| line.contains("panicked at") || line.contains("ERROR:"))
            .collect();
        println!(
            "    {name}: FOUND, see {}: {}",
            cases.display(),
            shown.join("; ")
        );
    }
    Ok(status.success())
}

/// How much was tried and what was reached, by libFuzzer's own account.
fn figures(told: &str) -> String {
    let after = |line: &str, word: &str| -> Option<String> {
        let (_, rest) = line.split_once(word)?;
        Some(rest.split_whitespace().next()?.to_owned())
    };
    let stat = |word: &str| told.lines().rev().find_map(|line| after(line, word));
    let show = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    format!(
        "{} executions, {} a second, {} edges, {} new cases",
        show(stat("stat::number_of_executed_units:")),
        show(stat("stat::average_exec_per_sec:")),
        show(stat("cov: ")),
        show(stat("stat::new_units_added:")),
    )
}

fn build() -> anyhow::Result<PathBuf> {
    let host = host()?;
    let folder = root().join("target/fuzz/build");
    let status = cargo(&[
        "build",
        "--profile",
        "seeds",
        "-p",
        "im-fuzz",
        "--target",
        &host,
    ])
    .arg("--target-dir")
    .arg(&folder)
    .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
    .status()
    .context("cannot start cargo")?;
    ensure!(
        status.success(),
        "the fuzzer does not build; it needs a C++ compiler (Debian: `apt-get install g++`)"
    );
    Ok(folder.join(host).join("seeds/im-fuzz"))
}

/// With a target named, what runs at compile time is not instrumented.
fn host() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .context("cannot start rustc")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    told.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc does not say which host this is")
}
