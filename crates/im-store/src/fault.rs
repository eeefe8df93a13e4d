//! Makes a database fail on purpose: the N-th statement, or a commit.
//!
//! Only for tests; the feature `fault` brings it in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Cause, Connection, Dialect, Row, StoreError, TxKind, Value};

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full; the transaction is still there.
    Full,
    /// Another writer was first.
    Busy,
    /// The disk failed, and the database has rolled back by itself.
    Io,
    /// The connection is lost, and the transaction with it.
    Unavailable,
}

impl Fault {
    fn error(self) -> StoreError {
        let cause = Cause::new(format!("made to fail: {self:?}"));
        match self {
            Self::Full => StoreError::Full(cause),
            Self::Busy => StoreError::Busy(cause),
            Self::Io | Self::Unavailable => StoreError::Unavailable(cause),
        }
    }

    fn loses_transaction(self) -> bool {
        match self {
            Self::Full | Self::Busy => false,
            Self::Io | Self::Unavailable => true,
        }
    }
}

/// What is going to fail. Clones share it, so a test keeps one and gives one to the database.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    armed: Arc<Mutex<Armed>>,
}

#[derive(Debug, Default)]
struct Armed {
    /// Statements to go, counted down to 0.
    statement: Option<(u64, Fault)>,
    commit: Option<Fault>,
    lost_answer: bool,
    /// Commits that succeed before.
    spared_commits: u64,
}

impl Faults {
    /// Nothing fails yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The `number`-th statement from now (1 is the next) fails once.
    pub fn fail_statement(&self, number: u64, fault: Fault) {
        self.lock().statement = Some((number, fault));
    }

    /// So many commits succeed before one fails as told.
    pub fn spare_commits(&self, count: u64) {
        self.lock().spared_commits = count;
    }

    /// The next commit fails and keeps nothing.
    pub fn fail_commit(&self, fault: Fault) {
        self.lock().commit = Some(fault);
    }

    /// The next commit is kept, but the caller hears that the database is away.
    pub fn lose_commit_answer(&self) {
        self.lock().lost_answer = true;
    }

    /// Takes back what has not failed yet; `true` if there was something.
    pub fn disarm(&self) -> bool {
        let armed = std::mem::take(&mut *self.lock());
        armed.statement.is_some() || armed.commit.is_some() || armed.lost_answer
    }

    /// A connection that fails as told here.
    pub fn wrap(&self, inner: Box<dyn Connection>) -> Box<dyn Connection> {
        Box::new(FaultyConnection {
            inner,
            faults: self.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a commit is not the one that fails.
    fn is_spared(&self) -> bool {
        let mut armed = self.lock();
        let is_armed = armed.commit.is_some() || armed.lost_answer;
        let is_spared = is_armed && armed.spared_commits > 0;
        armed.spared_commits -= u64::from(is_spared);
        is_spared
    }

    /// Counts a statement and says whether it is the one.
    fn next_statement(&self) -> Option<Fault> {
        let mut armed = self.lock();
        let (left, fault) = armed.statement.take()?;
        if left <= 1 {
            return Some(fault);
        }
        armed.statement = Some((left - 1, fault));
        None
    }
}

struct FaultyConnection {
    inner: Box<dyn Connection>,
    faults: Faults,
}

impl FaultyConnection {
    fn check(&mut self) -> Result<(), StoreError> {
        let Some(fault) = self.faults.next_statement() else {
            return Ok(());
        };
        if fault.loses_transaction() {
            self.inner.rollback();
        }
        Err(fault.error())
    }
}

impl Connection for FaultyConnection {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.check()?;
        self.inner.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.check()?;
        self.inner.query(sql, params)
    }

    fn prepare(&mut self, sql: &str) -> Result<(), StoreError> {
        self.inner.prepare(sql)
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.check()?;
        self.inner.script(sql)
    }

    fn has_table(&mut self, table: &str) -> Result<bool, StoreError> {
        self.inner.has_table(table)
    }

    fn begin(&mut self, kind: TxKind) -> Result<(), StoreError> {
        self.inner.begin(kind)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.faults.is_spared() {
            return self.inner.commit();
        }
        let commit = self.faults.lock().commit.take();
        if let Some(fault) = commit {
            self.inner.rollback();
            return Err(fault.error());
        }
        self.inner.commit()?;
        if std::mem::take(&mut self.faults.lock().lost_answer) {
            return Err(Fault::Unavailable.error());
        }
        Ok(())
    }

    fn rollback(&mut self) {
        self.inner.rollback();
    }
}
