//! Log entries and webhooks as facts, on one path.
//!
//! `docs/pagerduty/webhooks.md` lists what each event and each log entry becomes. Where a source
//! does not say something, the fact leaves it out; nothing is guessed except how an incident was
//! resolved, which the webhook can only tell roughly and the log entry tells better.

pub(crate) mod event;
mod log_entry;

use im_core::{Actor, ActorKind, Fact, Named, Snapshot};

pub(crate) use log_entry::log_entry_heard;

/// What one webhook or one log entry tells about one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// PagerDuty's id of the incident.
    pub incident_id: Option<String>,
    /// The key by which it was made, where told. Not every incident shows it.
    pub incident_key: Option<String>,
    /// What happened. A webhook about an incident shows the whole incident in its fact.
    pub facts: Vec<Fact>,
    /// What is told besides.
    pub about: About,
}

impl Heard {
    /// When it happened.
    pub fn at(&self) -> Option<jiff::Timestamp> {
        self.facts.first().map(|fact| fact.at)
    }

    /// What the incident looked like, where the source showed it.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.facts.iter().find_map(|fact| fact.snapshot.as_ref())
    }
}

/// What a webhook or log entry says around its fact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// PagerDuty's own word for it: `incident.annotated`, `notify_log_entry`.
    pub word: String,
    /// PagerDuty's sentence.
    pub summary: Option<String>,
    /// How it was done: `website`, `mobile`, `api`, `timeout` … Log entries only.
    pub channel: Option<String>,
    /// The channel of a notification in PagerDuty's spelling, of which there are many.
    pub notification: Option<String>,
    /// The note given on resolve (`resolution`).
    pub note: Option<String>,
    /// The service at that time.
    pub service: Option<Named>,
    /// The teams at that time.
    pub teams: Vec<Named>,
    /// Whether the text was cut: read it again by REST.
    pub trimmed: bool,
    /// The custom fields as they are now.
    pub fields: Vec<CustomField>,
}

/// A custom field and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    /// Its name, else its id.
    pub name: String,
    /// Its value; several are joined by commas.
    pub value: Option<String>,
}

/// How an incident was resolved (`docs/metrics.md`, "Facts").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolver {
    /// It was merged into another.
    Merge,
    /// By a person.
    Human,
    /// By a time-out.
    Timer,
    /// By an integration or the service.
    Integration,
    /// By a program.
    Api,
    /// Nobody is named.
    None,
}

impl Resolver {
    /// The word stored as the fact's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Human => "human",
            Self::Timer => "timer",
            Self::Integration => "integration",
            Self::Api => "api",
            Self::None => "none",
        }
    }

    /// The first that holds, in the order of `docs/metrics.md`.
    fn of(merged: bool, actor: &Actor, channel: Option<&str>) -> Self {
        if merged {
            return Self::Merge;
        }
        match (actor.kind, channel) {
            (ActorKind::User, _) => Self::Human,
            (_, Some("timeout" | "auto")) => Self::Timer,
            (ActorKind::Service | ActorKind::Integration, _) => Self::Integration,
            (ActorKind::Api, _) | (_, Some("api")) => Self::Api,
            (ActorKind::None, _) => Self::None,
        }
    }
}

/// An empty text says nothing.
fn said(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).cloned()
}
