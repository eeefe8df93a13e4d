//! What the logs have in common: a page of rows, the last first, asked for by its address.

use maud::{Markup, html};

use super::address::Address;
use crate::http::error::ApiError;

/// Rows of a page.
const ROWS_MAX: usize = 100;

/// What is asked of a log.
pub(super) struct Asked(Address);

impl Asked {
    pub(super) fn read(path: &str, pairs: Vec<(String, String)>) -> Self {
        Self(Address::new(path, pairs))
    }

    /// A parameter, without spaces around it.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| value.trim().to_owned())
    }

    /// Only rows before this number.
    pub(super) fn before(&self) -> Result<i64, ApiError> {
        let Some(text) = self.0.get("before") else {
            return Ok(i64::MAX);
        };
        text.parse().map_err(|_no_number| {
            ApiError::bad_request(format!("`before` cannot be `{text}`"))
                .hint("leave it out for the newest; \u{201c}Older\u{201d} leads to the rows before")
        })
    }

    /// Rows to read: one more than a page shows, to know whether there are older ones.
    pub(super) fn limit() -> u32 {
        u32::try_from(ROWS_MAX + 1).unwrap_or(u32::MAX)
    }

    /// Keeps what a page shows of the rows read, and leads to those before.
    pub(super) fn page<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> i64) -> Markup {
        let has_more = rows.len() > ROWS_MAX;
        rows.truncate(ROWS_MAX);
        let last = rows.last().filter(|_| has_more).map(id);
        html! {
            @if let Some(last) = last {
                p.choices { a.button href=(self.0.with("before", last.to_string()).link()) { "Older" } }
            }
        }
    }

    /// In place of the rows: there are none, of what, by whom, and how long they are kept.
    pub(super) fn nothing(&self, what: &str, by: Option<&str>, kept: &str) -> Markup {
        html! {
            div.panel.quiet {
                p {
                    (what)
                    @if let Some(name) = by { " by " (name) }
                    @if self.0.get("before").is_some() { " before that" }
                    ". " (kept)
                }
            }
        }
    }
}
