//! `im connector deliveries`: what PagerDuty delivered.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use im_core::ConnectorName;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::client::Call;

/// See what PagerDuty delivered, and take a delivery once more
#[derive(Debug, Args)]
pub(crate) struct DeliveriesArgs {
    #[command(subcommand)]
    command: DeliveriesCommand,
}

#[derive(Debug, Subcommand)]
enum DeliveriesCommand {
    /// List the newest deliveries and what became of them
    List {
        /// Which connector
        name: ConnectorName,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Show a delivery with its body
    Show(DeliveryArgs),
    /// Take a delivery once more; what it told before is not told twice
    Replay(DeliveryArgs),
}

#[derive(Debug, Args)]
struct DeliveryArgs {
    /// Which connector
    name: ConnectorName,
    /// The number of the delivery, as `list` shows it
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Found {
    deliveries: Vec<Delivery>,
    refused_24h: i64,
}

#[derive(Debug, Deserialize)]
struct Delivery {
    id: i64,
    received_at: Timestamp,
    event: Option<String>,
    occurred_at: Option<Timestamp>,
    incident: Option<String>,
    verified: bool,
    copies: i64,
    outcome: String,
    event_id: String,
    #[serde(default)]
    body: Value,
}

impl Delivery {
    fn signature(&self) -> &'static str {
        if self.verified { "good" } else { "unchecked" }
    }

    fn event(&self) -> &str {
        self.event.as_deref().unwrap_or("-")
    }
}

pub(crate) async fn run(args: DeliveriesArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        DeliveriesCommand::List { name, limit } => list(&name, limit, cx).await?,
        DeliveriesCommand::Show(args) => show(&args, cx).await?,
        DeliveriesCommand::Replay(args) => replay(&args, cx).await?,
    }
    Ok(Exit::Done)
}

async fn list(name: &ConnectorName, limit: u32, cx: &mut Context) -> Result<(), Failure> {
    let call = Call::get(["connectors", name.as_str(), "deliveries"]);
    let answer = cx.send(call.query("limit", limit.to_string())).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let found: Found = answer.read()?;
    if found.refused_24h > 0 {
        cx.ui.warn(format_args!(
            "{} deliveries were refused in 24 hours for their signature, and not kept: `im connector doctor {name}`",
            found.refused_24h
        ));
    }
    if found.deliveries.is_empty() {
        cx.ui.note("Nothing was delivered.");
        return Ok(());
    }
    let mut columns = vec![
        Column::Whole("Id"),
        Column::Whole("Received"),
        Column::Whole("Event"),
        Column::Optional("Incident", 1),
        Column::Optional("Signature", 0),
        Column::Optional("Copies", 2),
        Column::Whole("Outcome"),
    ];
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for one in &found.deliveries {
        rows.push(vec![
            Cell::new(one.id),
            Cell::new(time::ago(one.received_at, cx.now)),
            Cell::new(one.event()),
            Cell::new(one.incident.as_deref().unwrap_or("-")),
            Cell::new(one.signature()),
            Cell::new(one.copies),
            Cell::new(&one.outcome),
        ]);
    }
    let width = cx.ui.table_width();
    table::fit(&mut columns, &mut rows, width);
    let text = table::rows(&columns, rows, width);
    cx.ui.say(text);
    Ok(())
}

async fn show(args: &DeliveryArgs, cx: &mut Context) -> Result<(), Failure> {
    let id = args.id.to_string();
    let path = ["connectors", args.name.as_str(), "deliveries", &id];
    let answer = cx.send(Call::get(path)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let one: Delivery = answer.read()?;
    let received = time::full(one.received_at, &cx.zone);
    let occurred = one.occurred_at;
    let occurred = occurred.map_or_else(|| "-".to_owned(), |at| time::full(at, &cx.zone));
    let body = serde_json::to_string_pretty(&one.body).unwrap_or_default();
    let ui = &mut cx.ui;
    ui.say(format_args!("Delivery: {} ({})", one.id, one.outcome));
    ui.say(format_args!("Event: {} ({})", one.event(), one.event_id));
    ui.say(format_args!(
        "Incident: {}",
        one.incident.as_deref().unwrap_or("-")
    ));
    ui.say(format_args!("Occurred: {occurred}"));
    ui.say(format_args!("Received: {received}"));
    ui.say(format_args!("Signature: {}", one.signature()));
    ui.say(format_args!("Copies: {}", one.copies));
    ui.say("");
    ui.say(body);
    Ok(())
}

async fn replay(args: &DeliveryArgs, cx: &mut Context) -> Result<(), Failure> {
    let id = args.id.to_string();
    let path = [
        "connectors",
        args.name.as_str(),
        "deliveries",
        &id,
        "replay",
    ];
    let answer = cx.send(Call::post(path, json!({}))).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let one: Delivery = answer.read()?;
    cx.ui.say(format_args!(
        "Will take delivery {id} once more: {}",
        one.event()
    ));
    Ok(())
}
