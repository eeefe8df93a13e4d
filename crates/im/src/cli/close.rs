//! `im close`.

use clap::Args;

use super::change::{self, ChangeArgs};
use super::context::Context;
use super::error::{Exit, Failure};

/// Close an incident for good
///
/// One that is still open is resolved first.
#[derive(Debug, Args)]
pub(crate) struct CloseArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(args: CloseArgs, cx: &mut Context) -> Result<Exit, Failure> {
    change::run("close", args.change, cx).await
}
