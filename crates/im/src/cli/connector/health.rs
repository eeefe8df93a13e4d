//! `im connector health`.

use clap::Args;
use im_core::ConnectorName;
use owo_colors::OwoColorize as _;
use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table;
use crate::client::Call;

/// Say how healthy a connector is; PagerDuty is asked now
///
/// The exit code is 0 when it is healthy, 1 when it is degraded, 2 when it is unhealthy. A webhook that has been
/// quiet for an hour is tried with a test event.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// Which connector
    name: ConnectorName,
}

#[derive(Debug, Deserialize)]
struct Health {
    #[serde(rename = "health")]
    word: String,
    reason: Option<String>,
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    name: String,
    state: String,
    text: String,
    next: Option<String>,
}

pub(crate) async fn run(args: HealthArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let path = ["connectors", args.name.as_str(), "health"];
    let answer = cx.send(Call::get(path)).await?;
    let health: Health = answer.read()?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        say(&health, cx);
    }
    Ok(match health.word.as_str() {
        "healthy" => Exit::Done,
        "degraded" => Exit::ChecksFailed,
        _ => Exit::Unhealthy,
    })
}

fn say(health: &Health, cx: &mut Context) {
    let width = cx.ui.width;
    let word = super::status::capitalised(&health.word);
    let text = match &health.reason {
        Some(reason) => format!("{word} ({reason})"),
        None => word,
    };
    cx.ui.say(table::hanging("Health: ", &text, width));
    for line in &health.lines {
        // A share is no yes or no.
        let mark = match line.state.as_str() {
            "ok" if line.name == "Error Rate" => String::new(),
            "ok" => format!("{} ", "✓".green()),
            "failed" => format!("{} ", "✗".red()),
            "warning" => format!("{} ", "!".yellow()),
            _ => format!("{} ", "-".dimmed()),
        };
        let head = format!("{}: ", line.name);
        let blank = if mark.is_empty() {
            head.clone()
        } else {
            format!("{head}✓ ")
        };
        let text = table::flow(&blank, &line.text, width);
        cx.ui.say(format_args!("{head}{mark}{text}"));
        if let Some(next) = line.next.as_ref().filter(|_| line.state != "ok") {
            cx.ui.say(table::hanging("  next:  ", next, width));
        }
    }
}
