//! `PAGERDUTY_DEBUG` and the journal of a real server: rows I-110 and I-111.

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
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(std::fs::remove_dir_all(&folder));
        let mut command = program();
        command.env_remove("RUST_LOG").env("NO_COLOR", "1");
        if let Some(word) = debug {
            command.env("PAGERDUTY_DEBUG", word);
        }
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir"];
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

    /// Tests a connector to a PagerDuty that is away; returns all that the server said meanwhile.
    fn told(mut self) -> (String, String) {
        let config = json!({"api_key": "u+abcdefghijklmnop", "base_url": "http://127.0.0.1:1",
            "sync_direction": "bidirectional",
            "custom": {"service_id": "PDAT001", "from_email": "ops@company.com"}});
        let url = self.url.clone();
        let on_server = ["--server", url.as_str()];
        let add = ["connector", "add", "pagerduty", "prod", "--config"];
        let config = config.to_string();
        let added = im(&[&on_server[..], &add, &[config.as_str()]].concat());
        assert!(added.contains("Added prod"), "{added}");
        im(&[&on_server[..], &["connector", "test", "prod"]].concat());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        let folder = self.folder.to_str().unwrap();
        let kept = im(&["logs", "--data-dir", folder, "--component", "api"]);
        (said, kept)
    }
}

fn im(arguments: &[&str]) -> String {
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
        let (said, kept) = Serving::start("debug-on", Some(word)).told();
        assert!(said.contains(LINE), "{word}: {said}");
        assert!(kept.contains(LINE), "{word}: {kept}");
        assert!(!said.contains("GET /api/v1"), "for PagerDuty only: {said}");
        assert!(
            !said.contains("u+abcdefghijklmnop") && !said.contains("ops@company.com"),
            "{said}"
        );
    }
    let (said, kept) = Serving::start("debug-off", None).told();
    assert!(!said.contains(LINE), "{said}");
    assert!(kept.contains(LINE), "{kept}");
}
