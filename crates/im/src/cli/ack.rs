//! `im ack`.

use clap::Args;

use super::change::{self, ChangeArgs};
use super::context::Context;
use super::error::{Exit, Failure};

/// Acknowledge an incident: somebody works on it
///
/// PagerDuty learns of it within seconds and stops escalating; the command waits for that, at most `--wait`.
#[derive(Debug, Args)]
pub(crate) struct AckArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(args: AckArgs, cx: &mut Context) -> Result<Exit, Failure> {
    change::run("acknowledge", args.change, cx).await
}
