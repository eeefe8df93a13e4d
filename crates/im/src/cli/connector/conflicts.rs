//! `im connector conflicts` and `im connector ownership`: whose value counts where both sides change a field.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use im_core::ConnectorName;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::client::Call;

/// The two sides, as people name them.
const SIDES: [&str; 2] = ["platform", "external"];
/// The fields that both sides have.
const FIELDS: [&str; 7] = [
    "title",
    "description",
    "severity",
    "status",
    "assigned_to",
    "service",
    "escalation_policy",
];

/// See the fields that both sides changed, and decide those that wait for a review
#[derive(Debug, Args)]
pub(crate) struct ConflictsArgs {
    #[command(subcommand)]
    command: ConflictsCommand,
}

#[derive(Debug, Subcommand)]
enum ConflictsCommand {
    /// List the conflicts, newest first
    List {
        /// Which connector
        name: ConnectorName,
        /// Only those in this state
        #[arg(long, value_parser = ["pending", "resolved", "ignored"])]
        status: Option<String>,
        /// Only those of this incident
        #[arg(long, value_name = "INCIDENT")]
        incident: Option<String>,
    },
    /// Show both values of a conflict, and what became of it
    Show {
        /// Which connector
        name: ConnectorName,
        /// The number of the conflict, as `list` shows it
        id: u64,
    },
    /// Say whose value counts
    Resolve {
        /// Which connector
        name: ConnectorName,
        /// The number of the conflict, as `list` shows it
        id: u64,
        /// Whose: platform (the value here) or external (PagerDuty's)
        #[arg(long, value_name = "SIDE", value_parser = SIDES)]
        keep: String,
    },
}

/// Say whose value of a field counts where both sides change it
#[derive(Debug, Args)]
pub(crate) struct OwnershipArgs {
    #[command(subcommand)]
    command: OwnershipCommand,
}

#[derive(Debug, Subcommand)]
enum OwnershipCommand {
    /// List the fields with their owners
    List {
        /// Which connector
        name: ConnectorName,
    },
    /// Give a field another owner
    Set {
        /// Which connector
        name: ConnectorName,
        /// Which; the owners of the others are fixed, and `list` says why
        #[arg(value_parser = FIELDS)]
        field: String,
        /// Whose value counts: platform (here) or external (PagerDuty)
        #[arg(long, value_name = "SIDE", value_parser = SIDES, required_unless_present = "priority")]
        owner: Option<String>,
        /// How much the owner's value weighs, 0 to 100; the other side's weighs 0, and between equals the later change counts
        #[arg(long, value_name = "NUMBER")]
        priority: Option<u8>,
    },
    /// Go back to the documented owner of a field
    Delete {
        /// Which connector
        name: ConnectorName,
        /// Which
        #[arg(value_parser = FIELDS)]
        field: String,
    },
}

#[derive(Debug, Deserialize)]
struct Conflict {
    id: i64,
    incident: String,
    field: String,
    status: String,
    strategy: String,
    base: String,
    ours: String,
    ours_at: Timestamp,
    ours_by: Option<String>,
    theirs: String,
    theirs_at: Timestamp,
    kept: Option<String>,
    reason: Option<String>,
    found_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct FieldOwner {
    field: String,
    pagerduty: String,
    owner: String,
    priority: u8,
    fixed: Option<String>,
}

pub(crate) async fn run(args: ConflictsArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        ConflictsCommand::List {
            name,
            status,
            incident,
        } => list(&name, status, incident, cx).await?,
        ConflictsCommand::Show { name, id } => show(&name, id, cx).await?,
        ConflictsCommand::Resolve { name, id, keep } => resolve(&name, id, &keep, cx).await?,
    }
    Ok(Exit::Done)
}

async fn list(
    name: &ConnectorName,
    status: Option<String>,
    incident: Option<String>,
    cx: &mut Context,
) -> Result<(), Failure> {
    let mut call = Call::get(["connectors", name.as_str(), "conflicts"]);
    for (key, value) in [("status", status), ("incident", incident)] {
        if let Some(value) = value {
            call = call.query(key, value);
        }
    }
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let found: Vec<Conflict> = answer.read()?;
    if found.is_empty() {
        cx.ui.note("There are no conflicts.");
        return Ok(());
    }
    let columns = [
        Column::Whole("Id"),
        Column::Whole("Incident"),
        Column::Whole("Field"),
        Column::Whole("Status"),
        Column::Whole("Kept"),
        Column::Whole("Found"),
        Column::Rest("Here / PagerDuty"),
    ];
    let rows = found.iter().map(|one| {
        vec![
            Cell::new(one.id),
            Cell::new(&one.incident),
            Cell::new(&one.field),
            Cell::new(&one.status),
            Cell::new(one.kept.as_deref().unwrap_or("-")),
            Cell::new(time::ago(one.found_at, cx.now)),
            Cell::new(format!("{} / {}", one.ours, one.theirs)),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    if let Some(one) = found.iter().find(|one| waits(one)) {
        cx.ui.hint(format_args!(
            "`im connector conflicts resolve {name} {} --keep platform` sends the value here, `--keep external` takes PagerDuty's",
            one.id
        ));
    }
    Ok(())
}

fn waits(conflict: &Conflict) -> bool {
    conflict.status == "pending"
}

async fn show(name: &ConnectorName, id: u64, cx: &mut Context) -> Result<(), Failure> {
    let id = id.to_string();
    let answer = cx
        .send(Call::get(["connectors", name.as_str(), "conflicts", &id]))
        .await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let one: Conflict = answer.read()?;
    let both = |at| time::both(at, &cx.zone, cx.now);
    let by = one.ours_by.as_ref().map(|who| format!(" by {who}"));
    let ours_by = by.unwrap_or_default();
    let became = match (&one.kept, &one.reason) {
        (Some(kept), Some(why)) => format!("{}, {kept} counts: {why}", one.status),
        (None, Some(why)) => format!("{}: {why}", one.status),
        _ => one.status.clone(),
    };
    let lines = [
        (
            "Conflict",
            format!("{} over the {} of {}", one.id, one.field, one.incident),
        ),
        ("Before", one.base.clone()),
        (
            "Here",
            format!("{}, {}{ours_by}", one.ours, both(one.ours_at)),
        ),
        (
            "PagerDuty",
            format!("{}, {}", one.theirs, both(one.theirs_at)),
        ),
        ("Found", both(one.found_at)),
        ("Strategy", one.strategy.clone()),
        ("Status", became),
    ];
    let width = cx.ui.width;
    for (label, text) in lines {
        let head = format!("{:<11}", format!("{label}:"));
        cx.ui.say(table::hanging(&head, &text, width));
    }
    if waits(&one) {
        cx.ui.hint(format_args!(
            "`im connector conflicts resolve {name} {id} --keep platform` sends the value here, `--keep external` takes PagerDuty's"
        ));
    }
    Ok(())
}

async fn resolve(
    name: &ConnectorName,
    id: u64,
    keep: &str,
    cx: &mut Context,
) -> Result<(), Failure> {
    let id = id.to_string();
    let path = ["connectors", name.as_str(), "conflicts", &id, "resolve"];
    let answer = cx.send(Call::post(path, json!({"keep": keep}))).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let one: Conflict = answer.read()?;
    let (field, incident) = (&one.field, &one.incident);
    if keep == "platform" {
        cx.ui.say(format_args!(
            "{incident} keeps its {field}: {}. PagerDuty gets it",
            one.ours
        ));
    } else {
        cx.ui.say(format_args!(
            "{incident} takes PagerDuty's {field}: {}",
            one.theirs
        ));
    }
    Ok(())
}

pub(crate) async fn ownership(args: OwnershipArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        OwnershipCommand::List { name } => owners(&name, cx).await?,
        OwnershipCommand::Set {
            name,
            field,
            owner,
            priority,
        } => {
            let mut row = Map::new();
            row.extend(owner.map(|owner| ("owner".to_owned(), owner.into())));
            row.extend(priority.map(|priority| ("priority".to_owned(), priority.into())));
            put(&name, &field, Value::Object(row), cx).await?;
        }
        OwnershipCommand::Delete { name, field } => put(&name, &field, Value::Null, cx).await?,
    }
    Ok(Exit::Done)
}

async fn put(
    name: &ConnectorName,
    field: &str,
    row: Value,
    cx: &mut Context,
) -> Result<(), Failure> {
    let mut rows = Map::new();
    rows.insert(field.to_owned(), row);
    let part = json!({"custom": {"field_ownership": rows}});
    let answer = cx
        .send(Call::patch(["connectors", name.as_str()], part))
        .await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let owners = ask(name, cx).await?.read::<Vec<FieldOwner>>()?;
    for one in owners.iter().filter(|one| one.field == field) {
        cx.ui.say(format_args!(
            "The owner of {field} is {}, priority {}",
            one.owner, one.priority
        ));
    }
    Ok(())
}

async fn ask(name: &ConnectorName, cx: &mut Context) -> Result<crate::client::Answer, Failure> {
    let path = ["connectors", name.as_str(), "field-ownership"];
    cx.send(Call::get(path)).await
}

async fn owners(name: &ConnectorName, cx: &mut Context) -> Result<(), Failure> {
    let answer = ask(name, cx).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let found: Vec<FieldOwner> = answer.read()?;
    let columns = [
        Column::Whole("Field"),
        Column::Whole("PagerDuty"),
        Column::Whole("Owner"),
        Column::Whole("Priority"),
        Column::Wrapped("Fixed because"),
    ];
    let rows = found.iter().map(|one| {
        vec![
            Cell::new(&one.field),
            Cell::new(&one.pagerduty),
            Cell::new(&one.owner),
            Cell::new(one.priority),
            Cell::new(one.fixed.as_deref().unwrap_or("-")),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    Ok(())
}
