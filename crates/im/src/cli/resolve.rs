//! `im resolve`.

use clap::Args;

use super::change::{self, ChangeArgs};
use super::context::Context;
use super::error::{Exit, Failure};

/// Resolve an incident: it is fixed
///
/// With `auto_resolve` on (the default) it is resolved at PagerDuty too; the note goes with it.
#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(args: ResolveArgs, cx: &mut Context) -> Result<Exit, Failure> {
    change::run("resolve", args.change, cx).await
}
