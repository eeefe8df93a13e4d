//! `im connector outbox`: what PagerDuty has not taken yet.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use im_core::ConnectorName;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::cli::types::Pending;
use crate::client::Call;

/// See and settle the changes that PagerDuty has not taken yet
#[derive(Debug, Args)]
pub(crate) struct OutboxArgs {
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
enum OutboxCommand {
    /// List the changes that wait, and those that PagerDuty refused
    List {
        /// Which connector
        name: ConnectorName,
    },
    /// Send a change again
    Retry(ChangeArgs),
    /// Give a change up; PagerDuty keeps what it has
    Discard(ChangeArgs),
}

#[derive(Debug, Args)]
struct ChangeArgs {
    /// Which connector
    name: ConnectorName,
    /// The number of the change, as `list` shows it
    id: u64,
}

pub(crate) async fn run(args: OutboxArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        OutboxCommand::List { name } => list(&name, cx).await?,
        OutboxCommand::Retry(args) => settle(&args, "retry", "Will send", cx).await?,
        OutboxCommand::Discard(args) => settle(&args, "discard", "Gave up", cx).await?,
    }
    Ok(Exit::Done)
}

async fn list(name: &ConnectorName, cx: &mut Context) -> Result<(), Failure> {
    let answer = cx
        .send(Call::get(["connectors", name.as_str(), "outbox"]))
        .await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let changes: Vec<Pending> = answer.read()?;
    if changes.is_empty() {
        cx.ui.note("PagerDuty has taken everything.");
        return Ok(());
    }
    let columns = [
        Column::Whole("Id"),
        Column::Whole("Incident"),
        Column::AtMost("What", 12),
        Column::Whole("State"),
        Column::Whole("Since"),
        Column::Whole("Tries"),
        Column::Wrapped("Reason"),
    ];
    let rows = changes.iter().map(|change| {
        vec![
            Cell::new(change.id),
            Cell::new(change.incident.as_deref().unwrap_or("-")),
            Cell::new(&change.what),
            Cell::new(&change.state),
            Cell::new(time::ago(change.since, cx.now)),
            Cell::new(change.attempts),
            Cell::new(change.reason.as_deref().unwrap_or("-")),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.width);
    cx.ui.say(text);
    if changes.iter().any(Pending::is_parked) {
        cx.ui.hint(format_args!(
            "`im connector outbox retry {name} ID` sends a parked change again, `discard` gives it up"
        ));
    }
    Ok(())
}

async fn settle(
    args: &ChangeArgs,
    verb: &str,
    said: &str,
    cx: &mut Context,
) -> Result<(), Failure> {
    let id = args.id.to_string();
    let path = ["connectors", args.name.as_str(), "outbox", &id, verb];
    let answer = cx.send(Call::post(path, json!({}))).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let change: Pending = answer.read()?;
    let incident = match &change.incident {
        Some(incident) => format!(" of {incident}"),
        None => String::new(),
    };
    cx.ui.say(format_args!(
        "{said} change {id}: {}{incident}",
        change.what
    ));
    Ok(())
}
