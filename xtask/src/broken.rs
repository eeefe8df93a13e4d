//! Proof that the simulation can fail: a build that is broken on purpose is caught by it.
//!
//! The sources are copied to `target/broken`, each break is written into the copy, and the
//! simulation is built once. Which break is in force a variable of the environment says, so that
//! the same program without it is the control: it must pass.
//!
//! The product itself has no switch. A break is a replacement of text that must be found exactly
//! once, so it cannot go stale without being noticed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::cargo::root;
use crate::seeds::{self, Seeds};

/// Names the break that is in force.
const VARIABLE: &str = "IM_BROKEN";

/// What every crate of the copy can ask.
const SWITCH: &str = "
/// Whether this break is in force.
pub fn is_broken(what: &str) -> bool {
    std::env::var(\"IM_BROKEN\").is_ok_and(|broken| broken == what)
}
";

/// Seeds within which each break must be caught; played in parts, since most are caught at once.
const PARTS: [&str; 3] = ["1-16", "17-64", "65-200"];

/// A text of one file and what stands in its place.
type Edit = (&'static str, &'static str, &'static str);

struct Break {
    name: &'static str,
    /// What the broken program does.
    about: &'static str,
    edits: &'static [Edit],
}

const BREAKS: [Break; 5] = [
    Break {
        name: "dedup",
        about: "a webhook that comes twice is two events",
        edits: &[
            (
                "crates/im-store/src/inbox.rs",
                "    let row = tx.query_one(
        INSERT,",
                "    let mut arrival = arrival.clone();
    if im_core::is_broken(\"dedup\")
        && state(tx, arrival.connector.as_str(), &arrival.event_id)?.is_some()
    {
        arrival.event_id = format!(\"{}#{}\", arrival.event_id, tx.random_u64());
    }
    let row = tx.query_one(
        INSERT,",
            ),
            (
                "crates/im-engine/src/inbox.rs",
                "    for heard in heard {
        let Some(pd_id)",
                "    for heard in heard {
        let mut heard = heard.clone();
        if let Some((_, again)) = row.event_id.split_once('#') {
            heard.facts.iter_mut().for_each(|fact| fact.source_id.push_str(again));
        }
        let heard = &heard;
        let Some(pd_id)",
            ),
        ],
    },
    Break {
        name: "incident_key",
        about: "a new incident is sent without a key",
        edits: &[(
            "crates/im-pagerduty/src/request.rs",
            "    set(\"incident_key\", json!(key.as_str()));",
            "    if !im_core::is_broken(\"incident_key\") {
        set(\"incident_key\", json!(key.as_str()));
    }",
        )],
    },
    Break {
        name: "order",
        about: "facts are played in the order in which they arrived",
        edits: &[
            (
                "crates/im-core/src/fold.rs",
                "    let mut unique: Vec<&Fact> = facts.iter().collect();",
                "    let mut unique: Vec<&Fact> = facts.iter().collect();
    if crate::is_broken(\"order\") {
        return unique;
    }",
            ),
            (
                "crates/im-core/src/acts.rs",
                "    acts.sort_by(|a, b| a.key().cmp(&b.key()));",
                "    acts.sort_by(|a, b| a.key().cmp(&b.key()));
    if crate::is_broken(\"order\") {
        acts.sort_by_key(|act| facts.iter().position(|fact| std::ptr::eq(*fact, act.fact)));
    }",
            ),
        ],
    },
    Break {
        name: "commit",
        about: "success is told before the commit, which may fail",
        edits: &[(
            "crates/im-store/src/tx.rs",
            "            connection.rollback();
            session.undone();
            work.fail(error);",
            "            connection.rollback();
            session.undone();
            if !im_core::is_broken(\"commit\") {
                work.fail(error);
            }",
        )],
    },
    Break {
        name: "echo",
        about: "what PagerDuty tells of our own calls is taken for acts of others",
        edits: &[
            (
                "crates/im-core/src/same.rs",
                "        for answer in calls {",
                "        for answer in calls.into_iter().filter(|_| !crate::is_broken(\"echo\")) {",
            ),
            (
                "crates/im-engine/src/inbox.rs",
                ".filter(|(fact, _)| fact.kind == Kind::Noted)",
                ".filter(|(fact, _)| fact.kind == Kind::Noted && !im_core::is_broken(\"echo\"))",
            ),
        ],
    },
];

/// Breaks the program in each way, and demands that the simulation notices.
pub(crate) fn run() -> anyhow::Result<()> {
    let copy = root().join("target/broken");
    write_copy(&copy)?;
    let program = seeds::build(&copy)?;
    let control = play(&program, None, PARTS[0])?;
    ensure!(
        control.is_none(),
        "the copy fails without any break: {}",
        control.unwrap_or_default()
    );
    let mut missed = Vec::new();
    for broken in &BREAKS {
        match caught(&program, broken.name)? {
            Some(how) => println!("    {}: caught\n{how}", broken.name),
            None => missed.push(format!("{} ({})", broken.name, broken.about)),
        }
    }
    if missed.is_empty() {
        return Ok(());
    }
    bail!(
        "nobody noticed that the program was broken: {}",
        missed.join(", ")
    )
}

/// What the first seeds that fail print.
fn caught(program: &Path, name: &str) -> anyhow::Result<Option<String>> {
    for part in PARTS {
        if let Some(failures) = play(program, Some(name), part)? {
            return Ok(Some(failures));
        }
    }
    Ok(None)
}

/// Plays seeds and returns the list of those that failed.
fn play(program: &Path, broken: Option<&str>, part: &str) -> anyhow::Result<Option<String>> {
    let seeds = Seeds::parse(part).context("a range of seeds")?;
    let mut command = seeds::player(program, seeds);
    command.env_remove(VARIABLE);
    if let Some(name) = broken {
        command.env(VARIABLE, name);
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("cannot start the simulation")?;
    if output.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let said = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    let failures: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("cargo xtask seeds"))
        .collect();
    ensure!(
        !failures.is_empty(),
        "the simulation did not end well:\n{said}"
    );
    Ok(Some(failures.join("\n")))
}

/// Copies the sources, with every break in them. What did not change keeps its time, so that
/// nothing is built in vain.
fn write_copy(copy: &Path) -> anyhow::Result<()> {
    let mut used = 0;
    for path in sources()? {
        let from = root().join(&path);
        let mut text = fs::read(&from).with_context(|| format!("cannot read {path}"))?;
        let edits = BREAKS.iter().flat_map(|broken| broken.edits);
        for (_, find, instead) in edits.filter(|(file, ..)| *file == path) {
            text = replace_once(&path, text, find, instead)?;
            used += 1;
        }
        if path == "crates/im-core/src/lib.rs" {
            text.extend_from_slice(SWITCH.as_bytes());
        }
        let to = copy.join(&path);
        if fs::read(&to).is_ok_and(|have| have == text) {
            continue;
        }
        let folder = to.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&to, &text))
            .with_context(|| format!("cannot write {}", to.display()))?;
    }
    let edits: usize = BREAKS.iter().map(|broken| broken.edits.len()).sum();
    ensure!(used == edits, "a break names a file that is not there");
    Ok(())
}

fn replace_once(path: &str, text: Vec<u8>, find: &str, instead: &str) -> anyhow::Result<Vec<u8>> {
    let text = String::from_utf8(text).with_context(|| format!("{path} is not text"))?;
    let count = text.matches(find).count();
    ensure!(
        count == 1,
        "{path} has {count} places like this, and a break needs one: mend `xtask/src/broken.rs`\n{find}"
    );
    Ok(text.replace(find, instead).into_bytes())
}

/// The files of the workspace, as git knows them.
fn sources() -> anyhow::Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .args(["Cargo.toml", "Cargo.lock", "crates", "fuzz", "xtask"])
        .current_dir(root())
        .output()
        .context("cannot start git")?;
    ensure!(output.status.success(), "git does not know the sources");
    let listed = String::from_utf8_lossy(&output.stdout);
    let is_there = |path: &&str| root().join(PathBuf::from(path)).is_file();
    Ok(listed.lines().filter(is_there).map(str::to_owned).collect())
}
