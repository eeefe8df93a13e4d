//! The audit log: what was done, by whom, from where, to what, and what came of it.
//!
//! One middleware around all routes ([`keep`]) writes it, so no route can be forgotten: what a route
//! does is said by its rule ([`super::rules`]).
//!
//! Invariants
//! - A row has no secret and no body: who, a route's words, what its path names, a status.
//! - What was begun is kept, also if its caller goes away before the end.
//! - Strangers cannot fill the disk with it ([`STRANGERS_MAX`]).
//!
//! Absent: what `PagerDuty` does, which is in the timelines, and webhooks, which are kept themselves.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
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
/// Rows of nobody who is known, in a minute. More are counted in the log and not kept.
const STRANGERS_MAX: u32 = 60;
/// A name of a thing is cut here.
const THING_CHARS_MAX: usize = 200;

/// What a handler knows of an act and its route does not. Of a page that is only asked for, it says that it was an act.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// What it was done to.
    pub thing: Option<String>,
    /// Who did it: somebody who was not known before.
    pub who: Option<(Kind, String)>,
}

impl Note {
    /// What it was done to.
    pub fn thing(thing: impl Into<String>) -> axum::Extension<Self> {
        axum::Extension(Self {
            thing: Some(thing.into()),
            who: None,
        })
    }
}

/// How many strangers were kept in a minute.
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
            tracing::warn!(
                "many are refused; the audit log keeps {STRANGERS_MAX} of them a minute"
            );
        }
        seen.1 <= STRANGERS_MAX
    }
}

/// Keeps what a request did.
pub async fn keep(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let Some(rule) = rules::of(request.method(), request.extensions()) else {
        return next.run(request).await;
    };
    if !rule.is_read() && rule.act.is_empty() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let about = About::of(rule, &parts);
    let request = Request::from_parts(parts, body);
    if rule.act.is_empty() {
        let response = next.run(request).await;
        keep_entry(&access, about.entry(&response), about.whence).await;
        return response;
    }
    // A caller who hangs up would end this here, after what was done and before it was kept.
    let done = tokio::spawn(async move {
        let response = next.run(request).await;
        keep_entry(&access, about.entry(&response), about.whence).await;
        response
    });
    match done.await {
        Ok(response) => response,
        Err(_panic) => ApiError::internal().into_response(),
    }
}

/// What is known of a request before it is answered.
struct About {
    rule: &'static Rule,
    thing: String,
    whence: Whence,
    has_token: bool,
}

impl About {
    fn of(rule: &'static Rule, parts: &Parts) -> Self {
        let template = parts.extensions.get::<MatchedPath>();
        let template = template.map_or("", MatchedPath::as_str);
        Self {
            rule,
            thing: named(template, parts.uri.path()),
            whence: Whence::of(parts),
            has_token: parts.headers.contains_key(header::AUTHORIZATION),
        }
    }

    /// What is to be kept, if anything is, and whether it only asked to see something.
    fn entry(&self, response: &Response) -> Option<(Entry, bool)> {
        let who = response.extensions().get::<Who>();
        let note = response.extensions().get::<Note>().cloned();
        let refused = matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        );
        // Being sent on to sign in elsewhere, and back, is an act, though it only asks for a page.
        let is_act = !self.rule.act.is_empty() && (note.is_some() || who.is_some());
        let is_worth = is_act || refused && (who.is_some() || self.has_token);
        if self.rule.is_read() && !is_worth {
            return None;
        }
        let note = note.unwrap_or_default();
        let (kind, name) = match (note.who, who) {
            (Some(noted), _) => noted,
            (None, Some(who)) => (who.kind, who.name.clone()),
            (None, None) => (Kind::Nobody, String::new()),
        };
        let act = match self.rule.act {
            "" => format!("asked for {}", self.rule.path),
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
            status: response.status().as_u16(),
        };
        Some((entry, self.rule.act.is_empty()))
    }
}

fn short(text: &str) -> String {
    text.chars().take(THING_CHARS_MAX).collect()
}

async fn keep_entry(access: &Access, entry: Option<(Entry, bool)>, whence: Whence) {
    let now = access.clock.now();
    let Some((mut entry, is_read)) = entry else {
        return;
    };
    // Whoever is known can ask for what they may not see as often as a stranger can knock.
    let flood = match (entry.kind, is_read) {
        (Kind::Nobody, _) => Some(&access.flood),
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
