//! `im logs`.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use owo_colors::OwoColorize as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::context::Context;
use super::error::{Exit, Failure};
use super::time;
use crate::client::{Answer, Call};
use crate::journal::COMPONENTS;

/// How often `--follow` looks for more.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Show the server's log
///
/// `im serve` keeps it in the data directory; every call to PagerDuty and every delivery is in it.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Only what this part of the server says
    #[arg(long, value_name = "NAME", value_parser = COMPONENTS)]
    component: Option<String>,
    /// Only lines with this text in them, in any case
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only what is not older: a length like 90s, 2h, or a time like 2026-11-20T09:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The newest, at most so many
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5000))]
    limit: u32,
    /// Go on with what comes, until interrupted
    #[arg(short, long, conflicts_with = "json")]
    follow: bool,
}

#[derive(Debug, Deserialize)]
struct Logs {
    lines: Vec<Line>,
    kept: bool,
}

#[derive(Debug, Deserialize)]
struct Line {
    seq: u64,
    at: Timestamp,
    level: String,
    component: String,
    text: String,
    #[serde(default)]
    fields: Map<String, Value>,
}

pub(crate) async fn run(args: LogsArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let since = match &args.since {
        None => None,
        Some(text) => Some(time::since("--since", text, cx.now)?),
    };
    let answer = ask(&args, since, None, cx).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Logs = answer.read()?;
    if found.lines.is_empty() && !args.follow {
        cx.ui.note(if found.kept {
            "No lines."
        } else {
            "No log is kept here: `im serve` keeps one in its data directory."
        });
    }
    let mut last = say(&found.lines, cx);
    if !args.follow {
        return Ok(Exit::Done);
    }
    loop {
        cx.ui.flush();
        tokio::time::sleep(LOOK_AGAIN).await;
        let answer = ask(&args, since, last, cx).await?;
        let found: Logs = answer.read()?;
        last = say(&found.lines, cx).or(last);
    }
}

async fn ask(
    args: &LogsArgs,
    since: Option<Timestamp>,
    after: Option<u64>,
    cx: &mut Context,
) -> Result<Answer, Failure> {
    let mut call = Call::get(["logs"]).query("limit", args.limit.to_string());
    let given = [
        ("component", args.component.clone()),
        ("filter", args.filter.clone()),
        ("since", since.map(|at| at.to_string())),
        ("after", after.map(|seq| seq.to_string())),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            call = call.query(name, value);
        }
    }
    cx.send(call).await
}

/// Prints lines; returns the number of the last.
fn say(lines: &[Line], cx: &mut Context) -> Option<u64> {
    for line in lines {
        let at = time::full(line.at, &cx.zone);
        let level = format!("{:<5}", line.level);
        let level = match line.level.as_str() {
            "error" => level.red().to_string(),
            "warn" => level.yellow().to_string(),
            _ => level.dimmed().to_string(),
        };
        let fields = line.fields.iter().map(|(name, value)| match value {
            Value::String(text) => format!(" {name}={text}"),
            other => format!(" {name}={other}"),
        });
        let fields: String = fields.collect();
        cx.ui.say(format_args!(
            "{at} {level} {:<7} {}{}",
            line.component,
            line.text,
            fields.dimmed()
        ));
    }
    lines.last().map(|line| line.seq)
}
