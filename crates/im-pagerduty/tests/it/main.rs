//! The client against documented bodies, hostile bodies, and tables of expectations.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod answers;
mod config;
mod errors;
mod events;
mod fields;
mod hostile;
mod log_entries;
mod oncall;
mod redact;
mod render;
mod requests;
mod signature;
mod support;
mod template;
mod webhooks;
mod windows;
