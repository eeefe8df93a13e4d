//! What a person or a program may ask of an incident.

use crate::{IncidentNumber, Person, Severity};

/// A field's name, and what it is to say.
pub type NewField = (String, Option<String>);

/// A request. Whether it is granted is [`crate::decide()`]'s business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Begin an incident.
    Declare {
        /// What people will call it.
        title: String,
        /// How bad it is.
        severity: Severity,
        /// More about it.
        description: Option<String>,
        /// What it affects: of several, each gets an incident of its own at PagerDuty.
        services: Vec<String>,
    },
    /// "I have it."
    Acknowledge,
    /// The harm is contained.
    Mitigate,
    /// It is fixed.
    Resolve,
    /// Done for good; an open incident is resolved first.
    Close,
    /// It is not over.
    Reopen,
    /// A false alarm.
    Cancel,
    /// The same as another.
    MarkDuplicate {
        /// The other.
        of: IncidentNumber,
    },
    /// Remove it here.
    Delete,
    /// Write something down.
    Note {
        /// The text.
        text: String,
    },
    /// Give it to people.
    Assign {
        /// Whom; at least one.
        to: Vec<Person>,
    },
    /// Change what is said about it; `None` leaves a field as it is.
    Edit {
        /// The new title.
        title: Option<String>,
        /// The new description.
        description: Option<String>,
        /// The new severity.
        severity: Option<Severity>,
        /// The new service.
        service: Option<String>,
    },
    /// An incident of several services is about others, too.
    AddServices {
        /// Which; each gets an incident of its own at PagerDuty.
        services: Vec<String>,
    },
    /// Set fields of people's own.
    SetFields {
        /// Each with its name; `None` takes it away.
        fields: Vec<NewField>,
    },
}
