//! `im connector forget-key`.

use clap::Args;
use im_core::ConnectorName;

use crate::cli::checks;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::types::Checks;
use crate::client::Call;

/// Forget a connector's API key, and live by webhooks alone
///
/// Possible once `im connector status` says that it is safe: the connector only receives, its webhook delivers, and
/// what happened before is read. Nothing that webhooks miss is found from then on; `im connector update` gives the
/// connector a key again.
#[derive(Debug, Args)]
pub(crate) struct ForgetKeyArgs {
    /// Which connector
    name: ConnectorName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(args: ForgetKeyArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let name = args.name.as_str();
    cx.confirm(
        &format!("Forget the API key of {name}? What webhooks miss is not found any more."),
        args.yes,
    )?;
    let answer = cx
        .send(Call::delete(["connectors", name, "api-key"]))
        .await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Checks = answer.read()?;
    cx.ui.say(format_args!("Forgot the API key of {name}"));
    checks::say(&found.lines, cx);
    Ok(Exit::Done)
}
