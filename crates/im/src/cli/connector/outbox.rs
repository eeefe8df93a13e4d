//! `im connector outbox`: what PagerDuty has not taken yet.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use im_core::ConnectorName;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::cli::types::{Connector, Pending};
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
    let trouble = if changes.iter().all(|change| change.reason.is_some()) && !changes.is_empty() {
        None
    } else {
        trouble(name, cx).await?
    };
    if changes.is_empty() {
        let said = trouble.unwrap_or_else(|| "PagerDuty has taken everything.".to_owned());
        cx.ui.note(said);
        return Ok(());
    }
    let columns = [
        Column::Whole("Id"),
        Column::Whole("Incident"),
        Column::Whole("What"),
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
            Cell::new(
                change
                    .reason
                    .as_ref()
                    .or(trouble.as_ref())
                    .map_or("-", String::as_str),
            ),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    if changes.iter().any(Pending::is_parked) {
        cx.ui.hint(format_args!(
            "`im connector outbox retry {name} ID` sends a parked change again, `discard` gives it up"
        ));
    }
    Ok(())
}

/// Why nothing leaves, whatever there is to send.
async fn trouble(name: &ConnectorName, cx: &mut Context) -> Result<Option<String>, Failure> {
    let answer = cx.send(Call::get(["connectors", name.as_str()])).await?;
    let connector: Connector = answer.read()?;
    Ok(match connector.status.as_str() {
        "paused" => Some(format!(
            "Connector {name} is paused: what is owed is listed when it is resumed."
        )),
        "auth_failed" | "failing" => connector.status_reason,
        _ => None,
    })
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
