//! What was seen before: incidents of the same matter as one, by the rule of findings.
//!
//! Absent: any look at other incidents of ours; what is the same matter is known to the figures.

use im_core::IncidentNumber;
use im_store::StoreError;
use im_store::incidents::{self, IncidentRow};
use jiff::Timestamp;
use maud::{Markup, html};

use super::load::Detail;
use super::times::Now;
use super::{WebState, parts, times};

/// More are a list, which a link opens.
const SHOWN_MAX: usize = 4;

/// Incidents of the same matter.
pub(super) struct Before {
    /// The one that they came before.
    of: IncidentNumber,
    /// The newest of them, that first.
    rows: Vec<IncidentRow>,
    /// How many there are.
    count: usize,
}

/// Reads what was seen before an incident; nothing while the figures of a start are being read.
pub(super) async fn read(state: &WebState, detail: &Detail) -> Result<Before, StoreError> {
    let of = detail.row.number;
    // One of several services is counted by its parts.
    let parts = detail.parts.iter().map(|(_, part)| part.row.number);
    let all: Vec<IncidentNumber> = std::iter::once(of).chain(parts).collect();
    let mut found: Vec<IncidentNumber> = Vec::new();
    if let Some(known) = state.figures.known_soon(&state.db).await? {
        let before = all
            .iter()
            .flat_map(|number| known.engine.seen_before(number.get()));
        for number in before.filter_map(IncidentNumber::new) {
            let whole = number.said();
            if whole != of && !found.contains(&whole) {
                found.push(whole);
            }
        }
    }
    let count = found.len();
    found.truncate(SHOWN_MAX);
    let mut rows = if found.is_empty() {
        Vec::new()
    } else {
        state
            .db
            .read(move |tx| incidents::of_numbers(tx, &found))
            .await?
    };
    rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.number)));
    Ok(Before { of, rows, count })
}

impl Before {
    /// A line for each; nothing where it is new.
    pub(super) fn panel(&self, now: Now) -> Markup {
        html! {
            @if !self.rows.is_empty() {
                section.side aria-labelledby="before" {
                    h2.h3 #before { "Seen before" }
                    @for row in &self.rows {
                        div.twin {
                            a href={ "/incidents/" (row.number) } { (row.number) " " (row.title) }
                            span.small { (times::exact(row.created_at, now)) ", " (ended(row, now.at)) }
                        }
                    }
                    @if self.count > self.rows.len() {
                        p.small.older {
                            a href={ "/metric/incident_frequency/items?recurs_with=" (self.of) } { "All of this matter" }
                        }
                    }
                }
            }
        }
    }
}

/// How long it took.
fn ended(row: &IncidentRow, now: Timestamp) -> String {
    match row.resolved_at {
        _ if row.status.is_open() => {
            format!("open for {}", times::running(row.created_at, now))
        }
        Some(ended) => format!(
            "{} in {}",
            parts::status_word(row.status).to_lowercase(),
            times::duration(row.created_at, ended)
        ),
        None => parts::status_word(row.status).to_lowercase(),
    }
}
