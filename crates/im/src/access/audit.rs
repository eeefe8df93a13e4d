//! The audit log: what was done, by whom, from where, to what, and what came of it.
//!
//! One middleware around all routes ([`keep`]) writes it, so no route can be forgotten: what a route
//! does is said by its rule ([`super::rules`]).
//!
//! Invariants
//! - A row has no secret and no body: who, a route's words, what its path names, a status.
//! - What was begun is kept, also if its caller goes away before the end.
//! - Strangers cannot fill the disk with it, nor with the server's log ([`STRANGERS_MAX`]).
//! - Whatever is refused leaves a trace: a row, or a line of the server's log where nobody tried
//!   anything (ADR 0031).
//!
//! Absent: what `PagerDuty` does, which is in the timelines, and webhooks, which are kept themselves.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use im_store::audit::{self, Entry, Kind};
use im_store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};

use super::rules::{self, Rule};
use super::{Access, Whence, Who};
use crate::http::error::ApiError;
use crate::run::chain;

/// How long rows are kept: a year, and the time to look at it.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// Rows of nobody who is known, in a minute, and lines of the log; more are not kept.
const STRANGERS_MAX: u32 = 60;
/// So many letters and digits on end may be a secret that somebody put into a path.
const SECRET_CHARS_MIN: usize = 20;
/// A name of a thing is cut here.
const THING_CHARS_MAX: usize = 200;

/// What a handler knows of an act and its route does not. Of a page that is only asked for, it says that it was an act.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// What it was done to.
    pub thing: Option<String>,
    /// Who did it: somebody who was not known before.
    pub who: Option<(Kind, String)>,
    /// What came of it, where the answer leads on though nothing was done.
    pub outcome: Option<StatusCode>,
}

impl Note {
    /// What it was done to.
    pub fn thing(thing: impl Into<String>) -> axum::Extension<Self> {
        axum::Extension(Self {
            thing: Some(thing.into()),
            ..Self::default()
        })
    }

    /// The same, where nothing was done.
    pub fn not_done(thing: impl Into<String>, outcome: StatusCode) -> axum::Extension<Self> {
        axum::Extension(Self {
            thing: Some(thing.into()),
            outcome: Some(outcome),
            ..Self::default()
        })
    }
}

/// Marks the answer to a browser that was sent to sign in first.
#[derive(Debug, Clone, Copy)]
pub struct SentToSignIn {
    /// Whether it had a cookie, which is that of no session.
    pub had_cookie: bool,
}

/// How many were kept in a minute.
#[derive(Debug, Default)]
pub(super) struct Flood(Mutex<(i64, u32)>);

impl Flood {
    /// Whether one more may be kept.
    fn has_room(&self, now: Timestamp) -> bool {
        let minute = now.as_second().div_euclid(60);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != minute {
            *seen = (minute, 0);
        }
        seen.1 = seen.1.saturating_add(1);
        if seen.1 == STRANGERS_MAX + 1 {
            tracing::warn!("many are refused; {STRANGERS_MAX} of them a minute are kept");
        }
        seen.1 <= STRANGERS_MAX
    }
}

/// Keeps what a request did.
pub async fn keep(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let rule = rules::of(request.method(), request.extensions());
    if rule.is_some_and(Rule::is_door) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let about = About::of(rule, &parts);
    let request = Request::from_parts(parts, body);
    if rule.is_none_or(|rule| rule.act.is_empty()) {
        let response = next.run(request).await;
        let trace = about.trace(&response);
        about.keep(&access, trace).await;
        return response;
    }
    // A caller who hangs up would end this here, after what was done and before it was kept.
    let done = tokio::spawn(async move {
        let response = next.run(request).await;
        let trace = about.trace(&response);
        about.keep(&access, trace).await;
        response
    });
    match done.await {
        Ok(response) => response,
        Err(_panic) => ApiError::internal().into_response(),
    }
}

/// What is left of a request.
enum Trace {
    /// A row; `is_read`: it only asked to see something.
    Row {
        entry: Entry,
        is_read: bool,
    },
    /// A line of the server's log, with the status of the answer.
    Line(StatusCode),
    None,
}

/// What is known of a request before it is answered.
struct About {
    /// That of the route, if there is one.
    rule: Option<&'static Rule>,
    method: Method,
    /// The path as its route has it, or what may be told of it.
    path: String,
    thing: String,
    whence: Whence,
}

impl About {
    fn of(rule: Option<&'static Rule>, parts: &Parts) -> Self {
        let template = parts.extensions.get::<MatchedPath>();
        let template = template.map(MatchedPath::as_str);
        Self {
            rule,
            method: parts.method.clone(),
            path: template.map_or_else(|| told(parts.uri.path()), str::to_owned),
            thing: named(template.unwrap_or_default(), parts.uri.path()),
            whence: Whence::of(parts),
        }
    }

    fn trace(&self, response: &Response) -> Trace {
        match self.rule.and_then(|rule| self.entry(rule, response)) {
            Some((entry, is_read)) => Trace::Row { entry, is_read },
            None if self.is_noise(response) => Trace::Line(response.status()),
            None => Trace::None,
        }
    }

    async fn keep(self, access: &Access, trace: Trace) {
        match trace {
            Trace::Row { entry, is_read } => {
                keep_entry(access, (entry, is_read), self.whence).await;
            }
            Trace::Line(status) => self.say(access, status).await,
            Trace::None => {}
        }
    }

    /// Whether nobody tried anything, or what was tried is no address of ours.
    fn is_noise(&self, response: &Response) -> bool {
        let is_nowhere = matches!(
            response.status(),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        );
        self.rule.is_none() && is_nowhere || response.extensions().get::<SentToSignIn>().is_some()
    }

    /// Says in the server's log what is worth no row.
    async fn say(self, access: &Access, status: StatusCode) {
        if !access.scans.has_room(access.clock.now()) {
            return;
        }
        let whence = self.whence;
        let address = access.db.read(move |tx| super::address(tx, &whence)).await;
        let address = address.unwrap_or_default();
        let (method, path) = (self.method, self.path);
        tracing::info!(
            http.status = status.as_u16(),
            "refused {method} {path} to {address}: {status}"
        );
    }

    /// What is to be kept, if anything is, and whether it only asked to see something.
    fn entry(&self, rule: &Rule, response: &Response) -> Option<(Entry, bool)> {
        let who = response.extensions().get::<Who>();
        let note = response.extensions().get::<Note>().cloned();
        let sent = response.extensions().get::<SentToSignIn>();
        let has_wrong_cookie = sent.is_some_and(|sent| sent.had_cookie);
        // Being sent on to sign in elsewhere, and back, is an act, though it only asks for a page.
        let is_act = !rule.act.is_empty() && (note.is_some() || who.is_some() || sent.is_some());
        if rule.is_read() && !(is_act || has_wrong_cookie || is_refusal(response.status())) {
            return None;
        }
        let note = note.unwrap_or_default();
        // Nothing was done for whoever was sent to sign in, though the answer leads on (303).
        let outcome = sent.map(|_| StatusCode::UNAUTHORIZED).or(note.outcome);
        let (kind, name) = match (note.who, who) {
            (Some(noted), _) => noted,
            (None, Some(who)) => (who.kind, who.name.clone()),
            (None, None) => (Kind::Nobody, String::new()),
        };
        let act = match rule.act {
            "" if has_wrong_cookie => format!("asked for {} by no session", rule.path),
            "" => format!("asked for {}", rule.path),
            act => act.to_owned(),
        };
        let thing = note.thing.unwrap_or_else(|| self.thing.clone());
        let thing = thing.replace(char::is_control, "\u{FFFD}");
        let entry = Entry {
            kind,
            who: short(&name),
            acts_as: who.and_then(|who| who.acts_as.as_deref()).map(short),
            address: String::new(),
            act,
            thing: short(&thing),
            status: outcome.unwrap_or(response.status()).as_u16(),
        };
        Some((entry, rule.act.is_empty()))
    }
}

/// Whether an answer of this status says that somebody may not.
fn is_refusal(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::GONE
            | StatusCode::MISDIRECTED_REQUEST
    )
}

fn short(text: &str) -> String {
    text.chars().take(THING_CHARS_MAX).collect()
}

async fn keep_entry(access: &Access, (mut entry, is_read): (Entry, bool), whence: Whence) {
    let now = access.clock.now();
    // Who knocks at many doors must not hide who tries a password. Whoever is known can ask for what they may not see
    // as often as a stranger can knock.
    let flood = match (entry.kind, is_read) {
        (Kind::Nobody, true) => Some(&access.knocks),
        (Kind::Nobody, false) => Some(&access.flood),
        (_, true) => Some(&access.curious),
        (_, false) => None,
    };
    if flood.is_some_and(|flood| !flood.has_room(now)) {
        return;
    }
    let act = entry.act.clone();
    let kept = access.db.write(move |tx: &mut Tx<'_>| {
        entry.address = super::address(tx, &whence)?;
        audit::insert(tx, &entry, now)
    });
    let kept: Result<(), StoreError> = kept.await;
    if let Err(error) = kept {
        tracing::error!(
            "the audit log misses that somebody {act}: {}",
            chain(&error)
        );
    }
}

/// What a path names: the parts that its route leaves open.
fn named(template: &str, path: &str) -> String {
    let parts = template.split('/').zip(path.split('/'));
    let open = parts.filter(|(template, _)| template.starts_with('{'));
    let named: Vec<String> = open.map(|(_, part)| decoded(part)).collect();
    named.join(" ")
}

/// What may be told of a path that no route has: nothing in it that may be a secret or an e-mail address.
fn told(path: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+');
    let hide = |part: &str| {
        let is_address = part.contains('@') || part.contains("%40");
        let mut words = part.split(|c: char| !is_word(c));
        let is_long = words.any(|word| word.len() >= SECRET_CHARS_MIN);
        if is_address || is_long {
            "[hidden]".to_owned()
        } else {
            part.replace(char::is_control, "\u{FFFD}")
        }
    };
    let parts: Vec<String> = path.split('/').map(hide).collect();
    short(&parts.join("/"))
}

/// A part of a path as people read it.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digits = [ahead.next(), ahead.next()];
        let escaped = match (byte, digits) {
            (b'%', [Some(high), Some(low)]) => hex::decode([high, low]).ok(),
            _ => None,
        };
        if let Some(escaped) = escaped {
            bytes.extend(escaped);
            rest = ahead;
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    // A line stays a line.
    text.replace(char::is_control, "\u{FFFD}")
}

/// Forgets what was kept long enough.
pub(super) fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    audit::forget(tx, now - KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_names_is_said_as_people_read_it() {
        let about = |template, path| named(template, path);
        assert_eq!(
            about("/api/v1/incidents/{id}", "/api/v1/incidents/INC-7"),
            "INC-7"
        );
        assert_eq!(about("/a/{b}/c/{d}", "/a/x%20y/c/%C3%A4"), "x y ä");
        assert_eq!(about("/a/{b}", "/a/%0Aroot%zz%"), "\u{FFFD}root%zz%");
        assert_eq!(about("/a", "/a"), "");
    }

    #[test]
    fn what_is_told_of_a_path_is_no_secret() {
        for path in [
            "/people%2f",
            "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "//",
            "/wp-login.php",
        ] {
            assert_eq!(told(path), path);
        }
        for secret in [
            "imt_0123456789abcdef0123",
            "y_NbAkKc66ryYTWUXYEu",
            "ann@example.com",
            "ann%40example.com",
        ] {
            assert_eq!(told(&format!("/x/{secret}/y")), "/x/[hidden]/y");
        }
        assert_eq!(told(&"/ab".repeat(1_000)).len(), THING_CHARS_MAX);
    }

    #[test]
    fn strangers_have_a_minutes_room() {
        let flood = Flood::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        for _ in 0..STRANGERS_MAX {
            assert!(flood.has_room(at(0)));
        }
        assert!(!flood.has_room(at(59)));
        assert!(flood.has_room(at(60)));
    }
}
