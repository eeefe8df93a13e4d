//! An account in files: PagerDuty's own REST shapes, so that what was exported from a real account
//! can be served, and what is served can be kept.
//!
//! Invariants
//! - What is saved and loaded again answers REST the same, under the same address.
//! - A field that is not understood is shown again as it was.
//! - A wrong file is refused by name, line and field.
//!
//! Beside PagerDuty's shapes there is `x_sim` in an incident (what REST does not show: timers and
//! the like) and `account.json` (keys, subscriptions with what waits, OAuth); neither has to be
//! there. Nothing here opens a file: lines come in, bytes go out.

mod directory;
mod entries;
mod incidents;
mod load;
mod read;
mod rest_of_it;
mod save;

pub use load::Loading;
pub use read::BadFile;

/// The files of an account, in the order in which they are to be loaded.
pub const FILES: [&str; 14] = [
    "users.json",
    "teams.json",
    "team_members.json",
    "priorities.json",
    "schedules.json",
    "escalation_policies.json",
    "services.json",
    "maintenance_windows.json",
    "change_events.json",
    "incidents.jsonl",
    "log_entries.jsonl",
    "notes.jsonl",
    "alerts.jsonl",
    "account.json",
];

/// Whether a file has one object a line.
pub fn has_lines(file: &str) -> bool {
    file.rsplit_once('.')
        .is_some_and(|(_, kind)| kind == "jsonl")
}
