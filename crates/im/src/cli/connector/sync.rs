//! `im connector sync`.

use clap::Args;
use im_core::{ConnectorName, IncidentNumber};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table;
use crate::cli::types::Synced;
use crate::client::Call;

/// Compare with PagerDuty now and repair what differs
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// Which connector
    name: ConnectorName,
    /// Only this incident
    #[arg(long)]
    incident: Option<IncidentNumber>,
}

pub(crate) async fn run(args: SyncArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let body = match args.incident {
        Some(incident) => json!({ "incident": incident.to_string() }),
        None => json!({}),
    };
    let answer = cx
        .send(Call::post(["connectors", args.name.as_str(), "sync"], body))
        .await?;
    let synced: Synced = answer.read()?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        say(&args.name, &synced, cx);
    }
    Ok(Exit::of_checks(synced.complete && synced.failed == 0))
}

fn say(name: &ConnectorName, synced: &Synced, cx: &mut Context) {
    let repaired = match synced.repaired {
        0 => String::new(),
        count => format!(", {count} repaired"),
    };
    let counts = format!(
        "{} created, {} updated, {} unchanged, {} failed{repaired}",
        synced.created, synced.updated, synced.unchanged, synced.failed
    );
    let width = cx.ui.width;
    cx.ui
        .say(table::hanging(&format!("Synced {name}: "), &counts, width));
    for message in synced.mended.iter().chain(&synced.messages) {
        cx.ui.say(table::paragraph(message, 2, width));
    }
    if !synced.complete {
        cx.ui
            .warn("not everything was compared; the rest follows with the next sync");
    }
}
