//! `PAGERDUTY_DEBUG` and the journal of a real server: rows I-110, I-111 and I-112.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::json;

use crate::process::server::program;

/// `im serve` on a free port, until it goes.
struct Serving {
    child: Child,
    url: String,
    folder: PathBuf,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Serving {
    fn start(name: &str, debug: Option<&str>) -> Self {
        Self::listening(name, "127.0.0.1:0", debug)
    }

    fn listening(name: &str, address: &str, debug: Option<&str>) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(std::fs::remove_dir_all(&folder));
        let mut command = program();
        command.env_remove("RUST_LOG").env("NO_COLOR", "1");
        if let Some(word) = debug {
            command.env("PAGERDUTY_DEBUG", word);
        }
        let arguments = ["serve", "--listen", address, "--data-dir"];
        command.args(arguments).arg(&folder).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let url = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended");
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(',').next().unwrap().trim().to_owned();
            }
        };
        Self {
            child,
            url,
            folder,
            stderr,
        }
    }

    /// Adds a connector to a PagerDuty that is away.
    fn connected(self, debug: bool) -> Self {
        let config = json!({"api_key": "u+abcdefghijklmnop", "base_url": "http://127.0.0.1:1",
            "sync_direction": "bidirectional", "debug": debug,
            "custom": {"service_id": "PDAT001", "from_email": "ops@company.com"}});
        let add = ["connector", "add", "pagerduty", "prod", "--config"];
        let config = config.to_string();
        let added = self.im(&[&add, &[config.as_str()][..]].concat());
        assert!(added.contains("Added prod"), "{added}");
        self
    }

    fn im(&self, arguments: &[&str]) -> String {
        im(&[&["--server", self.url.as_str()], arguments].concat())
    }

    /// Tests the connector; returns all that the server said meanwhile.
    fn told(mut self) -> (String, String) {
        self.im(&["connector", "test", "prod"]);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        let folder = self.folder.to_str().unwrap();
        let kept = im(&["logs", "--data-dir", folder, "--component", "api"]);
        (said, kept)
    }
}

pub(crate) fn im(arguments: &[&str]) -> String {
    let output = program().args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

const LINE: &str = "GET /users/me: no answer after ";

#[test]
fn i111_pagerduty_debug_says_each_call_and_without_it_only_the_journal_has_them() {
    for word in ["true", "1"] {
        let (said, kept) = Serving::start("debug-on", Some(word))
            .connected(false)
            .told();
        assert!(said.contains(LINE), "{word}: {said}");
        assert!(kept.contains(LINE), "{word}: {kept}");
        assert!(!said.contains("GET /api/v1"), "for PagerDuty only: {said}");
        assert!(
            !said.contains("u+abcdefghijklmnop") && !said.contains("ops@company.com"),
            "{said}"
        );
    }
    let (said, kept) = Serving::start("debug-off", None).connected(false).told();
    assert!(!said.contains(LINE), "{said}");
    assert!(kept.contains(LINE), "{kept}");
}

#[test]
fn i112_the_environment_comes_before_a_connectors_debug() {
    let (said, _) = Serving::start("debug-config", None).connected(true).told();
    assert!(said.contains(LINE), "{said}");
    let (said, kept) = Serving::start("debug-env", Some("false"))
        .connected(true)
        .told();
    assert!(!said.contains(LINE), "{said}");
    assert!(kept.contains(LINE), "the journal has it: {kept}");
}

#[test]
fn a_server_that_others_reach_prints_a_link_for_its_first_owner_and_keeps_it_out_of_its_journal() {
    let mut server = Serving::listening("first-owner", "0.0.0.0:0", None);
    let how = loop {
        let mut line = String::new();
        assert_ne!(server.stderr.read_line(&mut line).unwrap(), 0, "it ended");
        if line.contains("nobody has an account yet") {
            break line;
        }
    };
    let link = how
        .split_whitespace()
        .find(|word| word.contains("/set-password?link="));
    let (base, secret) = link.unwrap().split_once("/set-password?link=").unwrap();
    assert!(base.starts_with("http://localhost:"), "{how}");
    let folder = server.folder.to_str().unwrap();
    let kept = im(&["logs", "--data-dir", folder]);
    assert!(kept.contains("listening on"), "{kept}");
    assert!(!kept.contains(secret), "{kept}");

    let local = Serving::start("first-owner-here", None);
    let folder = local.folder.to_str().unwrap();
    let added = im(&[
        "user",
        "add",
        "ann@example.com",
        "--role",
        "owner",
        "--data-dir",
        folder,
    ]);
    let here = format!("{}/set-password?link=", local.url);
    assert!(added.starts_with(&here), "{here}: {added}");
    let acts = im(&["audit", "--data-dir", folder]);
    assert!(
        acts.contains("the administrator invited somebody (ann@example.com): done"),
        "{acts}"
    );
    let (said, _) = local.told();
    assert!(!said.contains("/set-password"), "{said}");
}

/// A process that says lines until it is told to go.
pub(crate) struct Saying {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Saying {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = program();
        command.env("NO_COLOR", "1").args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The first line with this text.
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "it ended");
            if line.contains(text) {
                return line;
            }
        }
    }
}

impl Drop for Saying {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn i110_a_log_that_is_followed_goes_on_with_what_comes() {
    let serving = Serving::start("debug-follow", None).connected(false);
    let follow = [
        "logs",
        "--follow",
        "--component",
        "api",
        "--filter",
        "/users/me",
    ];
    let mut log = Saying::start(&[&["--server", serving.url.as_str()], &follow[..]].concat());
    serving.im(&["connector", "test", "prod"]);
    let line = log.until("GET /users/me");
    assert!(line.contains("no answer after"), "{line}");
}

#[test]
fn i110_the_demo_keeps_its_log() {
    let free = "127.0.0.1:0";
    let mut demo = Saying::start(&["demo", "--listen", free, "--sim-listen", free]);
    let line = demo.until("im: the pages of incidents and figures, the API");
    let url = line.split_whitespace().next().unwrap();
    // By a webhook it is here at once.
    demo.until(" is open (");
    let logs = [
        "--server",
        url,
        "logs",
        "--component",
        "webhook",
        "--filter",
        "pagerduty",
    ];
    let kept = im(&logs);
    assert!(kept.contains("PagerDuty delivered a webhook"), "{kept}");
}
