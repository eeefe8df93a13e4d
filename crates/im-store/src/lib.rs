//! The store: facts, rows and owed effects in one transaction, on SQLite or PostgreSQL.
//!
//! SQL is written once, with `?1` parameters, and runs inside a synchronous closure that
//! gets a [`Tx`]. [`Db`] runs closures on database threads and answers with a [`Pending`]
//! that can be awaited or waited for; [`LocalDb`] runs them on the calling thread.
//!
//! Invariants
//! - One connection is owned by one thread. Nothing else touches it.
//! - Writers take turns on both databases, so a closure sees what the one before it did.
//! - A failed statement ends the transaction on both databases: nothing of it is kept.
//! - Text holds no NUL: the drivers replace it with U+FFFD, because PostgreSQL refuses it.
//!
//! Absent: async runtimes, the clock (`now` comes in as an argument), decisions.

pub mod accounts;
pub mod annotations;
pub mod arrangements;
pub mod audit;
pub mod backfill;
pub mod calls;
pub mod conflicts;
pub mod connector_events;
pub mod connectors;
pub mod counter;
pub mod deployments;
pub mod directory;
pub mod erase;
mod error;
pub mod facts;
#[cfg(feature = "fault")]
pub mod fault;
pub mod inbox;
pub mod incidents;
pub mod links;
mod local;
pub mod migrate;
mod options;
pub mod outbox;
pub mod people;
mod postgres;
mod queue;
pub mod repair;
mod reply;
pub mod sent_forms;
mod session;
pub mod sessions;
pub mod settings;
pub mod sql;
mod sqlite;
mod statements;
pub mod tallies;
mod threads;
pub mod tokens;
mod tx;

pub use error::{Cause, DecodeError, MigrateError, StoreError};
pub use local::LocalDb;
pub use options::{Address, BUSY_WAIT, DbOptions, QUEUE_MAX, READERS};
pub use postgres::{PostgresAddress, PostgresConnection};
pub use reply::Pending;
pub use sql::{Connection, Dialect, Row, TxKind, Value};
pub use sqlite::{SqliteConnection, SqliteImage};
pub use threads::Db;
pub use tx::{Tx, prepare_all};

/// Every statement of every table, for the test that prepares them all.
pub fn all_statements() -> Vec<(&'static str, &'static str)> {
    [
        accounts::STATEMENTS,
        annotations::STATEMENTS,
        arrangements::STATEMENTS,
        audit::STATEMENTS,
        backfill::STATEMENTS,
        calls::STATEMENTS,
        conflicts::STATEMENTS,
        connector_events::STATEMENTS,
        connectors::STATEMENTS,
        counter::STATEMENTS,
        deployments::STATEMENTS,
        directory::STATEMENTS,
        erase::STATEMENTS,
        facts::STATEMENTS,
        inbox::STATEMENTS,
        incidents::STATEMENTS,
        links::STATEMENTS,
        outbox::STATEMENTS,
        people::STATEMENTS,
        repair::STATEMENTS,
        sent_forms::STATEMENTS,
        sessions::STATEMENTS,
        settings::STATEMENTS,
        tallies::STATEMENTS,
        tokens::STATEMENTS,
    ]
    .concat()
}
