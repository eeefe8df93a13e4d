//! `im timeline`.

use clap::Args;

use super::args::IncidentArg;
use super::context::Context;
use super::error::{Exit, Failure};
use super::types::Line;
use super::{table, time};
use crate::client::Call;

/// Show what happened to an incident, here and at PagerDuty, oldest first
///
/// Each line ends with where it was seen: [im], [PD] or [im+PD].
#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    #[command(flatten)]
    incident: IncidentArg,
}

pub(crate) async fn run(args: TimelineArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let id = args.incident.id();
    let answer = cx.send(Call::get(["incidents", &id, "timeline"])).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let lines: Vec<Line> = answer.read()?;
    let width = cx.ui.width;
    let today = lines
        .iter()
        .all(|line| time::same_day(line.at, &cx.zone, cx.now));
    for line in &lines {
        let head = if today {
            time::clock(line.at, &cx.zone)
        } else {
            time::full(line.at, &cx.zone)
        };
        let text = format!("{} {}", line.text, tag(&line.sources));
        cx.ui
            .say(table::hanging(&format!("{head}  "), text.trim_end(), width));
        if let Some(note) = line.note.as_deref().filter(|note| !note.is_empty()) {
            let indent = u16::try_from(head.len()).unwrap_or_default() + 4;
            cx.ui.say(table::paragraph(note, indent, width));
        }
    }
    Ok(Exit::Done)
}

/// `[im+PD]`.
fn tag(sources: &[String]) -> String {
    let short: Vec<&str> = sources
        .iter()
        .map(|source| match source.as_str() {
            "pagerduty" => "PD",
            other => other,
        })
        .collect();
    if short.is_empty() {
        String::new()
    } else {
        format!("[{}]", short.join("+"))
    }
}
