//! The contract of the store: every test runs on every database.
//!
//! PostgreSQL takes part when `IM_TEST_POSTGRES_URL` is set; each test has a schema of its own
//! there.
#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod addresses;
mod arrangements;
mod backend;
mod calls;
mod claims;
mod conflicts;
mod contract;
mod deployments;
mod directory;
mod facts;
mod faults;
mod groups;
mod inbox;
mod keys;
mod migrations;
mod sqlite_only;
