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
/// its name, the connector takes them up. With `--purge` they are erased here with all their history,
/// for good; PagerDuty keeps its own. The exit code is 1 when something is left to do by hand.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Which connector
    name: ConnectorName,
    /// Erase its incidents and deliveries here, too; also for one that was removed before
    #[arg(long)]
    purge: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(args: RemoveArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let name = args.name.as_str();
    let what = if args.purge {
        "All of its incidents are erased here for good; changes not sent yet are not sent."
    } else {
        "Incidents stay; changes not sent yet are not sent."
    };
    cx.confirm(&format!("Remove {name}? {what}"), args.yes)?;
    let mut call = Call::delete(["connectors", name]);
    if args.purge {
        call = call.query("purge", "true");
    }
    let answer = cx.send(call).await?;
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
