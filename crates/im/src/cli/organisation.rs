//! What the commands for an organisation's own things have in common: putting, listing, removing.

pub(crate) mod failure_rule;
pub(crate) mod hours;
pub(crate) mod person;
pub(crate) mod target;
pub(crate) mod team;

use comfy_table::Cell;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::error::Failure;
use super::table::{self, Column};
use crate::client::Call;

/// Puts a thing and says so.
async fn put(call: Call, said: &str, cx: &mut Context) -> Result<(), Failure> {
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        cx.ui.say(said);
        let stored: Stored = answer.read()?;
        if let Some(hint) = &stored.hint {
            cx.ui.hint(hint);
        }
    }
    Ok(())
}

/// A thing that was put, as far as it is shown.
#[derive(Deserialize)]
struct Stored {
    hint: Option<String>,
}

/// Removes a thing and says so.
async fn remove(call: Call, what: &str, said: &str, cx: &mut Context) -> Result<(), Failure> {
    cx.send(call).await?;
    if cx.ui.json {
        let document = json!({ "removed": what }).to_string();
        cx.ui.document(document.as_bytes());
    } else {
        cx.ui.say(said);
    }
    Ok(())
}

/// Lists things as a table, or says what makes one.
async fn list<T: DeserializeOwned>(
    call: Call,
    (mut columns, none): (Vec<Column>, &str),
    row: impl Fn(&T) -> Vec<Cell>,
    cx: &mut Context,
) -> Result<(), Failure> {
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let things: Vec<T> = answer.read()?;
    if things.is_empty() {
        cx.ui.note(none);
        return Ok(());
    }
    let mut rows: Vec<Vec<Cell>> = things.iter().map(row).collect();
    let width = cx.ui.table_width();
    table::fit(&mut columns, &mut rows, width);
    cx.ui.say(table::rows(&columns, rows, width));
    Ok(())
}

/// An object of the fields that were given.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter();
    let given = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::from(given.collect::<Map<_, _>>())
}

fn dash(text: Option<&String>) -> &str {
    text.map_or("-", String::as_str)
}
