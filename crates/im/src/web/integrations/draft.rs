//! Keys that PagerDuty took and whose connectors are not made yet (ADR 0020).
//!
//! One for each browser, by the word of its forms, in memory alone: a key that nobody went on with is on
//! no disk. Who comes back after an hour, or after the server was started anew, gives it again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use im_pagerduty::Secret;
use jiff::{SignedDuration, Timestamp};

use crate::http::api::connectors::set_up::KeyView;

/// How long somebody may take to choose.
const LASTS: SignedDuration = SignedDuration::from_hours(1);
/// Nobody sets up more at once.
const KEPT_MAX: usize = 50;

/// A connection that has a key and no settings.
#[derive(Clone)]
pub(super) struct Draft {
    /// What it is to be called.
    pub(super) name: String,
    pub(super) base_url: String,
    pub(super) api_key: Secret,
    /// What PagerDuty said of the key.
    pub(super) key: Arc<KeyView>,
    /// When the key was tried.
    pub(super) at: Timestamp,
}

/// The drafts, by browser.
#[derive(Default)]
pub(in crate::web) struct Drafts(Mutex<VecDeque<(String, Draft)>>);

impl Drafts {
    /// Keeps one in place of the browser's last.
    pub(super) fn keep(&self, browser: &str, draft: Draft) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, old)| known != browser && is_current(old, draft.at));
        kept.truncate(KEPT_MAX - 1);
        kept.push_front((browser.to_owned(), draft));
    }

    /// The one of a browser.
    pub(super) fn find(&self, browser: &str, now: Timestamp) -> Option<Draft> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(_, draft)| is_current(draft, now));
        let found = kept.iter().find(|(known, _)| known == browser);
        found.map(|(_, draft)| draft.clone())
    }

    /// Forgets the one of a browser.
    pub(super) fn forget(&self, browser: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known != browser);
    }
}

fn is_current(draft: &Draft, now: Timestamp) -> bool {
    now.duration_since(draft.at) < LASTS
}
