//! The stand-in as a caller sees it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod analytics;
mod bounds;
mod data;
mod kept;
mod life;
mod looks;
mod responders;
mod rules;
mod schedules;
mod shapes;
mod shifts;
mod stories;
mod world;
mod writes;
