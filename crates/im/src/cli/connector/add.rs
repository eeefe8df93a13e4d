//! `im connector add`: six questions, or their answers as JSON.

use clap::{Args, ValueEnum};
use im_core::ConnectorName;
use serde_json::{Value, json};

use super::set_up;
use crate::cli::checks;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::types::Connector;
use crate::client::Call;

/// Which way changes go.
pub(super) const DIRECTIONS: [&str; 4] = ["bidirectional", "outbound", "inbound", "none"];

/// Add a connector
///
/// Asks for the API key, the API's address, the service, the e-mail address to act with, the escalation policy and
/// the direction, and lets you choose from what PagerDuty has; or takes all of it as JSON with `--config`. A key that
/// PagerDuty refuses, or that may not do what the direction needs, is not stored. Where PagerDuty can reach this server,
/// the webhook is made, too.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// What it connects to
    #[arg(value_name = "TYPE")]
    kind: Kind,
    /// What to call it: lower-case letters, digits and hyphens
    name: ConnectorName,
    /// The configuration as JSON (`@file` reads a file, `-` standard input); asks nothing
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
    /// Read what happened from then on: a date, an instant, days back, or none [default: 180d]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "lower")]
enum Kind {
    PagerDuty,
}

pub(crate) async fn run(args: AddArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let Kind::PagerDuty = args.kind;
    let config = match &args.config {
        Some(given) => parse(&cx.value(given)?)?,
        None if cx.interactive => set_up::ask(args.since.as_deref(), cx).await?,
        None => return Err(no_terminal(&args.name)),
    };
    let mut body = json!({"name": args.name.as_str(), "type": "pagerduty", "config": config});
    if let (Some(fields), Some(since)) = (body.as_object_mut(), &args.since) {
        fields.insert("since".to_owned(), since.as_str().into());
    }
    let answer = cx.send(Call::post(["connectors"], body)).await?;
    let connector: Connector = answer.read()?;
    for warning in &connector.warnings {
        cx.ui.warn(warning);
    }
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        cx.ui.say(format_args!(
            "Added {} ({}, {})",
            connector.name, connector.kind, connector.direction
        ));
        checks::say(&connector.checks, cx);
        cx.ui.hint(format_args!(
            "`im connector test {}` checks it",
            connector.name
        ));
    }
    Ok(Exit::Done)
}

fn no_terminal(name: &ConnectorName) -> Failure {
    Failure::usage("adding a connector asks six questions, and there is no terminal to ask on").hint(
        format!(
            "`im connector add pagerduty {name} --config @file` takes the answers as JSON; `--config -` reads standard input"
        ),
    )
}

fn parse(text: &str) -> Result<Value, Failure> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(wrong_config("it is not an object")),
        Err(error) => Err(wrong_config(&format!("it is not JSON: {error}"))),
    }
}

fn wrong_config(reason: &str) -> Failure {
    Failure::usage(format!("cannot read the configuration: {reason}")).hint(
        r#"write {"api_key": "…", "custom": {"service_id": "PXXXXXX", "from_email": "ops@company.com"}}"#,
    )
}

fn say_unless(good: bool, wanted: &str) -> Result<(), String> {
    if good { Ok(()) } else { Err(wanted.to_owned()) }
}

pub(super) fn not_empty(answer: &str) -> Result<(), String> {
    say_unless(!answer.is_empty(), "it is needed")
}

pub(super) fn address(answer: &str) -> Result<(), String> {
    let good = answer.starts_with("https://") || answer.starts_with("http://");
    say_unless(good, "it begins with https:// or http://")
}

pub(super) fn id(answer: &str) -> Result<(), String> {
    let good = !answer.is_empty() && answer.bytes().all(|byte| byte.is_ascii_alphanumeric());
    say_unless(good, "it has letters and digits only, like PXXXXXX")
}

pub(super) fn id_or_nothing(answer: &str) -> Result<(), String> {
    if answer.is_empty() {
        Ok(())
    } else {
        id(answer)
    }
}

/// Whether PagerDuty knows it is found out by the connector's test.
pub(super) fn email(answer: &str) -> Result<(), String> {
    let good = answer.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && host.contains('.')
            && !host.starts_with('.')
            && !host.ends_with('.')
            && !host.contains('@')
            && !answer.contains(char::is_whitespace)
    });
    say_unless(good, "it looks like ops@company.com")
}

pub(super) fn direction(answer: &str) -> Result<(), String> {
    let good = DIRECTIONS.contains(&answer);
    say_unless(
        good,
        "one of: bidirectional, outbound, inbound (or none, to pause)",
    )
}
