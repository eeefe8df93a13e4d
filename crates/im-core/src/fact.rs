//! Facts: what happened, as one source reported it.
//!
//! A fact is a row with typed columns. What one act looks like depends on who reports it (a
//! person's command, PagerDuty's answer to our call, a webhook, a log entry, a read), so the
//! same act may be here several times; [`crate::fold()`] counts it once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Actor, Person, Snapshot};

/// Who reported a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person or program here.
    Command,
    /// What became of a command's call: PagerDuty's answer, or our decision not to send it.
    Answer,
    /// PagerDuty's log: the authority on times.
    LogEntry,
    /// A webhook of PagerDuty's.
    Webhook,
    /// A read of PagerDuty's incident that showed a change nobody had reported.
    Read,
    /// Whatever showed PagerDuty's incident while nothing was to come from there: it tells what
    /// is owed, and never changes what is true here.
    Look,
}

impl Source {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Answer => "answer",
            Self::LogEntry => "log_entry",
            Self::Webhook => "webhook",
            Self::Read => "read",
            Self::Look => "look",
        }
    }

    /// Whether it is PagerDuty's own word, to be taken as true here.
    pub(crate) fn is_heard(self) -> bool {
        matches!(self, Self::LogEntry | Self::Webhook | Self::Read)
    }

    /// The source of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Command,
            Self::Answer,
            Self::LogEntry,
            Self::Webhook,
            Self::Read,
            Self::Look,
        ]
        .into_iter()
        .find(|source| source.as_str() == word)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// The word stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The kind of a stored word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// It began. `value`: the title; `detail` of an answer: when we asked for it, on our clock; of a log
    /// entry: [`Fact::beginning`].
    Triggered = "triggered",
    /// Somebody took it.
    Acknowledged = "acknowledged",
    /// Nobody has it any more: undone, timed out, or a snooze ended.
    Unacknowledged = "unacknowledged",
    /// The harm is contained (ours alone).
    Mitigated = "mitigated",
    /// It is over. `value`: how (`human`, `timer`, `merge`, `gone` …); `detail`: the merge target,
    /// the service that is gone, or else what was said about it.
    Resolved = "resolved",
    /// It is not over after all.
    Reopened = "reopened",
    /// Done for good (ours alone).
    Closed = "closed",
    /// A false alarm (ours alone).
    Canceled = "canceled",
    /// The same as another (ours alone). `value`: its number.
    Duplicate = "duplicate",
    /// Removed here; kept as a tombstone so that late reports do not raise it again.
    Deleted = "deleted",
    /// Given to `people`.
    Assigned = "assigned",
    /// Moved along its policy to `people`. `detail`: the level.
    Escalated = "escalated",
    /// Nobody is left to page: its policy came to its end without an answer.
    Exhausted = "exhausted",
    /// Moved to another policy, to `people`. `value`: the policy.
    Delegated = "delegated",
    /// One message to one person. `people`: whom; `value`: the channel.
    Notified = "notified",
    /// Somebody wrote. `value`: the text; `detail`: PagerDuty's id of the note.
    Noted = "noted",
    /// Renamed. `value`: the new title.
    Titled = "titled",
    /// Described anew. `value`: the text.
    Described = "described",
    /// `value`: the new severity.
    SeverityChanged = "severity_changed",
    /// `value`: the new urgency.
    UrgencyChanged = "urgency_changed",
    /// `value`: the new priority's name; `detail`: the old one's id, or its name where only that is told.
    PriorityChanged = "priority_changed",
    /// `value`: the new service; `detail` of a command: PagerDuty's id of it, where it was named as PagerDuty names it.
    ServiceChanged = "service_changed",
    /// It spans a service that has an incident of its own at PagerDuty. `value`: the service;
    /// `detail`: which part of the incident is for it.
    Spanned = "spanned",
    /// Put off. `value`: until when.
    Snoozed = "snoozed",
    /// A field of people's own was set. `value`: what it says now, absent where it was taken away;
    /// `detail`: its name.
    FieldsChanged = "fields_changed",
    /// A status update was published. `value`: its text.
    StatusUpdated = "status_updated",
    /// Somebody was asked to help, or answered. `people`: who; `value`: the state.
    Responder = "responder",
    /// Its twin was made or found. `value`: PagerDuty's number; `detail`: its id.
    Linked = "linked",
    /// A change for the other side was settled without an answer that shows it.
    /// `value`: `carried`, `overtaken`, `ended`, `expired`, `discarded`, or `kept` where the settings keep
    /// it here.
    Settled = "settled",
    /// The other side was looked at; only the snapshot matters.
    Seen = "seen",
    /// Anything else that the other side reported. `value`: its own word for it; of [`ENVIRONMENT_HEADER`], `detail` is
    /// the environment.
    Other = "other",
}

impl Kind {
    /// Whether it moves an incident from state to state.
    pub fn is_step(self) -> bool {
        matches!(
            self,
            Self::Triggered
                | Self::Acknowledged
                | Self::Unacknowledged
                | Self::Mitigated
                | Self::Resolved
                | Self::Reopened
                | Self::Closed
                | Self::Canceled
                | Self::Duplicate
                | Self::Deleted
        )
    }

    /// Whether PagerDuty does it only to an open incident, apart from ending it.
    pub(crate) fn needs_open(self) -> bool {
        matches!(
            self,
            Self::Acknowledged
                | Self::Unacknowledged
                | Self::Assigned
                | Self::Escalated
                | Self::Delegated
        )
    }

    /// Whether its place among the facts of one instant matters; the others come after all that have one.
    pub(crate) fn is_ranked(self) -> bool {
        self.rank() < Self::Other.rank()
    }

    /// Order among facts of one instant (`docs/metrics.md`, "Order").
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Triggered => 0,
            Self::Assigned | Self::Escalated | Self::Delegated => 1,
            Self::Acknowledged | Self::Mitigated => 2,
            Self::Unacknowledged => 3,
            Self::Resolved | Self::Canceled | Self::Duplicate => 4,
            Self::Reopened => 5,
            Self::Closed => 6,
            Self::Deleted
            | Self::Exhausted
            | Self::Notified
            | Self::Noted
            | Self::Titled
            | Self::Described
            | Self::SeverityChanged
            | Self::UrgencyChanged
            | Self::PriorityChanged
            | Self::ServiceChanged
            | Self::Spanned
            | Self::Snoozed
            | Self::FieldsChanged
            | Self::StatusUpdated
            | Self::Responder
            | Self::Linked
            | Self::Settled
            | Self::Seen
            | Self::Other => 7,
        }
    }
}

/// The header of a webhook that names the environment of its incidents, and the word of the fact that tells it.
pub const ENVIRONMENT_HEADER: &str = "dd_env";

/// One report of one act.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// Who reported it.
    pub source: Source,
    /// The reporter's id for it; with `source` unique within the incident.
    pub source_id: String,
    /// What happened.
    pub kind: Kind,
    /// When, on the reporter's clock.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// Whom it is about.
    pub people: Vec<Person>,
    /// What was set or said; see [`Kind`].
    pub value: Option<String>,
    /// The second value; see [`Kind`].
    pub detail: Option<String>,
    /// What PagerDuty's incident looked like, where the source showed it.
    pub snapshot: Option<Snapshot>,
    /// For an answer: the `source_id` of the command it answers.
    pub answers: Option<String>,
}

impl Fact {
    /// A fact with nothing but its kind, time and actor.
    pub fn new(
        source: Source,
        source_id: impl Into<String>,
        kind: Kind,
        actor: Actor,
        at: Timestamp,
    ) -> Self {
        Self {
            source,
            source_id: source_id.into(),
            kind,
            at,
            actor,
            people: Vec::new(),
            value: None,
            detail: None,
            snapshot: None,
            answers: None,
        }
    }

    /// The same with a value.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// The same with a second value.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with what a log entry tells of a trigger beside its title: PagerDuty's id of the service that
    /// it began on, and the key by which its sender says that it is the same matter.
    #[must_use]
    pub fn beginning_with(mut self, service: Option<&str>, key: Option<&str>) -> Self {
        // An id of PagerDuty's has no blank in it.
        let detail = match (service, key) {
            (None, None) => None,
            (service, None) => service.map(str::to_owned),
            (service, Some(key)) => Some(format!("{} {key}", service.unwrap_or_default())),
        };
        self.detail = detail;
        self
    }

    /// That a webhook named an environment. An incident has the first one that came: each is told under the same id.
    pub fn environment(named: &str, at: Timestamp) -> Self {
        let actor = Actor::NOBODY;
        Self::new(Source::Webhook, ENVIRONMENT_HEADER, Kind::Other, actor, at)
            .with_value(ENVIRONMENT_HEADER)
            .with_detail(named)
    }

    /// The environment of [`Fact::environment`].
    pub fn named_environment(&self) -> Option<&str> {
        let is_it = self.kind == Kind::Other && self.source_id == ENVIRONMENT_HEADER;
        self.detail.as_deref().filter(|_| is_it)
    }

    /// The service and the key of [`Fact::beginning_with`].
    pub fn beginning(&self) -> (Option<&str>, Option<&str>) {
        let told = self.detail.as_deref();
        let told = told.filter(|_| self.kind == Kind::Triggered && self.source == Source::LogEntry);
        let Some(told) = told else {
            return (None, None);
        };
        let (service, key) = match told.split_once(' ') {
            Some((service, key)) => (service, Some(key)),
            None => (told, None),
        };
        (Some(service).filter(|service| !service.is_empty()), key)
    }

    /// The same about people.
    #[must_use]
    pub fn about(mut self, people: Vec<Person>) -> Self {
        self.people = people;
        self
    }

    /// The same with what PagerDuty's incident looked like.
    #[must_use]
    pub fn showing(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// The same as the answer to a command.
    #[must_use]
    pub fn answering(mut self, command: impl Into<String>) -> Self {
        self.answers = Some(command.into());
        self
    }
}
