//! PagerDuty without IO: calls as data, answers read, webhooks verified and read.
//!
//! A [`Call`] says what we want, [`request`] turns it into bytes, and [`read`] turns the answer
//! into an [`Outcome`]. Webhooks come in by [`verify`], [`read_envelope`] and [`read_webhook`].
//! Webhooks and log entries become facts on one path ([`Heard`]).
//!
//! Invariants
//! - Nothing that PagerDuty sends can make this crate panic or lose a whole list: a value of an
//!   unexpected shape is absent, an unknown word is kept, a row without an id is counted.
//! - Keys and secrets are never shown by `Debug` or in an error.
//!
//! Nothing here opens a socket, reads a clock, waits or retries. The facts about PagerDuty that
//! the code relies on are in `docs/pagerduty/`.

mod answer;
mod call;
pub mod config;
pub mod events_v2;
mod facts;
mod field;
pub mod oncall;
mod outcome;
mod redact;
mod render;
mod request;
mod secret;
pub mod senders;
mod signature;
mod subscription;
mod template;
mod webhook;
mod windows;
mod wire;

pub use answer::{
    Acknowledgement, Answer, IncidentRead, Level, Note, Oncall, Page, Policy, Priority, Schedule,
    Service, Subscription, Team, User, read,
};
pub use call::{
    BATCH_MAX, Call, Change, IncidentKey, KEY_CHARS_MAX, NewPriority, PAGE_SIZE, Purpose, ROWS_MAX,
    Repeat, SubscriptionFilter,
};
pub use facts::{About, CustomField, Heard, Resolver};
pub use field::{FieldInput, FieldKind};
pub use outcome::{Limits, Outcome, Refusal, Reply, Transport, WaitReason, Why, transport_outcome};
pub use redact::redacted;
pub use render::{NOTE_CHARS_MAX, TITLE_CHARS_MAX, body, note_mark, note_text, title};
pub use request::{HttpRequest, Method, authorization, bearer, request};
pub use secret::Secret;
pub use signature::verify;
pub use subscription::{EVENTS, missing_events};
pub use template::{Placeholder, Template, TemplateError};
pub use webhook::{
    BodyError, Envelope, ServiceEvent, Subject, Webhook, read_envelope, read_webhook,
};
pub use windows::{Listing, Walk, Window};
