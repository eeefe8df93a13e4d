//! `im sim` as a process: one account of PagerDuty's.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::process::server::program;
use crate::process::wire::{self, Message};

/// Rows that the control API shows at most.
const ROWS_MAX: &str = "10000";

/// Longer than any run.
const DELAY_MIN: u32 = 1_440;

pub(crate) struct StandIn {
    pub(crate) address: SocketAddr,
    /// Its document: keys, people, services.
    pub(crate) account: Value,
    child: Mutex<Child>,
}

impl StandIn {
    /// Starts one whose ids follow from `seed`.
    pub(crate) fn start(seed: u64) -> Self {
        let mut command = program();
        command
            .args(["--json", "sim", "--listen", "127.0.0.1:0"])
            .args(["--seed", &seed.to_string()])
            .env("IM_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut said).unwrap();
        let account: Value = serde_json::from_str(&said)
            .unwrap_or_else(|error| panic!("im sim does not start: {error}: {said:?}"));
        let address = account["base_url"].as_str().unwrap();
        let address = address.strip_prefix("http://").unwrap().parse().unwrap();
        Self {
            address,
            account,
            child: Mutex::new(child),
        }
        .without_timers()
    }

    /// Lets nothing happen by itself: what escalates after half an hour would do so for as long as somebody looks.
    fn without_timers(self) -> Self {
        for service in self.listed("services") {
            let (ack, end) = ("acknowledgement_timeout", "auto_resolve_timeout");
            self.change(
                "service",
                &json!({"id": service["id"], ack: null, end: null}),
            );
        }
        for mut policy in self.listed("escalation_policies") {
            let rules = policy["escalation_rules"].as_array_mut().unwrap();
            for rule in rules {
                rule["escalation_delay_in_minutes"] = json!(DELAY_MIN);
            }
            self.change("escalation_policy", &policy);
        }
        self
    }

    fn listed(&self, name: &str) -> Vec<Value> {
        let (status, shown) = self.ask("GET", &format!("/{name}?limit=100"), &Value::Null);
        assert_eq!((status, &shown["more"]), (200, &json!(false)), "{shown:#}");
        shown[name].as_array().unwrap().clone()
    }

    fn change(&self, what: &str, new: &Value) {
        let list = match what {
            "service" => "services",
            _ => "escalation_policies",
        };
        let path = format!("/{list}/{}", new["id"].as_str().unwrap());
        let (status, said) = self.ask("PUT", &path, &json!({what: new}));
        assert_eq!(status, 200, "{path}: {said:#}");
    }

    /// Asks the control API.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.ask(method, &format!("/_sim/{path}"), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let key = self.account["api_key"].as_str().unwrap();
        let headers = [
            ("host".to_owned(), self.address.to_string()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("authorization".to_owned(), format!("Token token={key}")),
        ];
        let request = Message::request(method, path, &headers, &body);
        let answer = wire::send(self.address, &request.bytes())
            .and_then(|mut stream| wire::receive(&mut stream))
            .unwrap_or_else(|error| panic!("im sim does not answer {path}: {error}"));
        (answer.status(), answer.json())
    }

    /// The rows of a list, of which there are fewer than are shown at most.
    pub(crate) fn rows(&self, name: &str) -> Vec<Value> {
        let path = match name {
            "subscriptions" => name.to_owned(),
            _ => format!("{name}?limit={ROWS_MAX}"),
        };
        let (status, shown) = self.control("GET", &path, &Value::Null);
        assert_eq!(status, 200, "{path}: {shown:#}");
        let rows = shown[name].as_array().unwrap().clone();
        assert!(
            name == "deliveries" || rows.len() < ROWS_MAX.parse().unwrap(),
            "there are more {name} than `im sim` shows: use more accounts"
        );
        rows
    }

    /// How many webhooks it has not got rid of.
    pub(crate) fn owed(&self) -> u64 {
        let (_, shown) = self.control("GET", "deliveries?limit=1", &Value::Null);
        let queued = self.rows("subscriptions");
        let queued = queued
            .iter()
            .map(|one| one["queued_events"].as_array().unwrap().len());
        shown["under_way"].as_u64().unwrap() + u64::try_from(queued.sum::<usize>()).unwrap()
    }

    /// Ids of something that its document lists.
    pub(crate) fn ids(&self, name: &str) -> Vec<String> {
        let rows = self.account[name].as_array().unwrap();
        let ids = rows.iter().map(|row| row["id"].as_str().unwrap());
        ids.map(str::to_owned).collect()
    }

    /// Ends the process.
    pub(crate) fn end(&self) {
        let mut child = self.child.lock().unwrap();
        drop(child.kill());
        drop(child.wait());
    }
}
