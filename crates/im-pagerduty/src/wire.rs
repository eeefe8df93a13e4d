//! What PagerDuty writes, as tolerant types.
//!
//! PagerDuty may send null for any field, numbers for texts, references for objects and fields
//! that nobody knows (`docs/pagerduty/rest.md`, "Shapes"). So every field is optional and a value
//! of another shape reads as absent. Only broken JSON is an error.

pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod incident;
pub(crate) mod log_entry;
pub(crate) mod others;
pub(crate) mod tolerant;

use im_core::{Actor, ActorKind, Named, Person};
use serde::Deserialize;

use tolerant::{Lax, objects};

/// A reference or the full object in its place.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ref {
    pub(crate) id: Lax<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Lax<String>,
    pub(crate) summary: Lax<String>,
    pub(crate) name: Lax<String>,
}

objects!(Ref);

impl Ref {
    /// The name to show: full objects have one, references carry it in `summary`.
    pub(crate) fn label(&self) -> Option<String> {
        self.name
            .clone()
            .or_else(|| self.summary.clone())
            .filter(|label| !label.is_empty())
    }

    pub(crate) fn named(&self) -> Option<Named> {
        Some(Named {
            id: self.id.clone()?,
            name: self.label(),
        })
    }

    pub(crate) fn person(&self) -> Option<Person> {
        Some(Person {
            id: self.id.clone()?,
            name: self.label(),
        })
    }

    fn actor_kind(&self) -> ActorKind {
        let Some(word) = self.kind.as_deref() else {
            return if self.id.is_some() {
                ActorKind::Api
            } else {
                ActorKind::None
            };
        };
        match word.strip_suffix("_reference").unwrap_or(word) {
            "user" => ActorKind::User,
            // Notes of a bot carry the service under this name.
            "service" | "bot_user" => ActorKind::Service,
            word if word.contains("integration") => ActorKind::Integration,
            _ => ActorKind::Api,
        }
    }
}

/// Who did it; nobody when the agent is null or empty.
pub(crate) fn actor(agent: Option<&Ref>) -> Actor {
    agent.map_or(Actor::NOBODY, |agent| Actor {
        kind: agent.actor_kind(),
        id: agent.id.clone(),
        name: agent.label(),
    })
}

/// The things among `refs` that have an id.
pub(crate) fn all_named(refs: &[Ref]) -> Vec<Named> {
    refs.iter().filter_map(Ref::named).collect()
}

/// The people among `refs`.
pub(crate) fn people(refs: &[Ref]) -> Vec<Person> {
    refs.iter().filter_map(Ref::person).collect()
}
