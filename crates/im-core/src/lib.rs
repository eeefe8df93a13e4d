//! What an incident is and what may happen to it: pure values and functions.
//!
//! Three verbs carry the crate. [`decide()`] turns a person's [`Command`] into facts or a
//! [`Rejection`]; [`fold()`] turns the facts of one incident into what is true now; and
//! [`owed()`] says which changes the PagerDuty side still has to hear of.
//!
//! Invariants
//! - `fold` is total and depends on the *set* of facts alone: any order and any repetition
//!   gives the same [`Story`].
//! - Time comes in as an argument; a peer's facts keep the peer's instants.
//!
//! Nothing here knows IO, SQL, JSON, HTTP, a clock or a random number.
#![deny(clippy::wildcard_enum_match_arm)]

mod actor;
mod acts;
mod command;
mod conflict;
mod custom_fields;
mod decide;
mod effect;
mod fact;
mod fields;
mod fold;
mod gone;
mod helpers;
mod id;
mod lines;
mod mapping;
pub mod retry;
mod same;
mod second;
mod severity;
mod snapshot;
mod status;
mod story;
mod timeline;
mod titles;
mod whole;

pub use actor::{Actor, ActorKind, Person};
pub use command::{Command, NewField};
pub use conflict::{
    Conflict, Field, LATER_HERE, Owner, Ownership, Side, Strategy, asked_for, conflicts,
    is_anything_asked, is_shown,
};
pub use custom_fields::fields_to_set;
pub use decide::{
    Decided, FIELD_MAX, FIELD_NAME_MAX, FIELDS_MAX, Rejection, SERVICES_MAX, TITLE_MAX, decide,
    set_fields, steers,
};
pub use effect::{Debts, Effect, Owed, owed};
pub use fact::{ENVIRONMENT_HEADER, Fact, Kind, Source};
pub use fold::{fold, peer_of};
pub use gone::GONE;
pub use helpers::Helper;
pub use id::{ConnectorName, IncidentNumber, PARTS, ParseIdError};
pub use mapping::{
    Direction, FieldChoice, Mapping, ResolveRule, ServiceChoice, ServiceRule, Traits,
};
pub use severity::{ParseSeverityError, Severity, SeveritySource, Urgency};
pub use snapshot::{Named, Snapshot};
pub use status::{PeerStatus, Status, StatusModel};
pub use story::{CustomField, Done, Peer, Pending, Span, Story};
pub use timeline::{Line, Seen};
pub use whole::{Part, gather, open_since};
