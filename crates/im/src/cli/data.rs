//! `im data`: what PagerDuty does not hold, as one document.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::context::Context;
use super::error::{Exit, Failure};
use super::table;
use crate::client::Call;

/// Export and import what PagerDuty does not hold, as one JSON document
///
/// The organisation's zone, working hours, people, teams, deployments, links, failure rules, what was
/// said of incidents, and targets: docs/data.md.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Write the document to standard output
    Export,
    /// Take a document: all of it, or nothing where there is a mistake
    Import {
        /// The file, or - for standard input
        file: PathBuf,
    },
}

pub(crate) async fn run(args: DataArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        DataCommand::Export => {
            let answer = cx.send(Call::get(["data"])).await?;
            if cx.ui.json {
                cx.ui.document(&answer.body);
                return Ok(Exit::Done);
            }
            // With lines, so that a mistake in it can be found.
            let document: Value = answer.read()?;
            cx.ui.say(format_args!("{document:#}"));
        }
        DataCommand::Import { file } => {
            let text = cx.document(&file)?;
            let answer = cx.send(Call::put(["data"], text)).await?;
            if cx.ui.json {
                cx.ui.document(&answer.body);
                return Ok(Exit::Done);
            }
            let taken: Map<String, Value> = answer.read()?;
            let some = taken.iter().filter(|(_, count)| **count != 0);
            let some = some.map(|(name, count)| format!("{} {count}", name.replace('_', " ")));
            let some: Vec<String> = some.collect();
            let said = match &*some {
                [] => "Imported the document; it names no thing".to_owned(),
                some => format!("Imported: {}", some.join(", ")),
            };
            let width = cx.ui.width;
            cx.ui.say(table::flow("", &said, width));
        }
    }
    Ok(Exit::Done)
}
