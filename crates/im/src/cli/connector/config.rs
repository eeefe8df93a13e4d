//! `im connector config`.

use clap::Args;
use im_core::ConnectorName;
use serde_json::{Map, Value};

use super::add::DIRECTIONS;
use crate::cli::checks;
use crate::cli::config;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::types::Connector;
use crate::client::{Answer, Call};

/// Show a connector's configuration, or change parts of it
///
/// Without flags it shows everything; secrets are masked.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Which connector
    name: ConnectorName,
    /// The PagerDuty service for incidents without a mapped one
    #[arg(long, value_name = "ID")]
    service_id: Option<String>,
    /// The e-mail address of the PagerDuty user to act with
    #[arg(long, value_name = "EMAIL")]
    from_email: Option<String>,
    /// The default escalation policy; `none` leaves it to the service
    #[arg(long, value_name = "ID")]
    escalation_policy: Option<String>,
    /// Which way changes go; `none` pauses the connector
    #[arg(long, value_parser = DIRECTIONS)]
    direction: Option<String>,
    /// When an incident of several services is over: once all of its PagerDuty incidents are resolved, or any
    #[arg(long, value_name = "RULE", value_parser = ["all", "any"])]
    resolve_rule: Option<String>,
    /// Whose value counts where both sides change a field: its owner's, the later one, or what a person says
    #[arg(long, value_name = "STRATEGY", value_parser = ["ownership-priority", "last-write-wins", "manual-review"])]
    conflict_strategy: Option<String>,
    /// How often to compare with PagerDuty, e.g. 90s, 5m, 1h
    #[arg(long, value_name = "TIME")]
    sync_interval: Option<String>,
    /// Where PagerDuty's API is
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Any other part by its name, e.g. custom.service_mappings.db=PDAT001; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, Value)>,
}

pub(crate) async fn run(args: ConfigArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let name = args.name.clone();
    let changes = changes(args);
    if changes.is_empty() {
        let answer = cx
            .send(Call::get(["connectors", name.as_str(), "config"]))
            .await?;
        config::say_fields(&answer, cx)?;
    } else {
        let body = Value::Object(changes);
        let answer = cx
            .send(Call::patch(["connectors", name.as_str()], body))
            .await?;
        say_updated(&name, &answer, cx)?;
    }
    Ok(Exit::Done)
}

/// Says that a part of the configuration is another one now.
pub(super) fn say_updated(
    name: &ConnectorName,
    answer: &Answer,
    cx: &mut Context,
) -> Result<(), Failure> {
    let connector: Connector = answer.read()?;
    for warning in &connector.warnings {
        cx.ui.warn(warning);
    }
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        cx.ui.say(format_args!("Updated {name}"));
        checks::say(&connector.checks, cx);
        cx.ui
            .hint(format_args!("`im connector test {name}` checks it"));
    }
    Ok(())
}

/// The part of the configuration that the flags name.
fn changes(args: ConfigArgs) -> Map<String, Value> {
    let policy = args.escalation_policy.map(|id| match id.as_str() {
        "none" => Value::Null,
        _ => Value::from(id),
    });
    let named = [
        ("custom.service_id", args.service_id.map(Value::from)),
        ("custom.from_email", args.from_email.map(Value::from)),
        ("custom.escalation_policy_id", policy),
        ("custom.resolve_rule", args.resolve_rule.map(Value::from)),
        (
            "custom.conflict_strategy",
            args.conflict_strategy.map(Value::from),
        ),
        ("sync_direction", args.direction.map(Value::from)),
        ("sync_interval", args.sync_interval.map(Value::from)),
        ("base_url", args.base_url.map(Value::from)),
    ];
    let mut part = Map::new();
    for (name, value) in named {
        if let Some(value) = value {
            insert(&mut part, name, value);
        }
    }
    for (name, value) in args.set {
        insert(&mut part, &name, value);
    }
    part
}

/// Puts `value` where the dotted `name` points.
fn insert(part: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            part.insert(name.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = part
                .entry(first)
                .and_modify(|old| {
                    if !old.is_object() {
                        *old = Value::Object(Map::new());
                    }
                })
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// `name=value`; the value is JSON if it reads as JSON, else a text.
fn assignment(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| name.split('.').all(|part| !part.is_empty()))
        .ok_or("write NAME=VALUE, e.g. custom.auto_resolve=false")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_not_json| Value::from(value));
    Ok((name.to_owned(), value))
}
