//! On what, of what and when: without that a figure says nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

pub(crate) fn describe(temporary: &Path) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("machine  {cores} cores, {}, {}", cpu(), memory());
    println!("disk     {}", disk(temporary));
    println!("commit   {}", commit());
    println!(
        "date     {}",
        im::clock::now().strftime("%Y-%m-%d %H:%M UTC")
    );
    println!();
}

fn cpu() -> String {
    line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn memory() -> String {
    let kib = line_of("/proc/meminfo", "MemTotal").and_then(|text| number(&text));
    kib.map_or_else(
        || "memory unknown".to_owned(),
        |kib| format!("{} GiB", kib / 1024 / 1024),
    )
}

/// The value of the first line `key : value`.
fn line_of(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The memory that a process holds, in KiB; only Linux tells.
pub(crate) fn resident_kib(process: u32) -> Option<u64> {
    number(&line_of(&format!("/proc/{process}/status"), "VmRSS")?)
}

fn disk(path: &Path) -> String {
    let told = said(Command::new("df").arg("-PT").arg(path)).unwrap_or_default();
    let words: Vec<&str> = told
        .lines()
        .last()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    match words.as_slice() {
        [device, kind, ..] => format!("{device} ({kind}), for {}", path.display()),
        _ => format!("unknown, for {}", path.display()),
    }
}

fn commit() -> String {
    let Some(hash) = said(Command::new("git").args(["rev-parse", "--short=12", "HEAD"])) else {
        return "unknown".to_owned();
    };
    let changed = said(Command::new("git").args(["status", "--porcelain", "-uno"]));
    let also = if changed.is_none_or(|changed| changed.is_empty()) {
        ""
    } else {
        " and changes that are not committed"
    };
    format!("{hash}{also}")
}

fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.trim().to_owned())
}
