//! `im mitigate`.

use clap::Args;

use super::change::{self, ChangeArgs};
use super::context::Context;
use super::error::{Exit, Failure};

/// Say that the harm is contained
///
/// The incident stays open until it is resolved.
#[derive(Debug, Args)]
pub(crate) struct MitigateArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(args: MitigateArgs, cx: &mut Context) -> Result<Exit, Failure> {
    change::run("mitigate", args.change, cx).await
}
