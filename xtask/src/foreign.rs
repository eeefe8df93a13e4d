//! Other people's programs against `im sim`: they keep the stand-in honest, for nobody here wrote
//! what they expect of PagerDuty.
//!
//! What they are made of is fetched into `target/foreign`; nothing is installed on the machine.
//! Where something cannot be had, such as without a network, the program is left out by name.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};

use crate::apt;
use crate::cargo::{cargo, first_line, quietly, root, succeed};
use crate::steps::Steps;

/// Clients in the versions that were last looked at.
const FOR_PYTHON: [&str; 2] = ["pagerduty==7.2.0", "apprise==2.3.0"];
const FOR_NODE: [&str; 2] = ["@pagerduty/pdjs@2.2.4", "pagerduty-cli@0.1.18"];
const ALERTMANAGER: &str = "prometheus-alertmanager";

/// What the command line client reads the account's name from.
const WEB_URL: [&str; 2] = ["--web-url", "https://lighthouse-works.pagerduty.com"];

/// Runs every program that can be had here.
pub(crate) fn run(steps: &mut Steps) {
    let built = steps.run("sim", "cargo build -p im, for `im sim`", || {
        succeed(&mut cargo(&["build", "-p", "im"]))?;
        Places::find()
    });
    let Some(places) = built else { return };
    let mut try_client = |name: &'static str, about: &str, had: anyhow::Result<Client>| match had {
        Ok(client) => {
            let about = format!("{about} against `im sim`");
            steps.run(name, &about, || client.meet(&places.im));
        }
        Err(error) => steps.leave_out(name, &format!("{error:#}")),
    };
    let script = |name| Client::python(&places, name);
    try_client(
        "python",
        "PagerDuty's Python client",
        script("pagerduty_client.py"),
    );
    try_client(
        "apprise",
        "Apprise's plugin for PagerDuty",
        script("apprise_client.py"),
    );
    let script = |name| Client::node(&places, name);
    try_client("pdjs", "PagerDuty's JavaScript client", script("pdjs.cjs"));
    try_client(
        "pagerduty-cli",
        "the command line client `pd`",
        script("pagerduty_cli.cjs"),
    );
    try_client(
        "alertmanager",
        "Prometheus Alertmanager",
        Client::alertmanager(&places),
    );
}

/// Where things are.
struct Places {
    /// The program `im`, built like this one.
    im: PathBuf,
    /// Where what is fetched may stay.
    fetched: PathBuf,
}

impl Places {
    fn find() -> anyhow::Result<Self> {
        let here = std::env::current_exe()?;
        let target = here.ancestors().nth(2).context("no target directory")?;
        let fetched = target.join("foreign");
        fs::create_dir_all(&fetched)?;
        Ok(Self {
            im: here.with_file_name("im"),
            fetched,
        })
    }
}

/// A script of ours that drives somebody else's program; the last argument will be the stand-in.
struct Client {
    script: Command,
    /// What its stand-in needs.
    options: &'static [&'static str],
}

impl Client {
    fn python(places: &Places, script: &str) -> anyhow::Result<Self> {
        Ok(Self::of(python(places)?, script))
    }

    fn node(places: &Places, script: &str) -> anyhow::Result<Self> {
        let modules = node(places)?;
        let mut client = Self::of("node".into(), script);
        client.script.env("NODE_PATH", modules);
        client.options = &WEB_URL;
        Ok(client)
    }

    fn alertmanager(places: &Places) -> anyhow::Result<Self> {
        let program = alertmanager(places)?;
        let mut client = Self::of("python3".into(), "alertmanager.py");
        client.script.arg(program);
        Ok(client)
    }

    fn of(interpreter: PathBuf, script: &str) -> Self {
        let mut command = Command::new(interpreter);
        command.arg(root().join("xtask/foreign").join(script));
        Self {
            script: command,
            options: &[],
        }
    }

    /// Runs it with a stand-in of its own.
    fn meet(mut self, im: &Path) -> anyhow::Result<()> {
        let sim = Sim::start(im, self.options)?;
        succeed(self.script.arg(&sim.document))
    }
}

/// A running `im sim`, stopped when dropped.
struct Sim {
    process: Child,
    /// How it is reached, as JSON.
    document: String,
}

impl Sim {
    fn start(im: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let mut process = Command::new(im)
            .args(["--json", "sim", "--listen", "127.0.0.1:0"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", im.display()))?;
        let output = process.stdout.take();
        let mut sim = Self {
            process,
            document: String::new(),
        };
        let output = output.context("`im sim` has no output")?;
        BufReader::new(output).read_line(&mut sim.document)?;
        ensure!(sim.document.starts_with('{'), "`im sim` did not start");
        Ok(sim)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A Python that has the clients.
fn python(places: &Places) -> anyhow::Result<PathBuf> {
    let folder = places.fetched.join("python");
    let python = folder.join("bin/python");
    let installed = || {
        let asked = ["-m", "pip", "freeze", "--disable-pip-version-check"];
        let frozen = Command::new(&python).args(asked).output();
        frozen.is_ok_and(|frozen| {
            let frozen = String::from_utf8_lossy(&frozen.stdout);
            FOR_PYTHON
                .iter()
                .all(|client| frozen.lines().any(|line| line == *client))
        })
    };
    if installed() {
        return Ok(python);
    }
    first_line(Command::new("python3").arg("--version")).context("no `python3`")?;
    quietly(
        Command::new("python3").args(["-m", "venv"]).arg(&folder),
        &root(),
    )
    .context("`python3 -m venv` does not work (Debian: `apt-get install python3-venv`)")?;
    let pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
    quietly(Command::new(&python).args(pip).args(FOR_PYTHON), &root())
        .with_context(|| format!("`pip install {}` does not work here", FOR_PYTHON.join(" ")))?;
    Ok(python)
}

/// Where Node finds the clients.
fn node(places: &Places) -> anyhow::Result<PathBuf> {
    first_line(Command::new("node").arg("--version")).context("no `node`")?;
    let folder = places.fetched.join("node");
    fs::create_dir_all(&folder)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--prefer-offline"]);
    npm.arg("--prefix").arg(&folder).args(FOR_NODE);
    quietly(&mut npm, &root())
        .with_context(|| format!("`npm install {}` does not work here", FOR_NODE.join(" ")))?;
    Ok(folder.join("node_modules"))
}

/// The program out of Debian's package, taken out without installing it: it would start itself.
fn alertmanager(places: &Places) -> anyhow::Result<PathBuf> {
    first_line(Command::new("python3").arg("--version")).context("no `python3`")?;
    let named = PathBuf::from(ALERTMANAGER);
    if first_line(Command::new(&named).arg("--version")).is_some() {
        return Ok(named);
    }
    let program = places.fetched.join("usr/bin").join(ALERTMANAGER);
    if !program.is_file() {
        apt::unpack(ALERTMANAGER, &places.fetched)
            .with_context(|| format!("no `{ALERTMANAGER}`, and apt cannot get it here"))?;
    }
    ensure!(program.is_file(), "Debian's package has no {ALERTMANAGER}");
    Ok(program)
}
