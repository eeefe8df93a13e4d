//! `im integration`: another name for what `im connector` shows of a two-way sync. One object, one store.

use clap::{Args, Subcommand};

use super::connector::{conflicts, status};
use super::context::Context;
use super::error::{Exit, Failure};

/// The same as `im connector`, in the words of integrations
#[derive(Debug, Args)]
pub(crate) struct IntegrationArgs {
    #[command(subcommand)]
    command: IntegrationCommand,
}

#[derive(Debug, Subcommand)]
enum IntegrationCommand {
    FieldOwnership(conflicts::OwnershipArgs),
    Conflicts(conflicts::ConflictsArgs),
    SyncStatus(status::StatusArgs),
}

pub(crate) async fn run(args: IntegrationArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        IntegrationCommand::FieldOwnership(args) => conflicts::ownership(args, cx).await,
        IntegrationCommand::Conflicts(args) => conflicts::run(args, cx).await,
        IntegrationCommand::SyncStatus(args) => status::run(args, cx).await,
    }
}
