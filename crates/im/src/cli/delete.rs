//! `im delete`.

use clap::Args;

use super::args::{IncidentArg, WaitArg};
use super::change;
use super::context::Context;
use super::error::{Exit, Failure};
use crate::client::Call;

/// Delete an incident
///
/// It is resolved at PagerDuty, then gone here with its timeline. This cannot be taken back.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    incident: IncidentArg,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    wait: WaitArg,
}

pub(crate) async fn run(args: DeleteArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let id = args.incident.id();
    cx.confirm(&format!("Delete {id} with its timeline?"), args.yes)?;
    change::send(Call::delete(["incidents", &id]), &args.wait, cx).await
}
