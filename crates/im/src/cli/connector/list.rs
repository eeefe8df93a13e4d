//! `im connector list`.

use clap::Args;
use comfy_table::Cell;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::cli::types::Connector;
use crate::client::Call;

/// List the connectors
#[derive(Debug, Args)]
pub(crate) struct ListArgs {}

pub(crate) async fn run(_: ListArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let answer = cx.send(Call::get(["connectors"])).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let connectors: Vec<Connector> = answer.read()?;
    if connectors.is_empty() {
        cx.ui
            .note("No connectors. `im connector add pagerduty NAME` adds one.");
        return Ok(Exit::Done);
    }
    let mut columns = vec![
        Column::Whole("Name"),
        Column::Optional("Type", 0),
        Column::Whole("Status"),
        Column::Whole("Direction"),
        Column::Whole("Last Sync"),
    ];
    let rows = connectors.iter().map(|connector| {
        let last_sync = connector
            .last_sync
            .map_or_else(|| "never".to_owned(), |at| time::ago(at, cx.now));
        vec![
            Cell::new(&connector.name),
            Cell::new(&connector.kind),
            Cell::new(&connector.status),
            Cell::new(&connector.direction),
            Cell::new(last_sync),
        ]
    });
    let mut rows: Vec<Vec<Cell>> = rows.collect();
    let width = cx.ui.table_width();
    // A name is for being copied, and there is one type so far.
    table::fit(&mut columns, &mut rows, width);
    let text = table::rows(&columns, rows, width);
    cx.ui.say(text);
    Ok(Exit::Done)
}
