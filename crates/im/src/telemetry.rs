//! Logs: to stderr, readable alone, searchable by field (`docs/logging.md`).
//!
//! `IM_LOG` (or `RUST_LOG`) chooses what is said, `IM_LOG_FORMAT=json` how. Secrets, bodies and
//! e-mail addresses are in no log line.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::MakeWriterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// For whom the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A command that says itself what happened.
    Command,
    /// A server, whose log is all that it says.
    Server,
}

/// Starts logging, once for the process; later calls change nothing.
pub fn start(audience: Audience, verbosity: i8) {
    let chosen = variable("IM_LOG").or_else(|| variable("RUST_LOG"));
    let filter = EnvFilter::new(chosen.as_deref().unwrap_or(usual(audience, verbosity)));
    let is_json = variable("IM_LOG_FORMAT").is_some_and(|format| format == "json");
    let writer = std::io::stderr.with_max_level(tracing::Level::TRACE);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let registry = tracing_subscriber::registry().with(filter);
    let started = if is_json {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        let colours =
            std::io::IsTerminal::is_terminal(&std::io::stderr()) && variable("NO_COLOR").is_none();
        registry
            .with(layer.with_ansi(colours).with_target(false))
            .try_init()
    };
    // An error means that it was started already.
    drop(started);
}

fn usual(audience: Audience, verbosity: i8) -> &'static str {
    match (audience, verbosity) {
        (Audience::Command, ..=0) => "off",
        (Audience::Command, 1) => "warn",
        (Audience::Command, 2) => "info",
        (Audience::Server, ..0) => "warn",
        (Audience::Server, 0) => "info",
        (Audience::Command, _) | (Audience::Server, 1) => "info,im=debug,im_engine=debug",
        (Audience::Server, _) => "debug",
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
