//! Brings the schema up to date: forward only, in order, one migrator at a time.
//!
//! To add one: put `NNNN_name.sql` into `migrations/` and one line into [`MIGRATIONS`].
//! Where the dialects differ, use `NNNN_name.sqlite.sql` and `NNNN_name.postgres.sql`.
//!
//! Invariants
//! - An applied migration is never edited: its checksum is kept and compared.
//! - A program leaves a database alone that needs a newer program.
//! - An up-to-date database costs one query.

use sha2::{Digest, Sha256};

use crate::{Connection, Dialect, StoreError, TxKind, error::MigrateError, params};

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its place, from 1, without gaps.
    pub number: i64,
    /// Its file name without the ending.
    pub name: &'static str,
    /// What SQLite runs.
    pub sqlite_sql: &'static str,
    /// What PostgreSQL runs.
    pub postgres_sql: &'static str,
    /// The compatibility number: afterwards, programs that do not know this migration
    /// leave the database alone.
    pub needs: i64,
}

impl Migration {
    /// A step after which older programs must not use the database.
    pub const fn new(
        number: i64,
        name: &'static str,
        sqlite_sql: &'static str,
        postgres_sql: &'static str,
    ) -> Self {
        Self {
            number,
            name,
            sqlite_sql,
            postgres_sql,
            needs: number,
        }
    }

    /// Says that programs which know migration `number` may go on using the database,
    /// because this step only adds what they do not look at.
    #[must_use]
    pub const fn usable_since(mut self, number: i64) -> Self {
        self.needs = number;
        self
    }

    fn sql(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite_sql,
            Dialect::Postgres => self.postgres_sql,
        }
    }
}

/// One text for both databases.
macro_rules! both {
    ($number:literal, $name:literal) => {{
        const TEXT: &str = include_str!(concat!("migrations/", $name, ".sql"));
        Migration::new($number, $name, TEXT, TEXT)
    }};
}

/// Every step, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    both!(1, "0001_meta"),
    both!(2, "0002_incidents"),
    both!(3, "0003_batches").usable_since(2),
    both!(4, "0004_list_order").usable_since(2),
    // A program that does not know it would list the parts beside their wholes.
    both!(5, "0005_parts"),
    both!(6, "0006_outbox_of_connector").usable_since(5),
    both!(7, "0007_deployments").usable_since(5),
    both!(8, "0008_arrangements").usable_since(5),
    both!(9, "0009_conflicts").usable_since(5),
    both!(10, "0010_ingestion").usable_since(5),
    both!(11, "0011_connector_events").usable_since(5),
    // A program that does not know it would let incidents follow their services without hiding any.
    both!(12, "0012_hidden"),
    // A program that does not know it would let every token do everything.
    both!(13, "0013_access"),
    both!(14, "0014_recorded").usable_since(13),
    both!(15, "0015_identity").usable_since(13),
    both!(16, "0016_api_call").usable_since(13),
    both!(17, "0017_lists").usable_since(13),
    both!(18, "0018_sent_form").usable_since(13),
    both!(19, "0019_environment").usable_since(13),
];

const APPLIED: &str = "-- migrate.applied
    SELECT number, checksum, needs FROM migration ORDER BY number";

const RECORD: &str = "-- migrate.record
    INSERT INTO migration (number, name, checksum, needs) VALUES (?1, ?2, ?3, ?4)";

/// A step that the database has seen.
struct Applied {
    number: i64,
    checksum: String,
    needs: i64,
}

/// Applies what is missing of `steps`.
pub fn run(connection: &mut dyn Connection, steps: &[Migration]) -> Result<(), StoreError> {
    // A database without the table refuses the query; the slow way finds out why.
    match applied(connection) {
        Ok(done) if missing(connection.dialect(), steps, &done)?.is_empty() => return Ok(()),
        Ok(_) | Err(StoreError::Sql { .. }) => {}
        Err(error) => return Err(error),
    }
    connection.begin(TxKind::Migrate)?;
    let result = apply_missing(connection, steps).and_then(|()| connection.commit());
    if result.is_err() {
        connection.rollback();
    }
    result
}

fn applied(connection: &mut dyn Connection) -> Result<Vec<Applied>, StoreError> {
    let rows = connection.query(APPLIED, &[])?;
    rows.iter()
        .map(|row| {
            Ok(Applied {
                number: row.int(0)?,
                checksum: row.text(1)?.to_owned(),
                needs: row.int(2)?,
            })
        })
        .collect()
}

/// Compares both lists: the steps to run, or why the two do not fit.
fn missing<'s>(
    dialect: Dialect,
    steps: &'s [Migration],
    done: &[Applied],
) -> Result<Vec<&'s Migration>, MigrateError> {
    let known = steps.iter().map(|step| step.number).max().unwrap_or(0);
    let needed = done.iter().map(|row| row.needs).max().unwrap_or(0);
    if needed > known {
        return Err(MigrateError::Newer { needed, known });
    }
    let mut missing = Vec::new();
    for step in steps {
        match done.iter().find(|row| row.number == step.number) {
            None => missing.push(step),
            Some(row) if row.checksum == checksum(step.sql(dialect)) => {}
            Some(_) => {
                return Err(MigrateError::Changed {
                    name: step.name.to_owned(),
                });
            }
        }
    }
    Ok(missing)
}

fn apply_missing(connection: &mut dyn Connection, steps: &[Migration]) -> Result<(), StoreError> {
    let done = if connection.has_table("migration")? {
        applied(connection)?
    } else {
        Vec::new()
    };
    let dialect = connection.dialect();
    for step in missing(dialect, steps, &done)? {
        let sql = step.sql(dialect);
        connection.script(sql)?;
        connection.execute(
            RECORD,
            params![step.number, step.name, checksum(sql), step.needs],
        )?;
    }
    Ok(())
}

fn checksum(sql: &str) -> String {
    hex::encode(Sha256::digest(sql))
}
