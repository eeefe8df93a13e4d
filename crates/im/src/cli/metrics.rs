//! `im metrics`: a metric as a table, as CSV, or as the API writes it; and what is behind it.

mod areas;
mod connector;
mod figures;
mod insights;
mod items;
mod restated;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) use figures::short as length;

use super::context::Context;
use super::error::{Exit, Failure};
use super::filters::{Filters, often, once};
use crate::client::Call;

const NAMES: [&str; 16] = [
    "mttr",
    "mtta",
    "pages",
    "page_disruptions",
    "incident_frequency",
    "deployment_frequency",
    "change_failure_rate",
    "time_to_restore",
    "failed_deployment_recovery_time",
    "change_lead_time",
    "deployment_rework_rate",
    "sla_compliance",
    "oncall_load",
    "reopen_rate",
    "open_incidents",
    "escalations",
];

/// Compute a metric of incidents, pages or deployments
///
/// Days are those of `im config set time_zone`. What each metric is: docs/metrics.md.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct MetricsArgs {
    #[command(subcommand)]
    command: Option<MetricsCommand>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Subcommand)]
enum MetricsCommand {
    Connector(connector::ConnectorArgs),
}

/// A question.
#[derive(Debug, Args)]
struct Asked {
    /// Which; without one, all are listed
    #[arg(value_parser = NAMES)]
    name: Option<String>,
    #[command(flatten)]
    range: Range,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    own: Own,
    /// One line for each bucket and group, as CSV
    #[arg(long, conflicts_with_all = ["json", "items"])]
    csv: bool,
    /// What is behind the figures instead of them, oldest first
    #[arg(long)]
    items: bool,
    /// A sentence for each figure instead: what it is, its trend, what moved it most, what to do
    #[arg(long, conflicts_with_all = ["csv", "items"])]
    insight: bool,
    /// What changed in the figure since it was read then: a length like 7d, or a time like 2026-11-20T09:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with_all = ["csv", "items", "insight", "compare", "as_of_time"])]
    restated: Option<String>,
    /// With --items: at most so many
    #[arg(long, value_name = "N", default_value_t = 100, requires = "items", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// With --items: without the first so many
    #[arg(long, value_name = "N", default_value_t = 0, requires = "items")]
    offset: u32,
}

impl Asked {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

/// What part of the past, and in what parts.
#[derive(Debug, Args)]
struct Range {
    /// The first date [default: 41 days before the last]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last date [default: today]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// day, week, month, quarter or all [default: week]
    #[arg(long, value_name = "SIZE")]
    bucket: Option<String>,
    /// service, team, environment, escalation_policy, urgency, priority, severity, resolver_kind or user
    #[arg(long, value_name = "WHAT")]
    group_by: Option<String>,
    /// The order of groups: key, or value for the largest first [default: key]
    #[arg(long, value_name = "BY")]
    sort: Option<String>,
    /// all, or live: without what was rebuilt from PagerDuty's log [default: all]
    #[arg(long, value_name = "WHICH")]
    history: Option<String>,
    /// previous: the same for as many days before
    #[arg(long, value_name = "WHAT")]
    compare: Option<String>,
    /// trigger or current: which service, policy, urgency and priority count
    #[arg(long, value_name = "WHICH")]
    as_of: Option<String>,
    /// What came after this instant does not exist [default: now]
    #[arg(long, value_name = "TIME")]
    as_of_time: Option<String>,
    /// multitudes, middleware or datadog: how that product counts
    #[arg(long, value_name = "PRODUCT")]
    view: Option<String>,
}

/// What only some metrics have.
#[derive(Debug, Args)]
struct Own {
    /// Only what was resolved so: merge, human, timer, integration, api or none; for times to the resolve
    #[arg(long, value_name = "HOW")]
    resolver_kind: Vec<String>,
    /// Only this person, by id or name; for pages of people
    #[arg(long, value_name = "ID")]
    user: Vec<String>,
    /// Times to the resolve: last, first or open_time
    #[arg(long, value_name = "WHICH")]
    recovery: Option<String>,
    /// mttr: triggered or resolved
    #[arg(long, value_name = "WHICH")]
    bucket_by: Option<String>,
    /// pages, page_disruptions: incidents, notifications or acknowledgements
    #[arg(long, value_name = "WHAT")]
    source: Option<String>,
    /// Pages by notification: count e-mail, too
    #[arg(long)]
    include_email: bool,
    /// Pages by acknowledgement: those of a person this close are one
    #[arg(long, value_name = "N")]
    collapse_minutes: Option<String>,
    /// page_disruptions: pages or hours
    #[arg(long, value_name = "WHAT")]
    measure: Option<String>,
    /// page_disruptions: all, out_of_hours or working_hours
    #[arg(long, value_name = "WHICH")]
    when: Option<String>,
    /// page_disruptions: an hour of several people is one
    #[arg(long)]
    distinct: bool,
    /// change_failure_rate: attributed or impact
    #[arg(long, value_name = "HOW")]
    mode: Option<String>,
    /// How late a failure may come after its deployment, e.g. 24h, or none
    #[arg(long, value_name = "TIME")]
    max_lag: Option<String>,
    /// Metrics of DORA: the year of the published levels, or none
    #[arg(long, value_name = "YEAR")]
    benchmark: Option<String>,
}

/// A metric, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Answer {
    metric: String,
    from: String,
    to: String,
    time_zone: String,
    bucket: String,
    group_by: Vec<String>,
    clock: Option<String>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    buckets: Vec<Bucket>,
    series: Vec<Series>,
    left_out: Map<String, Value>,
    incomplete_since: Option<Timestamp>,
    #[serde(default)]
    in_several_groups: u64,
    hint: Option<String>,
    target: Option<Target>,
    benchmark: Option<Benchmark>,
    previous: Option<Box<Self>>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    name: String,
    value: String,
    value_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    start: String,
    from: String,
    to: String,
    partial: bool,
    incomplete: bool,
    immature: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Series {
    group: Vec<Group>,
    values: Vec<Figure>,
    total: Figure,
}

#[derive(Debug, Deserialize)]
struct Group {
    key: Option<String>,
    name: String,
}

/// The organisation's own target of a metric.
#[derive(Debug, Deserialize)]
struct Target {
    at_most: Option<f64>,
    at_least: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Benchmark {
    year: u16,
}

/// A figure: only the fields of its metric are there.
type Figure = Map<String, Value>;

pub(crate) async fn run(args: MetricsArgs, cx: &mut Context) -> Result<Exit, Failure> {
    if let Some(MetricsCommand::Connector(args)) = args.command {
        return connector::run(args, cx).await;
    }
    let args = args.asked;
    if args.name.is_none() {
        return areas::run(cx).await;
    }
    if args.items {
        return items::run(&args, cx).await;
    }
    if args.insight {
        return insights::run(&args, cx).await;
    }
    if let Some(read_at) = &args.restated {
        return restated::run(&args, read_at, cx).await;
    }
    let call = asking(&args, Call::get(["metrics", args.name()]));
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let answer: Answer = answer.read()?;
    if args.csv {
        cx.ui.raw(figures::as_csv(&answer).as_bytes());
    } else {
        figures::say(&answer, cx);
    }
    Ok(Exit::Done)
}

/// The figures of an answer of the API as CSV.
pub(crate) fn csv_of(answer: Value) -> Result<String, serde_json::Error> {
    Ok(figures::as_csv(&serde_json::from_value(answer)?))
}

/// Every flag as the parameter of its name.
fn asking(args: &Asked, call: Call) -> Call {
    let Asked {
        range,
        filters,
        own,
        ..
    } = args;
    let yes = |is_set: bool| is_set.then(|| "true".to_owned());
    let given = [
        ("from", range.from.clone()),
        ("to", range.to.clone()),
        ("bucket", range.bucket.clone()),
        ("group_by", range.group_by.clone()),
        ("compare", range.compare.clone()),
        ("sort", range.sort.clone()),
        ("history", range.history.clone()),
        ("as_of", range.as_of.clone()),
        ("as_of_time", range.as_of_time.clone()),
        ("view", range.view.clone()),
        ("recovery", own.recovery.clone()),
        ("bucket_by", own.bucket_by.clone()),
        ("source", own.source.clone()),
        ("include_email", yes(own.include_email)),
        ("collapse_minutes", own.collapse_minutes.clone()),
        ("measure", own.measure.clone()),
        ("when", own.when.clone()),
        ("distinct", yes(own.distinct)),
        ("mode", own.mode.clone()),
        ("max_lag", own.max_lag.clone()),
        ("benchmark", own.benchmark.clone()),
    ];
    let call = filters.ask(once(call, given));
    let call = often(call, "resolver_kind", &own.resolver_kind);
    often(call, "user", &own.user)
}
