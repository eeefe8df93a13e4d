//! What forms did lately, for the page that a browser is led to afterwards.
//!
//! The address of that page has a word by which it is found here. What PagerDuty made of it is read
//! anew each time that the page is shown, so the line never says less than is known.
//!
//! Absent: anything that outlasts the server. A page whose word is not known any more says nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use im_store::{StoreError, Tx};
use maud::{Markup, html};

use super::{Pairs, parts};
use crate::access::new_secret;
use crate::http::api::incidents::acts::Done;
use crate::http::api::outcome::There;
use crate::http::api::types::Check;
use crate::http::error::ApiError;

/// Acts that are remembered: people read the line within minutes.
const KEPT_MAX: usize = 500;

/// What one form did.
#[derive(Clone)]
pub(super) struct Told {
    /// How many of several.
    pub(super) head: Option<String>,
    /// What was done.
    pub(super) done: Vec<Done>,
    /// What was not, and why.
    pub(super) refused: Vec<ApiError>,
}

impl Told {
    /// One sentence about what was done.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self {
            head: Some(text.into()),
            done: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// What is to be known about it besides.
    pub(super) fn warn(&mut self, warnings: &[String]) {
        let warning = |text: &String| ApiError::new(StatusCode::OK, "warning", text.as_str());
        self.refused.extend(warnings.iter().map(warning));
    }

    /// Checks, of which those that failed say why and what to do.
    pub(super) fn checks(lines: &[Check]) -> Self {
        let good = lines.iter().filter(|line| line.state != "failed");
        let good: Vec<String> = good.map(|line| format!("{}.", line.text)).collect();
        let failed = lines.iter().filter(|line| line.state == "failed");
        let failed: Vec<String> = failed
            .map(|line| {
                let parts = [Some(&line.text), line.cause.as_ref(), line.next.as_ref()];
                let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
                parts.join(": ")
            })
            .collect();
        let mut told = Self::of(good.join(" "));
        told.warn(&failed);
        told
    }
}

/// What forms did lately, by word.
#[derive(Default)]
pub(super) struct Said(Mutex<VecDeque<(String, Told)>>);

impl Said {
    /// Remembers it; the address with its word.
    pub(super) fn keep(&self, path: &str, told: Told) -> Result<String, ApiError> {
        let word = new_secret()?;
        let before = if path.contains('?') { '&' } else { '?' };
        let address = format!("{path}{before}said={word}");
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(KEPT_MAX - 1);
        kept.push_front((word, told));
        Ok(address)
    }

    /// What the address of a page tells of.
    pub(super) fn told(&self, pairs: &Pairs) -> Option<Told> {
        let word = pairs.iter().find(|(name, _)| name == "said");
        word.and_then(|(_, word)| self.find(word))
    }

    /// What is known by a word.
    fn find(&self, word: &str) -> Option<Told> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(known, _)| known == word);
        found.map(|(_, told)| told.clone())
    }
}

/// What became of it, in a line.
pub(super) struct Became {
    sentences: Vec<String>,
    is_well: bool,
}

impl Became {
    /// Reads what PagerDuty made of it until now.
    pub(super) fn read(tx: &mut Tx<'_>, told: &Told) -> Result<Self, StoreError> {
        let mut there = Vec::new();
        for done in &told.done {
            there.extend(done.there(tx)?);
        }
        let is_counted = told.head.is_some();
        let mut sentences: Vec<String> = told.head.iter().cloned().collect();
        let mut done = told.done.iter();
        sentences.extend(
            done.by_ref()
                .filter(|done| !is_counted || !done.has_changed())
                .map(|done| format!("{}.", done.here())),
        );
        let refused = told.refused.iter();
        sentences.extend(refused.map(|error| format!("{}.", parts::capital(error.detail()))));
        sentences.extend(if is_counted {
            counted(&there)
        } else {
            let said = there.iter().filter(|there| !there.text.is_empty());
            said.map(|there| format!("{}.", there.on_a_page()))
                .collect()
        });
        Ok(Self {
            sentences,
            is_well: told.refused.is_empty() && there.iter().all(There::is_well),
        })
    }

    /// The line.
    pub(super) fn show(&self) -> Markup {
        let (tone, icon) = if self.is_well {
            ("tone green", "check")
        } else {
            ("tone amber", "warn")
        };
        html! {
            p.became role="status" {
                span class=(tone) { (parts::icon(icon)) }
                span { (parts::commands(&self.sentences.join(" "))) }
            }
        }
    }
}

/// How many of several PagerDuty was told, and why the others were not.
fn counted(there: &[There]) -> Vec<String> {
    const WORDS: [(&str, &str); 5] = [
        ("done", "told"),
        ("queued", "queued"),
        ("paused", "waiting, because the connector is paused"),
        ("parked", "refused, and the page of each says why"),
        ("held", "waiting for the review of a conflict"),
    ];
    let counts = WORDS.into_iter().filter_map(|(state, word)| {
        let count = there.iter().filter(|there| there.state == state).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    let counts: Vec<String> = counts.collect();
    if counts.is_empty() {
        return Vec::new();
    }
    vec![format!("PagerDuty: {}.", counts.join(", "))]
}
