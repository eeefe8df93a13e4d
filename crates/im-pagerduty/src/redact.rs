//! Bodies as a log may show them.

use serde_json::Value;

/// Longer bodies are cut.
const BYTES_MAX: usize = 64 * 1024;

/// Fields that nobody but their owner may see: secrets, and how people are reached.
const HIDDEN: [&str; 12] = [
    "secret",
    "token",
    "access_token",
    "refresh_token",
    "api_key",
    "integration_key",
    "routing_key",
    "password",
    "authorization",
    "email",
    "address",
    "phone",
];

/// A body without what must not be in a log, at most 64 KiB.
pub fn redacted(body: &[u8]) -> String {
    let Ok(mut document) = serde_json::from_slice::<Value>(body) else {
        // What is no JSON may hold anything.
        return format!("[{} bytes that are no JSON]", body.len());
    };
    hide(&mut document);
    let mut text = document.to_string();
    if text.len() > BYTES_MAX {
        let end = (0..=BYTES_MAX).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let lower = name.to_lowercase();
                match value {
                    Value::String(text) if HIDDEN.contains(&lower.as_str()) => {
                        "[hidden]".clone_into(text);
                    }
                    other => hide(other),
                }
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(hide),
        // People write addresses into summaries, too.
        Value::String(text) if looks_like_address(text) => "[hidden]".clone_into(text),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn looks_like_address(text: &str) -> bool {
    let is_host = |host: &str| host.contains('.') && !host.contains(char::is_whitespace);
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !name.contains(char::is_whitespace) && is_host(host)
    })
}
