//! What became of a command: here, where it is done, and there, where it may take a while.

use std::collections::HashSet;

use im_core::Direction;
use im_store::outbox::OutboxRow;
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

/// What happened at PagerDuty.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct There {
    /// `done`, `queued`, `parked` or `none`.
    pub state: &'static str,
    /// In words, with the next step where one is needed.
    pub text: String,
}

/// The commands that an act added, so that its own fate can be told from that of older changes.
#[derive(Debug, Clone, Default)]
pub struct Added(HashSet<String>);

impl Added {
    /// What is owed now and was not before.
    pub fn between(before: &[OutboxRow], after: &[OutboxRow]) -> Self {
        let old: HashSet<&String> = before.iter().flat_map(|row| &row.commands).collect();
        let new = after.iter().flat_map(|row| &row.commands);
        Self(
            new.filter(|command| !old.contains(command))
                .cloned()
                .collect(),
        )
    }

    fn carries(&self, row: &OutboxRow) -> bool {
        row.commands.iter().any(|command| self.0.contains(command))
    }
}

impl There {
    /// Whether nothing more will happen by itself.
    pub fn is_final(&self) -> bool {
        self.state != "queued"
    }

    /// What has become of `added`; `done` names what PagerDuty did if its status does not show it.
    pub fn of(whole: &Whole, added: &Added, done: Option<&str>) -> Self {
        let Some(connector) = &whole.row.connector else {
            return Self::none("");
        };
        let mine: Vec<&OutboxRow> = whole.owed.iter().filter(|row| added.carries(row)).collect();
        if let Some(row) = mine.iter().find(|row| row.parked) {
            return Self::parked(connector, row);
        }
        if let Some(row) = mine.first() {
            let blocking = whole
                .owed
                .iter()
                .find(|other| other.parked && other.id < row.id);
            return match blocking {
                Some(parked) if whole.story.peer.is_none() => Self::parked(connector, parked),
                _ => Self::queued(whole, row),
            };
        }
        match &whole.story.peer {
            Some(peer) => {
                let name = peer
                    .number
                    .map_or_else(String::new, |number| format!(" #{number}"));
                let what = done.unwrap_or(peer.status.as_str());
                Self {
                    state: "done",
                    text: format!("PagerDuty{name}: {what}"),
                }
            }
            None => Self::none(""),
        }
    }

    fn none(text: impl Into<String>) -> Self {
        Self {
            state: "none",
            text: text.into(),
        }
    }

    fn parked(connector: &str, row: &OutboxRow) -> Self {
        let why = row.reason.as_deref().unwrap_or("it was refused");
        Self {
            state: "parked",
            text: format!(
                "PagerDuty refused `{}`: {why}. `im connector outbox retry {connector} {}` sends it again, `discard` gives it up",
                row.effect.name(),
                row.id
            ),
        }
    }

    fn queued(whole: &Whole, row: &OutboxRow) -> Self {
        let direction = whole
            .connector
            .as_ref()
            .map(|connector| connector.mapping.direction);
        let text = match (direction, &row.reason) {
            (Some(Direction::None), _) => {
                "PagerDuty: queued; the connector is paused and sends it when it is resumed"
                    .to_owned()
            }
            (_, Some(reason)) => format!("PagerDuty: queued ({reason}); it will be sent"),
            (_, None) => "PagerDuty: queued; it will be sent".to_owned(),
        };
        Self {
            state: "queued",
            text,
        }
    }
}
