//! Where the database is and how it is opened.

use std::{fmt, path::PathBuf, time::Duration};

use crate::{Cause, PostgresAddress, StoreError};

/// Jobs that may wait for a database thread. At 5,000 writes a second this is under one second.
pub const QUEUE_MAX: usize = 4096;

/// Threads that read. Two keep a long report from stopping the pages.
pub const READERS: usize = 2;

/// How long a write waits for another process that writes.
pub const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Where the database is.
#[derive(Clone)]
pub enum Address {
    /// A file, made when it is not there.
    SqliteFile(PathBuf),
    /// Memory of this process, gone when it is closed.
    SqliteMemory,
    /// A server.
    Postgres(Box<PostgresAddress>),
}

impl Address {
    /// Reads `sqlite:path`, `sqlite::memory:`, a bare path or `postgres://…`.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(Box::new(PostgresAddress::parse(text)?)));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path == ":memory:" {
            return Ok(Self::SqliteMemory);
        }
        if path.is_empty() || path.contains("://") {
            let hint = "write `sqlite:PATH`, a path or `postgres://…`";
            return Err(StoreError::Address(Cause::new(hint)));
        }
        Ok(Self::SqliteFile(PathBuf::from(path)))
    }
}

// An address may hold a password, so it is never printed whole.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SqliteFile(path) => write!(f, "sqlite:{}", path.display()),
            Self::SqliteMemory => f.write_str("sqlite::memory:"),
            Self::Postgres(address) => fmt::Debug::fmt(address, f),
        }
    }
}

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// Where it is.
    pub address: Address,
    /// Start of the generator behind [`crate::Tx::new_id`]. Must differ between processes
    /// that share a database.
    pub seed: u64,
    /// Jobs that may wait, for writers and readers each.
    pub queue_max: usize,
    /// Threads that read. A database in memory has one thread for everything.
    pub readers: usize,
    /// How long SQLite waits for another process that writes.
    pub busy_wait: Duration,
    /// What is going to fail, for tests.
    #[cfg(feature = "fault")]
    pub faults: Option<crate::fault::Faults>,
}

impl DbOptions {
    /// The usual options for this address.
    pub fn new(address: &str, seed: u64) -> Result<Self, StoreError> {
        Ok(Self {
            address: Address::parse(address)?,
            seed,
            queue_max: QUEUE_MAX,
            readers: READERS,
            busy_wait: BUSY_WAIT,
            #[cfg(feature = "fault")]
            faults: None,
        })
    }
}
