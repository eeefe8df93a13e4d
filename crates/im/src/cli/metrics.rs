//! `im metrics`: figures, each kind by a command of its own.

mod connector;

use clap::{Args, Subcommand};

use super::context::Context;
use super::error::{Exit, Failure};

/// Show figures
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    #[command(subcommand)]
    command: MetricsCommand,
}

#[derive(Debug, Subcommand)]
enum MetricsCommand {
    Connector(connector::ConnectorArgs),
}

pub(crate) async fn run(args: MetricsArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        MetricsCommand::Connector(args) => connector::run(args, cx).await,
    }
}
