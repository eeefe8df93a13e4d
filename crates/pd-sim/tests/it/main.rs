//! The stand-in as a caller sees it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod life;
mod looks;
mod responders;
mod rules;
mod shapes;
mod stories;
mod world;
