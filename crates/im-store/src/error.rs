//! What can go wrong with the store: a variant for each thing a caller does differently.

use std::{error::Error, fmt, sync::Arc};

/// Why the store could not do it.
///
/// It can be cloned, because one failed commit answers every job of its group.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Someone changed the row first: load again, decide again.
    #[error("it changed meanwhile")]
    Stale,
    /// The row is there already. The name is the database's own and only for people.
    #[error("`{constraint}` exists already")]
    Duplicate {
        /// Columns (SQLite) or constraint name (PostgreSQL).
        constraint: String,
    },
    /// Others write at the same rows: try again soon.
    #[error("the database is busy with other writers")]
    Busy(#[source] Cause),
    /// Our own queue is full: say "later" to the sender.
    #[error("too many database jobs are waiting")]
    Overloaded,
    /// The database is away: try later. It is unknown whether a commit in flight was kept.
    #[error("the database did not answer")]
    Unavailable(#[source] Cause),
    /// There is no room left: a person must act.
    #[error("the disk of the database is full")]
    Full(#[source] Cause),
    /// Ours to repair: something that we wrote cannot be read.
    #[error("cannot read what `{place}` found")]
    Corrupt {
        /// The name of the statement that met it.
        place: String,
        /// What is wrong with it.
        source: Cause,
    },
    /// The database does not fit this program: use another version of one of them.
    #[error("the database does not fit this program")]
    Misfit(#[from] MigrateError),
    /// The address of the database cannot be used: correct the configuration.
    #[error("cannot use the database address")]
    Address(#[source] Cause),
    /// A job panicked; its transaction was rolled back. A mistake of ours.
    #[error("a database job panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// A statement was refused. A mistake of ours.
    #[error("the database refused `{statement}`")]
    Sql {
        /// The name of the statement: its first comment line.
        statement: String,
        /// What the database said.
        source: Cause,
    },
}

/// Why a database and this program do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// An applied migration was edited afterwards.
    #[error("migration `{name}` was changed after it was applied here")]
    Changed {
        /// Its file name without the ending.
        name: String,
    },
    /// The database knows migrations that this program cannot live with.
    #[error("the database needs a program that knows migration {needed}; this one ends at {known}")]
    Newer {
        /// The number that a program must know.
        needed: i64,
        /// The last number that this program knows.
        known: i64,
    },
}

/// A column that does not hold what its reader expects.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The row is shorter than its reader thinks.
    #[error("there is no column {column}")]
    Missing {
        /// Its place, from 0.
        column: usize,
    },
    /// The column holds another kind of value.
    #[error("column {column} is {found}, not {expected}")]
    Kind {
        /// Its place, from 0.
        column: usize,
        /// What the reader asked for.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The value has the right kind but makes no sense.
    #[error("column {column} is not {expected}")]
    Content {
        /// Its place, from 0.
        column: usize,
        /// What the reader asked for.
        expected: &'static str,
        /// Why not.
        #[source]
        source: Cause,
    },
}

/// An error of a driver or a parser, shared so that it can be told to several callers.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    /// Keeps `error` with its chain; text works too.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl StoreError {
    /// The threads of the database are gone.
    pub(crate) fn closed() -> Self {
        Self::Unavailable(Cause::new("the database is closed"))
    }
}
