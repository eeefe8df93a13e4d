//! Values, rows and the driver trait: the whole seam between our SQL and a database.
//!
//! Columns are `BIGINT`, `DOUBLE PRECISION` or `TEXT`, so four kinds of value are enough.
//! A time is microseconds since 1970 in UTC, a bool is 0 or 1, JSON is text.

use std::{borrow::Cow, error::Error, fmt, str::FromStr, sync::Arc};

use jiff::Timestamp;

use crate::{Cause, DecodeError, StoreError};

/// One value of a row or a parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A number, a bool or a time.
    Int(i64),
    /// A measured number. Not a number is stored as nothing, as SQLite does.
    Real(f64),
    /// Text; a NUL in it becomes U+FFFD when it is bound.
    Text(String),
}

/// Builds the parameters of a statement: `params![id, now]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] };
}

macro_rules! from_small_int {
    ($($int:ty),*) => {$(
        impl From<$int> for Value {
            fn from(value: $int) -> Self {
                Self::Int(i64::from(value))
            }
        }
    )*};
}

from_small_int!(i64, i32, u32, u16, u8, bool);

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        if value.is_nan() {
            Self::Null
        } else {
            Self::Real(value)
        }
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_microsecond())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "a number",
            Self::Real(_) => "a real number",
            Self::Text(_) => "text",
        }
    }
}

/// Text as both databases can keep it.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{FFFD}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The nearest real number.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "the standard library has no other way; both databases round the same"
)]
pub(crate) fn int_to_real(value: i64) -> f64 {
    value as f64
}

/// The name of a statement: its first comment line, or else its beginning.
pub(crate) fn statement_name(sql: &str) -> &str {
    let first = sql
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    match first.strip_prefix("--") {
        Some(name) => name.trim(),
        None => first
            .get(..first.floor_char_boundary(60))
            .unwrap_or_default(),
    }
}

/// One row of an answer. A getter that fails says which statement and which column.
#[derive(Debug, Clone)]
pub struct Row {
    statement: Arc<str>,
    values: Vec<Value>,
}

impl Row {
    /// For drivers: the values in the order of the columns.
    pub fn new(statement: Arc<str>, values: Vec<Value>) -> Self {
        Self { statement, values }
    }

    /// The value as it is.
    pub fn value(&self, column: usize) -> Result<&Value, StoreError> {
        self.values
            .get(column)
            .ok_or_else(|| self.corrupt(DecodeError::Missing { column }))
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.opt_text(column)?
            .ok_or_else(|| self.kind(column, "text"))
    }

    /// Text or nothing.
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Int(_) | Value::Real(_) => Err(self.kind(column, "text")),
        }
    }

    /// Text, out of the row.
    pub fn take_text(&mut self, column: usize) -> Result<String, StoreError> {
        self.take_opt_text(column)?
            .ok_or_else(|| self.kind(column, "text"))
    }

    /// Text or nothing, out of the row.
    pub fn take_opt_text(&mut self, column: usize) -> Result<Option<String>, StoreError> {
        self.opt_text(column)?;
        let value = self.values.get_mut(column).map(std::mem::take);
        Ok(match value {
            Some(Value::Text(text)) => Some(text),
            None | Some(Value::Null | Value::Int(_) | Value::Real(_)) => None,
        })
    }

    /// A number.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?
            .ok_or_else(|| self.kind(column, "a number"))
    }

    /// A number or nothing.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(*number)),
            Value::Real(_) | Value::Text(_) => Err(self.kind(column, "a number")),
        }
    }

    /// A number of a smaller type, e.g. `row.number::<u32>(0)?`.
    pub fn number<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: TryFrom<i64, Error: Error + Send + Sync + 'static>,
    {
        let number = self.int(column)?;
        T::try_from(number).map_err(|error| self.content(column, "a number in range", error))
    }

    /// A number of a smaller type, or nothing.
    pub fn opt_number<T>(&self, column: usize) -> Result<Option<T>, StoreError>
    where
        T: TryFrom<i64, Error: Error + Send + Sync + 'static>,
    {
        self.opt_with(column, |row| row.number(column))
    }

    /// A real number.
    pub fn real(&self, column: usize) -> Result<f64, StoreError> {
        self.opt_real(column)?
            .ok_or_else(|| self.kind(column, "a real number"))
    }

    /// A real number or nothing.
    pub fn opt_real(&self, column: usize) -> Result<Option<f64>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Real(number) => Ok(Some(*number)),
            Value::Int(number) => Ok(Some(int_to_real(*number))),
            Value::Text(_) => Err(self.kind(column, "a real number")),
        }
    }

    /// 0 or 1.
    pub fn bool(&self, column: usize) -> Result<bool, StoreError> {
        self.opt_bool(column)?
            .ok_or_else(|| self.kind(column, "0 or 1"))
    }

    /// 0, 1 or nothing.
    pub fn opt_bool(&self, column: usize) -> Result<Option<bool>, StoreError> {
        match self.opt_int(column)? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(other) => Err(self.content(column, "0 or 1", other.to_string())),
        }
    }

    /// A time.
    pub fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        let micros = self.int(column)?;
        Timestamp::from_microsecond(micros)
            .map_err(|error| self.content(column, "a time", error.to_string()))
    }

    /// A time or nothing.
    pub fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        self.opt_with(column, |row| row.time(column))
    }

    /// Text that stands for something, such as an id.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&self, column: usize) -> Result<T, StoreError> {
        let text = self.text(column)?;
        text.parse().map_err(|error: T::Err| {
            self.content(column, std::any::type_name::<T>(), error.to_string())
        })
    }

    /// Text that stands for something, or nothing.
    pub fn opt_parse<T: FromStr<Err: fmt::Display>>(
        &self,
        column: usize,
    ) -> Result<Option<T>, StoreError> {
        self.opt_with(column, |row| row.parse(column))
    }

    /// JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        serde_json::from_str(self.text(column)?)
            .map_err(|error| self.content(column, std::any::type_name::<T>(), error))
    }

    /// JSON or nothing.
    pub fn opt_json<T: serde::de::DeserializeOwned>(
        &self,
        column: usize,
    ) -> Result<Option<T>, StoreError> {
        self.opt_with(column, |row| row.json(column))
    }

    /// For readers with a rule of their own: the column is not what `expected` says.
    pub fn content(
        &self,
        column: usize,
        expected: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> StoreError {
        self.corrupt(DecodeError::Content {
            column,
            expected,
            source: Cause::new(source),
        })
    }

    fn opt_with<T>(
        &self,
        column: usize,
        read: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(_) | Value::Real(_) | Value::Text(_) => read(self).map(Some),
        }
    }

    fn kind(&self, column: usize, expected: &'static str) -> StoreError {
        let found = self.values.get(column).map_or("missing", Value::kind);
        self.corrupt(DecodeError::Kind {
            column,
            expected,
            found,
        })
    }

    fn corrupt(&self, error: DecodeError) -> StoreError {
        StoreError::Corrupt {
            place: self.statement.to_string(),
            source: Cause::new(error),
        }
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxKind {
    /// Sees one state of the database and changes nothing.
    Read,
    /// Runs alone among the writers.
    Write,
    /// As a write, and no second one of this kind runs anywhere at the same time.
    Migrate,
}

/// Which of two texts a migration uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A driver. Everything that differs between databases is behind it.
pub trait Connection: Send {
    /// Which text of a migration it wants.
    fn dialect(&self) -> Dialect;

    /// Runs one statement and says how many rows it changed.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError>;

    /// Runs one statement and returns its rows.
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Checks a statement without running it.
    fn prepare(&mut self, sql: &str) -> Result<(), StoreError>;

    /// Runs several statements without parameters.
    fn script(&mut self, sql: &str) -> Result<(), StoreError>;

    /// Whether the schema has this table.
    fn has_table(&mut self, table: &str) -> Result<bool, StoreError>;

    /// Starts a transaction. One that was left open is rolled back first, and a
    /// connection that was lost is made again.
    fn begin(&mut self, kind: TxKind) -> Result<(), StoreError>;

    /// Keeps the transaction.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Forgets the transaction. If that fails, `begin` notices.
    fn rollback(&mut self);
}
