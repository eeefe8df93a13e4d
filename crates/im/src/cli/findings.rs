//! `im findings`: what recurs, where time goes, what became worse, who is paged too much.

use std::fmt::Write as _;

use clap::Args;
use comfy_table::{Cell, CellAlignment};
use jiff::Timestamp;
use owo_colors::OwoColorize as _;
use serde::Deserialize;

use super::context::Context;
use super::error::{Exit, Failure};
use super::filters::{Filters, once};
use super::table::{self, Column};
use super::{metrics, time};
use crate::client::Call;

/// Weeks and matters in a section; the rest is counted, and under --json.
const ROWS_MAX: usize = 10;
/// Incidents told behind a finding; all are under --json.
const BEHIND_MAX: usize = 4;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Find what is worth a look: what recurs, where time goes, what became worse
///
/// By rules that docs/metrics.md states; a cause is one that somebody named (`im annotate --cause`, or
/// a note that begins with `root cause:`). The filters are those of metrics. --json has all incidents
/// behind each finding.
#[derive(Debug, Args)]
pub(crate) struct FindingsArgs {
    /// The first date [default: 41 days before the last]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last date [default: today]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// trigger or current: which service, policy, urgency and priority count
    #[arg(long, value_name = "WHICH")]
    as_of: Option<String>,
    /// What came after this instant does not exist [default: now]
    #[arg(long, value_name = "TIME")]
    as_of_time: Option<String>,
    #[command(flatten)]
    filters: Filters,
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
    over_target: Option<Vec<Overloaded>>,
    causes: Vec<NamedCause>,
    hours: Vec<Heat>,
    hint: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Recurring {
    newest_title: String,
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
    engaged: f64,
    snoozed: f64,
    behind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Heat {
    weekday: usize,
    hour: usize,
    behind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Change {
    text: String,
    behind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Overloaded {
    user: Named,
    week: String,
    pages: u64,
    behind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct NamedCause {
    cause: Option<String>,
    incidents: u64,
    behind: Vec<String>,
}

pub(crate) async fn run(args: FindingsArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let given = [
        ("from", args.from),
        ("to", args.to),
        ("as_of", args.as_of),
        ("as_of_time", args.as_of_time),
    ];
    let call = args.filters.ask(once(Call::get(["findings"]), given));
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
    if let Some(hint) = &found.hint {
        cx.ui.hint(hint);
    }
    Ok(Exit::Done)
}

fn say(found: &Findings, cx: &mut Context) {
    recurring(&found.recurring, cx);
    bottlenecks(&found.bottlenecks, cx);
    let changes = found.worst_changes.iter();
    let changes: Vec<String> = changes
        .map(|one| format!("{}{}", one.text, behind(&one.behind)))
        .collect();
    section("Worse than before", &changes, cx);
    let over: Vec<String> = found
        .over_target
        .iter()
        .flatten()
        .map(|one| {
            let behind = behind(&one.behind);
            format!(
                "{}: {} pages in the week of {}{behind}",
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
            format!("{cause}: {}{}", one.incidents, behind(&one.behind))
        })
        .collect();
    section("Causes", &causes, cx);
    heading("Triggers by weekday and hour", cx);
    cx.ui.say(heat(&found.heat_map));
    let fullest = found.hours.iter().rev().max_by_key(|one| one.behind.len());
    if let Some(one) = fullest {
        let day = DAYS.get(one.weekday).copied().unwrap_or_default();
        let text = format!(
            "Most: {day} {:02}:00, {}{}",
            one.hour,
            one.behind.len(),
            behind(&one.behind)
        );
        let width = cx.ui.width;
        cx.ui.say(table::flow("", &text, width));
    }
}

/// Some of the incidents behind a finding.
fn behind(incidents: &[String]) -> String {
    let some: Vec<&str> = incidents
        .iter()
        .take(BEHIND_MAX)
        .map(String::as_str)
        .collect();
    match incidents.len().saturating_sub(BEHIND_MAX) {
        _ if some.is_empty() => String::new(),
        0 => format!(" ({})", some.join(", ")),
        more => format!(" ({} and {more} more)", some.join(", ")),
    }
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
            Cell::new(&one.newest_title),
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
        Column::Optional("Engaged", 1),
        Column::Optional("Snoozed", 0),
        Column::Optional("Escalated", 4),
        Column::Optional("Reassigned", 3),
        Column::Optional("Last", 2),
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
            number(length(Some(one.engaged))),
            number(length(Some(one.snoozed))),
            number(one.escalations.to_string()),
            number(one.reassignments.to_string()),
            Cell::new(one.behind.last().map_or("-", String::as_str)),
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
