//! Chromium as a process, and its `DevTools` protocol over a pipe.
//!
//! It reads commands from its third descriptor and writes answers and events to its fourth, each message ended by a zero
//! byte. A shell puts our pipes there. So nothing listens, and nothing but Chromium has to be installed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

/// Names another program than the usual ones, or `none`.
const VARIABLE: &str = "IM_TEST_BROWSER";
/// Where it usually is.
const PROGRAMS: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
/// Our pipes where Chromium looks for them.
const PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"#;
const FLAGS: [&str; 14] = [
    "--headless",
    "--remote-debugging-pipe",
    // It sees our own pages alone, and its sandbox does not work as root.
    "--no-sandbox",
    // The memory that containers share is small.
    "--disable-dev-shm-usage",
    "--disable-gpu",
    // The same picture on each machine.
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--lang=en",
    // What it would like to ask its maker.
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP im.localhost 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    // A window that another one covers goes on.
    "--disable-features=CalculateNativeWinOcclusion",
];

static COUNT: AtomicU32 = AtomicU32::new(0);

pub(super) struct Chromium {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    calls: u64,
    /// What it told by itself, oldest first, and nobody has looked at.
    events: Vec<Value>,
    profile: PathBuf,
}

/// Whether this is left out, because whoever runs them said so.
pub(super) fn is_left_out() -> bool {
    std::env::var(VARIABLE).is_ok_and(|named| named == "none")
}

/// The program, or what to do where there is none.
pub(super) fn program() -> Result<PathBuf, String> {
    if let Ok(named) = std::env::var(VARIABLE) {
        return Ok(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut found = PROGRAMS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    found.find(|file| file.is_file()).ok_or_else(|| {
        format!(
            "there is no Chromium, so no page was opened. Install it (Debian: `apt-get install chromium`), \
             name another program of its kind in {VARIABLE}, or leave this out by {VARIABLE}=none"
        )
    })
}

impl Chromium {
    pub(super) fn start() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("browser_{}_{number}", std::process::id());
        let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut child = Command::new("sh")
            .args(["-c", PIPES])
            .arg(program().unwrap_or_else(|why| panic!("NOT RUN: {why}")))
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            to: child.stdin.take().unwrap(),
            from: BufReader::new(child.stdout.take().unwrap()),
            child,
            calls: 0,
            events: Vec::new(),
            profile,
        }
    }

    /// Gives a command to a tab, or to the browser; its answer, or why it was refused.
    pub(super) fn call(
        &mut self,
        tab: Option<&str>,
        method: &str,
        params: &Value,
    ) -> Result<Value, String> {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": params});
        if let Some(tab) = tab {
            message["sessionId"] = tab.into();
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .unwrap_or_else(|error| panic!("Chromium has ended before {method}: {error}"));
        loop {
            let mut message = self.read(method);
            if message["id"] != self.calls {
                self.events.push(message);
            } else if message["error"].is_null() {
                return Ok(message["result"].take());
            } else {
                return Err(message["error"]["message"].to_string());
            }
        }
    }

    fn read(&mut self, method: &str) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "Chromium has ended during {method}");
        serde_json::from_slice(&bytes).unwrap()
    }

    /// What it told of a tab since somebody looked.
    pub(super) fn events_of(&mut self, tab: &str) -> Vec<Value> {
        let is_its = |event: &mut Value| event["sessionId"] == tab;
        self.events.extract_if(.., is_its).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.profile));
    }
}
