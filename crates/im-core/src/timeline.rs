//! What happened, as lines that people read.

use jiff::Timestamp;

use crate::{Actor, ActorKind, GONE, Kind, Person};

/// Which sides saw an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seen {
    /// It was done or recorded here.
    pub here: bool,
    /// PagerDuty knows of it.
    pub peer: bool,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// Who did it.
    pub actor: Actor,
    /// Whom it is about.
    pub people: Vec<Person>,
    /// For an escalation: who had it before, where known and others than those who got it.
    pub from: Vec<Person>,
    /// See [`Kind`].
    pub value: Option<String>,
    /// See [`Kind`].
    pub detail: Option<String>,
    /// Which sides saw it.
    pub seen: Seen,
    /// For what was asked for here: the command.
    pub command: Option<String>,
    /// The id of the report that dates it: of PagerDuty's entry where there is one.
    pub report: String,
    /// Of an incident of several services: the service that it is about, unless it is about all.
    pub service: Option<String>,
}

impl Line {
    /// The sentence, and the service where it is about one of several. A note's own text is not in
    /// it: see [`Line::note`].
    pub fn text(&self) -> String {
        match &self.service {
            Some(service) => format!("{} ({service})", self.sentence()),
            None => self.sentence(),
        }
    }

    /// The sentence alone.
    pub fn sentence(&self) -> String {
        let who = self.actor.label();
        let value = self.value.as_deref().unwrap_or_default();
        let people = names(&self.people);
        match self.kind {
            Kind::Triggered if self.seen.here => format!("{}: {value}", by("Declared", who)),
            Kind::Triggered => format!("{}: {value}", by("Triggered", who)),
            Kind::Acknowledged => by("Acknowledged", who),
            // The log names the service for what a timer did.
            Kind::Unacknowledged => by_or(
                "Acknowledgement withdrawn",
                who.filter(|_| self.actor.kind == ActorKind::User),
                "Acknowledgement timed out",
            ),
            Kind::Mitigated => by("Mitigated", who),
            Kind::Resolved => self.resolved(who),
            Kind::Reopened => by("Reopened", who),
            Kind::Closed => by("Closed", who),
            Kind::Canceled => by("Canceled as a false alarm", who),
            Kind::Duplicate => by(&format!("Marked as a duplicate of {value}"), who),
            Kind::Deleted => by("Deleted here", who),
            Kind::Assigned => by(&format!("Assigned to {people}"), who),
            Kind::Escalated => {
                let from = match self.from.as_slice() {
                    [] => String::new(),
                    from => format!(" from {}", names(from)),
                };
                let level = level(self.detail.as_deref());
                by(&format!("Escalated{from} to {people}{level}"), who)
            }
            Kind::Delegated => by(&format!("{}, assigned to {people}", policy(value)), who),
            Kind::Exhausted => {
                "Nobody is left to page: the escalation policy is at its end".to_owned()
            }
            Kind::Notified => format!("{people} paged by {}", channel(value)),
            Kind::Noted => by_or("Note", who, "Note"),
            Kind::Titled => by(&format!("Renamed to \u{201c}{value}\u{201d}"), who),
            Kind::Described => by("Description changed", who),
            Kind::SeverityChanged => by(&format!("Severity set to {value}"), who),
            Kind::UrgencyChanged => by(&format!("Urgency set to {value}"), who),
            Kind::PriorityChanged => by(&format!("Priority set to {}", or(value, "none")), who),
            Kind::ServiceChanged => by(&format!("Moved to service {value}"), who),
            Kind::Spanned => by(&format!("Service {value} added"), who),
            Kind::Snoozed => by(&format!("Snoozed until {value}"), who),
            Kind::FieldsChanged => by(&self.field(), who),
            Kind::StatusUpdated => by("Status update published", who),
            Kind::Responder => format!("Responder {people}: {value}"),
            Kind::Linked => format!("PagerDuty incident created (#{value})"),
            Kind::Settled => format!("Not sent to PagerDuty: {}", settled(value)),
            Kind::Seen => "Looked at".to_owned(),
            Kind::Other => by(&reported(value, self.detail.as_deref()), who),
        }
    }

    /// The text somebody wrote, where the line is about one.
    pub fn note(&self) -> Option<&str> {
        match self.kind {
            Kind::Noted | Kind::StatusUpdated | Kind::Described => self.value.as_deref(),
            // The detail of the others names what ended it.
            Kind::Resolved if !matches!(self.value.as_deref(), Some("merge" | GONE)) => {
                self.detail.as_deref()
            }
            Kind::Triggered
            | Kind::Acknowledged
            | Kind::Unacknowledged
            | Kind::Mitigated
            | Kind::Resolved
            | Kind::Reopened
            | Kind::Closed
            | Kind::Canceled
            | Kind::Duplicate
            | Kind::Deleted
            | Kind::Assigned
            | Kind::Escalated
            | Kind::Delegated
            | Kind::Exhausted
            | Kind::Notified
            | Kind::Titled
            | Kind::SeverityChanged
            | Kind::UrgencyChanged
            | Kind::PriorityChanged
            | Kind::ServiceChanged
            | Kind::Spanned
            | Kind::Snoozed
            | Kind::FieldsChanged
            | Kind::Responder
            | Kind::Linked
            | Kind::Settled
            | Kind::Seen
            | Kind::Other => None,
        }
    }

    fn field(&self) -> String {
        match (&self.detail, &self.value) {
            (Some(name), Some(value)) => format!("Field {name} set to {value}"),
            (Some(name), None) => format!("Field {name} taken away"),
            (None, _) => "Custom fields changed".to_owned(),
        }
    }

    fn resolved(&self, who: Option<&str>) -> String {
        match (self.value.as_deref(), self.detail.as_deref()) {
            (Some("merge"), Some(target)) => format!("Merged into PagerDuty incident {target}"),
            (Some("timer"), _) => "Resolved by PagerDuty's timer".to_owned(),
            (Some(GONE), _) => "Ended: its PagerDuty service is gone".to_owned(),
            _ => by("Resolved", who),
        }
    }
}

fn by(what: &str, who: Option<&str>) -> String {
    by_or(what, who, what)
}

fn by_or(what: &str, who: Option<&str>, nobody: &str) -> String {
    who.map_or_else(|| nobody.to_owned(), |who| format!("{what} by {who}"))
}

fn or<'a>(value: &'a str, empty: &'a str) -> &'a str {
    if value.is_empty() { empty } else { value }
}

fn names(people: &[Person]) -> String {
    let labels: Vec<&str> = people.iter().map(Person::label).collect();
    labels.join(", ")
}

fn reported(word: &str, detail: Option<&str>) -> String {
    detail.map_or_else(
        || format!("PagerDuty reported {word}"),
        |detail| format!("PagerDuty reported {word}: {detail}"),
    )
}

fn policy(name: &str) -> String {
    match name {
        "" => "Moved to another policy".to_owned(),
        name => format!("Moved to policy {name}"),
    }
}

fn level(detail: Option<&str>) -> String {
    detail
        .map(|level| format!(" (level {level})"))
        .unwrap_or_default()
}

fn channel(value: &str) -> &str {
    match value {
        "push" => "push message",
        "phone" => "phone call",
        "sms" => "text message",
        "email" => "e-mail",
        "" => "an unknown channel",
        other => other,
    }
}

fn settled(value: &str) -> &str {
    match value {
        "overtaken" => "PagerDuty had moved on",
        "ended" => "it was over before PagerDuty heard of it",
        "expired" => "it was too old when PagerDuty came back",
        "discarded" => "discarded by a person",
        other => other,
    }
}
