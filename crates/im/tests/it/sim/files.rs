//! An account in files, served and saved by the program.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use std::io::{BufRead as _, BufReader, Read as _};

use serde_json::Value;

/// A running `im sim`, killed when dropped.
struct Running {
    process: Child,
    document: Value,
}

impl Running {
    fn start(arguments: &[&str]) -> Result<Self, String> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_im"))
            .args(["--json", "sim", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let document: Value = serde_json::from_str(&line).unwrap_or_default();
        if document.get("base_url").is_some() {
            return Ok(Self { process, document });
        }
        let mut said = String::new();
        process
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(!process.wait().unwrap().success());
        Err(said)
    }

    /// Ends it as Ctrl-C does, and waits until it has saved.
    fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn files(dir: &Path) -> Vec<(String, String)> {
    let names = fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap());
    let mut files: Vec<(String, String)> = names
        .map(|name| (name.clone(), fs::read_to_string(dir.join(name)).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn an_account_is_saved_at_the_end_and_served_again() {
    let dir = std::env::temp_dir().join(format!("im-sim-files-{}", std::process::id()));
    let (first, second) = (dir.join("first"), dir.join("second"));
    let still = [
        "--clock",
        "manual",
        "--start",
        "2026-03-10T08:00:00Z",
        "--base-url",
        "http://sim.example",
    ];
    let with = |more: &[&'static str], paths: [(&'static str, &Path); 2]| {
        let mut arguments: Vec<String> = still
            .iter()
            .chain(more)
            .map(|one| (*one).to_owned())
            .collect();
        for (flag, path) in paths.into_iter().filter(|(flag, _)| !flag.is_empty()) {
            arguments.extend([flag.to_owned(), path.display().to_string()]);
        }
        arguments
    };
    let run = |arguments: Vec<String>| {
        Running::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let before = run(with(&[], [("--save", &first), ("", &first)])).unwrap();
    let known = before.document.clone();
    before.stop();
    let after = run(with(&[], [("--data", &first), ("--save", &second)])).unwrap();
    for same in [
        "api_key",
        "user_key",
        "services",
        "users",
        "escalation_policies",
        "priorities",
    ] {
        assert_eq!(after.document[same], known[same], "{same}");
    }
    after.stop();
    assert_eq!(files(&first), files(&second));
    assert_eq!(files(&first).len(), 14);

    fs::write(first.join("incidents.jsonl"), "\n{\"id\": 7}\n").unwrap();
    let refused = run(with(&[], [("--data", &first), ("", &first)]))
        .err()
        .unwrap();
    assert!(
        refused.contains("incidents.jsonl:2: field `id`: must be a text, not 7"),
        "{refused}"
    );
    let refused = run(with(&[], [("--data", &dir), ("", &dir)]))
        .err()
        .unwrap();
    assert!(refused.contains("holds no account"), "{refused}");
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn stand_ins_of_two_regions_share_no_key() {
    let us = Running::start(&["--region", "us"]).unwrap();
    let eu = Running::start(&["--region", "eu"]).unwrap();
    for key in ["api_key", "read_only_key", "user_key"] {
        assert_ne!(us.document[key], eu.document[key], "{key}");
    }
    let scope = &eu.document["oauth"]["account_scope"];
    assert_eq!(*scope, "as_account-eu.lighthouse-works");
}
