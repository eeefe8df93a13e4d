//! `im connector remove`.

use clap::Args;
use im_core::ConnectorName;
use serde_json::json;

use crate::cli::checks;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::types::Checks;
use crate::client::Call;

/// Remove a connector
///
/// Its key and its webhook go; incidents stay as they are, here and at PagerDuty. Added again under
/// its name, the connector takes them up. The exit code is 1 when something is left to do by hand.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Which connector
    name: ConnectorName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(args: RemoveArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let name = args.name.as_str();
    cx.confirm(
        &format!("Remove {name}? Incidents stay; changes not sent yet are not sent."),
        args.yes,
    )?;
    let answer = cx.send(Call::delete(["connectors", name])).await?;
    // Older servers answer with nothing.
    let found: Option<Checks> = if answer.body.is_empty() {
        None
    } else {
        Some(answer.read()?)
    };
    if cx.ui.json {
        let nothing = json!({"removed": name}).to_string();
        let document = found.as_ref().map_or(nothing.as_bytes(), |_| &answer.body);
        cx.ui.document(document);
    } else {
        cx.ui.say(format_args!("Removed {name}"));
        checks::say(found.as_ref().map_or(&[], |found| &found.lines), cx);
    }
    Ok(Exit::of_checks(found.is_none_or(|found| found.ok)))
}
