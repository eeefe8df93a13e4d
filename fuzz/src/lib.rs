//! What comes from outside, and what must hold of it whatever it is.
//!
//! A target takes any bytes and panics if they show something that must not be. The same functions
//! serve twice: `cargo xtask fuzz` feeds them what a fuzzer makes up, and an ordinary test
//! (`tests/it.rs`) feeds them what is kept in `corpus/` and `found/`.
//!
//! Nothing here is shipped. Inputs have lines, so that a kept case can be read and written by hand.

mod answer;
mod arguments;
mod config;
mod signature;
mod time;
mod webhook;

/// A kind of input.
pub struct Target {
    /// Its name, which is that of its folders, too.
    pub name: &'static str,
    /// Panics if the input shows something that must not be.
    pub check: fn(&[u8]),
}

/// Every kind of input.
pub const TARGETS: [Target; 6] = [
    Target {
        name: "signature",
        check: signature::check,
    },
    Target {
        name: "webhook",
        check: webhook::check,
    },
    Target {
        name: "answer",
        check: answer::check,
    },
    Target {
        name: "config",
        check: config::check,
    },
    Target {
        name: "time",
        check: time::check,
    },
    Target {
        name: "arguments",
        check: arguments::check,
    },
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// The bytes up to the first end of a line, and what follows it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (first, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    (first, rest.get(1..).unwrap_or_default())
}
