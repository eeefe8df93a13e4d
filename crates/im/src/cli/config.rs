//! `im config`: settings of the server.

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::context::Context;
use super::error::{Exit, Failure};
use crate::client::{Answer, Call};

/// Show or change the settings
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show every setting
    Show,
    /// Change one setting
    Set {
        /// Which
        #[arg(value_parser = SETTINGS)]
        key: String,
        /// To what. `status_model`: documented (acknowledging mitigates) or lifecycle (two states).
        /// `public_url`: the address under which PagerDuty reaches this server.
        /// `notify_url`: a webhook of yours that is told when something about a connector changes.
        /// `trusted_proxy_hops`: how many proxies of yours are in front of it (0: none).
        /// `time_zone`: the zone in which metrics count days, e.g. Europe/Berlin.
        /// `identity_header`: the header that names the connector of a webhook at /events.
        /// `hide_emails`: true leaves out the e-mail addresses that PagerDuty tells of its users; figures
        /// name a person who is one by the user's id. What was typed in here stays: people, teams, hours.
        /// `test_keyword`: what stands in the title of a test incident, which figures leave out.
        /// `default_filter`: which incidents figures on pages are of: all, urgency=high or priority=P1,P2.
        /// `contact`: whom people ask for help, e.g. help@example.com.
        /// `oidc_issuer`, `oidc_client_id`, `oidc_client_secret`: the provider by which people sign in
        /// (OpenID Connect); the secret better as `-` (standard input) or `@file`.
        /// `oidc_domains`: whose addresses need no invitation, e.g. example.com=viewer
        value: String,
    },
}

const SETTINGS: [&str; 14] = [
    "status_model",
    "public_url",
    "notify_url",
    "trusted_proxy_hops",
    "time_zone",
    "identity_header",
    "hide_emails",
    "test_keyword",
    "default_filter",
    "contact",
    "oidc_issuer",
    "oidc_client_id",
    SECRET,
    "oidc_domains",
];
/// The one that others must not see.
const SECRET: &str = "oidc_client_secret";

pub(crate) async fn run(args: ConfigArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let call = match args.command {
        ConfigCommand::Show => Call::get(["settings"]),
        ConfigCommand::Set { key, value } => {
            let value = if key == SECRET {
                secret(&value, cx)?
            } else {
                value
            };
            let body = Map::from_iter([(key, Value::from(value))]);
            Call::patch(["settings"], body.into())
        }
    };
    let answer = cx.send(call).await?;
    say_fields(&answer, cx)?;
    Ok(Exit::Done)
}

fn secret(given: &str, cx: &mut Context) -> Result<String, Failure> {
    if !given.is_empty() && given != "-" && !given.starts_with('@') {
        cx.ui.warn(
            "the secret is in your shell's history now; `-` (standard input) or `@file` keeps it out",
        );
    }
    cx.value(given)
}

/// Prints a configuration, one dotted name and its value a line.
pub(crate) fn say_fields(answer: &Answer, cx: &mut Context) -> Result<(), Failure> {
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(());
    }
    let fields: Value = answer.read()?;
    let mut lines = Vec::new();
    flatten("", &fields, &mut lines);
    let widest = lines.iter().map(|(name, _)| name.chars().count()).max();
    let widest = widest.unwrap_or_default();
    for (name, value) in lines {
        cx.ui.say(format_args!("{name:<widest$}  {value}"));
    }
    Ok(())
}

fn flatten(prefix: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let dot = if prefix.is_empty() { "" } else { "." };
                flatten(&format!("{prefix}{dot}{name}"), value, lines);
            }
        }
        Value::String(text) => lines.push((prefix.to_owned(), text.clone())),
        Value::Null => lines.push((prefix.to_owned(), "-".to_owned())),
        other => lines.push((prefix.to_owned(), other.to_string())),
    }
}
