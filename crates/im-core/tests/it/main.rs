//! The core as its callers see it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod conflict;
mod decide;
mod fold_order;
mod given;
mod lines;
mod mapping;
mod owed;
mod snapshot;
mod stories;
mod told;
mod two_sides;
mod whole;
mod world;
