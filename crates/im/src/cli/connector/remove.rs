//! `im connector remove`.

use clap::Args;
use im_core::ConnectorName;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::client::Call;

/// Remove a connector
///
/// Its key and its webhook go; incidents stay as they are, here and at PagerDuty. Added again under
/// its name, the connector takes them up.
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
    cx.send(Call::delete(["connectors", name])).await?;
    if cx.ui.json {
        cx.ui
            .document(json!({ "removed": name }).to_string().as_bytes());
    } else {
        cx.ui.say(format_args!("Removed {name}"));
    }
    Ok(Exit::Done)
}
