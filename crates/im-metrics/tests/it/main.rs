//! The engine as its callers see it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod changes;
mod definitions;
mod findings;
mod from_core;
mod from_facts;
mod given;
mod image;
mod matrix;
mod oracle;
mod organisation;
mod paging;
mod partition;
mod published;
mod random;
mod ranges;
mod response;
mod rows;
mod same_as_oracle;
