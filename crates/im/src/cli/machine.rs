//! The process around a command: streams, terminal, clock and environment, all replaceable.

use std::io::{IsTerminal as _, Read, Write};

use axum::Router;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::prompt::{Prompt, Terminal};
use super::ui::Ui;

/// Lines are laid out for this width where there is no terminal to ask.
const WIDTH_DEFAULT: u16 = 80;
/// Narrower than this nothing can be laid out.
const WIDTH_MIN: u16 = 40;

/// What a command can see and reach.
pub struct Machine {
    /// The instant at which the command started.
    pub now: Timestamp,
    /// The zone of the clock on the wall.
    pub zone: TimeZone,
    /// Columns of the terminal.
    pub width: u16,
    /// Whether results go to a terminal: only there a table is cut at its edge.
    pub terminal: bool,
    /// Whether a person is there to answer questions.
    pub interactive: bool,
    /// What `-` reads.
    pub stdin: Box<dyn Read>,
    /// Where results go.
    pub stdout: Box<dyn Write>,
    /// Where everything else goes.
    pub stderr: Box<dyn Write>,
    /// Reads a variable of the environment.
    pub env: fn(&str) -> Option<String>,
    /// Asks the person.
    pub prompt: Box<dyn Prompt>,
    /// An API to use instead of the one that flags and environment name.
    pub api: Option<Router>,
}

/// What is left of a machine when its streams are in the [`Ui`].
pub(super) struct Surroundings {
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
    pub(super) interactive: bool,
    pub(super) stdin: Box<dyn Read>,
    pub(super) env: fn(&str) -> Option<String>,
    pub(super) prompt: Box<dyn Prompt>,
    pub(super) api: Option<Router>,
}

impl Machine {
    /// This process on this machine.
    pub fn this() -> Self {
        Self {
            now: crate::clock::now(),
            zone: TimeZone::system(),
            width: terminal_width(),
            terminal: std::io::stdout().is_terminal(),
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            stdin: Box::new(std::io::stdin()),
            stdout: Box::new(anstream::stdout()),
            stderr: Box::new(anstream::stderr()),
            env: |name| std::env::var(name).ok().filter(|value| !value.is_empty()),
            prompt: Box::new(Terminal),
            api: None,
        }
    }

    pub(super) fn split(self) -> (Ui, Surroundings) {
        let width = self.width.max(WIDTH_MIN);
        let ui = Ui::new(self.stdout, self.stderr, width, self.terminal);
        let surroundings = Surroundings {
            now: self.now,
            zone: self.zone,
            interactive: self.interactive,
            stdin: self.stdin,
            env: self.env,
            prompt: self.prompt,
            api: self.api,
        };
        (ui, surroundings)
    }
}

/// Columns of this process's terminal, or what COLUMNS says where there is none; a terminal that nobody gave a size has 0.
pub(crate) fn terminal_width() -> u16 {
    comfy_table::Table::new()
        .width()
        .filter(|columns| *columns > 0)
        .or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
        .unwrap_or(WIDTH_DEFAULT)
}
