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

/// Clients in the versions that were last looked at. Each set is installed by itself, for what they
/// need does not go together.
const FOR_PYTHON: [&str; 2] = ["pagerduty==7.2.0", "apprise==2.3.0"];
const OLDER_PYTHON: [&str; 3] = ["pdpyras==5.4.1", "pygerduty==0.38.3", "pypd==1.1.0"];
const SINGER_TAP: [&str; 1] = ["bmaquet-tap-pagerduty==1.0.2"];
const MCP_SERVER: [&str; 1] = ["pagerduty-mcp==1.1.0"];
/// The only Python that the MCP server can be installed for.
const MCP_PYTHON: &str = "python3.12";
const FOR_NODE: [&str; 3] = [
    "@pagerduty/pdjs@2.2.4",
    "pagerduty-cli@0.1.18",
    "node-pagerduty@1.3.6",
];
const ALERTMANAGER: &str = "prometheus-alertmanager";

/// What the command line client reads the account's name from.
const WEB_URL: [&str; 2] = ["--web-url", "https://lighthouse-works.pagerduty.com"];

/// A program: its name, what it is, and how it is had.
type Row = (
    &'static str,
    &'static str,
    fn(&Places) -> anyhow::Result<Client>,
);

const CLIENTS: [Row; 9] = [
    ("python", "PagerDuty's Python client", |places| {
        Client::python(places, "pagerduty_client.py")
    }),
    ("apprise", "Apprise's plugin for PagerDuty", |places| {
        Client::python(places, "apprise_client.py")
    }),
    ("older-python", "pdpyras, pypd and pygerduty", |places| {
        let python = python(places, "python3", "older", &OLDER_PYTHON)?;
        Client::of(python, "older_python.py").pretending()
    }),
    ("mcp", "PagerDuty's MCP server", |places| {
        let python = python(places, MCP_PYTHON, "mcp", &MCP_SERVER)?;
        let server = python.with_file_name("pagerduty-mcp");
        let mut client = Client::of(python, "mcp.py");
        client.script.arg(server);
        client.pretending()
    }),
    ("singer-tap", "a Singer tap for PagerDuty", |places| {
        let python = python(places, "python3", "singer", &SINGER_TAP)?;
        let tap = python.with_file_name("tap-pagerduty");
        let mut client = Client::of(python, "singer_tap.py");
        client.script.arg(tap);
        client.pretending()
    }),
    ("pdjs", "PagerDuty's JavaScript client", |places| {
        Client::node(places, "pdjs.cjs")
    }),
    ("node-pagerduty", "node-pagerduty", |places| {
        Client::node(places, "node_pagerduty.cjs")?.pretending()
    }),
    ("pagerduty-cli", "the command line client `pd`", |places| {
        Client::node(places, "pagerduty_cli.cjs")
    }),
    (
        "alertmanager",
        "Prometheus Alertmanager",
        Client::alertmanager,
    ),
];

/// Runs every program that can be had here.
pub(crate) fn run(steps: &mut Steps) {
    let built = steps.run("sim", "cargo build -p im, for `im sim`", || {
        succeed(&mut cargo(&["build", "-p", "im"]))?;
        Places::find()
    });
    let Some(places) = built else { return };
    for (name, about, had) in CLIENTS {
        match had(&places) {
            Ok(client) => {
                let about = format!("{about} against `im sim`");
                steps.run(name, &about, || client.meet(&places.im));
            }
            Err(error) => steps.leave_out(name, &format!("{error:#}")),
        }
    }
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
    /// It has PagerDuty's hosts compiled in: the stand-in has to be these hosts.
    pretends: bool,
}

impl Client {
    fn python(places: &Places, script: &str) -> anyhow::Result<Self> {
        let python = python(places, "python3", "python", &FOR_PYTHON)?;
        Ok(Self::of(python, script))
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
            pretends: false,
        }
    }

    /// The same where PagerDuty's own hosts are the stand-in.
    fn pretending(mut self) -> anyhow::Result<Self> {
        let namespaces = ["--map-root-user", "--mount", "--net", "true"];
        first_line(Command::new("unshare").args(namespaces))
            .context("`unshare` cannot make namespaces for mounts and network here")?;
        first_line(Command::new("openssl").arg("version")).context("no `openssl`")?;
        self.pretends = true;
        Ok(self)
    }

    /// Runs it with a stand-in of its own.
    fn meet(mut self, im: &Path) -> anyhow::Result<()> {
        if self.pretends {
            let mut command = Command::new("python3");
            command.arg(root().join("xtask/foreign/pretend.py")).arg(im);
            command.arg(self.script.get_program());
            command.args(self.script.get_args());
            let set = self.script.get_envs();
            command.envs(set.filter_map(|(name, value)| Some((name, value?))));
            return succeed(&mut command);
        }
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

/// A Python in a place of its own that has these clients.
fn python(places: &Places, base: &str, place: &str, clients: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = places.fetched.join(place);
    let python = folder.join("bin/python");
    let installed = || {
        let asked = ["-m", "pip", "freeze", "--disable-pip-version-check"];
        let frozen = Command::new(&python).args(asked).output();
        frozen.is_ok_and(|frozen| {
            let frozen = String::from_utf8_lossy(&frozen.stdout);
            let has = |client: &&str| frozen.lines().any(|line| line == *client);
            clients.iter().all(has)
        })
    };
    if installed() {
        return Ok(python);
    }
    first_line(Command::new(base).arg("--version")).with_context(|| format!("no `{base}`"))?;
    let mut venv = Command::new(base);
    quietly(venv.args(["-m", "venv"]).arg(&folder), &root()).with_context(|| {
        format!("`{base} -m venv` does not work (Debian: `apt-get install python3-venv`)")
    })?;
    let pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
    quietly(Command::new(&python).args(pip).args(clients), &root())
        .with_context(|| format!("`pip install {}` does not work here", clients.join(" ")))?;
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
