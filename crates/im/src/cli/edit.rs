//! `im edit`.

use clap::Args;
use im_core::Severity;
use serde_json::{Map, Value, json};

use super::args::{IncidentArg, WaitArg, field};
use super::change;
use super::context::Context;
use super::error::{Exit, Failure};
use crate::client::Call;

/// Change what is said about an incident
#[derive(Debug, Args)]
#[command(
    override_usage = "im edit [OPTIONS] INC-42 [--title] [--description] [--sev] [--service]"
)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    incident: IncidentArg,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    wait: WaitArg,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Fields {
    /// What is wrong, in a line
    #[arg(long)]
    title: Option<String>,
    /// More about it (`@file` reads a file, `-` standard input)
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// How bad it is: SEV-1 … SEV-4; PagerDuty's urgency follows
    #[arg(long, alias = "severity", value_name = "SEVERITY")]
    sev: Option<Severity>,
    /// What it is about; the incident moves to the PagerDuty service mapped to it
    #[arg(long)]
    service: Option<String>,
    /// A service that an incident of several is about, too (`cache,search`, or given more than once): it gets a
    /// PagerDuty incident of its own
    #[arg(long, value_name = "SERVICE", value_delimiter = ',')]
    add_service: Vec<String>,
    /// A field of your own, e.g. environment=production; `environment=` takes it away; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    field: Vec<(String, String)>,
}

pub(crate) async fn run(args: EditArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let Fields {
        title,
        description,
        sev,
        service,
        add_service,
        field,
    } = args.fields;
    let fields: Map<String, Value> = field
        .into_iter()
        .map(|(name, value)| (name, Some(value).filter(|text| !text.is_empty()).into()))
        .collect();
    let description = match description {
        Some(given) => Some(cx.value(&given)?),
        None => None,
    };
    let given = [
        ("title", title.map(Value::from)),
        ("description", description.map(Value::from)),
        ("severity", sev.map(|sev| json!(sev))),
        ("service", service.map(Value::from)),
        (
            "add_services",
            Some(Value::from(add_service)).filter(|services| *services != json!([])),
        ),
        (
            "fields",
            Some(Value::from(fields)).filter(|fields| *fields != json!({})),
        ),
    ];
    let body: Map<String, Value> = given
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    let call = Call::patch(["incidents", &args.incident.id()], body.into());
    change::send(call, &args.wait, cx).await
}
