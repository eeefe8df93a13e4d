//! `im annotate`: what people say of an incident beside its facts, and who said it.

use clap::Args;
use comfy_table::Cell;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::args::IncidentArg;
use super::context::Context;
use super::error::{Exit, Failure};
use super::table::{self, Column};
use super::types::{Actor, Annotations};
use super::{show, time};
use crate::client::Call;

const FIELDS: [&str; 7] = [
    "environment",
    "deployment",
    "caused_by",
    "not_change_related",
    "cause",
    "impact_start",
    "impact_end",
];

/// Say what an incident's impact, cause, environment or deployment was
///
/// Without a flag it shows what was said, by whom, when and why. Metrics keep PagerDuty's clock,
/// whatever the impact was.
#[derive(Debug, Args)]
#[command(override_usage = "im annotate [OPTIONS] INC-42")]
pub(crate) struct AnnotateArgs {
    #[command(flatten)]
    incident: IncidentArg,
    /// When it began to harm
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    impact_start: Option<Timestamp>,
    /// When the harm was over
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    impact_end: Option<Timestamp>,
    /// The category of its cause, which findings count
    #[arg(long, value_name = "TEXT")]
    cause: Option<String>,
    /// The environment that it is in
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The deployment that the incident names: an id, or a version of its service
    #[arg(long, value_name = "ID")]
    deployment: Option<String>,
    /// The deployment that caused it, whatever else says, or none
    #[arg(long, value_name = "ID", requires = "reason")]
    caused_by: Option<String>,
    /// No change caused it: it is no failure
    #[arg(long, requires = "reason")]
    not_change_related: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Take back what was said; may be given more than once
    #[arg(long, value_name = "FIELD", value_parser = FIELDS)]
    clear: Vec<String>,
}

/// What is said of an incident.
#[derive(Debug, Deserialize)]
struct Said {
    current: Annotations,
    behind: Option<Behind>,
    recurs_from: Option<String>,
    history: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Behind {
    deployment: Option<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Entry {
    at: Timestamp,
    actor: Actor,
    field: String,
    value: Option<String>,
    reason: Option<String>,
}

pub(crate) async fn run(args: AnnotateArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let id = args.incident.id();
    let body = body(args);
    let path = ["incidents", &id, "annotations"];
    let call = if body.is_empty() {
        Call::get(path)
    } else {
        Call::patch(path, body.into())
    };
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let said: Said = answer.read()?;
    if said.history.is_empty() && said.behind.is_none() && said.recurs_from.is_none() {
        cx.ui.note(format_args!(
            "Nothing was said of {id}. `im annotate {id} --cause TEXT` says what caused it; `im help annotate` lists the rest."
        ));
        return Ok(Exit::Done);
    }
    let mut lines = show::annotated(&said.current, cx);
    if let Some(behind) = said.behind {
        let deployment = behind.deployment.as_deref().unwrap_or("none");
        lines.push(("Behind it", format!("{deployment}: {}", behind.reason)));
    }
    lines.extend(said.recurs_from.map(|before| ("Recurs from", before)));
    show::say_labelled(&lines, "", cx);
    if !said.history.is_empty() {
        cx.ui.say("");
        say_history(&said.history, cx);
    }
    Ok(Exit::Done)
}

/// Every flag as the field of its name.
fn body(args: AnnotateArgs) -> Map<String, Value> {
    let time = |at: Option<Timestamp>| at.map(|at| Value::from(at.to_string()));
    let given = [
        ("impact_start", time(args.impact_start)),
        ("impact_end", time(args.impact_end)),
        ("cause", args.cause.map(Value::from)),
        ("environment", args.environment.map(Value::from)),
        ("deployment", args.deployment.map(Value::from)),
        ("caused_by", args.caused_by.map(Value::from)),
        (
            "not_change_related",
            args.not_change_related.then(|| true.into()),
        ),
        ("reason", args.reason.map(Value::from)),
    ];
    let given = given.into_iter();
    let given = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let cleared = args.clear.into_iter().map(|name| (name, Value::Null));
    given.chain(cleared).collect()
}

fn say_history(history: &[Entry], cx: &mut Context) {
    let mut columns = vec![
        Column::Whole("When"),
        Column::Rest("Who"),
        Column::Whole("What"),
        Column::Wrapped("Value"),
        Column::Wrapped("Why"),
    ];
    let rows = history.iter().map(|entry| {
        let who = entry.actor.name.as_deref().or(entry.actor.id.as_deref());
        vec![
            Cell::new(time::ago(entry.at, cx.now)),
            Cell::new(who.unwrap_or("-")),
            Cell::new(&entry.field),
            Cell::new(entry.value.as_deref().unwrap_or("taken back")),
            Cell::new(entry.reason.as_deref().unwrap_or("-")),
        ]
    });
    let mut rows: Vec<Vec<Cell>> = rows.collect();
    let width = cx.ui.table_width();
    table::fit(&mut columns, &mut rows, width);
    cx.ui.say(table::rows(&columns, rows, width));
}
