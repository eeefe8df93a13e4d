//! The driver for PostgreSQL.
//!
//! Invariants
//! - Writers take turns, as on SQLite: a lock of the whole schema is the first thing that a write
//!   takes. So a closure means the same on both, and can neither lose a race nor deadlock.
//! - Reads see one snapshot and cannot fail by a race.
//! - A lost connection is made again by the next `begin`.
//!
//! The blocking client runs a small async runtime inside, so it must not be used or dropped on
//! a thread of another one. Our database threads are none.

mod placeholders;
mod tls;

use std::{collections::HashMap, error::Error, fmt, io, sync::Arc, time::Duration};

use postgres::{
    Client, Config, Statement,
    error::SqlState,
    types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use crate::{
    Cause, Connection, Dialect, Row, StoreError, TxKind, Value,
    sql::{int_to_real, statement_name, without_nul},
};

/// Prepared statements kept per connection: more than we have. Searches build their text, so
/// the number is bounded; at the limit all are prepared anew.
const STATEMENTS_MAX: usize = 512;

/// How long a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// After this silence the connection counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(30);

const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Each statement after the lock sees all that the writers before have committed. The table names
/// the schema; it is not locked itself, so vacuuming it goes on.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL lock_timeout = '5s'; -- as long as `BUSY_WAIT`
    SELECT pg_advisory_xact_lock(7305799, CAST('counter'::regclass AS oid)::int4)";
/// What the previous migrator did must be visible after the wait.
const BEGIN_MIGRATE: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(7305798)";

const HAS_TABLE: &str = "-- postgres.has_table
    SELECT tablename FROM pg_catalog.pg_tables
     WHERE schemaname = current_schema() AND tablename = ?1";

/// Where a PostgreSQL database is and how it is trusted.
#[derive(Clone)]
pub struct PostgresAddress {
    config: Config,
    trust: tls::Trust,
}

impl PostgresAddress {
    /// Reads `postgres://user:password@host:port/name?sslmode=…&sslrootcert=…`.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let (url, trust) = tls::take_parameters(url)?;
        let mut config: Config = url
            .parse()
            .map_err(|error| StoreError::Address(Cause::new(error)))?;
        config.ssl_mode(trust.ssl_mode());
        if config.get_application_name().is_none() {
            config.application_name("im");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        config
            .keepalives_idle(SILENCE_MAX)
            .tcp_user_timeout(SILENCE_MAX);
        Ok(Self { config, trust })
    }
}

// Never the password.
impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "postgres:{:?}/{}",
            self.config.get_hosts(),
            self.config.get_dbname().unwrap_or("?")
        )
    }
}

/// A connection to a PostgreSQL database.
pub struct PostgresConnection {
    address: PostgresAddress,
    client: Option<Client>,
    statements: HashMap<String, Statement>,
    in_transaction: bool,
}

impl PostgresConnection {
    /// Connects.
    pub fn open(address: &PostgresAddress) -> Result<Self, StoreError> {
        let mut connection = Self {
            address: address.clone(),
            client: None,
            statements: HashMap::new(),
            in_transaction: false,
        };
        connection.client()?;
        Ok(connection)
    }

    /// The client, connected.
    fn client(&mut self) -> Result<&mut Client, StoreError> {
        let usable = self
            .client
            .as_ref()
            .is_some_and(|client| !client.is_closed());
        if !usable || self.client.is_none() {
            self.client = None;
            self.statements.clear();
            self.in_transaction = false;
            let connector = tls::connector(&self.address.trust)?;
            let client = self
                .address
                .config
                .connect(connector)
                .map_err(connect_failed)?;
            return Ok(self.client.insert(client));
        }
        self.client.as_mut().ok_or_else(StoreError::closed)
    }

    /// The client of a running transaction: one made anew would be outside of it.
    fn same_client(&mut self) -> Result<&mut Client, StoreError> {
        if self.in_transaction && self.client.as_ref().is_none_or(Client::is_closed) {
            let lost = io::Error::from(io::ErrorKind::ConnectionAborted);
            return Err(StoreError::Unavailable(Cause::new(lost)));
        }
        self.client()
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self
            .same_client()?
            .prepare(&placeholders::rewrite(sql))
            .map_err(|error| class(sql, error))?;
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn references(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params
        .iter()
        .map(|value| -> &(dyn ToSql + Sync) { value })
        .collect()
}

impl Connection for PostgresConnection {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        self.same_client()?
            .execute(&statement, &references(params))
            .map_err(|error| class(sql, error))
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql)?;
        let found = self
            .same_client()?
            .query(&statement, &references(params))
            .map_err(|error| class(sql, error))?;
        let name: Arc<str> = statement_name(sql).into();
        found
            .iter()
            .map(|row| {
                let values = (0..row.len())
                    .map(|column| {
                        row.try_get::<_, Value>(column)
                            .map_err(|error| StoreError::Corrupt {
                                place: name.to_string(),
                                source: Cause::new(error),
                            })
                    })
                    .collect::<Result<_, _>>()?;
                Ok(Row::new(Arc::clone(&name), values))
            })
            .collect()
    }

    fn prepare(&mut self, sql: &str) -> Result<(), StoreError> {
        self.statement(sql).map(drop)
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.same_client()?
            .batch_execute(sql)
            .map_err(|error| class(sql, error))
    }

    fn has_table(&mut self, table: &str) -> Result<bool, StoreError> {
        Ok(!self.query(HAS_TABLE, &[Value::from(table)])?.is_empty())
    }

    fn begin(&mut self, kind: TxKind) -> Result<(), StoreError> {
        self.rollback();
        let sql = match kind {
            TxKind::Read => BEGIN_READ,
            TxKind::Write => BEGIN_WRITE,
            TxKind::Migrate => BEGIN_MIGRATE,
        };
        let client = self.client()?;
        let result = client.batch_execute(sql).map_err(|error| class(sql, error));
        // Even where it failed: BEGIN itself may have worked.
        self.in_transaction = true;
        result
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let result = self.script("COMMIT");
        // After a failure too: the server has rolled back, or the connection is gone.
        self.in_transaction = false;
        result
    }

    fn rollback(&mut self) {
        if !self.in_transaction {
            return;
        }
        if self.script("ROLLBACK").is_err() {
            self.client = None;
        }
        self.in_transaction = false;
    }
}

// PostgreSQL infers the type of each parameter; numbers and text fit several.
impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Self::Int(number), &Type::INT2) => i16::try_from(*number)?.to_sql(kind, out),
            (Self::Int(number), &Type::FLOAT8) => int_to_real(*number).to_sql(kind, out),
            (Self::Real(number), &Type::FLOAT8) => number.to_sql(kind, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME) => {
                without_nul(text).to_sql(kind, out)
            }
            (Self::Int(_) | Self::Real(_) | Self::Text(_), _) => {
                Err(format!("{} for a parameter of type {kind}", self.kind()).into())
            }
        }
    }

    fn accepts(kind: &Type) -> bool {
        is_text(kind) || matches!(*kind, Type::INT8 | Type::INT4 | Type::INT2 | Type::FLOAT8)
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Value {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(kind, raw)?),
            _ => Self::Text(String::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    // Others, such as NUMERIC from SUM, need a CAST in the statement.
    fn accepts(kind: &Type) -> bool {
        <Self as ToSql>::accepts(kind)
    }
}

fn is_text(kind: &Type) -> bool {
    matches!(*kind, Type::TEXT | Type::VARCHAR | Type::NAME)
}

/// A password or name that is wrong is the configuration's fault, the rest passes.
fn connect_failed(error: postgres::Error) -> StoreError {
    let ours = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INVALID_CATALOG_NAME,
    ];
    if error.code().is_some_and(|code| ours.contains(code)) {
        return StoreError::Address(Cause::new(error));
    }
    StoreError::Unavailable(Cause::new(error))
}

/// Which of our errors it is.
fn class(sql: &str, error: postgres::Error) -> StoreError {
    let Some(refusal) = error.as_db_error() else {
        let lost = error.is_closed() || error.source().is_some_and(<dyn Error>::is::<io::Error>);
        if lost {
            return StoreError::Unavailable(Cause::new(error));
        }
        return StoreError::Sql {
            statement: statement_name(sql).to_owned(),
            source: Cause::new(error),
        };
    };
    let code = refusal.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        let constraint = refusal.constraint().unwrap_or_default().to_owned();
        return StoreError::Duplicate { constraint };
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        return StoreError::Busy(Cause::new(error));
    }
    if *code == SqlState::DISK_FULL {
        return StoreError::Full(Cause::new(error));
    }
    // Connection, resources, operator intervention, system error.
    let away = ["08", "53", "57", "58"];
    if away.iter().any(|class| code.code().starts_with(class)) {
        return StoreError::Unavailable(Cause::new(error));
    }
    StoreError::Sql {
        statement: statement_name(sql).to_owned(),
        source: Cause::new(error),
    }
}
