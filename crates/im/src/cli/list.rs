//! `im list`.

use clap::Args;
use comfy_table::Cell;
use im_core::Severity;

use super::context::Context;
use super::error::{Exit, Failure};
use super::table::{self, Column};
use super::types::{Incident, Named, Part, Twin};
use super::{show, time};
use crate::client::Call;

/// The API answers with at most so many incidents.
const PAGE_MAX: u32 = 1000;

const STATUSES: [&str; 9] = [
    "active",
    "any",
    "open",
    "acknowledged",
    "mitigated",
    "resolved",
    "closed",
    "canceled",
    "duplicate",
];

/// List incidents, newest first
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only this state; may be given more than once. `active` is open, acknowledged or mitigated, `any` all
    #[arg(long, value_name = "STATUS", value_parser = STATUSES)]
    status: Vec<String>,
    /// Only this severity
    #[arg(long, alias = "severity", value_name = "SEVERITY")]
    sev: Option<Severity>,
    /// Only this service
    #[arg(long)]
    service: Option<String>,
    /// Only what this person has: an e-mail address, a PagerDuty user id, a name, `me` or `nobody`
    #[arg(long, value_name = "WHO")]
    assignee: Option<String>,
    /// Only what nobody has and nobody is left to page for
    #[arg(long)]
    unowned: bool,
    /// Only this connector
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    /// Only what began since: a date, or an instant
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only what began until the end of this date, or before this instant
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only titles with this in them, or this number: INC-42, 42, PagerDuty's #4102
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Those on services of PagerDuty's that are not chosen to be synced, which are in no other list
    #[arg(long)]
    hidden: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_MAX)))]
    limit: u32,
    /// All of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

pub(crate) async fn run(args: ListArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let mut found = Vec::new();
    let mut incidents: Vec<Incident> = Vec::new();
    loop {
        let answer = cx.send(call(&args, incidents.last())).await?;
        let page: Vec<Incident> = answer.read()?;
        let documents = answer.documents()?;
        let is_full = page.len() >= usize::try_from(page_size(&args)).unwrap_or(usize::MAX);
        incidents.extend(page);
        found.extend(documents);
        if !(args.all && is_full) {
            break;
        }
    }
    if cx.ui.json {
        let bodies: Vec<&str> = found.iter().map(|document| document.get()).collect();
        cx.ui.document(format!("[{}]", bodies.join(",")).as_bytes());
    } else {
        say(&args, &incidents, cx);
    }
    Ok(Exit::Done)
}

fn page_size(args: &ListArgs) -> u32 {
    if args.all { PAGE_MAX } else { args.limit }
}

fn call(args: &ListArgs, last: Option<&Incident>) -> Call {
    let mut call = Call::get(["incidents"]);
    for status in &args.status {
        call = call.query("status", status);
    }
    let filters = [
        ("severity", args.sev.map(|sev| sev.to_string())),
        ("service", args.service.clone()),
        ("assignee", args.assignee.clone()),
        ("unowned", args.unowned.then(|| "true".to_owned())),
        ("connector", args.connector.clone()),
        ("from", args.from.clone()),
        ("to", args.to.clone()),
        ("q", args.search.clone()),
        ("hidden", args.hidden.then(|| "true".to_owned())),
        ("before", last.map(|incident| incident.number.to_string())),
    ];
    for (name, value) in filters {
        if let Some(value) = value {
            call = call.query(name, value);
        }
    }
    call.query("limit", page_size(args).to_string())
}

fn say(args: &ListArgs, incidents: &[Incident], cx: &mut Context) {
    if incidents.is_empty() {
        cx.ui.note("No incidents.");
        return;
    }
    let mut columns = vec![
        Column::Whole("Incident"),
        Column::Optional("Sev", 3),
        Column::Whole("Status"),
        Column::Rest("Title"),
        Column::Optional("Service", 1),
        Column::Optional("Assignee", 0),
        Column::Whole("Age"),
        Column::Optional("PD", 2),
    ];
    let mut rows: Vec<Vec<Cell>> = incidents.iter().map(|incident| row(incident, cx)).collect();
    let width = cx.ui.table_width();
    let left_out = table::fit(&mut columns, &mut rows, width);
    let text = table::rows(&columns, rows, width);
    cx.ui.say(text);
    if !left_out.is_empty() {
        cx.ui.hint(format_args!(
            "the line is too short for {}; a wider terminal or `im show` has that",
            left_out.join(", ")
        ));
    }
    if !args.all && incidents.len() == usize::try_from(args.limit).unwrap_or(usize::MAX) {
        cx.ui.hint(format_args!(
            "these are the newest {}; `--all` shows every one, `--limit` another number",
            args.limit
        ));
    }
}

fn row(incident: &Incident, cx: &Context) -> Vec<Cell> {
    let twin = incident.pagerduty.as_ref();
    let number = twin.and_then(|twin| twin.number);
    let parts = !incident.parts.is_empty();
    vec![
        Cell::new(&incident.id),
        Cell::new(incident.severity.as_deref().unwrap_or("-")),
        Cell::new(match incident.unowned_since {
            Some(_) => "unowned",
            None => &incident.status,
        })
        .fg(show::color(&incident.status)),
        Cell::new(&incident.title),
        Cell::new(incident.service.as_deref().unwrap_or("-")),
        Cell::new(assignees(&incident.assignees)),
        Cell::new(time::age(incident.created_at, cx.now)),
        Cell::new(match (number, twin) {
            _ if parts => several(&incident.parts),
            (Some(number), _) => format!("#{number}"),
            (None, Some(twin)) if twin.is_parked() => "parked".to_owned(),
            (None, Some(twin)) if !twin.pending.is_empty() => "pending".to_owned(),
            (None, Some(twin)) if twin.direction.as_deref() == Some("none") => "paused".to_owned(),
            (None, _) => "-".to_owned(),
        }),
    ]
}

/// PagerDuty's incidents of one that is about several services: `#12 +2`.
fn several(parts: &[Part]) -> String {
    let mut twins = parts.iter().filter_map(|part| part.pagerduty.as_ref());
    let numbers: Vec<i64> = twins.clone().filter_map(|twin| twin.number).collect();
    let is_coming = |twin: &Twin| twin.number.is_none() && !twin.pending.is_empty();
    match numbers.as_slice() {
        _ if twins.clone().any(Twin::is_parked) => "parked".to_owned(),
        _ if twins.any(is_coming) => "pending".to_owned(),
        [] => "-".to_owned(),
        [one] => format!("#{one}"),
        [first, others @ ..] => format!("#{first} +{}", others.len()),
    }
}

/// `Ann Lee +2`.
fn assignees(people: &[Named]) -> String {
    match people {
        [] => "unassigned".to_owned(),
        [one] => one.name.clone(),
        [first, others @ ..] => format!("{} +{}", first.name, others.len()),
    }
}
