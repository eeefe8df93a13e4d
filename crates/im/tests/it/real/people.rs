//! What people do on both sides of one account, as chance has it.
//!
//! Somebody here whose request was not answered looks for what it should have made, and does not say it again: each word is said once,
//! and what it means may be there once at most.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::plan::{Point, Way, stream};
use super::world::{Doom, World, connector};
use crate::process::wire;

/// Our door takes ten webhooks a second and connector; an act makes one or two.
const PACE: Duration = Duration::from_millis(150);
/// After so many acts they look whether PagerDuty was told …
const LOOK_EVERY: u64 = 10;
/// … and wait until no more than this is owed: a machine that has no time for this is not to fall behind for good.
const OWED_MAX: u64 = 20;
/// Incidents that people have in sight.
const IN_SIGHT: usize = 8;
/// How many people and services take part.
const PEOPLE: usize = 4;
const SERVICES: usize = 4;

/// Who changes the status and the people of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Both,
    Here,
    There,
}

/// An incident that people know of.
struct Known {
    /// The title that it began with, which no other has.
    key: String,
    /// `INC-7`, once somebody has seen it here.
    number: Option<String>,
    /// PagerDuty's id, once somebody has seen it.
    twin: Option<String>,
    whose: Whose,
}

/// The people of an account.
pub(crate) struct People<'w> {
    world: &'w World,
    account: usize,
    rng: Rng,
    known: Vec<Known>,
    said: u64,
}

impl<'w> People<'w> {
    pub(crate) fn of(world: &'w World, account: usize) -> Self {
        Self {
            world,
            account,
            rng: stream(world.size.seed, account, 1),
            known: Vec::new(),
            said: 0,
        }
    }

    /// They act until enough was delivered.
    pub(crate) fn act(mut self) {
        while !self.world.is_enough() {
            self.one();
            self.world.pause(PACE);
            if self.said.is_multiple_of(LOOK_EVERY) {
                self.world.until("what is owed", || self.too_much());
            }
        }
    }

    /// Whether PagerDuty has to be told so much that nobody asks for more.
    fn too_much(&self) -> Option<String> {
        let path = format!("/api/v1/connectors/{}", connector(self.account));
        let pending = self.world.get(&path)["pending"].as_u64().unwrap();
        (pending > OWED_MAX).then(|| format!("{path} owes {}", pending - pending % OWED_MAX))
    }

    fn one(&mut self) {
        self.said += 1;
        match self.rng.u8(0..100) {
            0..=7 => self.declare(),
            8..=14 => self.trigger(),
            which => {
                let first = self.known.len().saturating_sub(IN_SIGHT);
                if self.known.is_empty() {
                    return self.declare();
                }
                let at = self.rng.usize(first..self.known.len());
                self.look(at);
                if which < 58 {
                    self.here(at);
                } else {
                    self.there(at);
                }
            }
        }
    }

    /// A text that nobody said before.
    fn text(&self, what: &str) -> String {
        // The end keeps one from being a part of another.
        format!("{what} {}.{}.", self.account, self.said)
    }

    fn whose(&mut self) -> Whose {
        let whose = [Whose::Both, Whose::Both, Whose::Here, Whose::There];
        whose[self.rng.usize(0..whose.len())]
    }

    fn declare(&mut self) {
        let key = self.text("declared");
        let severity = format!("SEV-{}", self.rng.u8(1..5));
        let whose = self.whose();
        let body = json!({
            "title": key, "severity": severity, "connector": connector(self.account),
        });
        let answer = self.command(&key, "declare", "POST", "/api/v1/incidents", &body);
        let number = match answer {
            Some(outcome) => outcome["incident"]["id"].as_str().map(str::to_owned),
            None => self.find(&key),
        };
        self.known.extend(number.map(|number| Known {
            key,
            number: Some(number),
            twin: None,
            whose,
        }));
    }

    fn trigger(&mut self) {
        let key = self.text("triggered");
        let services = self.stand_in().ids("services");
        let service = &services[self.rng.usize(0..SERVICES)];
        let whose = self.whose();
        let body = json!({"service": service, "title": key});
        let (status, done) = self.stand_in().control("POST", "trigger", &body);
        let twin = done["incident"]["id"].as_str().map(str::to_owned);
        self.told_there(&key, "trigger", &body, status, twin.as_deref());
        self.known.extend(twin.map(|twin| Known {
            key,
            number: None,
            twin: Some(twin),
            whose,
        }));
    }

    /// Looks for the other side's name of an incident.
    fn look(&mut self, at: usize) {
        let known = &self.known[at];
        match (&known.number, &known.twin) {
            (Some(number), None) => {
                let shown = self.world.get(&format!("/api/v1/incidents/{number}"));
                let twin = shown["pagerduty"]["id"].as_str();
                self.known[at].twin = twin.map(str::to_owned);
            }
            (None, Some(_)) => self.known[at].number = self.find(&known.key),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn find(&self, title: &str) -> Option<String> {
        let asked = format!(
            "/api/v1/incidents?limit=100&q={}",
            title.replace(' ', "%20")
        );
        let found = self.world.get(&asked);
        let found = found.as_array().unwrap();
        let found = found.iter().find(|one| one["title"] == title)?;
        let number = found["id"].as_str().unwrap().to_owned();
        self.world.history.tell(json!({
            "what": "found", "account": self.account, "key": title, "number": number,
        }));
        Some(number)
    }

    /// Somebody here does something.
    fn here(&mut self, at: usize) {
        let (which, with_note) = (self.rng.u8(0..14), self.rng.bool());
        let user = self.rng.usize(0..PEOPLE);
        let known = &self.known[at];
        let Some(number) = known.number.clone() else {
            return;
        };
        let (key, is_ours) = (known.key.clone(), known.whose != Whose::There);
        let text = self.text("note");
        let path = format!("/api/v1/incidents/{number}");
        let note = if with_note {
            json!({"note": text})
        } else {
            json!({})
        };
        let (verb, method, path, body) = match which {
            0..=3 if is_ours => ("acknowledge", "POST", format!("{path}/acknowledge"), note),
            4..=5 if is_ours => ("resolve", "POST", format!("{path}/resolve"), note),
            6 if is_ours => ("reopen", "POST", format!("{path}/reopen"), json!({})),
            7..=8 if is_ours => {
                let to = &self.stand_in().ids("users")[user];
                (
                    "assign",
                    "POST",
                    format!("{path}/assign"),
                    json!({"to": [to]}),
                )
            }
            9..=10 => (
                "rename",
                "PATCH",
                path,
                json!({"title": self.text("renamed")}),
            ),
            _ => (
                "note",
                "POST",
                format!("{path}/notes"),
                json!({"text": text}),
            ),
        };
        self.command(&key, verb, method, &path, &body);
    }

    /// Somebody at PagerDuty does something.
    fn there(&mut self, at: usize) {
        let (which, other) = (self.rng.u8(0..14), self.rng.usize(0..PEOPLE));
        let user = self.rng.usize(0..PEOPLE);
        let known = &self.known[at];
        let Some(twin) = known.twin.clone() else {
            return;
        };
        let (key, is_theirs) = (known.key.clone(), known.whose != Whose::Here);
        let users = self.stand_in().ids("users");
        let who = &users[user];
        let (verb, body) = match which {
            0..=3 if is_theirs => ("acknowledge", json!({"user": who})),
            4..=5 if is_theirs => ("resolve", json!({"user": who})),
            6 if is_theirs => ("reopen", json!({"user": who})),
            7..=9 if is_theirs => ("reassign", json!({"user": who, "to": users[other]})),
            _ => ("note", json!({"user": who, "text": self.text("note")})),
        };
        let path = format!("incidents/{twin}/{verb}");
        let (status, _) = self.stand_in().control("POST", &path, &body);
        self.told_there(&key, verb, &body, status, Some(&twin));
    }

    fn stand_in(&self) -> &'w super::stand_in::StandIn {
        &self.world.stand_ins[self.account]
    }

    fn told_there(&self, key: &str, verb: &str, body: &Value, status: u16, twin: Option<&str>) {
        self.world.history.tell(json!({
            "what": "there", "account": self.account, "key": key, "verb": verb, "body": body,
            "answer": status, "twin": twin,
        }));
    }

    /// Gives a command, once. No answer: nobody knows.
    fn command(
        &mut self,
        key: &str,
        verb: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Option<Value> {
        let users = self.stand_in().account["users"].as_array().unwrap();
        let who = users[self.rng.usize(0..PEOPLE)]["email"].as_str().unwrap();
        let request = self.world.request(method, path, who, body);
        let counts = &self.world.counts;
        counts
            .commands
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let answer = match self.world.fate(self.account, Way::Command, None) {
            Doom::Kill(point, rest) => self.struck(&request, point, rest),
            Doom::Fate(_) => wire::send(self.world.server_address, &request.bytes())
                .and_then(|mut line| wire::receive(&mut line))
                .ok(),
        };
        let outcome = answer.as_ref().map(wire::Message::json);
        let done = outcome.as_ref().filter(|done| done["incident"].is_object());
        self.world.history.tell(json!({
            "what": "command", "account": self.account, "key": key, "verb": verb,
            "request": format!("{method} {path}"), "as": who, "body": body,
            "answer": answer.as_ref().map(wire::Message::status),
            "changed": done.map(|done| done["here"]["changed"].clone()),
            "number": done.map(|done| done["incident"]["id"].clone()),
        }));
        done.cloned()
    }

    fn struck(
        &self,
        request: &wire::Message,
        point: Point,
        rest: Duration,
    ) -> Option<wire::Message> {
        let (bytes, to) = (request.bytes(), self.world.server_address);
        let kill = || {
            let what = json!({"what": "kill", "way": "command", "point": point.word()});
            self.world.kill(rest, &what);
        };
        if point == Point::Before {
            let half = wire::send(to, &bytes[..bytes.len() - request.body.len() / 2]);
            kill();
            drop(half);
            return None;
        }
        let mut line = wire::send(to, &bytes).ok();
        if point == Point::During {
            kill();
        }
        let answer = line.as_mut().and_then(|line| wire::receive(line).ok());
        match point {
            Point::Answered => kill(),
            Point::Later(later) => {
                self.world.pause(later);
                kill();
            }
            Point::Before | Point::During => {}
        }
        answer
    }
}
