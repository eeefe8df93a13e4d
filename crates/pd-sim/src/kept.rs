//! Reading what a file of ours kept, field by field; what is missing is named.

use jiff::Timestamp;
use serde_json::Value;

pub(crate) fn rows<'a>(kept: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let list = kept.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}

pub(crate) fn text(row: &Value, name: &str) -> Option<String> {
    row.get(name).and_then(Value::as_str).map(str::to_owned)
}

pub(crate) fn texts(row: &Value, name: &str) -> Vec<String> {
    let texts = rows(row, name).filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

pub(crate) fn need(row: &Value, name: &str) -> Result<String, String> {
    text(row, name).ok_or_else(|| format!("{name} is missing"))
}

pub(crate) fn need_instant(row: &Value, name: &str) -> Result<Timestamp, String> {
    let text = need(row, name)?;
    text.parse()
        .map_err(|_error: jiff::Error| format!("{name} is no instant: {text}"))
}
