//! `im connector timeline`.

use clap::Args;
use comfy_table::Cell;
use im_core::ConnectorName;
use jiff::Timestamp;
use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::client::Call;

/// Show what changed about a connector: health, webhook, silences, unusual use of the API
///
/// A server looks each minute. `im config set notify_url URL` tells a webhook of yours the same.
#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    /// Which connector
    name: ConnectorName,
}

#[derive(Debug, Deserialize)]
struct Event {
    at: Timestamp,
    kind: String,
    text: String,
    telling: String,
    failure: Option<String>,
}

pub(crate) async fn run(args: TimelineArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let path = ["connectors", args.name.as_str(), "timeline"];
    let answer = cx.send(Call::get(path)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Vec<Event> = answer.read()?;
    if found.is_empty() {
        cx.ui
            .note("Nothing has changed about it while a server was watching.");
        return Ok(Exit::Done);
    }
    let columns = [
        Column::Whole("When"),
        Column::Whole("What"),
        Column::Whole("Notified"),
        Column::Wrapped("Is"),
    ];
    let rows = found.iter().map(|one| {
        let told = match one.telling.as_str() {
            "kept" => "-",
            "told" => "yes",
            "given_up" => "given up",
            other => other,
        };
        vec![
            Cell::new(time::ago(one.at, cx.now)),
            Cell::new(&one.kind),
            Cell::new(told),
            Cell::new(&one.text),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    if let Some(why) = found.iter().find_map(|one| one.failure.as_ref()) {
        cx.ui.hint(format_args!(
            "`notify_url` of `im config show` did not take an event: {why}"
        ));
    }
    Ok(Exit::Done)
}
