//! Help, version and completions.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::cli::without_api;

/// Each command; `docs/cli.md` runs them (`cli_document.rs`).
pub(crate) const COMMANDS: &[&str] = &[
    "",
    "declare",
    "ack",
    "mitigate",
    "resolve",
    "close",
    "reopen",
    "cancel",
    "duplicate",
    "note",
    "assign",
    "edit",
    "annotate",
    "delete",
    "list",
    "show",
    "timeline",
    "oncall",
    "connector",
    "connector add",
    "connector test",
    "connector list",
    "connector status",
    "connector health",
    "connector timeline",
    "connector doctor",
    "connector sync",
    "connector backfill",
    "connector update",
    "connector config",
    "connector webhook",
    "connector map-service",
    "connector list-mappings",
    "connector map-escalation",
    "connector list-escalations",
    "connector services",
    "connector map-priority",
    "connector list-priorities",
    "connector ownership",
    "connector ownership list",
    "connector ownership set",
    "connector ownership delete",
    "connector conflicts",
    "connector conflicts list",
    "connector conflicts show",
    "connector conflicts resolve",
    "integration",
    "integration field-ownership",
    "integration conflicts",
    "integration sync-status",
    "connector deliveries",
    "connector deliveries list",
    "connector deliveries show",
    "connector deliveries replay",
    "connector outbox",
    "connector outbox list",
    "connector outbox retry",
    "connector outbox discard",
    "connector forget-key",
    "connector remove",
    "metrics",
    "metrics connector",
    "deployment",
    "deployment record",
    "deployment list",
    "hours",
    "hours list",
    "hours set",
    "hours remove",
    "team",
    "team list",
    "team set",
    "team remove",
    "person",
    "person list",
    "person add",
    "person remove",
    "person users",
    "person link",
    "person ignore",
    "person unlink",
    "failure-rule",
    "failure-rule list",
    "failure-rule set",
    "failure-rule remove",
    "target",
    "target list",
    "target set",
    "target remove",
    "data",
    "data export",
    "data import",
    "overview",
    "findings",
    "directory",
    "user",
    "user add",
    "user list",
    "user role",
    "user disable",
    "user enable",
    "user reset",
    "token",
    "token create",
    "token list",
    "token revoke",
    "audit",
    "config",
    "config show",
    "config set",
    "severities",
    "doctor",
    "logs",
    "serve",
    "sim",
    "demo",
];

/// The global options are the same everywhere: shown once, with the top command.
fn help(command: &str) -> String {
    let said = without_api().im(&format!("{command} -h"));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    for line in said.out.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
    if command.is_empty() {
        return said.out;
    }
    let own = said.out.split("\nGlobal options:").next();
    own.unwrap_or_default().to_owned()
}

#[test]
fn every_command_has_help() {
    let mut all = String::new();
    for command in COMMANDS {
        writeln!(all, "$ im {command} -h\n{}", help(command)).unwrap();
    }
    assert_snapshot!("help", all);
}

#[test]
fn long_help_says_more() {
    assert_snapshot!("help_ack", without_api().im("help ack").out);
}

#[test]
fn the_version_is_a_result() {
    let said = without_api().im("--version");
    assert_eq!(said.out, format!("im {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let said = without_api().im(&format!("completions {shell}"));
        assert_eq!(said.code, 0);
        assert!(
            said.out.contains("acknowledge") || said.out.contains("ack"),
            "{shell}"
        );
    }
}
