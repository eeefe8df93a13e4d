//! `im connector calls`: every call that was made to PagerDuty.

use clap::Args;
use im_core::ConnectorName;
use jiff::Timestamp;
use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::recent::RecentArgs;
use crate::cli::time;
use crate::client::Call;

/// Show the calls that were made to PagerDuty, the last first
///
/// Each with the end of the key, what it was for, its answer and how long it took. They are kept for 90 days,
/// at most 500,000 of them.
#[derive(Debug, Args)]
pub(crate) struct CallsArgs {
    /// By which connector; all without it
    name: Option<ConnectorName>,
    /// Only those that did not do what they were for
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    recent: RecentArgs,
}

#[derive(Debug, Deserialize)]
struct Row {
    at: Timestamp,
    connector: String,
    why: String,
    method: String,
    path: String,
    key: String,
    status: Option<u16>,
    outcome: String,
    ms: i64,
}

pub(crate) async fn run(args: CallsArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let mut call = Call::get(["calls"]);
    if let Some(name) = &args.name {
        call = call.query("connector", name.as_str());
    }
    if args.failed {
        call = call.query("failed", "true");
    }
    let line = |row: &Row, cx: &Context| line(&time::full(row.at, &cx.zone), row);
    args.recent
        .show(call, cx, "Nothing was called.", line)
        .await
}

fn line(at: &str, row: &Row) -> String {
    let Row {
        connector,
        why,
        method,
        path,
        key,
        ms,
        ..
    } = row;
    let answer = match row.status {
        Some(status) => status.to_string(),
        None => "no answer".to_owned(),
    };
    let outcome = &row.outcome;
    format!("{at}  {connector}: {method} {path} ({why}, {key}): {answer}, {outcome}, {ms} ms")
}
