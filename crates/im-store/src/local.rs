//! A database on the calling thread: for simulations that must not depend on scheduling,
//! and for short command-line runs.

use crate::session::Session;
use crate::{
    Connection, DbOptions, SqliteImage, StoreError, Tx, TxKind, migrate, threads,
    tx::{Task, run_alone},
};

/// A database without threads of its own.
///
/// On PostgreSQL it must not be used on a thread of an async runtime: that driver blocks.
pub struct LocalDb {
    connection: Box<dyn Connection>,
    session: Session,
}

impl LocalDb {
    /// Opens the database and brings its schema up to date.
    pub fn open(options: &DbOptions) -> Result<Self, StoreError> {
        let mut connection = threads::connect(options)?;
        migrate::run(connection.as_mut(), migrate::MIGRATIONS)?;
        Ok(Self::on(connection, options.seed))
    }

    /// A fresh database in memory, copied from `image`.
    pub fn from_image(image: &SqliteImage, seed: u64) -> Result<Self, StoreError> {
        Ok(Self::on(Box::new(image.open()?), seed))
    }

    /// Uses a connection as it is; its schema must be there already.
    pub fn on(connection: Box<dyn Connection>, seed: u64) -> Self {
        Self {
            connection,
            session: Session::new(seed),
        }
    }

    /// Runs `work` and keeps what it did, unless it fails.
    pub fn write<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(TxKind::Write, work)
    }

    /// Runs `work`, which sees one state and changes nothing.
    pub fn read<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(TxKind::Read, work)
    }

    fn run<T, E: From<StoreError>>(
        &mut self,
        kind: TxKind,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut task = Task::new(work);
        run_alone(self.connection.as_mut(), &mut self.session, kind, &mut task);
        task.result
            .unwrap_or_else(|| Err(StoreError::closed().into()))
    }
}
