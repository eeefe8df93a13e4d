//! `im connector map-priority` and `list-priorities`.

use clap::Args;
use comfy_table::Cell;
use im_core::{ConnectorName, Severity};
use serde::Deserialize;
use serde_json::json;

use super::mapping::UNKNOWN;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::client::Call;

/// Say which of PagerDuty's priorities goes with a severity
///
/// Incidents get it when they are declared and when their severity changes; somebody who gives them another mapped
/// priority in PagerDuty changes the severity here. Severities may share a priority.
#[derive(Debug, Args)]
pub(crate) struct MapPriorityArgs {
    /// Which connector
    name: ConnectorName,
    /// The severity
    #[arg(long, alias = "severity", value_name = "SEVERITY")]
    sev: Severity,
    /// PagerDuty's priority, by its id or name
    #[arg(long, value_name = "ID", required_unless_present = "remove")]
    priority: Option<String>,
    /// Take the mapping away
    #[arg(long, conflicts_with = "priority")]
    remove: bool,
}

/// List which of PagerDuty's priorities goes with which severity
#[derive(Debug, Args)]
pub(crate) struct ListPrioritiesArgs {
    /// Which connector
    name: ConnectorName,
}

#[derive(Debug, Deserialize)]
struct PriorityMapping {
    severity: String,
    priority: Option<String>,
    priority_name: Option<String>,
}

pub(crate) async fn map(args: MapPriorityArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let severity = args.sev.as_str();
    let body = json!({"severity": severity, "priority": args.priority});
    let path = ["connectors", args.name.as_str(), "priority-mappings"];
    let answer = cx.send(Call::post(path, body)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let table: Vec<PriorityMapping> = answer.read()?;
    let row = table.iter().find(|row| row.severity == severity);
    match row.and_then(|row| Some((row.priority.as_deref()?, row.priority_name.as_deref()))) {
        Some((id, name)) => cx.ui.say(format_args!(
            "Mapped {severity} to {id} ({})",
            name.unwrap_or(UNKNOWN)
        )),
        None => cx.ui.say(format_args!("Removed the mapping of {severity}")),
    }
    Ok(Exit::Done)
}

pub(crate) async fn list(args: ListPrioritiesArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let path = ["connectors", args.name.as_str(), "priority-mappings"];
    let answer = cx.send(Call::get(path)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Vec<PriorityMapping> = answer.read()?;
    let columns = [
        Column::Whole("Severity"),
        Column::Whole("PagerDuty Priority"),
        Column::Rest("Priority Name"),
    ];
    let rows = found.iter().map(|row| {
        let is_lost = row.priority.is_some() && row.priority_name.is_none();
        let unnamed = if is_lost { UNKNOWN } else { "-" };
        vec![
            Cell::new(&row.severity),
            Cell::new(row.priority.as_deref().unwrap_or("none")),
            Cell::new(row.priority_name.as_deref().unwrap_or(unnamed)),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    Ok(Exit::Done)
}
