//! `im target`: what figures are to reach.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde::Deserialize;
use serde_json::Value;

use super::{list, object, put, remove};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::Column;
use crate::client::Call;
use crate::length;

/// Set and show the targets of severities and metrics
///
/// Of a severity: how long an acknowledgement and a resolve may take, which sla_compliance judges by.
/// Of a metric: what is good enough, as a length, a share or a number a day; of page_disruptions the
/// pages of a person in a week.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    #[command(subcommand)]
    command: TargetCommand,
}

#[derive(Debug, Subcommand)]
enum TargetCommand {
    /// List the targets that were set
    List,
    /// Set a target
    Set(SetArgs),
    /// Take a target back
    Remove {
        /// SEV-1 to SEV-4, or a metric
        name: String,
    },
}

#[derive(Debug, Args)]
struct SetArgs {
    /// SEV-1 to SEV-4, or a metric
    name: String,
    /// Of a severity: how long the acknowledgement may take, e.g. 15m
    #[arg(long, value_name = "TIME", requires = "resolve")]
    ack: Option<String>,
    /// Of a severity: how long the resolve may take
    #[arg(long, value_name = "TIME", requires = "ack")]
    resolve: Option<String>,
    /// Of a metric: no more than this is good, e.g. 45m, 15% or 7
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["ack", "at_least"], value_parser = bound)]
    at_most: Option<f64>,
    /// Of a metric: no less than this is good
    #[arg(long, value_name = "NUMBER", conflicts_with = "ack", value_parser = bound)]
    at_least: Option<f64>,
}

/// A target, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    ack: Option<String>,
    resolve: Option<String>,
    at_most: Option<f64>,
    at_least: Option<f64>,
}

/// A number, a share, or a length in seconds.
fn bound(text: &str) -> Result<f64, String> {
    let percents = text.strip_suffix('%').map(str::trim_end);
    let bound = match percents {
        Some(percents) => percents
            .parse::<f64>()
            .ok()
            .map(|percents| percents / 100.0),
        None => text.parse().ok(),
    };
    let seconds = || length::read_loosely(text).map(|length| length.as_secs_f64());
    let bound = bound.filter(|bound| bound.is_finite()).or_else(seconds);
    bound.ok_or_else(|| {
        "write a length such as 45m, a share such as 15% or 0.15, or a number".to_owned()
    })
}

pub(crate) async fn run(args: TargetArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        TargetCommand::List => {
            let columns = vec![Column::Whole("Of"), Column::Wrapped("Target")];
            let none = "No targets are set; severities have the usual ones. `im target set SEV-1 --ack 15m --resolve 1h` sets one.";
            list(Call::get(["targets"]), (columns, none), row, cx).await?;
        }
        TargetCommand::Set(target) => {
            let said = format!("Set the target of {}", target.name);
            let body = object([
                ("name", Some(target.name.into())),
                ("ack", target.ack.map(Value::from)),
                ("resolve", target.resolve.map(Value::from)),
                ("at_most", target.at_most.map(Value::from)),
                ("at_least", target.at_least.map(Value::from)),
            ]);
            put(Call::post(["targets"], body), &said, cx).await?;
        }
        TargetCommand::Remove { name } => {
            let said = format!("Took back the target of {name}");
            remove(Call::delete(["targets", &name]), &name, &said, cx).await?;
        }
    }
    Ok(Exit::Done)
}

fn row(target: &Target) -> Vec<Cell> {
    let bounds = [
        target
            .ack
            .as_ref()
            .map(|ack| format!("acknowledged in {ack}")),
        target
            .resolve
            .as_ref()
            .map(|resolve| format!("resolved in {resolve}")),
        target.at_most.map(|bound| format!("at most {bound}")),
        target.at_least.map(|bound| format!("at least {bound}")),
    ];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    vec![Cell::new(&target.name), Cell::new(bounds.join(", "))]
}
