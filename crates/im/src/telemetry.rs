//! Logs: to stderr, readable alone, searchable by field; a server's also to its journal
//! (`docs/logging.md`).
//!
//! `IM_LOG` (or `RUST_LOG`) chooses what is said, `IM_LOG_FORMAT=json` how, and `PAGERDUTY_DEBUG=true`
//! adds all that has to do with PagerDuty. Secrets, bodies and e-mail addresses are in no log line,
//! but for bodies that a connector's `log_responses` asks for.

use std::path::Path;

use tracing_subscriber::fmt::writer::MakeWriterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::journal::Journal;

/// What has to do with PagerDuty, in full.
const PAGERDUTY: &str =
    "im::api=debug,im::adapters=debug,im::run=debug,im::http::hooks=debug,im_engine=debug";
/// The journal also has every call and every delivery: people look there for what happened.
/// What lets somebody in stays out of it: the journal is read by others.
const JOURNAL: &str = "info,im::api=debug,im::http::hooks=debug,im::first_owner=off";

/// For whom the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A command that says itself what happened.
    Command,
    /// A server, whose log is all that it says.
    Server,
}

/// Starts logging, once for the process; later calls change nothing. With `journal`, lines are
/// also kept in that directory.
pub fn start(audience: Audience, verbosity: i8, journal: Option<&Path>) {
    let chosen = variable("IM_LOG").or_else(|| variable("RUST_LOG"));
    let filter = |base: &str| {
        let mut directives = base.to_owned();
        if pagerduty_debug() == Some(true) {
            directives = format!("{directives},{PAGERDUTY}");
        }
        EnvFilter::new(directives)
    };
    let on_stderr = filter(chosen.as_deref().unwrap_or(usual(audience, verbosity)));
    let is_json = variable("IM_LOG_FORMAT").is_some_and(|format| format == "json");
    let writer = std::io::stderr.with_max_level(tracing::Level::TRACE);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer = if is_json {
        layer
            .json()
            .flatten_event(true)
            .with_filter(on_stderr)
            .boxed()
    } else {
        let colours =
            std::io::IsTerminal::is_terminal(&std::io::stderr()) && variable("NO_COLOR").is_none();
        let layer = layer.with_ansi(colours).with_target(false);
        layer.with_filter(on_stderr).boxed()
    };
    let kept = journal.map(|dir| {
        let chosen = chosen.as_deref().map(|chosen| format!(",{chosen}"));
        let directives = format!("{JOURNAL}{}", chosen.unwrap_or_default());
        Journal::open(dir).with_filter(filter(&directives))
    });
    // An error means that it was started already.
    drop(
        tracing_subscriber::registry()
            .with(layer)
            .with(kept)
            .try_init(),
    );
}

/// What `PAGERDUTY_DEBUG` says; it comes before a connector's `debug`.
pub fn pagerduty_debug() -> Option<bool> {
    let word = variable("PAGERDUTY_DEBUG")?;
    Some(matches!(word.to_lowercase().as_str(), "1" | "true"))
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
