//! A throw-away PostgreSQL cluster for the tests.
//!
//! It lives in a fresh temporary directory, listens on a free port of the loopback address and
//! runs as an unprivileged user, because PostgreSQL refuses to run as root. Dropping it stops
//! the server and removes the directory.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::cargo::first_line;
use crate::tools::server_binaries;

/// Whom the server runs as where we are root, the first that exists.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A running cluster.
pub(crate) struct Postgres {
    binaries: PathBuf,
    folder: PathBuf,
    user: Option<User>,
    url: String,
}

#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

/// Makes a cluster and starts it.
pub(crate) fn start() -> anyhow::Result<Postgres> {
    let binaries = server_binaries().context("no PostgreSQL server binaries")?;
    let user = unprivileged()?;
    let folder = std::env::temp_dir().join(format!("im-test-postgres-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if let Some(user) = user {
        chown(&folder, Some(user.uid), Some(user.gid))?;
    }
    let port = free_port()?;
    let server = Postgres {
        binaries,
        folder,
        user,
        url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
    };
    server.make()?;
    server.run(port)?;
    Ok(server)
}

impl Postgres {
    /// Where tests find the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn make(&self) -> anyhow::Result<()> {
        let settings = ["--username=postgres", "--auth=trust", "--encoding=UTF8"];
        let mut initdb = self.command("initdb");
        initdb.arg("--pgdata").arg(self.data()).args(settings);
        quiet(initdb.args(["--locale=C", "--no-sync"]))
    }

    fn run(&self, port: u16) -> anyhow::Result<()> {
        // Nobody misses this cluster after a power cut, so it need not wait for the disk.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        );
        let mut pg_ctl = self.command("pg_ctl");
        pg_ctl.arg("start").arg("--wait").args(["-o", &options]);
        pg_ctl.arg("--pgdata").arg(self.data());
        pg_ctl.arg("--log").arg(self.folder.join("log"));
        quiet(&mut pg_ctl).with_context(|| {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            format!("PostgreSQL did not start: {log}")
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.current_dir(&self.folder);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut pg_ctl = self.command("pg_ctl");
        pg_ctl.args(["stop", "--wait", "--mode=immediate", "--pgdata"]);
        let stopped = quiet(pg_ctl.arg(self.data()));
        if let Err(error) = stopped.and_then(|()| Ok(fs::remove_dir_all(&self.folder)?)) {
            println!(
                "    PostgreSQL in {} is still there: {error:#}",
                self.folder.display()
            );
        }
    }
}

/// Whom to become; nobody where we are not root.
fn unprivileged() -> anyhow::Result<Option<User>> {
    if first_line(Command::new("id").arg("-u")).as_deref() != Some("0") {
        return Ok(None);
    }
    let number = |flag: &str, name: &str| -> Option<u32> {
        first_line(Command::new("id").args([flag, name]))?
            .parse()
            .ok()
    };
    UNPRIVILEGED
        .iter()
        .find_map(|name| {
            Some(User {
                uid: number("-u", name)?,
                gid: number("-g", name)?,
            })
        })
        .map(Some)
        .with_context(|| format!("none of the users {} exists", UNPRIVILEGED.join(", ")))
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Runs a command and shows only its complaints.
fn quiet(command: &mut Command) -> anyhow::Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    // The server inherits these: with pipes we would wait for it to end.
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .with_context(|| format!("cannot start `{program}`"))?;
    ensure!(status.success(), "`{program}` ended with {status}");
    Ok(())
}
