//! Error bodies, in all the shapes that have been seen.

use serde_json::Value;

/// The longest message that is kept: enough to read, too short to be a page of HTML.
const MESSAGE_CHARS_MAX: usize = 500;

/// How many of the listed errors are kept.
const ERRORS_MAX: usize = 20;

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub(crate) message: Option<String>,
    pub(crate) code: Option<i64>,
    pub(crate) errors: Vec<String>,
    pub(crate) required_scopes: Vec<String>,
    pub(crate) token_scopes: Vec<String>,
}

impl ErrorBody {
    /// Everything said, in lower case, to look for known phrases.
    pub(crate) fn text(&self) -> String {
        let mut text = self.message.clone().unwrap_or_default();
        for error in &self.errors {
            text.push('\n');
            text.push_str(error);
        }
        text.to_lowercase()
    }
}

/// Reads an error body. Whatever is not JSON (a gateway's page, nothing at all) says nothing.
pub(crate) fn read(body: &[u8]) -> ErrorBody {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return ErrorBody::default();
    };
    match value.get("error") {
        Some(Value::Object(error)) => ErrorBody {
            message: error.get("message").and_then(text),
            code: error.get("code").and_then(code),
            errors: error.get("errors").map(texts).unwrap_or_default(),
            required_scopes: error.get("required_scopes").map(texts).unwrap_or_default(),
            token_scopes: error.get("token_scopes").map(texts).unwrap_or_default(),
        },
        Some(other) => from_texts(texts(other)),
        None => ErrorBody {
            message: value.get("message").and_then(text),
            code: value.get("code").and_then(code),
            errors: value.get("errors").map(texts).unwrap_or_default(),
            ..ErrorBody::default()
        },
    }
}

fn from_texts(mut all: Vec<String>) -> ErrorBody {
    let message = (!all.is_empty()).then(|| all.remove(0));
    ErrorBody {
        message,
        errors: all,
        ..ErrorBody::default()
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.chars().take(MESSAGE_CHARS_MAX).collect()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn code(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// A list of texts, one text, or a map from a field to its messages.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(rows) => rows.iter().filter_map(text).take(ERRORS_MAX).collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(field, messages)| {
                texts(messages)
                    .into_iter()
                    .map(move |message| format!("{field}: {message}"))
            })
            .take(ERRORS_MAX)
            .collect(),
        Value::Null => Vec::new(),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => text(value).into_iter().collect(),
    }
}
