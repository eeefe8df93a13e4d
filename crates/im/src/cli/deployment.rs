//! `im deployment`: changes that were brought out, for the metrics of deployments.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::error::{Exit, Failure};
use super::table::{self, Column};
use super::time;
use crate::client::Call;

const STATUSES: [&str; 4] = ["success", "failure", "in_progress", "cancelled"];

/// Record and list deployments
#[derive(Debug, Args)]
pub(crate) struct DeploymentArgs {
    #[command(subcommand)]
    command: DeploymentCommand,
}

#[derive(Debug, Subcommand)]
enum DeploymentCommand {
    /// Record a deployment, or how one went that was recorded before
    Record(RecordArgs),
    /// List the deployments, newest first
    List {
        /// Only this service
        #[arg(long)]
        service: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

/// What is told of a deployment; under an id that is known, what is left out stays.
#[derive(Debug, Args)]
struct RecordArgs {
    /// The service, by PagerDuty's id, or by its name there or here
    #[arg(long)]
    service: Option<String>,
    /// Its id; the same again tells more of it [default: a new one]
    #[arg(long)]
    id: Option<String>,
    /// Where, e.g. production
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The version brought out
    #[arg(long)]
    version: Option<String>,
    /// How it went [default: success]
    #[arg(long, value_parser = STATUSES)]
    status: Option<String>,
    /// When it began [default: when it was over]
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    started: Option<Timestamp>,
    /// When it was over [default: now]
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    finished: Option<Timestamp>,
    /// It repairs an earlier one, unplanned
    #[arg(long)]
    unplanned_fix: bool,
    /// A commit in it and when that was made, e.g. 4f2a1c9@2026-11-20T09:00:00Z; may be given more than once
    #[arg(long, value_name = "SHA@TIME", value_parser = commit)]
    commit: Vec<Commit>,
}

#[derive(Debug, Clone)]
struct Commit {
    sha: String,
    time: Timestamp,
}

fn commit(text: &str) -> Result<Commit, String> {
    let parts = text.split_once('@').filter(|(sha, _)| !sha.is_empty());
    let parsed = parts.and_then(|(sha, time)| Some((sha, time.parse().ok()?)));
    let (sha, time) = parsed.ok_or("write it like 4f2a1c9@2026-11-20T09:00:00Z")?;
    Ok(Commit {
        sha: sha.to_owned(),
        time,
    })
}

#[derive(Debug, Deserialize)]
struct Deployment {
    id: String,
    service: String,
    service_name: Option<String>,
    environment: Option<String>,
    version: Option<String>,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    status: String,
    unplanned_fix: bool,
    hint: Option<String>,
}

impl Deployment {
    /// Its service as people call it, with the id where that is another word.
    fn of(&self) -> String {
        match &self.service_name {
            Some(name) => format!("{name} ({})", self.service),
            None => self.service.clone(),
        }
    }
}

pub(crate) async fn run(args: DeploymentArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        DeploymentCommand::Record(args) => record(args, cx).await?,
        DeploymentCommand::List { service, limit } => list(service, limit, cx).await?,
    }
    Ok(Exit::Done)
}

async fn record(args: RecordArgs, cx: &mut Context) -> Result<(), Failure> {
    let time = |at: Option<Timestamp>| at.map(|at| Value::from(at.to_string()));
    let text = |text: Option<String>| text.map(Value::from);
    let commits: Vec<Value> = args
        .commit
        .iter()
        .map(|commit| json!({"sha": commit.sha, "time": commit.time.to_string()}))
        .collect();
    let fields = [
        ("service", text(args.service)),
        ("id", text(args.id)),
        ("environment", text(args.environment)),
        ("version", text(args.version)),
        ("status", text(args.status)),
        ("started_at", time(args.started)),
        ("finished_at", time(args.finished)),
        ("unplanned_fix", args.unplanned_fix.then_some(true.into())),
        ("commits", (!commits.is_empty()).then(|| commits.into())),
    ];
    let fields = fields.into_iter();
    let fields = fields.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let body = Value::from(fields.collect::<Map<_, _>>());
    let answer = cx.send(Call::post(["deployments"], body)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let deployment: Deployment = answer.read()?;
    cx.ui.say(format_args!(
        "Recorded deployment {} of {}: {}",
        deployment.id,
        deployment.of(),
        deployment.status
    ));
    if let Some(hint) = &deployment.hint {
        cx.ui.hint(hint);
    }
    Ok(())
}

async fn list(service: Option<String>, limit: u32, cx: &mut Context) -> Result<(), Failure> {
    let mut call = Call::get(["deployments"]).query("limit", limit.to_string());
    if let Some(service) = service {
        call = call.query("service", service);
    }
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let deployments: Vec<Deployment> = answer.read()?;
    if deployments.is_empty() {
        cx.ui
            .note("No deployments. `im deployment record --service NAME` records one.");
        return Ok(());
    }
    let mut columns = vec![
        Column::Rest("Deployment"),
        Column::Rest("Service"),
        Column::Optional("Environment", 1),
        Column::Optional("Version", 0),
        Column::Whole("Status"),
        Column::Whole("Finished"),
    ];
    let mut rows: Vec<Vec<Cell>> = deployments.iter().map(|one| row(one, cx)).collect();
    let width = cx.ui.table_width();
    table::fit(&mut columns, &mut rows, width);
    let text = table::rows(&columns, rows, width);
    cx.ui.say(text);
    Ok(())
}

fn row(deployment: &Deployment, cx: &Context) -> Vec<Cell> {
    let fix = if deployment.unplanned_fix {
        ", fix"
    } else {
        ""
    };
    let finished = match deployment.finished_at {
        Some(at) => time::ago(at, cx.now),
        None => format!("since {}", time::age(deployment.started_at, cx.now)),
    };
    vec![
        Cell::new(&deployment.id),
        Cell::new(
            deployment
                .service_name
                .as_ref()
                .unwrap_or(&deployment.service),
        ),
        Cell::new(deployment.environment.as_deref().unwrap_or("-")),
        Cell::new(deployment.version.as_deref().unwrap_or("-")),
        Cell::new(format!("{}{fix}", deployment.status)),
        Cell::new(finished),
    ]
}
