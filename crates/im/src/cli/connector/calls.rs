//! `im connector calls`: every call that was made to PagerDuty.

use clap::Args;
use im_core::ConnectorName;
use jiff::Timestamp;
use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
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
    /// Only what is not older: a length like 15m, 2h, or a time like 2026-11-20T09:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The last, at most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
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
    let mut call = Call::get(["calls"]).query("limit", args.limit.to_string());
    if let Some(name) = &args.name {
        call = call.query("connector", name.as_str());
    }
    if args.failed {
        call = call.query("failed", "true");
    }
    if let Some(since) = &args.since {
        call = call.query("since", time::since(since, cx.now)?.to_string());
    }
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let rows: Vec<Row> = answer.read()?;
    if rows.is_empty() {
        cx.ui.note("Nothing was called.");
    }
    for row in &rows {
        let at = time::full(row.at, &cx.zone);
        cx.ui.say(line(&at, row));
    }
    Ok(Exit::Done)
}

/// A line: nothing of it is cut, so that it can be searched.
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
