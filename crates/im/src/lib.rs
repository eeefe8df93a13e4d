//! The `im` program: command line, server, and what they meet.

pub mod access;
mod adapters;
pub mod cli;
pub mod client;
pub mod clock;
mod credential;
mod csv;
pub mod demo;
pub mod figures;
pub mod http;
pub mod journal;
pub mod length;
pub mod local;
pub mod organisation;
mod plain;
pub mod run;
pub mod secret;
pub mod serve;
pub mod sim;
pub mod telemetry;
pub mod watch;
pub mod web;
