//! `im connector status`.

use clap::Args;
use im_core::ConnectorName;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::types::Connector;
use crate::cli::{table, time};
use crate::client::Call;

/// The mode in which everything works as it should: not worth a line.
const BEST_MODE: &str = "live and repair";

/// Show how a connector is doing
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Which connector
    name: ConnectorName,
}

pub(crate) async fn run(args: StatusArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let answer = cx
        .send(Call::get(["connectors", args.name.as_str()]))
        .await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let connector: Connector = answer.read()?;
    say_fields(&connector, cx);
    say_troubles(&connector, cx);
    Ok(Exit::Done)
}

fn say_fields(connector: &Connector, cx: &mut Context) {
    let status = match &connector.status_reason {
        Some(reason) => format!("{}: {reason}", capitalised(&connector.status)),
        None => capitalised(&connector.status),
    };
    let last_sync = connector
        .last_sync
        .map_or_else(|| "never".to_owned(), |at| time::full(at, &cx.zone));
    let ui = &mut cx.ui;
    ui.say(format_args!(
        "Connector: {} ({})",
        connector.name, connector.kind
    ));
    let width = ui.width;
    ui.say(table::hanging("Status: ", &status, width));
    ui.say(format_args!(
        "Direction: {}",
        capitalised(&connector.direction)
    ));
    ui.say(format_args!("Last Sync: {last_sync}"));
    ui.say(format_args!(
        "Incidents Synced: {} (last 24h)",
        connector.synced_24h
    ));
    ui.say(format_args!("Sync Errors: {}", connector.sync_errors));
    ui.say(format_args!(
        "Webhook: {}",
        capitalised(&connector.webhook.state)
    ));
}

/// So far apart that people who compare two timelines would wonder.
const CLOCK_OFF_S: u64 = 5;

/// Lines that are there only when there is something to say.
fn say_troubles(connector: &Connector, cx: &mut Context) {
    let ui = &mut cx.ui;
    if connector.repaired_24h > 0 {
        ui.say(format_args!(
            "Repaired: {} (last 24h)",
            connector.repaired_24h
        ));
    }
    if let Some(mode) = connector.mode.as_deref().filter(|mode| *mode != BEST_MODE) {
        ui.say(format_args!("Mode: {mode}"));
    }
    match connector.api_key.as_deref() {
        Some("safe_to_revoke") => ui.say("API Key: Safe to revoke now"),
        Some("discarded") => ui.say("API Key: Discarded"),
        _ => {}
    }
    if connector.pending > 0 {
        ui.say(format_args!("Pending: {}", connector.pending));
    }
    if connector.parked > 0 {
        ui.say(format_args!("Parked: {}", connector.parked));
    }
    if connector.conflicts > 0 {
        ui.say(format_args!("Conflicts: {}", connector.conflicts));
    }
    if let Some(gap) = &connector.gap {
        let width = ui.width;
        ui.say(table::hanging("Gap: ", gap, width));
    }
    if let Some(ahead) = connector
        .clock_ahead_s
        .filter(|s| s.unsigned_abs() >= CLOCK_OFF_S)
    {
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        ui.say(format_args!(
            "Clock: {} s {side} PagerDuty's",
            ahead.unsigned_abs()
        ));
    }
    if connector.api_key.as_deref() == Some("safe_to_revoke") {
        ui.hint(format_args!(
            "webhooks alone keep it up to date: `im connector forget-key {}` forgets the key here",
            connector.name
        ));
    }
    if connector.status == "auth_failed" {
        ui.hint(format_args!(
            "`im connector update {}` gives it another API key; what is pending is sent then",
            connector.name
        ));
    }
    if connector.conflicts > 0 {
        ui.hint(format_args!(
            "`im connector conflicts list {} --status pending` shows what waits for your word",
            connector.name
        ));
    }
    if connector.parked > 0 {
        ui.hint(format_args!(
            "`im connector outbox list {}` says what PagerDuty refused and why",
            connector.name
        ));
    }
}

/// `auth_failed` → `Auth failed`.
pub(super) fn capitalised(word: &str) -> String {
    let spaced = word.replace('_', " ");
    let mut letters = spaced.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => spaced,
    }
}
