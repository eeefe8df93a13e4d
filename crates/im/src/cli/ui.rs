//! What people read: results on stdout, everything else on stderr.
//!
//! This is the only place that prints. Text comes here styled; the streams take the colours away
//! where there is no terminal for them.

use std::fmt::Display;
use std::io::Write;

use owo_colors::OwoColorize as _;

use super::table;
use crate::plain;

/// The two streams and how much to put on them.
pub(crate) struct Ui {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    /// Columns that a line may have.
    pub(crate) width: u16,
    /// Whether results go to a terminal.
    terminal: bool,
    /// One JSON document instead of text.
    pub(crate) json: bool,
    /// `-v` adds one, `-q` takes one away.
    pub(crate) verbosity: i8,
}

impl Ui {
    pub(crate) fn new(
        out: Box<dyn Write>,
        err: Box<dyn Write>,
        width: u16,
        terminal: bool,
    ) -> Self {
        Self {
            out,
            err,
            width,
            terminal,
            json: false,
            verbosity: 0,
        }
    }

    /// Columns that a table may have: whoever reads it from a pipe gets all of it.
    pub(crate) fn table_width(&self) -> u16 {
        if self.terminal { self.width } else { u16::MAX }
    }

    /// A line of the result.
    pub(crate) fn say(&mut self, line: impl Display) {
        put(&mut self.out, &format!("{line}\n"));
    }

    /// The result as it is, without a line end of its own.
    pub(crate) fn raw(&mut self, text: &[u8]) {
        put_bytes(&mut self.out, text);
    }

    /// The one document of `--json`.
    pub(crate) fn document(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body.trim_ascii_end());
        put(&mut self.out, &plain::json(&text));
        put_bytes(&mut self.out, b"\n");
    }

    /// Something about the result that is not the result.
    pub(crate) fn note(&mut self, text: impl Display) {
        if self.verbosity >= 0 {
            let text = self.flow("", &text.to_string());
            put(&mut self.err, &format!("{text}\n"));
        }
    }

    /// A step of the work, for those who asked with `-v`.
    pub(crate) fn detail(&mut self, text: impl Display) {
        if self.verbosity > 0 {
            put(&mut self.err, &format!("{}\n", text.dimmed()));
        }
    }

    /// The next step.
    pub(crate) fn hint(&mut self, text: impl Display) {
        if self.verbosity >= 0 {
            let text = self.flow("hint: ", &text.to_string());
            put(
                &mut self.err,
                &format!("{} {text}\n", "hint:".cyan().bold()),
            );
        }
    }

    /// Something that may surprise later; said even with `-q`.
    pub(crate) fn warn(&mut self, text: impl Display) {
        let text = self.flow("warning: ", &text.to_string());
        put(
            &mut self.err,
            &format!("{} {text}\n", "warning:".yellow().bold()),
        );
    }

    /// Why it did not work; said always.
    pub(crate) fn error(&mut self, text: impl Display) {
        let text = self.flow("error: ", &text.to_string());
        put(
            &mut self.err,
            &format!("{} {text}\n", "error:".red().bold()),
        );
    }

    /// What follows `head`, at a terminal broken between words.
    fn flow(&self, head: &str, text: &str) -> String {
        if self.terminal {
            table::flow(head, text, self.width)
        } else {
            text.to_owned()
        }
    }

    /// Text for stderr as it is.
    pub(crate) fn error_raw(&mut self, text: &str) {
        put(&mut self.err, text);
    }

    /// How far the work is, over what was said of it last; nothing where nobody watches.
    pub(crate) fn progress(&mut self, text: &str) {
        if self.terminal && !self.json && self.verbosity >= 0 {
            let text: String = text.chars().take(self.width.into()).collect();
            put(&mut self.err, &format!("\r\u{1b}[K{text}"));
            drop(self.err.flush());
        }
    }

    /// Hands everything over.
    pub(crate) fn flush(&mut self) {
        drop(self.out.flush());
        drop(self.err.flush());
    }
}

fn put(stream: &mut Box<dyn Write>, text: &str) {
    put_bytes(stream, text.as_bytes());
}

/// A reader that went away (`im list | head`) has read enough: not an error.
fn put_bytes(stream: &mut Box<dyn Write>, text: &[u8]) {
    drop(stream.write_all(text));
}
