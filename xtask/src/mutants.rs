//! Mutants: small changes of the code that must not be wrong, each of which a test has to notice.
//!
//! cargo-mutants makes them (`.cargo/mutants.toml` says of which files). Each meets the quick tests of
//! its own crate first; those that survive meet the stories of the engine and the random scripts.
//! Whoever survives that, too, must be on the list of `docs/reliability.md`, with a reason; and whoever
//! is on the list must survive. So the page stays true.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::cargo::{cargo, first_line, root};

/// Where accepted survivors are listed.
const PAGE: &str = "docs/reliability.md";

/// Seeds that a mutant meets which the direct tests let live.
const SEEDS: &str = "1-200";

/// The exit codes of cargo-mutants that mean that it did its work: all caught, some missed, some too
/// slow.
const DONE: [i32; 3] = [0, 2, 3];

/// Makes the mutants whose description has `part` in it, or all.
pub(crate) fn run(part: Option<&str>) -> anyhow::Result<()> {
    ask_for("mutants", "cargo-mutants")?;
    ask_for("nextest", "cargo-nextest")?;
    let listed = listed(&fs::read_to_string(root().join(PAGE)).context(PAGE)?);
    let quick = pass(part, &[], &[("NEXTEST_PROFILE", "mutants")])?;
    let last = if quick.missed.is_empty() {
        Results::default()
    } else {
        println!("    {} survived the quick tests", quick.missed.len());
        pass(
            part,
            &["--iterate", "--test-package", "im-core,im-engine"],
            &[("NEXTEST_PROFILE", "survivors"), ("IM_SEEDS", SEEDS)],
        )?
    };
    tell(&quick, &last);
    compare(&listed, &last.missed, part.is_none())
}

fn ask_for(subcommand: &str, name: &str) -> anyhow::Result<()> {
    let found = first_line(&mut cargo(&[subcommand, "--version"]));
    let found = found.with_context(|| format!("no {name}: `cargo install --locked {name}`"))?;
    println!("    {found}");
    Ok(())
}

/// What became of mutants: `path:line:column: what`, one each.
#[derive(Default)]
struct Results {
    caught: Vec<String>,
    missed: Vec<String>,
    unviable: Vec<String>,
}

fn pass(part: Option<&str>, more: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Results> {
    let work = root().join("target/mutants");
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let mut command: Command = cargo(&["mutants", "--workspace", "--jobs", "1"]);
    command.arg("--output").arg(&work).args(more);
    if let Some(part) = part {
        command.args(["--re", &literal(part)]);
    }
    // Builds of the copy, from one run to the next.
    command.env("CARGO_TARGET_DIR", work.join("build"));
    command.envs(env.iter().copied());
    let status = command.status().context("cannot start cargo-mutants")?;
    ensure!(
        status.code().is_some_and(|code| DONE.contains(&code)),
        "cargo-mutants ended with {status}; the tests must pass without mutants, too"
    );
    let read = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(work.join("mutants.out").join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    };
    // What hangs is noticed.
    let mut caught = read("caught.txt");
    caught.extend(read("timeout.txt"));
    Ok(Results {
        caught,
        missed: read("missed.txt"),
        unviable: read("unviable.txt"),
    })
}

/// A regular expression that finds this text.
fn literal(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A mutant by its file and what it does; lines come and go.
fn name(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    let path = parts.next().unwrap_or_default();
    let what = parts.nth(2).unwrap_or_default();
    format!("{path}: {}", what.trim())
}

/// The survivors that the page accepts: lines such as ``- `path: what`: reason``.
fn listed(page: &str) -> Vec<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix("- `crates/")?.split_once("`: "))
        .map(|(mutant, _)| format!("crates/{mutant}"))
        .collect()
}

/// How many of each file were killed, by what.
fn tell(quick: &Results, last: &Results) {
    let mut files: BTreeMap<PathBuf, [usize; 3]> = BTreeMap::new();
    let columns = [&quick.caught, &last.caught, &last.missed];
    for (column, mutants) in columns.into_iter().enumerate() {
        for mutant in mutants {
            let path = mutant.split(':').next().unwrap_or_default();
            if let Some(count) = files
                .entry(Path::new(path).to_owned())
                .or_default()
                .get_mut(column)
            {
                *count += 1;
            }
        }
    }
    println!("    | File | Mutants | Killed by direct tests | by stories and scripts | Survived |");
    for (path, [direct, scripts, survived]) in files {
        let all = direct + scripts + survived;
        println!(
            "    | {} | {all} | {direct} | {scripts} | {survived} |",
            path.display()
        );
    }
    println!("    {} do not compile", quick.unviable.len());
}

/// The page and the survivors must agree; where only a part was tried, its survivors must be listed.
fn compare(listed: &[String], survived: &[String], is_whole: bool) -> anyhow::Result<()> {
    let mut left = listed.to_vec();
    let mut strangers = Vec::new();
    for mutant in survived {
        let name = name(mutant);
        match left.iter().position(|known| *known == name) {
            Some(at) => drop(left.swap_remove(at)),
            None => strangers.push(mutant.as_str()),
        }
    }
    if !strangers.is_empty() {
        bail!(
            "nothing notices these; write the test that does, make them impossible, or list them in {PAGE} with a reason:\n    {}",
            strangers.join("\n    ")
        );
    }
    if is_whole && !left.is_empty() {
        bail!(
            "these are noticed now; take them off {PAGE}:\n    {}",
            left.join("\n    ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{compare, listed};

    #[test]
    fn the_page_and_the_survivors_must_agree() {
        let page =
            "# Mutants\n\n- `crates/a/src/b.rs: replace < with <= in keep`: ids differ.\n- other\n";
        let listed = listed(page);
        let survivor = "crates/a/src/b.rs:367:50: replace < with <= in keep".to_owned();
        let stranger = "crates/a/src/b.rs:367:50: replace < with > in keep".to_owned();
        let is_fine = |survived: &[String], is_whole| compare(&listed, survived, is_whole).is_ok();
        assert!(is_fine(std::slice::from_ref(&survivor), true));
        assert!(!is_fine(&[stranger], false));
        assert!(!is_fine(&[survivor.clone(), survivor], true), "listed once");
        assert!(!is_fine(&[], true), "it is killed now");
        assert!(is_fine(&[], false), "it was not tried");
    }
}
