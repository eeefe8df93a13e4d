//! `im reopen`.

use clap::Args;

use super::change::{self, ChangeArgs};
use super::context::Context;
use super::error::{Exit, Failure};

/// Open a resolved or closed incident again
///
/// PagerDuty pages again as for a new incident.
#[derive(Debug, Args)]
pub(crate) struct ReopenArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(args: ReopenArgs, cx: &mut Context) -> Result<Exit, Failure> {
    change::run("reopen", args.change, cx).await
}
