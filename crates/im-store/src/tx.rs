//! The transaction as SQL sees it, and the rules for running one.
//!
//! Invariants
//! - A transaction never nests and never outlives its closure.
//! - After a failed statement each further one fails too, and nothing is kept even if the
//!   closure says `Ok`. PostgreSQL works like this; here SQLite does as well.
//!
//! Absent: the current time. Callers pass `now`.

use jiff::Timestamp;
use uuid::{Builder, Uuid};

use crate::session::{KnownFacts, Session};
use crate::{Cause, Connection, Row, StoreError, TxKind, Value, sql::statement_name};

/// A running transaction.
pub struct Tx<'c> {
    connection: &'c mut dyn Connection,
    session: &'c mut Session,
    read_only: bool,
    failure: Option<StoreError>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(
        connection: &'c mut dyn Connection,
        session: &'c mut Session,
        kind: TxKind,
    ) -> Self {
        Self {
            connection,
            session,
            read_only: kind == TxKind::Read,
            failure: None,
        }
    }

    /// Runs one statement and says how many rows it changed.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        if self.read_only {
            return Err(StoreError::Sql {
                statement: statement_name(sql).to_owned(),
                source: Cause::new("it would change rows in a transaction that only reads"),
            });
        }
        self.guarded(|connection| connection.execute(sql, params))
    }

    /// Runs one statement and returns all its rows.
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.guarded(|connection| connection.query(sql, params))
    }

    /// The first row, if there is any.
    pub fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Checks a statement without running it.
    pub fn prepare(&mut self, sql: &str) -> Result<(), StoreError> {
        self.guarded(|connection| connection.prepare(sql))
    }

    /// A new id that sorts by time (version 7).
    pub fn new_id(&mut self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let mut random = [0_u8; 10];
        self.session.rng.fill(&mut random);
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// A number from the seeded generator, e.g. for jitter. Not a secret.
    pub fn random_u64(&mut self) -> u64 {
        self.session.rng.u64(..)
    }

    /// The facts that were read before on this connection.
    pub(crate) fn known_facts(&mut self) -> &mut KnownFacts {
        &mut self.session.facts
    }

    /// Facts were deleted: what was read of them is not true any more.
    pub(crate) fn forget_facts(&mut self) {
        self.session.facts = KnownFacts::default();
    }

    fn guarded<T>(
        &mut self,
        run: impl FnOnce(&mut dyn Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let result = run(&mut *self.connection);
        if let Err(error) = &result {
            self.failure = Some(error.clone());
        }
        result
    }
}

/// Prepares each statement of a list; the error names the first that the database refuses.
pub fn prepare_all(tx: &mut Tx<'_>, statements: &[(&str, &str)]) -> Result<(), StoreError> {
    for (name, sql) in statements {
        tx.prepare(sql).map_err(|error| match error {
            StoreError::Sql { source, .. } => StoreError::Sql {
                statement: (*name).to_owned(),
                source,
            },
            other => other,
        })?;
    }
    Ok(())
}

/// Something that runs in a transaction and remembers its own result.
pub(crate) trait Work {
    /// Runs it; `true` if its changes are to be kept.
    fn attempt(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Replaces the result: the transaction around it failed.
    fn fail(&mut self, error: StoreError);
}

/// A closure and what it returned.
pub(crate) struct Task<F, T, E> {
    work: Option<F>,
    pub(crate) result: Option<Result<T, E>>,
}

impl<F, T, E> Task<F, T, E> {
    pub(crate) fn new(work: F) -> Self {
        Self {
            work: Some(work),
            result: None,
        }
    }
}

impl<F, T, E> Work for Task<F, T, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
    E: From<StoreError>,
{
    fn attempt(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let result = work(tx);
        self.result.insert(result).is_ok()
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Some(Err(E::from(error)));
    }
}

/// Runs `work` in a transaction of its own.
pub(crate) fn run_alone(
    connection: &mut dyn Connection,
    session: &mut Session,
    kind: TxKind,
    work: &mut dyn Work,
) {
    if let Err(error) = connection.begin(kind) {
        return work.fail(error);
    }
    let mut tx = Tx::new(connection, session, kind);
    let keep = work.attempt(&mut tx);
    let failure = tx.failure;
    if keep && failure.is_none() {
        if let Err(error) = connection.commit() {
            connection.rollback();
            session.undone();
            work.fail(error);
        }
        return;
    }
    connection.rollback();
    session.undone();
    // The work does not know that the store failed.
    if let Some(error) = failure.filter(|_| keep) {
        work.fail(error);
    }
}

const SAVEPOINT: &str = "SAVEPOINT job";
const RELEASE: &str = "RELEASE SAVEPOINT job";
const ROLLBACK_TO: &str = "ROLLBACK TO SAVEPOINT job";

/// Runs all of `group` in one transaction with one commit. Work that fails is undone alone;
/// if the transaction itself fails, everyone gets its error.
pub(crate) fn run_group(
    connection: &mut dyn Connection,
    session: &mut Session,
    group: &mut [impl AsMut<dyn Work>],
) {
    let Err(error) = try_group(connection, session, group) else {
        return;
    };
    connection.rollback();
    session.undone();
    for work in group {
        work.as_mut().fail(error.clone());
    }
}

fn try_group(
    connection: &mut dyn Connection,
    session: &mut Session,
    group: &mut [impl AsMut<dyn Work>],
) -> Result<(), StoreError> {
    connection.begin(TxKind::Write)?;
    for work in group {
        run_in_savepoint(connection, session, work.as_mut())?;
    }
    connection.commit()
}

fn run_in_savepoint(
    connection: &mut dyn Connection,
    session: &mut Session,
    work: &mut dyn Work,
) -> Result<(), StoreError> {
    connection.execute(SAVEPOINT, &[])?;
    let mut tx = Tx::new(connection, session, TxKind::Write);
    let keep = work.attempt(&mut tx);
    let failure = tx.failure;
    if !keep || failure.is_some() {
        session.undone();
        // A full disk rolls back everything at once; then the savepoint is gone too.
        connection
            .execute(ROLLBACK_TO, &[])
            .map_err(|error| failure.clone().unwrap_or(error))?;
    }
    if let Some(error) = failure.filter(|_| keep) {
        work.fail(error);
    }
    connection.execute(RELEASE, &[]).map(|_| ())
}
