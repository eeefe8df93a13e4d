//! Tests of the program as its users see it, and of the workspace as a whole.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod browser;
mod cli;
mod cli_conflicts;
mod cli_document;
mod cli_documented;
mod cli_errors;
mod cli_events;
mod cli_examples;
mod cli_help;
mod cli_mapping;
mod cli_metrics;
mod cli_oncall;
mod cli_past;
mod cli_people;
mod cli_plain;
mod cli_render;
mod cli_requests;
mod cli_rows;
mod cli_set_up;
mod cli_stories;
mod cli_there;
mod company;
mod debug;
mod demo;
mod http;
mod kill;
mod private;
mod process;
mod real;
mod sim;
mod tidy;
mod web;
