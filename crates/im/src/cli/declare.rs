//! `im declare`.

use std::collections::BTreeMap;

use clap::Args;
use im_core::{ConnectorName, Severity};
use serde_json::{Map, Value, json};

use super::args::{WaitArg, field};
use super::change;
use super::context::Context;
use super::error::{Exit, Failure};
use crate::client::Call;

/// Declare an incident
///
/// It exists here at once. PagerDuty pages the people on call within seconds; the command waits for that, at most `--wait`.
#[derive(Debug, Args)]
pub(crate) struct DeclareArgs {
    /// How bad it is: SEV-1 (critical), SEV-2 (major), SEV-3 (minor) or SEV-4 (informational)
    #[arg(long, alias = "severity", value_name = "SEVERITY")]
    sev: Severity,
    /// What is wrong, in a line
    #[arg(long)]
    title: String,
    /// What it is about; the connector maps it to a PagerDuty service. Of several (`database,api`, or given more than
    /// once) each gets a PagerDuty incident of its own
    #[arg(long, value_delimiter = ',')]
    service: Vec<String>,
    /// More about it (`@file` reads a file, `-` standard input)
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A field of your own, e.g. environment=production; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    field: Vec<(String, String)>,
    /// The connector that tells PagerDuty, when there are several
    #[arg(long, value_name = "NAME")]
    connector: Option<ConnectorName>,
    #[command(flatten)]
    wait: WaitArg,
}

pub(crate) async fn run(args: DeclareArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("title", json!(args.title));
    put("severity", json!(args.sev));
    match args.service.as_slice() {
        [] => {}
        [service] => drop(put("service", json!(service))),
        services => drop(put("services", json!(services))),
    }
    if let Some(connector) = &args.connector {
        put("connector", json!(connector.as_str()));
    }
    if let Some(description) = &args.description {
        put("description", json!(cx.value(description)?));
    }
    if !args.field.is_empty() {
        let fields: BTreeMap<String, String> = args.field.into_iter().collect();
        body.insert("fields".to_owned(), json!(fields));
    }
    let call = Call::post(["incidents"], body.into());
    let outcome = change::make(call, &args.wait, cx).await?;
    if let Some(incident) = outcome.and_then(|outcome| outcome.incident) {
        let parts = incident.parts.into_iter().map(|part| part.pagerduty);
        let twins = [incident.pagerduty].into_iter().chain(parts).flatten();
        for url in twins.filter_map(|twin| twin.url) {
            cx.ui.say(format_args!("  {url}"));
        }
    }
    Ok(Exit::Done)
}
