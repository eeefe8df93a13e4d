//! `im data`: what PagerDuty does not hold, as one document; and facts, as they were recorded.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::context::Context;
use super::error::{Exit, Failure};
use super::filters::{Filters, often, once};
use super::table;
use crate::client::Call;

/// Export and import what PagerDuty does not hold, as one JSON document, and export facts
///
/// The document has the organisation's zone, working hours, people, teams, deployments, links, failure rules, what was
/// said of incidents, and targets: docs/data.md. So are the columns of facts.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Write the document to standard output
    Export,
    /// Write facts to standard output, a line each: as CSV, or with --json as JSON
    Facts(Box<FactsArgs>),
    /// Take a document: all of it, or nothing where there is a mistake
    Import {
        /// The file, or - for standard input
        file: PathBuf,
    },
}

/// Which facts.
#[derive(Debug, Args)]
struct FactsArgs {
    /// The first date on which they happened [default: the first of all]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last date [default: the last of all]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Only those recorded after the one of this number
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Only of this incident; may be given more than once
    #[arg(long, value_name = "INC")]
    incident: Vec<String>,
    #[command(flatten)]
    filters: Filters,
}

impl FactsArgs {
    fn call(self, format: &str) -> Call {
        let given = [
            ("from", self.from),
            ("to", self.to),
            ("after", self.after.map(|after| after.to_string())),
        ];
        let call = once(Call::get(["facts"]).query("format", format), given);
        self.filters.ask(often(call, "incident", &self.incident))
    }
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
        DataCommand::Facts(facts) => {
            let format = if cx.ui.json { "json" } else { "csv" };
            cx.pass_on(facts.call(format)).await?;
        }
        DataCommand::Import { file } => {
            let text = cx.document(&file)?;
            let answer = cx.send(Call::put(["data"], text)).await?;
            if cx.ui.json {
                cx.ui.document(&answer.body);
                return Ok(Exit::Done);
            }
            let mut taken: Map<String, Value> = answer.read()?;
            let hints = taken.remove("hints");
            let some = taken.iter().filter(|(_, count)| **count != 0);
            let some = some.map(|(name, count)| format!("{} {count}", name.replace('_', " ")));
            let some: Vec<String> = some.collect();
            let said = match &*some {
                [] => "Imported the document; it names no thing".to_owned(),
                some => format!("Imported: {}", some.join(", ")),
            };
            let width = cx.ui.width;
            cx.ui.say(table::flow("", &said, width));
            let hints = hints.iter().filter_map(Value::as_array).flatten();
            for hint in hints.filter_map(Value::as_str) {
                cx.ui.hint(hint);
            }
        }
    }
    Ok(Exit::Done)
}
