//! Every kept case, through the target that the fuzzer drives.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::path::Path;

use im_fuzz::Target;

/// Cases of one folder, by name.
fn cases(folder: &str, target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(target.name);
    let Ok(entries) = fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut cases: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    cases.sort();
    cases
}

#[track_caller]
fn all_hold(name: &str) {
    let target = im_fuzz::target(name).unwrap();
    let corpus = cases("corpus", target);
    assert!(!corpus.is_empty(), "{name} has no corpus");
    for (case, input) in corpus.into_iter().chain(cases("found", target)) {
        println!("{case}");
        (target.check)(&input);
    }
}

#[test]
fn kept_cases_of_signature_hold() {
    all_hold("signature");
}

#[test]
fn kept_cases_of_webhook_hold() {
    all_hold("webhook");
}

#[test]
fn kept_cases_of_answer_hold() {
    all_hold("answer");
}

#[test]
fn kept_cases_of_config_hold() {
    all_hold("config");
}

#[test]
fn kept_cases_of_time_hold() {
    all_hold("time");
}

#[test]
fn kept_cases_of_arguments_hold() {
    all_hold("arguments");
}
