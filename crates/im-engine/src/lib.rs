//! The engine: what to call, and what an answer means. It decides and never calls.
//!
//! Four doors, each inside a transaction of the caller's:
//! - [`commands`]: a person asks for something; facts are stored, and what PagerDuty must hear
//!   of is owed in the same commit.
//! - [`inbox::receive`] and [`inbox::digest`]: a webhook is stored as it came, and understood later.
//! - [`plan`]: "it is now T" becomes calls to make, each under a lease.
//! - [`settle`]: what was answered becomes facts.
//!
//! Invariants
//! - What came from PagerDuty becomes facts by one path ([`record`](mod@record)), whichever way it came.
//! - A call leaves after its lease is committed; a crash repeats it, and every repeat looks at
//!   PagerDuty first.
//! - An effect is sent only if it is still owed at that moment.
//!
//! Nothing here knows async, HTTP or a clock.

mod answered;
pub mod backfill;
mod batch;
pub mod commands;
pub mod conflicts;
pub mod connector;
mod described;
pub mod directory;
mod early;
pub mod events;
pub mod fields;
pub mod figures;
mod gone;
pub mod inbox;
pub mod key;
mod log_page;
pub mod merges;
pub mod named;
pub mod old;
mod outbox;
pub mod parts;
mod plan;
mod read;
mod reconcile;
pub mod record;
pub mod services;
pub mod set_here;
mod settle;
pub mod silence;
pub mod skew;
pub mod subscription;
pub mod unowned;
mod whose;

use jiff::SignedDuration;

pub use plan::{Capacity, Plan, Planned, Ticket, plan};
pub use reconcile::{request_reread, request_sync};
pub use settle::{Settled, settle};

/// How long a call may take before nobody believes in it any more, unless the caller says
/// otherwise. Longer than PagerDuty takes to do what it was asked by a process that died since: a
/// look that comes before the work would be followed by doing it twice.
pub const LEASE: SignedDuration = SignedDuration::from_mins(1);
