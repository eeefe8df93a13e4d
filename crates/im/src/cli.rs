//! The command line: a client of the HTTP API, and nothing else.
//!
//! [`run`] reads the arguments, gives the command a [`Context`](context::Context) and turns what comes back into an exit
//! code. Each command has a file of its own: its flags, the calls it makes, what it prints.
//!
//! Invariants
//! - The result goes to stdout and nothing else does; with `--json` it is one document.
//! - A command knows the API's paths and objects; it knows no database and no engine.
//!
//! Only `ui` prints, only `machine` looks at the process.
#![expect(
    clippy::doc_markdown,
    reason = "doc comments of arguments are the help text, where backticks are noise"
)]

mod ack;
mod annotate;
mod args;
mod assign;
mod audit;
mod cancel;
mod change;
mod checks;
mod close;
mod completions;
mod config;
mod connector;
mod context;
mod data;
mod declare;
mod delete;
mod demo;
mod deployment;
mod directory;
mod doctor;
mod duplicate;
mod edit;
mod error;
mod filters;
mod findings;
mod integration;
mod list;
mod logs;
mod machine;
mod metrics;
mod mitigate;
mod note;
mod oncall;
mod organisation;
mod overview;
mod prompt;
mod recent;
mod reopen;
mod resolve;
mod serve;
mod severities;
mod show;
mod sim;
pub(crate) mod table;
mod time;
mod timeline;
mod token;
mod types;
mod ui;
mod user;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use demo::DemoOptions;
pub use machine::Machine;
pub(crate) use machine::terminal_width;
pub(crate) use metrics::csv_of;
pub(crate) use organisation::hours::{said as hours_said, week as hours_of};
pub use prompt::{Prompt, Question};
pub use serve::ServeOptions;
pub use sim::{Region, SimOptions};

use args::Global;
use context::Context;
use error::{Exit, Failure};
use ui::Ui;

/// Wider help is harder to read, not easier.
const HELP_WIDTH_MAX: usize = 100;

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  done, and a check failed (connector test, webhook, sync; doctor; oncall),
     or a connector is degraded (connector health)
  2  a flag or a value is wrong, or a connector is unhealthy (connector health)
  3  no such incident, connector, token or account
  4  not possible now: the transition is not legal, the name is taken
  5  PagerDuty refused or did not answer a command that needs it now
  6  not allowed
  7  the server or its database does not answer";

/// Incidents here and at PagerDuty, in step
#[derive(Debug, Parser)]
#[command(name = "im", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Declare(declare::DeclareArgs),
    Ack(ack::AckArgs),
    Mitigate(mitigate::MitigateArgs),
    Resolve(resolve::ResolveArgs),
    Close(close::CloseArgs),
    Reopen(reopen::ReopenArgs),
    Cancel(cancel::CancelArgs),
    Duplicate(duplicate::DuplicateArgs),
    Note(note::NoteArgs),
    Assign(assign::AssignArgs),
    Edit(edit::EditArgs),
    Annotate(annotate::AnnotateArgs),
    Delete(delete::DeleteArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Timeline(timeline::TimelineArgs),
    Oncall(oncall::OncallArgs),
    Metrics(Box<metrics::MetricsArgs>),
    Overview(overview::OverviewArgs),
    Findings(findings::FindingsArgs),
    Deployment(deployment::DeploymentArgs),
    Hours(organisation::hours::HoursArgs),
    Team(organisation::team::TeamArgs),
    Person(organisation::person::PersonArgs),
    FailureRule(organisation::failure_rule::FailureRuleArgs),
    Target(organisation::target::TargetArgs),
    Data(data::DataArgs),
    Directory(directory::DirectoryArgs),
    Connector(connector::ConnectorArgs),
    Integration(integration::IntegrationArgs),
    User(user::UserArgs),
    Token(token::TokenArgs),
    Audit(audit::AuditArgs),
    Config(config::ConfigArgs),
    Severities(severities::SeveritiesArgs),
    Doctor(doctor::DoctorArgs),
    Logs(logs::LogsArgs),
    Serve(ServeOptions),
    Sim(SimOptions),
    Demo(DemoOptions),
    Completions(completions::CompletionsArgs),
}

impl Command {
    /// Servers use all cores; a command that asks one question starts faster without them.
    fn is_server(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Sim(_) | Self::Demo(_))
    }
}

/// Runs `im` on this process's arguments and streams.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os(), Machine::this()))
}

/// Runs `im` with `args` on `machine`; returns the exit code.
pub fn run<A: Into<OsString> + Clone>(args: impl IntoIterator<Item = A>, machine: Machine) -> u8 {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let json = wants_json(&args);
    let parsed = read(args, machine.width);
    let (ui, surroundings) = machine.split();
    let exit = match parsed {
        Ok(cli) => {
            let context = Context::new(ui, surroundings, cli.global);
            on_runtime(cli.command, context)
        }
        Err(error) => report_usage(ui, &error, json),
    };
    exit.code()
}

/// Reads a command line and runs nothing. What it says of itself (`Debug`) is all that it says.
pub fn parse<A: Into<OsString>>(
    args: impl IntoIterator<Item = A>,
) -> Result<impl std::fmt::Debug, clap::Error> {
    read(args.into_iter().map(Into::into).collect(), u16::MAX)
}

fn read(args: Vec<OsString>, width: u16) -> Result<Cli, clap::Error> {
    let help_width = usize::from(width).min(HELP_WIDTH_MAX);
    let mut command = Cli::command().term_width(help_width);
    command.build();
    let matches = with_own_usage(command).try_get_matches_from(args)?;
    Cli::from_arg_matches(&matches)
}

/// A usage line names what a command needs, and not what the environment happens to set.
fn with_own_usage(mut command: clap::Command) -> clap::Command {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    command
        .mut_subcommands(with_own_usage)
        .override_usage(usage)
}

/// Whether `--json` was given, for command lines that clap does not get to read.
fn wants_json(args: &[OsString]) -> bool {
    let mut flags = args.iter().take_while(|arg| *arg != "--");
    flags.any(|arg| arg == "--json")
}

/// Help and version are results; anything else that clap says is an error.
fn report_usage(mut ui: Ui, error: &clap::Error, json: bool) -> Exit {
    let text = error.render();
    let exit = if error.use_stderr() {
        if json {
            ui.document(&error::usage_document(&text.to_string()));
        }
        ui.error_raw(&text.ansi().to_string());
        Exit::Usage
    } else {
        ui.raw(text.ansi().to_string().as_bytes());
        Exit::Done
    };
    ui.flush();
    exit
}

fn on_runtime(command: Command, mut context: Context) -> Exit {
    let mut builder = if command.is_server() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let outcome = match builder.enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            let outcome = dispatch(command, &mut context).await;
            context.close().await;
            outcome
        }),
        Err(error) => Err(Failure::new(
            Exit::Unavailable,
            format!("cannot start: {error}"),
        )),
    };
    let exit = outcome.unwrap_or_else(|failure| report(&mut context.ui, &failure));
    context.ui.flush();
    exit
}

fn report(ui: &mut Ui, failure: &Failure) -> Exit {
    if ui.json {
        ui.document(&failure.document());
    }
    ui.error(&failure.detail);
    if let Some(hint) = &failure.hint {
        ui.hint(hint);
    }
    failure.exit
}

async fn dispatch(command: Command, cx: &mut Context) -> Result<Exit, Failure> {
    match command {
        Command::Declare(args) => declare::run(args, cx).await,
        Command::Ack(args) => ack::run(args, cx).await,
        Command::Mitigate(args) => mitigate::run(args, cx).await,
        Command::Resolve(args) => resolve::run(args, cx).await,
        Command::Close(args) => close::run(args, cx).await,
        Command::Reopen(args) => reopen::run(args, cx).await,
        Command::Cancel(args) => cancel::run(args, cx).await,
        Command::Duplicate(args) => duplicate::run(args, cx).await,
        Command::Note(args) => note::run(args, cx).await,
        Command::Assign(args) => assign::run(args, cx).await,
        Command::Edit(args) => edit::run(args, cx).await,
        Command::Annotate(args) => annotate::run(args, cx).await,
        Command::Delete(args) => delete::run(args, cx).await,
        Command::List(args) => list::run(args, cx).await,
        Command::Show(args) => show::run(args, cx).await,
        Command::Timeline(args) => timeline::run(args, cx).await,
        Command::Oncall(args) => oncall::run(args, cx).await,
        Command::Metrics(args) => metrics::run(*args, cx).await,
        Command::Overview(args) => overview::run(args, cx).await,
        Command::Findings(args) => findings::run(args, cx).await,
        Command::Deployment(args) => deployment::run(args, cx).await,
        Command::Hours(args) => organisation::hours::run(args, cx).await,
        Command::Team(args) => organisation::team::run(args, cx).await,
        Command::Person(args) => organisation::person::run(args, cx).await,
        Command::FailureRule(args) => organisation::failure_rule::run(args, cx).await,
        Command::Target(args) => organisation::target::run(args, cx).await,
        Command::Data(args) => data::run(args, cx).await,
        Command::Directory(args) => directory::run(args, cx).await,
        Command::Connector(args) => connector::run(args, cx).await,
        Command::Integration(args) => integration::run(args, cx).await,
        Command::User(args) => user::run(args, cx).await,
        Command::Token(args) => token::run(args, cx).await,
        Command::Audit(args) => audit::run(args, cx).await,
        Command::Config(args) => config::run(args, cx).await,
        Command::Doctor(args) => doctor::run(args, cx).await,
        Command::Severities(_) => Ok(severities::run(cx)),
        Command::Logs(args) => logs::run(args, cx).await,
        Command::Serve(options) => serve::run(options, cx).await,
        Command::Sim(options) => sim::run(options, cx).await,
        Command::Demo(options) => demo::run(options, cx).await,
        Command::Completions(args) => Ok(completions::run(&args, cx)),
    }
}
