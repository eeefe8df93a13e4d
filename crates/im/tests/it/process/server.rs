//! The program itself, as a process that can be killed and started again in the same place.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use im_store::DbOptions;

use super::place::Place;

/// How long a call whose answer died with the process is left alone: tests cannot wait a minute. A call that takes longer is no part of
/// the tests, so a busy machine must have answered by then.
const LEASE: &str = "3s";
/// Longer than that.
pub(crate) const LONG: Duration = Duration::from_millis(3_100);
/// A start takes a tenth of a second on an idle machine.
const START_WAIT: Duration = Duration::from_secs(20);
/// Another program may sit on the port for a moment while nobody listens there.
const START_TRIES: u32 = 5;
/// How much of the log a failure shows.
const LOG_LINES: usize = 60;

/// How the program is told to work.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// How long a call whose answer died with the process is left alone.
    pub(crate) lease: String,
    /// Where PagerDuty reaches it; at its own address, if nothing is said.
    pub(crate) public_url: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            lease: LEASE.to_owned(),
            public_url: None,
        }
    }
}

/// `im` without the settings of whoever runs the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_im"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("IM_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// `im serve` on a database of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    setup: Setup,
    place: Place,
    child: Option<Child>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts the first process.
    pub(crate) fn new(place: Place) -> Self {
        Self::told(place, Setup::default())
    }

    /// Starts the first process, which works as `setup` says.
    pub(crate) fn told(place: Place, setup: Setup) -> Self {
        let mut server = Self::unborn(place, setup);
        server.start();
        server
    }

    /// A first process that lives, and others before it that were killed so long after their start.
    pub(crate) fn after_false_starts(place: Place, lives: &[Duration]) -> Self {
        let mut server = Self::unborn(place, Setup::default());
        for life in lives {
            let (mut child, listens) = server.spawn();
            listens.recv_timeout(*life).unwrap_or_default();
            child.kill().unwrap();
            child.wait().unwrap();
        }
        server.start();
        server
    }

    fn unborn(place: Place, setup: Setup) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            address: free.local_addr().unwrap(),
            setup,
            place,
            child: None,
            log: Arc::default(),
        }
    }

    fn url(&self) -> String {
        let own = || format!("http://{}", self.address);
        self.setup.public_url.clone().unwrap_or_else(own)
    }

    fn start(&mut self) {
        let started = (0..START_TRIES).any(|_| self.try_to_start());
        assert!(started, "im does not start:\n{}", self.log());
    }

    fn try_to_start(&mut self) -> bool {
        let (mut child, listens) = self.spawn();
        // The channel closes when the process ends.
        let is_up = listens.recv_timeout(START_WAIT).is_ok();
        if is_up {
            self.child = Some(child);
        } else {
            drop(child.kill());
            drop(child.wait());
        }
        is_up
    }

    /// A process, and a word from it when it listens.
    fn spawn(&self) -> (Child, Receiver<()>) {
        let mut command = program();
        command
            .arg("serve")
            .args(["--listen", &self.address.to_string()])
            .args(["--public-url", &self.url()])
            .arg("--data-dir")
            .arg(self.place.folder())
            .env("IM_LEASE", &self.setup.lease)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(url) = self.place.database_url() {
            command.env("IM_DATABASE_URL", url);
        }
        let mut child = command.spawn().unwrap();
        let (tell, listens) = sync_channel(1);
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.contains("listening on http://") {
                    tell.try_send(()).unwrap_or_default();
                }
                log.lock().unwrap().push(line);
            }
        });
        (child, listens)
    }

    /// Ends the process as a power failure would, and starts another after `rest`.
    pub(crate) fn kill(&mut self, rest: Duration) {
        self.end();
        let (_nobody_says_so, sooner) = sync_channel::<()>(0);
        sooner.recv_timeout(rest).unwrap_or_default();
        self.start();
    }

    /// Ends the process as an upgrade would, and starts another.
    pub(crate) fn restart(&mut self) {
        let mut child = self.child.take().unwrap();
        let asked = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(asked.unwrap().success());
        let ended = child.wait().unwrap();
        assert!(ended.success(), "it stopped with {ended}:\n{}", self.log());
        self.start();
    }

    /// Ends the process for good.
    pub(crate) fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Fails if the process ended without being told to.
    pub(crate) fn check(&mut self) {
        let ended = self
            .child
            .as_mut()
            .and_then(|child| child.try_wait().unwrap());
        assert!(ended.is_none(), "im ended by itself:\n{}", self.log());
    }

    /// The last that the processes said.
    pub(crate) fn log(&self) -> String {
        let log = self.log.lock().unwrap();
        log[log.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// All that the processes said.
    pub(crate) fn whole_log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Where the data is.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.place.folder()
    }

    /// What opens the database once the process has ended.
    pub(crate) fn database(&self) -> DbOptions {
        let url = self.place.database_url();
        let file = || self.place.folder().join("im.db").display().to_string();
        DbOptions::new(&url.unwrap_or_else(file), 7).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
