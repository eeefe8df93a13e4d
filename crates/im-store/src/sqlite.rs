//! The driver for SQLite.
//!
//! Invariants
//! - Files use write-ahead logging and `synchronous = FULL`: what was committed survives a
//!   power cut.
//! - A write takes the write lock at its start (`BEGIN IMMEDIATE`), so it never fails half-way
//!   because of another writer.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{
    CachedStatement, ErrorCode, OpenFlags, ToSql,
    config::DbConfig,
    ffi,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    Cause, Connection, Dialect, Row, StoreError, TxKind, Value, migrate,
    sql::{statement_name, without_nul},
};

/// Prepared statements kept per connection: more than we have.
const STATEMENTS_MAX: usize = 512;

// A checkpoint at SQLite's own 1,000 pages comes with every third commit of a storm and writes
// the pages of indexes each time; 8 MB of log are copied in some ten milliseconds.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA wal_autocheckpoint = 2000;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;";

const MEMORY_SETTINGS: &str = "
    PRAGMA journal_mode = MEMORY;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;";

const HAS_TABLE: &str = "-- sqlite.has_table
    SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?1";

/// A connection to a SQLite database.
pub struct SqliteConnection {
    inner: rusqlite::Connection,
    reading: bool,
}

impl SqliteConnection {
    /// Opens a file, made when it is not there.
    pub fn open_file(path: &Path, busy_wait: Duration) -> Result<Self, StoreError> {
        let inner = rusqlite::Connection::open_with_flags(path, flags()).map_err(open_failed)?;
        // First, because the settings below may have to wait as well.
        inner.busy_timeout(busy_wait).map_err(open_failed)?;
        Self::set_up(inner, SETTINGS)
    }

    /// A fresh database in memory.
    pub fn open_memory() -> Result<Self, StoreError> {
        let inner =
            rusqlite::Connection::open_in_memory_with_flags(flags()).map_err(open_failed)?;
        Self::set_up(inner, MEMORY_SETTINGS)
    }

    fn set_up(inner: rusqlite::Connection, settings: &str) -> Result<Self, StoreError> {
        inner.execute_batch(settings).map_err(open_failed)?;
        // Else SQLite plans a statement anew on each use where a parameter might make a partial
        // index fit.
        inner
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(open_failed)?;
        inner.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(Self {
            inner,
            reading: false,
        })
    }

    fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, StoreError> {
        let statement = self
            .inner
            .prepare_cached(sql)
            .map_err(|error| class(sql, error))?;
        if self.reading && !statement.readonly() {
            return Err(StoreError::Sql {
                statement: statement_name(sql).to_owned(),
                source: Cause::new("it would change rows in a transaction that only reads"),
            });
        }
        Ok(statement)
    }
}

// No mutex inside SQLite: a connection is owned by one thread.
fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// A key that is a number as SQLite's own row id, which it is only where its type is spelled
/// `INTEGER`. Else each such table has a second tree that maps the one number to the other.
fn with_row_ids(sql: &str) -> String {
    let line = |line: &str| {
        if line.contains("PRIMARY KEY") {
            line.replacen(" BIGINT ", " INTEGER ", 1)
        } else {
            line.to_owned()
        }
    };
    sql.split_inclusive('\n').map(line).collect()
}

fn open_failed(error: rusqlite::Error) -> StoreError {
    class("-- sqlite.open", error)
}

impl Connection for SqliteConnection {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.statement(sql)?;
        let count = statement
            .execute(rusqlite::params_from_iter(params))
            .map_err(|error| class(sql, error))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.statement(sql)?;
        let columns = statement.column_count();
        let name: Arc<str> = statement_name(sql).into();
        let mut found = statement
            .query(rusqlite::params_from_iter(params))
            .map_err(|error| class(sql, error))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(|error| class(sql, error))? {
            let values = (0..columns)
                .map(|column| read(row.get_ref(column).map_err(|error| class(sql, error))?, sql))
                .collect::<Result<_, StoreError>>()?;
            rows.push(Row::new(Arc::clone(&name), values));
        }
        Ok(rows)
    }

    fn prepare(&mut self, sql: &str) -> Result<(), StoreError> {
        self.inner
            .prepare(sql)
            .map(drop)
            .map_err(|error| class(sql, error))
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.inner
            .execute_batch(&with_row_ids(sql))
            .map_err(|error| class(sql, error))
    }

    fn has_table(&mut self, table: &str) -> Result<bool, StoreError> {
        Ok(!self.query(HAS_TABLE, &[Value::from(table)])?.is_empty())
    }

    fn begin(&mut self, kind: TxKind) -> Result<(), StoreError> {
        self.rollback();
        self.execute(
            match kind {
                TxKind::Read => "BEGIN DEFERRED",
                TxKind::Write | TxKind::Migrate => "BEGIN IMMEDIATE",
            },
            &[],
        )?;
        self.reading = kind == TxKind::Read;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.execute("COMMIT", &[])?;
        self.reading = false;
        Ok(())
    }

    fn rollback(&mut self) {
        self.reading = false;
        if !self.inner.is_autocommit() {
            // It fails only if SQLite rolled back by itself meanwhile, which is what we want.
            drop(self.execute("ROLLBACK", &[]));
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Int(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Self::Real(number) => ToSqlOutput::Borrowed(ValueRef::Real(*number)),
            Self::Text(text) => match without_nul(text) {
                std::borrow::Cow::Borrowed(text) => text.into(),
                std::borrow::Cow::Owned(text) => text.into(),
            },
        })
    }
}

fn read(value: ValueRef<'_>, sql: &str) -> Result<Value, StoreError> {
    let corrupt = |source| StoreError::Corrupt {
        place: statement_name(sql).to_owned(),
        source,
    };
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(
            std::str::from_utf8(bytes)
                .map_err(|error| corrupt(Cause::new(error)))?
                .to_owned(),
        ),
        ValueRef::Blob(_) => return Err(corrupt(Cause::new("a column holds bytes"))),
    })
}

/// Which of our errors it is.
fn class(sql: &str, error: rusqlite::Error) -> StoreError {
    let statement = statement_name(sql).to_owned();
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        return StoreError::Sql {
            statement,
            source: Cause::new(error),
        };
    };
    let unique = [
        ffi::SQLITE_CONSTRAINT_UNIQUE,
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
    ];
    match code.code {
        ErrorCode::ConstraintViolation if unique.contains(&code.extended_code) => {
            let message = message.as_deref().unwrap_or_default();
            let constraint = message
                .strip_prefix("UNIQUE constraint failed: ")
                .unwrap_or(message);
            StoreError::Duplicate {
                constraint: constraint.to_owned(),
            }
        }
        ErrorCode::DiskFull => StoreError::Full(Cause::new(error)),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy(Cause::new(error)),
        ErrorCode::CannotOpen
        | ErrorCode::SystemIoFailure
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory
        | ErrorCode::FileLockingProtocolFailed => StoreError::Unavailable(Cause::new(error)),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt {
            place: statement,
            source: Cause::new(error),
        },
        _ => StoreError::Sql {
            statement,
            source: Cause::new(error),
        },
    }
}

/// A migrated, empty database to copy from: a simulation opens thousands.
pub struct SqliteImage {
    bytes: Vec<u8>,
}

impl SqliteImage {
    /// Migrates a database in memory once and keeps its pages.
    pub fn new() -> Result<Self, StoreError> {
        let mut connection = SqliteConnection::open_memory()?;
        migrate::run(&mut connection, migrate::MIGRATIONS)?;
        let pages = connection.inner.serialize("main").map_err(open_failed)?;
        Ok(Self {
            bytes: pages.to_vec(),
        })
    }

    /// A database of its own with the same content.
    pub fn open(&self) -> Result<SqliteConnection, StoreError> {
        let mut connection = SqliteConnection::open_memory()?;
        connection
            .inner
            .deserialize_read_exact("main", self.bytes.as_slice(), self.bytes.len(), false)
            .map_err(open_failed)?;
        Ok(connection)
    }
}
