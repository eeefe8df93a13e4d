//! The core as its callers see it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod decide;
mod fold_order;
mod given;
mod mapping;
mod stories;
mod two_sides;
mod whole;
mod world;
