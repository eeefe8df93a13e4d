//! `im directory`: PagerDuty's people and things as they are known here.

use std::time::Duration;

use clap::{Args, ValueEnum};
use comfy_table::Cell;
use im_core::ConnectorName;
use jiff::Timestamp;
use serde::Deserialize;

use super::context::Context;
use super::error::{Exit, Failure};
use super::table::{self, Column};
use super::time;
use super::types::Named;
use crate::client::Call;
use crate::length;

/// List PagerDuty's services, teams, users and more, as they are known here
///
/// They are read each hour and by `im connector sync`; webhooks tell of services at once. What two readings in a
/// row lack is gone.
#[derive(Debug, Args)]
pub(crate) struct DirectoryArgs {
    /// What to list
    #[arg(value_enum)]
    kind: Kind,
    /// Only the one with this id, from the beginning on
    #[arg(conflicts_with_all = ["connector", "deleted"])]
    id: Option<String>,
    /// Only what this connector knows
    #[arg(long, value_name = "NAME")]
    connector: Option<ConnectorName>,
    /// With what was deleted
    #[arg(long)]
    deleted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Services,
    Teams,
    Users,
    EscalationPolicies,
    Schedules,
    Priorities,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Teams => "teams",
            Self::Users => "users",
            Self::EscalationPolicies => "escalation-policies",
            Self::Schedules => "schedules",
            Self::Priorities => "priorities",
        }
    }

    /// Name and id come first.
    fn columns(self) -> Vec<Column> {
        let (name, others): (_, &[Column]) = match self {
            Self::Services => (
                "Service",
                &[
                    Column::Whole("Status"),
                    Column::Optional("Teams", 2),
                    Column::Optional("Escalation policy", 1),
                    Column::Optional("Ack / resolve", 0),
                ],
            ),
            Self::Teams => (
                "Team",
                &[Column::Rest("Members"), Column::Optional("Part of", 0)],
            ),
            Self::Users => (
                "User",
                &[
                    Column::Whole("Time zone"),
                    Column::Optional("Teams", 1),
                    Column::Optional("E-mail", 0),
                ],
            ),
            Self::EscalationPolicies => ("Escalation policy", &[Column::Rest("Teams")]),
            Self::Schedules => ("Schedule", &[Column::Whole("Time zone")]),
            Self::Priorities => ("Priority", &[Column::Whole("Rank")]),
        };
        let first = [Column::Rest(name), Column::Whole("ID")];
        first.into_iter().chain(others.iter().copied()).collect()
    }
}

#[derive(Debug, Deserialize)]
struct Directory {
    items: Vec<Listed>,
    connectors: Vec<ReadBy>,
}

#[derive(Debug, Deserialize)]
struct ReadBy {
    name: String,
    read_at: Option<Timestamp>,
    notices: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    name: String,
    since: Timestamp,
    until: Option<Timestamp>,
    status: Option<String>,
    escalation_policy: Option<Named>,
    acknowledgement_timeout_s: Option<i64>,
    auto_resolve_timeout_s: Option<i64>,
    #[serde(default)]
    teams: Vec<Named>,
    #[serde(default)]
    members: Vec<Named>,
    parent: Option<Named>,
    email: Option<String>,
    time_zone: Option<String>,
    rank: Option<u32>,
}

pub(crate) async fn run(args: DirectoryArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match &args.id {
        Some(id) => history(args.kind, id, cx).await?,
        None => list(&args, cx).await?,
    }
    Ok(Exit::Done)
}

async fn list(args: &DirectoryArgs, cx: &mut Context) -> Result<(), Failure> {
    let mut call = Call::get(["directory", args.kind.word()]);
    if let Some(connector) = &args.connector {
        call = call.query("connector", connector.as_str());
    }
    if args.deleted {
        call = call.query("deleted", "true");
    }
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let found: Directory = answer.read()?;
    for connector in &found.connectors {
        for notice in &connector.notices {
            let name = &connector.name;
            cx.ui
                .warn(format_args!("connector {name} cannot read {notice}"));
        }
    }
    if found.items.is_empty() {
        nothing(&found, cx);
        return Ok(());
    }
    let mut columns = args.kind.columns();
    let mut rows: Vec<Vec<Cell>> = found
        .items
        .iter()
        .map(|item| row(args.kind, item, cx))
        .collect();
    let width = cx.ui.table_width();
    let left_out = table::fit(&mut columns, &mut rows, width);
    let text = table::rows(&columns, rows, width);
    cx.ui.say(text);
    if !left_out.is_empty() {
        cx.ui.hint(format_args!(
            "the line is too short for {}; a wider terminal or `im directory {} ID` has that",
            left_out.join(", "),
            args.kind.word()
        ));
    }
    Ok(())
}

fn nothing(found: &Directory, cx: &mut Context) {
    let unread = found.connectors.iter().find(|one| one.read_at.is_none());
    match (unread, found.connectors.is_empty()) {
        (_, true) => cx
            .ui
            .note("No connector. `im connector add pagerduty NAME` adds one."),
        (Some(one), _) => {
            let name = &one.name;
            cx.ui.note(format_args!(
                "Not read yet. `im connector sync {name}` reads it now."
            ));
        }
        (None, false) => cx.ui.note("PagerDuty has none."),
    }
}

fn row(kind: Kind, item: &Listed, cx: &Context) -> Vec<Cell> {
    let name = match item.until {
        Some(until) => format!("{} (deleted {})", item.name, time::ago(until, cx.now)),
        None => item.name.clone(),
    };
    let others = match kind {
        Kind::Services => vec![
            or_dash(item.status.clone()),
            names(&item.teams),
            or_dash(item.escalation_policy.as_ref().map(|one| one.name.clone())),
            timeouts(item).map(or_dash).join(" / "),
        ],
        Kind::Teams => vec![
            names(&item.members),
            or_dash(item.parent.as_ref().map(|one| one.name.clone())),
        ],
        Kind::Users => vec![
            or_dash(item.time_zone.clone()),
            names(&item.teams),
            or_dash(item.email.clone()),
        ],
        Kind::EscalationPolicies => vec![names(&item.teams)],
        Kind::Schedules => vec![or_dash(item.time_zone.clone())],
        Kind::Priorities => vec![or_dash(item.rank.map(|rank| rank.to_string()))],
    };
    [name, item.id.clone()]
        .into_iter()
        .chain(others)
        .map(Cell::new)
        .collect()
}

/// After how long a service takes an acknowledgement back, and resolves by itself; `None` for never.
fn timeouts(item: &Listed) -> [Option<String>; 2] {
    let seconds = [item.acknowledgement_timeout_s, item.auto_resolve_timeout_s];
    seconds.map(|seconds| {
        let seconds = u64::try_from(seconds?).ok()?;
        Some(length::write(Duration::from_secs(seconds)))
    })
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

fn names(named: &[Named]) -> String {
    let all: Vec<&str> = named.iter().map(|one| one.name.as_str()).collect();
    if all.is_empty() {
        "-".to_owned()
    } else {
        all.join(", ")
    }
}

async fn history(kind: Kind, id: &str, cx: &mut Context) -> Result<(), Failure> {
    let answer = cx.send(Call::get(["directory", kind.word(), id])).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let stretches: Vec<Listed> = answer.read()?;
    let columns = [
        Column::Whole("Since"),
        Column::Whole("Until"),
        Column::Rest("Name"),
        Column::Wrapped("What"),
    ];
    let rows = stretches.iter().map(|one| {
        let until = match one.until {
            Some(until) => time::ago(until, cx.now),
            None => "now".to_owned(),
        };
        [
            time::ago(one.since, cx.now),
            until,
            one.name.clone(),
            what(one),
        ]
        .map(Cell::new)
        .to_vec()
    });
    let width = cx.ui.table_width();
    let text = table::rows(&columns, rows.collect(), width);
    cx.ui.say(text);
    Ok(())
}

/// What a stretch was like, in a line.
fn what(one: &Listed) -> String {
    let mut parts = Vec::new();
    if !one.teams.is_empty() {
        parts.push(format!("teams {}", names(&one.teams)));
    }
    if let Some(policy) = &one.escalation_policy {
        parts.push(format!("escalation policy {}", policy.name));
    }
    let [ack, resolve] = timeouts(one);
    parts.extend(ack.map(|after| format!("acknowledgement ends after {after}")));
    parts.extend(resolve.map(|after| format!("resolves itself after {after}")));
    if let Some(parent) = &one.parent {
        parts.push(format!("part of {}", parent.name));
    }
    if let Some(zone) = &one.time_zone {
        parts.push(format!("time zone {zone}"));
    }
    if let Some(rank) = one.rank {
        parts.push(format!("rank {rank}"));
    }
    if parts.is_empty() {
        parts.push("-".to_owned());
    }
    parts.join("; ")
}
