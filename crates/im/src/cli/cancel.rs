//! `im cancel`.

use clap::Args;

use super::change::{self, ChangeArgs};
use super::context::Context;
use super::error::{Exit, Failure};

/// Cancel an incident: it was a false alarm
///
/// It counts in no metric; at PagerDuty it is resolved.
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(args: CancelArgs, cx: &mut Context) -> Result<Exit, Failure> {
    change::run("cancel", args.change, cx).await
}
