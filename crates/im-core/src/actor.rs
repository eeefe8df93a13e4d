//! Who did something, or whom it is about.

use serde::{Deserialize, Serialize};

/// What kind of party acts. Only users are people; metrics about people read users alone.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person.
    User,
    /// A PagerDuty service, for instance its time-outs.
    Service,
    /// An integration that sent an event.
    Integration,
    /// Our own automation, or a program that calls an API.
    Api,
    /// Nobody: the peer's `agent` was null.
    #[default]
    None,
}

impl ActorKind {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::Integration => "integration",
            Self::Api => "api",
            Self::None => "none",
        }
    }

    /// The kind of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::User,
            Self::Service,
            Self::Integration,
            Self::Api,
            Self::None,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of party it is.
    pub kind: ActorKind,
    /// A PagerDuty id for what PagerDuty told, an e-mail address for a person here.
    pub id: Option<String>,
    /// The name at the time.
    pub name: Option<String>,
}

impl Actor {
    /// Nobody.
    pub const NOBODY: Self = Self {
        kind: ActorKind::None,
        id: None,
        name: None,
    };

    /// A person.
    pub fn user(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind: ActorKind::User,
            id: Some(id.into()),
            name: Some(name.into()),
        }
    }

    /// The name to show, else the id, else nothing.
    pub fn label(&self) -> Option<&str> {
        self.name.as_deref().or(self.id.as_deref())
    }

    /// Whether two reports of one act may name these two as its actor.
    ///
    /// Automatic acts have the service as agent in the log and none in the webhook
    /// (`docs/metrics.md`, "Facts"), so an absent actor agrees with any that is not a user.
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (ActorKind::None, kind) | (kind, ActorKind::None) => kind != ActorKind::User,
            (a, b) => a == b && self.id == other.id,
        }
    }
}

/// A person whom something is about: an assignee, someone who was notified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// A PagerDuty user id, or an e-mail address for a person known here only.
    pub id: String,
    /// The name at the time, where it was told.
    pub name: Option<String>,
}

impl Person {
    /// The name to show.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}
