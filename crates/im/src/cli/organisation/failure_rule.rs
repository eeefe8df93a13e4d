//! `im failure-rule`: which incidents are no failures.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde::Deserialize;
use serde_json::Value;

use super::{dash, list, object, put, remove};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::Column;
use crate::client::Call;

/// Say which incidents are no failures of a change
///
/// A rule excludes the incidents that meet all its conditions from change_failure_rate,
/// time_to_restore and failed_deployment_recovery_time.
#[derive(Debug, Args)]
pub(crate) struct FailureRuleArgs {
    #[command(subcommand)]
    command: RuleCommand,
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    /// List the rules
    List,
    /// Make a rule, or replace one
    Set(SetArgs),
    /// Remove a rule
    Remove {
        /// Which
        id: String,
    },
}

#[derive(Debug, Args)]
struct SetArgs {
    /// Its id, e.g. short-lived
    id: String,
    /// Where the incident began
    #[arg(long, value_parser = ["pagerduty", "im"])]
    origin: Option<String>,
    /// Its service at trigger, by PagerDuty's id
    #[arg(long, value_name = "ID")]
    service: Option<String>,
    /// Its urgency at trigger
    #[arg(long, value_parser = ["high", "low"])]
    urgency: Option<String>,
    /// Its priority at trigger, by PagerDuty's id
    #[arg(long, value_name = "ID")]
    priority: Option<String>,
    /// It was over in less than this, e.g. 5m
    #[arg(long, value_name = "TIME")]
    shorter_than: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// A rule, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Rule {
    id: String,
    reason: Option<String>,
    origin: Option<String>,
    service: Option<String>,
    urgency: Option<String>,
    priority: Option<String>,
    shorter_than: Option<String>,
}

pub(crate) async fn run(args: FailureRuleArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        RuleCommand::List => {
            let columns = vec![
                Column::Whole("Rule"),
                Column::Wrapped("No Failure If"),
                Column::Wrapped("Reason"),
            ];
            let none = "No rules: every incident is a failure. `im failure-rule set ID` makes one.";
            list(Call::get(["failure-rules"]), (columns, none), row, cx).await?;
        }
        RuleCommand::Set(rule) => {
            let said = format!("Set rule {}", rule.id);
            let body = object([
                ("id", Some(rule.id.into())),
                ("reason", rule.reason.map(Value::from)),
                ("origin", rule.origin.map(Value::from)),
                ("service", rule.service.map(Value::from)),
                ("urgency", rule.urgency.map(Value::from)),
                ("priority", rule.priority.map(Value::from)),
                ("shorter_than", rule.shorter_than.map(Value::from)),
            ]);
            put(Call::post(["failure-rules"], body), &said, cx).await?;
        }
        RuleCommand::Remove { id } => {
            let said = format!("Removed rule {id}");
            remove(Call::delete(["failure-rules", &id]), &id, &said, cx).await?;
        }
    }
    Ok(Exit::Done)
}

fn row(rule: &Rule) -> Vec<Cell> {
    let conditions = [
        ("origin", &rule.origin),
        ("service", &rule.service),
        ("urgency", &rule.urgency),
        ("priority", &rule.priority),
        ("shorter than", &rule.shorter_than),
    ];
    let conditions = conditions.into_iter();
    let conditions: Vec<String> = conditions
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)))
        .collect();
    vec![
        Cell::new(&rule.id),
        Cell::new(conditions.join(", ")),
        Cell::new(dash(rule.reason.as_ref())),
    ]
}
