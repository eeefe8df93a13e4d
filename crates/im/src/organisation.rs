//! What an organisation settles beside what PagerDuty holds: working hours, people and which users they
//! are, teams, rules for failures, targets; and what people say of incidents.
//!
//! Each thing is one type, which the API, the data document (`docs/data.md`) and the store share. A value
//! that makes no sense cannot be read into one, so an error is found where the text is.
//!
//! Absent: SQL, HTTP, and what a figure is (`im_metrics`).

pub mod annotations;
mod candidates;
pub mod document;
mod settings;
mod things;
mod values;

pub use candidates::Candidates;
pub use settings::Organisation;
pub use things::{FailureRule, Hours, Member, Person, Target, Team, Thing, User, Week};
pub use values::{AHEAD_MAX, Interval, Length, Text, Whose, Zone, is_email, zone_name};
