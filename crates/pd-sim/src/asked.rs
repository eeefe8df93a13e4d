//! What a request asks for, read field by field; what is wrong is gathered and told at once.

use serde_json::{Map, Value};

use crate::http::{Request, Response, invalid};
use crate::state::Given;

pub(crate) struct Asked {
    fields: Map<String, Value>,
    wrong: Vec<String>,
}

impl Asked {
    /// The object inside the envelope.
    pub(crate) fn of(request: &Request, envelope: &str) -> Result<Self, Response> {
        let body = request.json();
        let asked = body.and_then(|mut body| body.get_mut(envelope).map(Value::take));
        match asked {
            Some(Value::Object(fields)) => Ok(Self {
                fields,
                wrong: Vec::new(),
            }),
            _ => Err(invalid(&format!("{} is missing.", title(envelope)))),
        }
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// The same, to be kept.
    pub(crate) fn named(&self, name: &str) -> Option<Value> {
        self.fields.get(name).cloned()
    }

    /// Whether it says something about this field, be it null.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub(crate) fn wrong(&mut self, reason: impl Into<String>) {
        self.wrong.push(reason.into());
    }

    /// A text; null says nothing.
    pub(crate) fn text(&mut self, name: &str, chars_max: usize) -> Option<String> {
        match self.fields.get(name)? {
            Value::Null => None,
            Value::String(text) if text.chars().count() > chars_max => {
                let reason = format!(
                    "{} is too long (maximum is {chars_max} characters)",
                    title(name)
                );
                self.wrong(reason);
                None
            }
            Value::String(text) => Some(text.clone()),
            _ => {
                self.wrong(format!("{} must be a string", title(name)));
                None
            }
        }
    }

    /// A text that must not be blank where it is named, and must be named where `needed`.
    pub(crate) fn filled(&mut self, name: &str, chars_max: usize, needed: bool) -> Option<String> {
        let named = needed || self.names(name);
        let before = self.wrong.len();
        let text = self
            .text(name, chars_max)
            .filter(|text| !text.trim().is_empty());
        if named && text.is_none() && self.wrong.len() == before {
            self.wrong(format!("{} can't be blank", title(name)));
        }
        text
    }

    /// A name that none of the others has.
    pub(crate) fn name<'a>(
        &mut self,
        mut others: impl Iterator<Item = &'a str>,
        chars_max: usize,
        needed: bool,
    ) -> Option<String> {
        let name = self.filled("name", chars_max, needed)?;
        if others.any(|other| other == name) {
            self.wrong("Name has already been taken");
        }
        Some(name)
    }

    /// One of a few words.
    pub(crate) fn word(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let text = self.text(name, usize::MAX)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        self.wrong(format!(
            "{} must be one of {}",
            title(name),
            words.join(", ")
        ));
        None
    }

    /// A whole number within bounds; clients also send it as a text.
    pub(crate) fn number(&mut self, name: &str, (least, most): (i64, i64)) -> Option<i64> {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.wrong(format!(
                "{} must be a number from {least} to {most}",
                title(name)
            ));
        }
        number
    }

    /// The id of a reference.
    pub(crate) fn reference(&self, name: &str) -> Option<String> {
        let id = self.fields.get(name)?.get("id")?.as_str();
        id.map(str::to_owned)
    }

    /// Takes over the fields that are kept and shown as they came.
    pub(crate) fn keep(&self, names: &[&str], into: &mut Given) {
        for name in names {
            if let Some(value) = self.fields.get(*name) {
                into.insert((*name).to_owned(), value.clone());
            }
        }
    }

    /// Refuses when anything was wrong.
    pub(crate) fn check(&self) -> Result<(), Response> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        let reasons: Vec<&str> = self.wrong.iter().map(String::as_str).collect();
        Err(Response::error(
            400,
            2001,
            "Invalid Input Provided",
            &reasons,
        ))
    }
}

/// `escalation_policy` as messages say it: `Escalation policy`.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
