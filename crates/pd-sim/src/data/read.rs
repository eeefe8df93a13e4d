//! Reading objects so that a mistake can be named: which field, and what is wrong with it.
//!
//! An object is split once; each field is read when somebody asks for it, and knows its name.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {}{reason}", field.as_ref().map(|field| format!("field `{field}`: ")).unwrap_or_default())]
pub struct BadFile {
    /// Which file.
    pub file: String,
    /// Which line of it; the first is 1.
    pub line: usize,
    /// Which field, with those around it.
    pub field: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: Option<String>,
    pub(super) reason: String,
}

impl Wrong {
    pub(super) fn new(field: &str, reason: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            reason: reason.into(),
        }
    }

    /// The same, seen from around.
    fn within(self, outer: &str) -> Self {
        let field = match self.field {
            Some(inner) => format!("{outer}.{inner}"),
            None => outer.to_owned(),
        };
        Self {
            field: Some(field),
            reason: self.reason,
        }
    }

    pub(super) fn at(self, file: &str, line: usize) -> BadFile {
        BadFile {
            file: file.to_owned(),
            line,
            field: self.field,
            reason: self.reason,
        }
    }
}

pub(super) type Read<T> = Result<T, Wrong>;

/// An object whose fields are not read yet.
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Split;
        impl<'de> Visitor<'de> for Split {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(32);
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Split)
    }
}

/// A name that is not copied unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Fields<'a> {
    /// Splits an object.
    pub(super) fn of(text: &'a str) -> Read<Self> {
        serde_json::from_str(text).map_err(|error| Wrong {
            field: None,
            reason: format!("not a JSON object: {error}"),
        })
    }

    /// A field that is there and not null.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, raw)| *raw).filter(|raw| raw.get() != "null")
    }

    fn read<T: DeserializeOwned>(&self, name: &str, what: &str) -> Read<Option<T>> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        let read = serde_json::from_str(raw.get());
        read.map(Some)
            .map_err(|_error| Wrong::new(name, format!("must be {what}, not {}", short(raw))))
    }

    pub(super) fn text(&self, name: &str) -> Read<Option<String>> {
        self.read(name, "a text")
    }

    pub(super) fn need(&self, name: &str) -> Read<String> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| Wrong::new(name, "is missing"))
    }

    pub(super) fn number(&self, name: &str) -> Read<Option<i64>> {
        self.read(name, "a whole number")
    }

    pub(super) fn value(&self, name: &str) -> Read<Option<Value>> {
        self.read(name, "JSON")
    }

    pub(super) fn instant(&self, name: &str) -> Read<Option<Timestamp>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_error: jiff::Error| {
            let example = "an instant such as 2026-03-10T08:14:05Z";
            Wrong::new(name, format!("must be {example}, not \"{text}\""))
        })
    }

    pub(super) fn need_instant(&self, name: &str) -> Read<Timestamp> {
        self.instant(name)?
            .ok_or_else(|| Wrong::new(name, "is missing"))
    }

    /// An object inside; what is wrong there is told with this name before it.
    pub(super) fn inside<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self) -> Read<T>,
    ) -> Read<Option<T>> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        let fields = Fields::of(raw.get()).map_err(|wrong| wrong.within(name))?;
        read(&fields).map(Some).map_err(|wrong| wrong.within(name))
    }

    /// The id of a reference.
    pub(super) fn reference(&self, name: &str) -> Read<Option<String>> {
        self.inside(name, |fields| fields.need("id"))
    }

    pub(super) fn need_reference(&self, name: &str) -> Read<String> {
        self.reference(name)?
            .ok_or_else(|| Wrong::new(name, "is missing"))
    }

    /// A list of objects; null and absence are an empty one.
    pub(super) fn each<T>(
        &self,
        name: &str,
        mut read: impl FnMut(&Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        let Some(raw) = self.raw(name) else {
            return Ok(Vec::new());
        };
        let rows: Vec<&RawValue> = serde_json::from_str(raw.get())
            .map_err(|_error| Wrong::new(name, format!("must be a list, not {}", short(raw))))?;
        let read = rows.iter().enumerate().map(|(at, row)| {
            let fields = Fields::of(row.get());
            let done = fields.and_then(|fields| read(&fields));
            done.map_err(|wrong| wrong.within(&format!("{name}[{at}]")))
        });
        read.collect()
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Read<Option<T>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let known = known.join(", ");
            Wrong::new(name, format!("must be one of {known}, not \"{text}\""))
        })
    }

    /// What is not among `known`.
    pub(super) fn others(&self, known: &[&str]) -> Vec<(&str, &'a RawValue)> {
        let others = self
            .0
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_ref()));
        others.map(|(name, raw)| (name.as_ref(), *raw)).collect()
    }

    /// The same as values, to be shown again, apart from what every object of REST has.
    pub(super) fn given(&self, known: &[&str]) -> crate::state::Given {
        self.others(known)
            .into_iter()
            .filter(|(name, _)| !OF_EVERY.contains(name))
            .map(|(name, raw)| {
                (
                    name.to_owned(),
                    serde_json::from_str(raw.get()).unwrap_or_default(),
                )
            })
            .collect()
    }
}

/// What every object of REST has: it is made anew when the object is shown.
const OF_EVERY: [&str; 6] = ["id", "type", "summary", "self", "html_url", "name"];

/// Enough of a value to find it again.
fn short(raw: &RawValue) -> String {
    const CHARS: usize = 40;
    let text: String = raw.get().chars().take(CHARS).collect();
    if text.len() < raw.get().len() {
        format!("{text}…")
    } else {
        text
    }
}
