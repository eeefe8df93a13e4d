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

/// PagerDuty's own client for Python, in the version that was last looked at.
const PYTHON_CLIENT: &str = "pagerduty==7.2.0";
const ALERTMANAGER: &str = "prometheus-alertmanager";

/// Runs every program that can be had here.
pub(crate) fn run(steps: &mut Steps) {
    let built = steps.run("sim", "cargo build -p im, for `im sim`", || {
        succeed(&mut cargo(&["build", "-p", "im"]))?;
        Places::find()
    });
    let Some(places) = built else { return };
    match python(&places) {
        Ok(python) => {
            steps.run(
                "python",
                "PagerDuty's Python client against `im sim`",
                || against_sim(&places, &python, "pagerduty_client.py", &[]),
            );
        }
        Err(error) => steps.leave_out("python", &format!("{error:#}")),
    }
    match alertmanager(&places) {
        Ok(program) => {
            steps.run(
                "alertmanager",
                "Prometheus Alertmanager against `im sim`",
                || {
                    let program = program.to_string_lossy();
                    against_sim(
                        &places,
                        Path::new("python3"),
                        "alertmanager.py",
                        &[&program],
                    )
                },
            );
        }
        Err(error) => steps.leave_out("alertmanager", &format!("{error:#}")),
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

/// Runs one of our scripts with a stand-in of its own.
fn against_sim(
    places: &Places,
    python: &Path,
    script: &str,
    arguments: &[&str],
) -> anyhow::Result<()> {
    let sim = Sim::start(&places.im)?;
    succeed(
        Command::new(python)
            .arg(root().join("xtask/foreign").join(script))
            .args(arguments)
            .arg(&sim.document),
    )
}

/// A running `im sim`, stopped when dropped.
struct Sim {
    process: Child,
    /// How it is reached, as JSON.
    document: String,
}

impl Sim {
    fn start(im: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(im)
            .args(["--json", "sim", "--listen", "127.0.0.1:0"])
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

/// A Python that has the client.
fn python(places: &Places) -> anyhow::Result<PathBuf> {
    let folder = places.fetched.join("python");
    let python = folder.join("bin/python");
    let installed = || {
        let asked = ["-m", "pip", "freeze", "--disable-pip-version-check"];
        let frozen = Command::new(&python).args(asked).output();
        frozen.is_ok_and(|frozen| {
            String::from_utf8_lossy(&frozen.stdout)
                .lines()
                .any(|line| line == PYTHON_CLIENT)
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
    quietly(Command::new(&python).args(pip).arg(PYTHON_CLIENT), &root())
        .with_context(|| format!("`pip install {PYTHON_CLIENT}` does not work here"))?;
    Ok(python)
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
