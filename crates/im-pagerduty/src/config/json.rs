//! JSON whose keys are there once, and fields that know their path.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::ConfigError;

/// A JSON value; numbers are kept as they are written.
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    fn what(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads a text as JSON.
pub(super) fn read(text: &str) -> Result<Json, ConfigError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let whole = error.to_string();
        let place = format!(" at line {line} column {column}");
        ConfigError::Syntax {
            line,
            column,
            message: whole.strip_suffix(&place).unwrap_or(&whole).to_owned(),
        }
    })
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = list.next_element()? {
            rows.push(row);
        }
        Ok(Json::List(rows))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = object.next_entry::<String, Json>()? {
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!("the key `{name}` is there twice")));
            }
            fields.push((name, value));
        }
        Ok(Json::Object(fields))
    }
}

/// The fields of one object, taken out one by one.
pub(super) struct Fields {
    path: String,
    entries: Vec<(String, Json)>,
}

impl Fields {
    pub(super) fn of(path: &str, value: Json, example: &'static str) -> Result<Self, ConfigError> {
        match value {
            Json::Object(entries) => Ok(Self {
                path: path.to_owned(),
                entries,
            }),
            other => Err(ConfigError::WrongType {
                key: if path.is_empty() {
                    "the configuration".to_owned()
                } else {
                    path.to_owned()
                },
                expected: "an object",
                found: other.what(),
                example,
            }),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.entries.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Refuses every key but these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        let mut names = self.entries.iter().map(|(name, _)| name);
        match names.find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(self.unknown(name, known)),
            None => Ok(()),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.entries.iter().position(|(known, _)| known == name)?;
        Some(self.entries.remove(at).1)
    }

    pub(super) fn put(&mut self, name: &str, value: Json) {
        self.entries.push((name.to_owned(), value));
    }

    /// A text without blanks around it; null is absent, and so is an empty text.
    pub(super) fn word(
        &mut self,
        name: &str,
        example: &'static str,
    ) -> Result<Option<String>, ConfigError> {
        match self.take(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.trim().to_owned()).filter(|t| !t.is_empty())),
            Some(other) => Err(self.wrong(name, "a text", &other, example)),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, ConfigError> {
        match self.take(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.wrong(name, "true or false", &other, "true")),
        }
    }

    pub(super) fn object(
        &mut self,
        name: &str,
        example: &'static str,
    ) -> Result<Option<Self>, ConfigError> {
        match self.take(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => Self::of(&self.key(name), value, example).map(Some),
        }
    }

    fn key(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(super) fn unknown(&self, name: &str, known: &[&str]) -> ConfigError {
        ConfigError::UnknownKey {
            key: self.key(name),
            nearest: nearest(name, known).map(|near| self.key(near)),
        }
    }

    pub(super) fn missing(&self, name: &str, example: &'static str) -> ConfigError {
        ConfigError::Missing {
            key: self.key(name),
            example,
        }
    }

    pub(super) fn wrong(
        &self,
        name: &str,
        expected: &'static str,
        found: &Json,
        example: &'static str,
    ) -> ConfigError {
        ConfigError::WrongType {
            key: self.key(name),
            expected,
            found: found.what(),
            example,
        }
    }

    pub(super) fn bad(&self, name: &str, problem: &str, example: &'static str) -> ConfigError {
        ConfigError::BadValue {
            key: self.key(name),
            problem: problem.to_owned(),
            example,
        }
    }
}

/// The known key that differs least, if it differs little.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let (distance, near) = known
        .iter()
        .map(|known| (distance(&lower, &known.to_lowercase()), *known))
        .min()?;
    // Two slips, or one in three letters of a long name.
    let allowed = (name.chars().count() / 3).max(2);
    (distance <= allowed).then_some(near)
}

/// How many letters to insert, delete or replace to get from one text to the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (at, a) in from.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (b, above) in to.chars().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(a != b);
            left = replaced.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
