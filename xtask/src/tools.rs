//! The tools that the chores need: found, installed where that is possible, or asked for.

use std::path::PathBuf;
use std::process::Command;

use anyhow::bail;

use crate::apt;
use crate::cargo::{cargo, first_line, root, succeed};

/// What there is on this machine.
pub(crate) struct Tools {
    pub(crate) rustfmt: bool,
    pub(crate) clippy: bool,
    pub(crate) nextest: bool,
    pub(crate) database: Database,
    /// What opens pages, by its version.
    pub(crate) browser: Option<String>,
}

/// Which PostgreSQL the tests can use.
pub(crate) enum Database {
    /// The one that `IM_TEST_POSTGRES_URL` names.
    Given,
    /// A throw-away cluster of the installed binaries.
    Startable,
    /// None.
    Missing,
}

/// Names the browser of the tests; `none` leaves out those that need one.
pub(crate) const BROWSER: &str = "IM_TEST_BROWSER";

/// How people get what is missing.
pub(crate) const POSTGRES_HINT: &str = "no PostgreSQL server binaries (`initdb`, `postgres`): \
     install them (Debian: `apt-get install postgresql`; macOS: `brew install postgresql`) \
     or set IM_TEST_POSTGRES_URL";
pub(crate) const BROWSER_HINT: &str = "no Chromium: install it (Debian: `apt-get install chromium`) \
     or name a program of its kind in IM_TEST_BROWSER";
pub(crate) const RUSTFMT_HINT: &str = "no rustfmt: `rustup component add rustfmt`";
pub(crate) const CLIPPY_HINT: &str = "no clippy: `rustup component add clippy`";

/// Looks for what formatting and lints need.
pub(crate) fn for_lints() -> anyhow::Result<Tools> {
    compiler()?;
    Ok(Tools {
        rustfmt: component("fmt", "rustfmt"),
        clippy: component("clippy", "clippy"),
        nextest: false,
        database: Database::Missing,
        browser: None,
    })
}

/// Looks for what everything needs; installs PostgreSQL and Chromium where it may.
pub(crate) fn for_tests() -> anyhow::Result<Tools> {
    let found = for_lints()?;
    Ok(Tools {
        nextest: nextest(),
        database: database(),
        browser: browser(),
        ..found
    })
}

/// Looks for what running the tests needs; installs nothing.
pub(crate) fn for_snapshots() -> anyhow::Result<Tools> {
    compiler()?;
    Ok(Tools {
        rustfmt: false,
        clippy: false,
        nextest: nextest(),
        database: if is_given() {
            Database::Given
        } else if server_binaries().is_some() {
            Database::Startable
        } else {
            Database::Missing
        },
        browser: installed_browser(),
    })
}

/// SQLite and the cryptography are C: without a compiler the build stops late and obscurely.
fn compiler() -> anyhow::Result<()> {
    let named = std::env::var("CC").ok();
    let found = named
        .as_deref()
        .into_iter()
        .chain(["cc", "gcc", "clang"])
        .find_map(|name| Some((name, first_line(Command::new(name).arg("--version"))?)));
    let Some((name, version)) = found else {
        bail!("no C compiler: install one (Debian: `apt-get install gcc libc6-dev`) or set CC");
    };
    println!("    C compiler: {name} ({version})");
    Ok(())
}

/// A part of the toolchain; minimal installations lack some and rustup adds them.
fn component(subcommand: &str, name: &str) -> bool {
    let version = || first_line(cargo(&[subcommand, "--version"]).current_dir(root()));
    let found = version().or_else(|| {
        println!("    {name}: missing, asking rustup");
        succeed(Command::new("rustup").args(["component", "add", name])).ok()?;
        version()
    });
    println!("    {name}: {}", found.as_deref().unwrap_or("missing"));
    found.is_some()
}

fn nextest() -> bool {
    let found = first_line(&mut cargo(&["nextest", "--version"]));
    match &found {
        Some(version) => println!("    runner: {version}"),
        None => println!(
            "    runner: `cargo test`, one test binary after another \
             (`cargo install --locked cargo-nextest` gets the quicker one)"
        ),
    }
    found.is_some()
}

fn database() -> Database {
    if is_given() {
        println!("    PostgreSQL: the server of IM_TEST_POSTGRES_URL");
        return Database::Given;
    }
    let found = server_binaries().or_else(|| {
        if !apt::is_possible() {
            return None;
        }
        println!("    PostgreSQL: missing, installing it");
        if let Err(error) = apt::install_postgres() {
            println!("    PostgreSQL: could not be installed: {error:#}");
        }
        server_binaries()
    });
    if let Some(folder) = found {
        println!("    PostgreSQL: {}", folder.display());
        Database::Startable
    } else {
        println!("    PostgreSQL: {POSTGRES_HINT}");
        Database::Missing
    }
}

/// Looks for what opens pages; installs it where it may.
pub(crate) fn browser() -> Option<String> {
    let found = installed_browser().or_else(|| {
        if !apt::is_possible() {
            return None;
        }
        println!("    Chromium: missing, installing it");
        if let Err(error) = apt::install_chromium() {
            println!("    Chromium: could not be installed: {error:#}");
        }
        installed_browser()
    });
    println!("    Chromium: {}", found.as_deref().unwrap_or(BROWSER_HINT));
    found
}

/// The version of the browser that the tests of the pages find (`tests/it/browser/chromium.rs`).
fn installed_browser() -> Option<String> {
    let named = std::env::var(BROWSER).ok();
    let usual = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];
    let version = |name: &str| first_line(Command::new(name).arg("--version"));
    match named.as_deref() {
        Some(named) => version(named),
        None => usual.into_iter().find_map(version),
    }
}

fn is_given() -> bool {
    std::env::var("IM_TEST_POSTGRES_URL").is_ok_and(|url| !url.is_empty())
}

/// The folder that has `initdb`, `postgres` and their like.
pub(crate) fn server_binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let needed = ["initdb", "pg_ctl", "postgres"];
    folders
        .into_iter()
        .find(|folder| needed.iter().all(|name| folder.join(name).is_file()))
}
