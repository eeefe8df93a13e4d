//! What became of a command: here, where it is done, and there, where it may take a while.
//!
//! Invariants
//! - Nothing is called done at PagerDuty that it did not answer: the words come from the facts
//!   that answer the act's own commands, not from what PagerDuty is believed to show.
//! - What was not owed is not told, and the text says why.
//! - Of an incident of several services each is told for itself, and the worst is told of all.

mod words;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use im_core::{Direction, Fact, IncidentNumber, Kind, Source};
use im_engine::connector;
use im_store::connectors::State;
use im_store::outbox::OutboxRow;
use im_store::{StoreError, Tx, facts};
use serde::Serialize;
use utoipa::ToSchema;

use super::types::{Incident, Whole};

/// What became of a command.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Outcome {
    /// The incident now.
    pub incident: Incident,
    /// What happened here.
    pub here: Here,
    /// What happened at PagerDuty.
    pub there: There,
}

/// What happened here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Here {
    /// Whether anything changed.
    pub changed: bool,
    /// In words.
    pub text: String,
}

/// Of what is sent in a moment.
const QUEUED: &str = "PagerDuty: queued; it will be sent";

/// What happened at PagerDuty.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct There {
    /// `done`, `queued`, `paused`, `parked` or `none`.
    pub state: &'static str,
    /// In words, with the next step where one is needed; of several services a line for each.
    pub text: String,
}

/// The commands of one act, so that its own fate can be told from that of older changes.
#[derive(Debug, Clone, Default)]
pub struct Added {
    /// Each command and what it did here.
    asked: Vec<(String, Kind)>,
    /// Those that PagerDuty was to hear of when the act was done.
    owed: HashSet<String>,
    /// The same for each part.
    parts: Vec<(IncidentNumber, Self)>,
}

impl Added {
    /// The commands of an incident until now.
    pub fn known(tx: &mut Tx<'_>, incident: IncidentNumber) -> Result<HashSet<String>, StoreError> {
        let facts = facts::of_incident(tx, incident)?;
        let of_all = commands(&facts).map(|fact| fact.source_id.clone());
        let mut known: HashSet<String> = of_all.collect();
        for part in parts(incident, &facts) {
            known.extend(Self::known(tx, part)?);
        }
        Ok(known)
    }

    /// The commands that were not `known` before the act.
    pub fn since(
        tx: &mut Tx<'_>,
        incident: IncidentNumber,
        known: &HashSet<String>,
    ) -> Result<Self, StoreError> {
        let facts = facts::of_incident(tx, incident)?;
        let asked: Vec<(String, Kind)> = commands(&facts)
            .filter(|fact| !known.contains(&fact.source_id))
            .map(|fact| (fact.source_id.clone(), fact.kind))
            .collect();
        let is_open = |(command, _): &&(String, Kind)| answers(&facts, command).next().is_none();
        let open = asked.iter().filter(is_open);
        let owed = open.map(|(command, _)| command.clone()).collect();
        let mut of_parts = Vec::new();
        for part in parts(incident, &facts) {
            of_parts.push((part, Self::since(tx, part, known)?));
        }
        Ok(Self {
            owed,
            asked,
            parts: of_parts,
        })
    }

    /// The same act as far as it concerns a part.
    fn of_part(&self, part: IncidentNumber) -> Self {
        let same = self.parts.iter().find(|(number, _)| *number == part);
        same.map(|(_, added)| added.clone()).unwrap_or_default()
    }

    fn carries(&self, row: &OutboxRow) -> bool {
        row.commands
            .iter()
            .any(|command| self.asked.iter().any(|(asked, _)| asked == command))
    }
}

/// The parts of an incident of several services.
fn parts(incident: IncidentNumber, facts: &[Fact]) -> Vec<IncidentNumber> {
    let spanned = facts.iter().filter(|fact| fact.kind == Kind::Spanned);
    let parts = spanned.filter_map(|fact| fact.detail.as_deref()?.parse().ok());
    let parts: BTreeSet<u8> = parts.collect();
    parts
        .into_iter()
        .map(|index| incident.part(index))
        .collect()
}

fn commands(facts: &[Fact]) -> impl Iterator<Item = &Fact> {
    facts.iter().filter(|fact| fact.source == Source::Command)
}

/// What PagerDuty, or the engine in its place, said to a command.
fn answers<'a>(facts: &'a [Fact], command: &str) -> impl Iterator<Item = &'a Fact> {
    facts
        .iter()
        .filter(move |fact| fact.answers.as_deref() == Some(command))
}

/// Everything that an outcome is made of.
pub struct Known {
    /// The incident.
    pub whole: Whole,
    /// Its facts.
    facts: Arc<Vec<Fact>>,
    /// Every connector, by name.
    connectors: Vec<String>,
    /// The same of each part, by the services that it is for.
    parts: Vec<(String, Self)>,
}

impl Known {
    /// Loads it all; `None` if there is no such incident.
    pub fn load(tx: &mut Tx<'_>, incident: IncidentNumber) -> Result<Option<Self>, StoreError> {
        let Some(whole) = Whole::load(tx, incident)? else {
            return Ok(None);
        };
        let connectors = connector::all(tx)?;
        let mut parts = Vec::new();
        for (service, part) in &whole.parts {
            let known = Self::load(tx, part.row.number)?;
            parts.extend(known.map(|known| (service.clone(), known)));
        }
        Ok(Some(Self {
            parts,
            whole,
            facts: facts::of_incident(tx, incident)?,
            connectors: connectors
                .iter()
                .map(|connector| connector.name().to_owned())
                .collect(),
        }))
    }

    /// Whether nothing more will happen soon by itself. Nothing is sent with a refused key.
    pub fn is_final(&self, added: &Added) -> bool {
        if !self.parts.is_empty() {
            let mut parts = self.parts.iter().map(|(_, part)| part);
            return parts.all(|part| part.is_final(&added.of_part(part.whole.row.number)));
        }
        There::of(self, added).state != "queued" || self.key_is_refused()
    }

    fn key_is_refused(&self) -> bool {
        let connector = self.whole.connector.as_ref();
        connector.is_some_and(|connector| connector.row.state == State::AuthFailed)
    }
}

/// Where the words about a refused change begin to say what to type.
const RESEND: &str = ". `im connector outbox retry ";

impl There {
    /// Whether nothing is in the way: it is done, or will be in a moment.
    pub(crate) fn is_well(&self) -> bool {
        matches!(self.state, "done" | "none") || self.text == QUEUED
    }

    /// The same for a page, where there are buttons for it.
    pub(crate) fn on_a_page(&self) -> String {
        let lines = self.text.lines().map(|line| {
            line.split_once(RESEND).map_or_else(
                || line.to_owned(),
                |(said, _)| format!("{said}. \u{201c}See what can be done\u{201d}, under PagerDuty, leads to \u{201c}Send again\u{201d}"),
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What has become of an act.
    pub fn of(known: &Known, added: &Added) -> Self {
        if !known.parts.is_empty() {
            return Self::of_parts(known, added);
        }
        let whole = &known.whole;
        let Some(name) = whole.row.connector.as_deref() else {
            return Self::none(words::nobody_told(&known.connectors, added));
        };
        let Some(connector) = &whole.connector else {
            return Self::untold(added, &format!("connector `{name}` was removed"));
        };
        match connector.mapping.direction {
            Direction::Inbound => Self::untold(
                added,
                &format!("connector `{name}` only receives (inbound)"),
            ),
            Direction::None => Self::paused(name, added),
            Direction::Bidirectional | Direction::Outbound => Self::sent(known, added, name),
        }
    }

    /// What has become of it for each service, a line each.
    fn of_parts(known: &Known, added: &Added) -> Self {
        const WORST_LAST: [&str; 6] = ["none", "done", "paused", "held", "queued", "parked"];
        let mut lines: Vec<(Vec<String>, Self)> = Vec::new();
        for (service, part) in &known.parts {
            let there = Self::of(part, &added.of_part(part.whole.row.number));
            let via = part.whole.row.connector.as_ref();
            let label = match via.filter(|_| known.connectors.len() > 1) {
                Some(name) => format!("{service} via {name}"),
                None => service.clone(),
            };
            match lines.iter_mut().find(|(_, told)| told.text == there.text) {
                Some((services, _)) => services.push(label),
                None => lines.push((vec![label], there)),
            }
        }
        let rank = |there: &Self| WORST_LAST.iter().position(|state| *state == there.state);
        let worst = lines.iter().max_by_key(|(_, there)| rank(there));
        let state = worst.map_or("none", |(_, there)| there.state);
        let told = lines.iter().filter(|(_, there)| !there.text.is_empty());
        let text: Vec<String> = told
            .map(|(services, there)| format!("{}: {}", services.join(", "), there.text))
            .collect();
        Self {
            state,
            text: text.join("\n"),
        }
    }

    fn sent(known: &Known, added: &Added, connector: &str) -> Self {
        let whole = &known.whole;
        let mine: Vec<&OutboxRow> = whole
            .owed
            .changes
            .iter()
            .filter(|row| added.carries(row))
            .collect();
        if let Some(row) = mine.iter().find(|row| row.parked) {
            return Self::parked(connector, row);
        }
        if let Some(row) = mine.first() {
            let blocking = whole
                .owed
                .changes
                .iter()
                .find(|other| other.parked && other.id < row.id);
            return match blocking {
                Some(parked) if whole.story.peer.is_none() => Self::parked(connector, parked),
                _ => Self::queued(known, row.reason.as_deref()),
            };
        }
        let mut pending = whole.story.pending.iter();
        let is_left = pending.any(|left| added.owed.contains(&left.command));
        if let Some(conflict) = whole.owed.conflicts.first().filter(|_| is_left) {
            return Self::held(connector, *conflict);
        }
        if is_left {
            // Something else of the incident is on its way: this goes once that is answered.
            return Self::queued(known, None);
        }
        words::told(known, added)
    }

    fn held(connector: &str, conflict: i64) -> Self {
        Self {
            state: "held",
            text: format!(
                "PagerDuty: not told; it was changed there, too, and conflict {conflict} waits for a review: `im connector conflicts show {connector} {conflict}`"
            ),
        }
    }

    fn none(text: impl Into<String>) -> Self {
        Self {
            state: "none",
            text: text.into(),
        }
    }

    fn untold(added: &Added, why: &str) -> Self {
        if added.asked.is_empty() {
            return Self::none("");
        }
        Self::none(format!("PagerDuty: not told; {why}"))
    }

    fn paused(connector: &str, added: &Added) -> Self {
        if added.asked.is_empty() {
            return Self::none("");
        }
        let what = if added.asked.iter().any(|(_, kind)| *kind == Kind::Triggered) {
            "nobody is paged yet"
        } else {
            "not told yet"
        };
        Self {
            state: "paused",
            text: format!(
                "PagerDuty: {what}; connector `{connector}` is paused, and `im connector config {connector} --direction bidirectional` resumes it"
            ),
        }
    }

    fn parked(connector: &str, row: &OutboxRow) -> Self {
        let why = row.reason.as_deref().unwrap_or("it was refused");
        Self {
            state: "parked",
            text: format!(
                "PagerDuty refused `{}`: {why}{RESEND}{connector} {}` sends it again, `discard` gives it up",
                row.effect.name(),
                row.id
            ),
        }
    }

    fn queued(known: &Known, reason: Option<&str>) -> Self {
        let connector = known.whole.connector.as_ref();
        let trouble = connector.and_then(|connector| connector.row.state_reason.as_deref());
        let text = match (reason.or(trouble), connector) {
            (Some(reason), Some(connector)) if known.key_is_refused() => format!(
                "PagerDuty: queued, but the API key is refused: {reason}. `im connector update {}` gives another key, and then it is sent",
                connector.name()
            ),
            (Some(reason), _) => format!("PagerDuty: queued ({reason}); it will be sent"),
            (None, _) => QUEUED.to_owned(),
        };
        Self {
            state: "queued",
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_its_buttons_in_place_of_commands_for_each_service_that_was_refused() {
        let refused = |id: u32| {
            format!(
                "PagerDuty refused `status`: no such user{RESEND}prod {id}` sends it again, `discard` gives it up"
            )
        };
        let there = There {
            state: "parked",
            text: format!("{}\nPagerDuty #7: resolved\n{}", refused(18), refused(19)),
        };
        let said = there.on_a_page();
        assert!(!said.contains("im connector"), "{said}");
        assert_eq!(
            said.matches("\u{201c}Send again\u{201d}").count(),
            2,
            "{said}"
        );
        assert!(said.contains("\nPagerDuty #7: resolved\n"), "{said}");
    }
}
