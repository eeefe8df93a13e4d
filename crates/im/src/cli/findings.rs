//! `im findings`: what recurs, where time goes, what became worse, who is paged too much.

use std::fmt::Write as _;

use clap::Args;
use comfy_table::{Cell, CellAlignment};
use jiff::Timestamp;
use owo_colors::OwoColorize as _;
use serde::Deserialize;

use super::context::Context;
use super::error::{Exit, Failure};
use super::table::{self, Column};
use super::{metrics, time};
use crate::client::Call;

/// Weeks and matters in a section; the rest is counted, and under --json.
const ROWS_MAX: usize = 10;

/// Find what is worth a look: what recurs, where time goes, what became worse
///
/// By rules that docs/metrics.md states; a cause is one that somebody named (`im annotate --cause`, or
/// a note that begins with `root cause:`). Of metrics it uses the same filters.
#[derive(Debug, Args)]
pub(crate) struct FindingsArgs {
    /// The first date [default: 41 days before the last]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last date [default: today]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Only this service, by PagerDuty's id; may be given more than once
    #[arg(long, value_name = "ID")]
    service: Vec<String>,
    /// Only this team, by id
    #[arg(long, value_name = "ID")]
    team: Vec<String>,
    /// Only this urgency: high, low or null
    #[arg(long, value_name = "URGENCY")]
    urgency: Vec<String>,
    /// Only this severity
    #[arg(long, alias = "sev", value_name = "SEVERITY")]
    severity: Vec<String>,
    /// Only titles with this in them
    #[arg(long, value_name = "TEXT")]
    title: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Findings {
    from: String,
    to: String,
    time_zone: String,
    incidents: u64,
    recurring: Vec<Recurring>,
    bottlenecks: Vec<Bottleneck>,
    heat_map: Vec<Vec<u64>>,
    worst_changes: Vec<Change>,
    pages_target: f64,
    over_target: Vec<Overloaded>,
    causes: Vec<Cause>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Recurring {
    title: String,
    service: Named,
    count: usize,
    last_at: Timestamp,
    incidents: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bottleneck {
    service: Named,
    incidents: u64,
    to_acknowledge: Option<f64>,
    to_resolve: Option<f64>,
    longest: Option<String>,
    escalations: u64,
    reassignments: u64,
    unowned: f64,
}

#[derive(Debug, Deserialize)]
struct Change {
    text: String,
}

#[derive(Debug, Deserialize)]
struct Overloaded {
    user: Named,
    week: String,
    pages: u64,
}

#[derive(Debug, Deserialize)]
struct Cause {
    cause: Option<String>,
    incidents: u64,
}

pub(crate) async fn run(args: FindingsArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let once = [("from", args.from), ("to", args.to)];
    let often = [
        ("service", args.service),
        ("team", args.team),
        ("urgency", args.urgency),
        ("severity", args.severity),
        ("title", args.title),
    ];
    let mut call = Call::get(["findings"]);
    for (name, value) in once {
        if let Some(value) = value {
            call = call.query(name, value);
        }
    }
    for (name, values) in often {
        for value in values {
            call = call.query(name, value);
        }
    }
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Findings = answer.read()?;
    let count = match found.incidents {
        1 => "1 incident".to_owned(),
        count => format!("{count} incidents"),
    };
    cx.ui.say(format_args!(
        "{}, {} to {} ({})",
        count.bold(),
        found.from,
        found.to,
        found.time_zone
    ));
    if found.incidents > 0 {
        say(&found, cx);
    }
    Ok(Exit::Done)
}

fn say(found: &Findings, cx: &mut Context) {
    recurring(&found.recurring, cx);
    bottlenecks(&found.bottlenecks, cx);
    let changes: Vec<&str> = found.worst_changes.iter().map(|one| &*one.text).collect();
    section("Worse than before", &changes, cx);
    let over: Vec<String> = found
        .over_target
        .iter()
        .map(|one| {
            format!(
                "{}: {} pages in the week of {}",
                one.user.name, one.pages, one.week
            )
        })
        .collect();
    let title = format!("More than {} pages in a week", found.pages_target);
    section(&title, &over, cx);
    let causes: Vec<String> = found
        .causes
        .iter()
        .map(|one| {
            let cause = one.cause.as_deref().unwrap_or("not named");
            format!("{cause}: {}", one.incidents)
        })
        .collect();
    section("Causes", &causes, cx);
    heading("Triggers by weekday and hour", cx);
    cx.ui.say(heat(&found.heat_map));
}

fn heading(title: &str, cx: &mut Context) {
    cx.ui.say("");
    cx.ui.say(title.bold());
}

/// Lines under a title; nothing where there are none.
fn section(title: &str, lines: &[impl AsRef<str>], cx: &mut Context) {
    if lines.is_empty() {
        return;
    }
    heading(title, cx);
    let width = cx.ui.width;
    for line in lines.iter().take(ROWS_MAX) {
        cx.ui.say(table::hanging("  ", line.as_ref(), width));
    }
    if let Some(more) = lines.len().checked_sub(ROWS_MAX).filter(|more| *more > 0) {
        cx.ui.say(format_args!("  and {more} more"));
    }
}

fn recurring(matters: &[Recurring], cx: &mut Context) {
    if matters.is_empty() {
        return;
    }
    heading("Recurring", cx);
    let columns = [
        Column::Whole("Times"),
        Column::Rest("What"),
        Column::Rest("Service"),
        Column::Whole("Last"),
        Column::Whole("Incident"),
    ];
    let rows = matters.iter().take(ROWS_MAX).map(|one| {
        vec![
            Cell::new(one.count).set_alignment(CellAlignment::Right),
            Cell::new(&one.title),
            Cell::new(&one.service.name),
            Cell::new(time::ago(one.last_at, cx.now)),
            Cell::new(one.incidents.last().map_or("-", String::as_str)),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
}

fn bottlenecks(services: &[Bottleneck], cx: &mut Context) {
    if services.is_empty() {
        return;
    }
    heading("Where time goes", cx);
    let mut columns = vec![
        Column::Rest("Service"),
        Column::Whole("N"),
        Column::Whole("To Ack"),
        Column::Whole("To Resolve"),
        Column::Whole("Longest"),
        Column::Whole("Unowned"),
        Column::Optional("Escalated", 1),
        Column::Optional("Reassigned", 0),
    ];
    let length = |seconds: Option<f64>| seconds.map_or("-".to_owned(), metrics::length);
    let number = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let rows = services.iter().take(ROWS_MAX).map(|one| {
        vec![
            Cell::new(&one.service.name),
            number(one.incidents.to_string()),
            number(length(one.to_acknowledge)),
            number(length(one.to_resolve)),
            Cell::new(one.longest.as_deref().unwrap_or("-")),
            number(length(Some(one.unowned))),
            number(one.escalations.to_string()),
            number(one.reassignments.to_string()),
        ]
    });
    let mut rows: Vec<Vec<Cell>> = rows.collect();
    let width = cx.ui.table_width();
    table::fit(&mut columns, &mut rows, width);
    cx.ui.say(table::rows(&columns, rows, width));
}

/// A line for each weekday, a mark for each hour: the fuller, the more.
fn heat(days: &[Vec<u64>]) -> String {
    const MARKS: [char; 5] = ['·', '░', '▒', '▓', '█'];
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let most = days.iter().flatten().copied().max().unwrap_or(0).max(1);
    let mark = |count: u64| {
        let place = (count * 4).div_ceil(most);
        let place = usize::try_from(place).unwrap_or(4);
        MARKS.get(place).copied().unwrap_or('█')
    };
    let mut text = "     0     6     12    18\n".to_owned();
    for (name, hours) in DAYS.into_iter().zip(days) {
        let marks: String = hours.iter().map(|count| mark(*count)).collect();
        let total: u64 = hours.iter().sum();
        writeln!(text, "{name}  {marks}  {total}").expect("a String takes everything");
    }
    text.trim_end().to_owned()
}
