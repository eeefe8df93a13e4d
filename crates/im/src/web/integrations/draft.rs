//! Keys that PagerDuty took and whose connectors are not made yet (ADR 0020).
//!
//! One for each browser, by the word of its forms, in memory alone: a key that nobody went on with is on
//! no disk. Who comes back after an hour, or after the server was started anew, gives it again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use im_pagerduty::Secret;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use super::{hand_over, oauth};
use crate::credential::OAuthApp;
use crate::http::api::connectors::set_up::KeyView;
use crate::http::error::ApiError;

/// How long somebody may take to choose.
const LASTS: SignedDuration = SignedDuration::from_hours(1);
/// Nobody sets up more at once.
const KEPT_MAX: usize = 50;

/// A connection that has a key and no settings.
#[derive(Clone)]
pub(super) struct Draft {
    /// What it is to be called.
    pub(super) name: String,
    /// Whether it is there already, and is to have this key.
    pub(super) renews: bool,
    /// Whether the key is of somebody who signed in.
    pub(super) is_signed_in: bool,
    pub(super) base_url: String,
    pub(super) api_key: Secret,
    /// What PagerDuty said of the key.
    pub(super) key: Arc<KeyView>,
    /// When the key was tried.
    pub(super) at: Timestamp,
}

/// Somebody who was sent to PagerDuty, and has not come back.
#[derive(Clone)]
pub(super) struct Pending {
    /// What the connection is, or is to be, called.
    pub(super) name: String,
    /// Whether it is there already.
    pub(super) renews: bool,
    /// `scoped` or `classic`.
    pub(super) kind: String,
    pub(super) app: OAuthApp,
    /// Where the person was sent.
    pub(super) url: String,
    /// Where the person comes back to.
    pub(super) redirect_uri: String,
    /// What has to come back.
    pub(super) word: String,
    /// What proves that we sent them (PKCE).
    pub(super) verifier: Secret,
    pub(super) at: Timestamp,
}

/// Somebody who signed in, and may there do less than was asked for: a key is to make up for it.
#[derive(Clone)]
pub(super) struct Lacking {
    /// What the connection is to be called.
    pub(super) name: String,
    pub(super) base_url: String,
    /// Why the sign-in is not enough.
    pub(super) error: ApiError,
    pub(super) at: Timestamp,
}

/// Somebody who was asked for a key by a link, and has not given it.
#[derive(Clone)]
pub(super) struct HandOver {
    /// The hash of the link's secret.
    pub(super) hash: String,
    /// The browser that goes on with the key.
    pub(super) browser: String,
    /// The account that made the link; none where nobody signs in.
    pub(super) maker: Option<String>,
    /// What the connection is to be called.
    pub(super) name: String,
    pub(super) base_url: String,
    pub(super) at: Timestamp,
}

/// The drafts, by browser.
#[derive(Default)]
pub(in crate::web) struct Drafts {
    made: Mutex<VecDeque<(String, Draft)>>,
    /// People who are at PagerDuty.
    away: Mutex<VecDeque<(String, Pending)>>,
    /// People who came back with too little.
    lacking: Mutex<VecDeque<(String, Lacking)>>,
    /// People who were asked for a key.
    asked: Mutex<VecDeque<HandOver>>,
}

impl Drafts {
    /// Keeps one in place of the browser's last.
    pub(super) fn keep(&self, browser: &str, draft: Draft) {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, old)| known != browser && is_current(old, draft.at));
        kept.truncate(KEPT_MAX - 1);
        kept.push_front((browser.to_owned(), draft));
        drop(kept);
        self.has_enough(browser);
    }

    /// Remembers that the sign-in of a browser is not enough.
    pub(super) fn ask_for_key(&self, browser: &str, lacking: Lacking) {
        let mut kept = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known != browser);
        kept.truncate(KEPT_MAX - 1);
        kept.push_front((browser.to_owned(), lacking));
    }

    /// Why a browser is asked for a key, and for which connection.
    pub(super) fn lacks(&self, browser: &str, now: Timestamp) -> Option<Lacking> {
        let mut kept = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(_, lacking)| now.duration_since(lacking.at) < LASTS);
        let found = kept.iter().find(|(known, _)| known == browser);
        found.map(|(_, lacking)| lacking.clone())
    }

    fn has_enough(&self, browser: &str) {
        let mut kept = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known != browser);
    }

    /// The one of a browser.
    pub(super) fn find(&self, browser: &str, now: Timestamp) -> Option<Draft> {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(_, draft)| is_current(draft, now));
        let found = kept.iter().find(|(known, _)| known == browser);
        found.map(|(_, draft)| draft.clone())
    }

    /// Forgets what is of a browser.
    pub(super) fn forget(&self, browser: &str) {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known != browser);
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.retain(|(known, _)| known != browser);
        self.has_enough(browser);
    }

    /// Remembers whom a browser sends to PagerDuty, in place of all that it had.
    pub(super) fn wait(&self, browser: &str, pending: Pending) {
        self.forget(browser);
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.truncate(KEPT_MAX - 1);
        away.push_front((browser.to_owned(), pending));
    }

    /// Remembers whom somebody asks for a key, in place of whom the same browser asked before.
    pub(super) fn ask(&self, hand_over: HandOver) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|known| known.browser != hand_over.browser);
        asked.truncate(KEPT_MAX - 1);
        asked.push_front(hand_over);
    }

    /// For what a key is asked by the link with this hash.
    pub(super) fn asked(&self, hash: &str, now: Timestamp) -> Option<HandOver> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|known| now.duration_since(known.at) < hand_over::LASTS);
        asked.iter().find(|known| known.hash == hash).cloned()
    }

    /// Uses a link up; `false`: somebody else did.
    pub(super) fn answered(&self, hash: &str) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = asked.len();
        asked.retain(|known| known.hash != hash);
        asked.len() < before
    }

    /// Whom a browser sent to PagerDuty.
    pub(super) fn away(&self, browser: &str, now: Timestamp) -> Option<Pending> {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.retain(|(_, pending)| now.duration_since(pending.at) < oauth::LASTS);
        let found = away.iter().find(|(known, _)| known == browser);
        found.map(|(_, pending)| pending.clone())
    }

    /// The same, if it is who comes back with `word`; nobody comes back twice.
    pub(super) fn back(&self, browser: &str, word: &str, now: Timestamp) -> Option<Pending> {
        let pending = self.away(browser, now)?;
        if !bool::from(pending.word.as_bytes().ct_eq(word.as_bytes())) {
            return None;
        }
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let at = away.iter().position(|(_, known)| known.word == word)?;
        away.remove(at).map(|(_, pending)| pending)
    }
}

fn is_current(draft: &Draft, now: Timestamp) -> bool {
    now.duration_since(draft.at) < LASTS
}
