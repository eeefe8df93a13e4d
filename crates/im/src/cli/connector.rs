//! `im connector`: the ways to PagerDuty.

mod add;
mod backfill;
mod calls;
mod config;
pub(crate) mod conflicts;
mod deliveries;
mod doctor;
mod forget_key;
mod health;
mod list;
mod mapping;
mod outbox;
mod priority;
mod remove;
mod services;
mod set_up;
pub(crate) mod status;
mod sync;
mod test;
mod timeline;
mod update;
mod webhook;

use clap::{Args, Subcommand};

use super::context::Context;
use super::error::{Exit, Failure};

/// Set up, test and watch the connection to PagerDuty
#[derive(Debug, Args)]
pub(crate) struct ConnectorArgs {
    #[command(subcommand)]
    command: ConnectorCommand,
}

#[derive(Debug, Subcommand)]
enum ConnectorCommand {
    Add(add::AddArgs),
    Test(test::TestArgs),
    List(list::ListArgs),
    Status(status::StatusArgs),
    Health(health::HealthArgs),
    Timeline(timeline::TimelineArgs),
    Doctor(doctor::DoctorArgs),
    Sync(sync::SyncArgs),
    Backfill(backfill::BackfillArgs),
    Calls(calls::CallsArgs),
    Update(update::UpdateArgs),
    Config(config::ConfigArgs),
    Webhook(webhook::WebhookArgs),
    MapService(mapping::MapServiceArgs),
    ListMappings(mapping::ListMappingsArgs),
    MapEscalation(mapping::MapEscalationArgs),
    ListEscalations(mapping::ListEscalationsArgs),
    Services(services::ServicesArgs),
    MapPriority(priority::MapPriorityArgs),
    ListPriorities(priority::ListPrioritiesArgs),
    Ownership(conflicts::OwnershipArgs),
    Conflicts(conflicts::ConflictsArgs),
    Deliveries(deliveries::DeliveriesArgs),
    Outbox(outbox::OutboxArgs),
    ForgetKey(forget_key::ForgetKeyArgs),
    Remove(remove::RemoveArgs),
}

pub(crate) async fn run(args: ConnectorArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        ConnectorCommand::Add(args) => add::run(args, cx).await,
        ConnectorCommand::Test(args) => test::run(args, cx).await,
        ConnectorCommand::List(args) => list::run(args, cx).await,
        ConnectorCommand::Status(args) => status::run(args, cx).await,
        ConnectorCommand::Health(args) => health::run(args, cx).await,
        ConnectorCommand::Timeline(args) => timeline::run(args, cx).await,
        ConnectorCommand::Doctor(args) => doctor::run(args, cx).await,
        ConnectorCommand::Sync(args) => sync::run(args, cx).await,
        ConnectorCommand::Backfill(args) => backfill::run(args, cx).await,
        ConnectorCommand::Calls(args) => calls::run(args, cx).await,
        ConnectorCommand::Update(args) => update::run(args, cx).await,
        ConnectorCommand::Config(args) => config::run(args, cx).await,
        ConnectorCommand::Webhook(args) => webhook::run(args, cx).await,
        ConnectorCommand::MapService(args) => mapping::map_service(args, cx).await,
        ConnectorCommand::ListMappings(args) => mapping::list_services(args, cx).await,
        ConnectorCommand::MapEscalation(args) => mapping::map_escalation(args, cx).await,
        ConnectorCommand::ListEscalations(args) => mapping::list_escalations(args, cx).await,
        ConnectorCommand::Services(args) => services::run(args, cx).await,
        ConnectorCommand::MapPriority(args) => priority::map(args, cx).await,
        ConnectorCommand::ListPriorities(args) => priority::list(args, cx).await,
        ConnectorCommand::Ownership(args) => conflicts::ownership(args, cx).await,
        ConnectorCommand::Conflicts(args) => conflicts::run(args, cx).await,
        ConnectorCommand::Deliveries(args) => deliveries::run(args, cx).await,
        ConnectorCommand::Outbox(args) => outbox::run(args, cx).await,
        ConnectorCommand::ForgetKey(args) => forget_key::run(args, cx).await,
        ConnectorCommand::Remove(args) => remove::run(args, cx).await,
    }
}
