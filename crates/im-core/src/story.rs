//! What the facts of one incident add up to.

use jiff::{SignedDuration, Timestamp};

use crate::{
    Actor, IncidentNumber, Kind, Line, Named, PeerStatus, Person, Severity, SeveritySource, Status,
    Traits, Urgency,
};

/// What is true of an incident, and what has been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Its state.
    pub status: Status,
    /// What people call it.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// How bad it is, and how we know.
    pub severity: Option<(Severity, SeveritySource)>,
    /// What it affects, in our name for it.
    pub service: Option<String>,
    /// PagerDuty's id of that service, where it was named as PagerDuty names it.
    pub service_id: Option<String>,
    /// The services that have incidents of their own at PagerDuty; none for most incidents.
    pub spans: Vec<Span>,
    /// Fields of people's own, by name.
    pub fields: Vec<CustomField>,
    /// Who has it.
    pub assignees: Vec<Person>,
    /// Who began it.
    pub declared_by: Actor,
    /// Whether it began here; otherwise at PagerDuty.
    pub born_here: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When somebody first took it, ever: times to acknowledge are measured from this.
    pub acknowledged_at: Option<Timestamp>,
    /// Who has taken it; nobody once it is open again.
    pub acknowledgement: Option<Done>,
    /// Who contained the harm, as long as that holds.
    pub mitigation: Option<Done>,
    /// When it was last over; `None` while it is open.
    pub resolved_at: Option<Timestamp>,
    /// Who ended it, by name.
    pub resolved_by: Option<String>,
    /// When anything last happened.
    pub updated_at: Timestamp,
    /// The incident that it is the same as.
    pub duplicate_of: Option<IncidentNumber>,
    /// Whether it was removed here.
    pub deleted: bool,
    /// What PagerDuty shows for its twin.
    pub peer: Option<Peer>,
    /// What was done here and PagerDuty has not answered yet, oldest first.
    pub pending: Vec<Pending>,
    /// What was done here and the settings of that time kept from PagerDuty, oldest first.
    pub kept: Vec<Pending>,
    /// What happened, oldest first.
    pub lines: Vec<Line>,
}

/// Clocks that differ by more than this are not made up for: one of the instants is wrong.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

impl Story {
    /// What the rules for services look at.
    pub fn traits(&self) -> Traits<'_> {
        Traits {
            service: self.service.as_deref(),
            service_id: self.service_id.as_deref(),
            severity: self.severity.map(|(severity, _)| severity),
            fields: &self.fields,
        }
    }

    /// Since when nobody has taken it and nobody is left to page, because its escalation policy is at
    /// its end (S49); `None` while somebody is.
    pub fn unowned_since(&self) -> Option<Timestamp> {
        let says_who = |line: &&Line| {
            matches!(
                line.kind,
                Kind::Exhausted
                    | Kind::Acknowledged
                    | Kind::Assigned
                    | Kind::Escalated
                    | Kind::Delegated
                    | Kind::Reopened
            )
        };
        let last = self.lines.iter().rev().find(says_who)?;
        let is_open = self.status == Status::Open && !self.deleted;
        let is_alone = is_open && last.kind == Kind::Exhausted;
        is_alone.then_some(last.at)
    }

    /// The instant of a command that is given `now`: after everything that was to be seen when
    /// it was given. PagerDuty's instants are its own, and our clock may be behind (S31).
    pub fn command_at(&self, now: Timestamp) -> Timestamp {
        let ahead = self.updated_at.duration_since(now);
        let after = self
            .updated_at
            .checked_add(SignedDuration::from_micros(1))
            .unwrap_or(self.updated_at);
        if ahead.is_negative() || ahead > SKEW_MAX {
            now
        } else {
            after
        }
    }
}

/// A service of an incident of several, and which part of the incident is for it. Names that
/// share a service of PagerDuty's share the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Our name of the service.
    pub service: String,
    /// The part, from 1.
    pub part: u8,
}

/// A field of people's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// When something was done, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// By whom, by name, where it is known.
    pub by: Option<String>,
}

/// What PagerDuty shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// PagerDuty's id.
    pub id: String,
    /// The number people see there.
    pub number: Option<i64>,
    /// Where people find it.
    pub html_url: Option<String>,
    /// Its state.
    pub status: PeerStatus,
    /// When its state last changed, as far as facts tell.
    pub status_at: Option<Timestamp>,
    /// The version of the newest look at it.
    pub version: Timestamp,
    /// Its title.
    pub title: Option<String>,
    /// Its urgency.
    pub urgency: Option<Urgency>,
    /// Its priority.
    pub priority: Option<Named>,
    /// Its service.
    pub service: Option<Named>,
    /// Its escalation policy.
    pub policy: Option<Named>,
    /// Who has it there.
    pub assignees: Vec<Person>,
    /// Its teams.
    pub teams: Vec<Named>,
    /// The incident it was merged into.
    pub merged_into: Option<String>,
    /// Its custom fields as far as we heard of them, by PagerDuty's names.
    pub fields: Vec<CustomField>,
}

/// A command that the other side has not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The command's `source_id`.
    pub command: String,
    /// What it did here.
    pub kind: Kind,
    /// What it set or said.
    pub value: Option<String>,
    /// Which field it set, where it is one of people's own.
    pub detail: Option<String>,
    /// Who gave it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}
