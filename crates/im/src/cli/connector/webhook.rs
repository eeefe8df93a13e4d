//! `im connector webhook`: how PagerDuty tells us at once.

use clap::Args;
use im_core::ConnectorName;
use serde_json::{Value, json};

use super::status::capitalised;
use crate::cli::checks;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::prompt::Question;
use crate::cli::types::{Checks, Connector};
use crate::cli::{table, time};
use crate::client::Call;

/// Show, set up, test or end the webhook of a connector
#[derive(Debug, Args)]
#[command(
    override_usage = "im connector webhook NAME [--enable|--repair|--disable|--manual|--test]"
)]
pub(crate) struct WebhookArgs {
    /// Which connector
    name: ConnectorName,
    #[command(flatten)]
    action: Action,
    /// With --enable and --repair: accept a public address that begins with http:// (for tests on one machine)
    #[arg(long, requires = "Action", conflicts_with_all = ["disable", "manual", "test"])]
    insecure: bool,
    /// With --enable: what it listens to, `account`, `service:ID` or `team:ID` [default: the account]
    #[arg(long, value_name = "SCOPE", requires = "enable")]
    scope: Option<String>,
    /// With --manual: the secret that PagerDuty showed (`-` reads it from standard input, `@file` from a file)
    #[arg(long, requires = "manual", value_name = "SECRET")]
    secret: Option<String>,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five flags of which clap lets one through"
)]
struct Action {
    /// Make the subscription at PagerDuty and keep its secret
    #[arg(long)]
    enable: bool,
    /// Put right what was changed of it in PagerDuty: address, events, what it listens to, switched off, deleted
    #[arg(long)]
    repair: bool,
    /// Remove the subscription at PagerDuty
    #[arg(long)]
    disable: bool,
    /// Print the steps to make it by hand, then ask for the secret
    #[arg(long)]
    manual: bool,
    /// Have PagerDuty send a test event and wait for it
    #[arg(long)]
    test: bool,
}

pub(crate) async fn run(args: WebhookArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let name = args.name.as_str();
    let body = match &args.action {
        Action { manual: true, .. } => match secret(name, args.secret.as_deref(), cx).await? {
            Some(secret) => json!({"action": "manual", "secret": secret}),
            None => return Ok(Exit::Done),
        },
        Action { disable: true, .. } => json!({"action": "disable"}),
        Action { test: true, .. } => json!({"action": "test"}),
        Action { repair: true, .. } => json!({"action": "repair", "insecure": args.insecure}),
        Action { enable: true, .. } => enable(&args),
        Action { .. } => return show(name, cx).await,
    };
    let answer = cx.send(call(name, body)).await?;
    let found: Checks = answer.read()?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        checks::say(&found.lines, cx);
        say_url(&found, cx);
    }
    Ok(Exit::of_checks(found.ok))
}

/// Where PagerDuty delivers, what it tells, and how that went.
async fn show(name: &str, cx: &mut Context) -> Result<Exit, Failure> {
    let answer = cx.send(Call::get(["connectors", name])).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let Connector { webhook, .. } = answer.read()?;
    let url = webhook.url.unwrap_or_else(|| {
        "nobody knows yet under which address PagerDuty reaches this server; `im config set public_url https://…`".to_owned()
    });
    let moment = |at| time::full(at, &cx.zone);
    let delivery = webhook
        .last_delivery
        .map_or_else(|| "none yet".to_owned(), moment);
    let error = webhook.last_error.map_or_else(
        || "none".to_owned(),
        |error| format!("{}, {}", moment(error.at), error.what),
    );
    let mut lines = vec![
        ("Webhook: ", capitalised(&webhook.state)),
        ("URL: ", url),
        ("Events: ", events(&webhook.events)),
        ("Last Delivery: ", delivery),
        ("Last Error: ", error),
    ];
    if !webhook.missing_events.is_empty() {
        lines.push(("Left Out: ", webhook.missing_events.join(", ")));
    }
    lines.extend(webhook.changed.map(|changed| ("Changed: ", changed)));
    let width = cx.ui.width;
    for (head, text) in lines {
        cx.ui.say(table::hanging(head, &text, width));
    }
    Ok(Exit::Done)
}

fn events(told: &[String]) -> String {
    match told {
        [] => "none".to_owned(),
        told => told.join(", "),
    }
}

fn enable(args: &WebhookArgs) -> Value {
    let mut body = json!({"action": "enable"});
    if let Some(fields) = body.as_object_mut() {
        if args.insecure {
            fields.insert("insecure".to_owned(), true.into());
        }
        if let Some(scope) = &args.scope {
            fields.insert("scope".to_owned(), scope.as_str().into());
        }
    }
    body
}

fn call(name: &str, body: Value) -> Call {
    Call::post(["connectors", name, "webhook"], body)
}

/// The secret of a webhook made by hand: given, or asked for below the steps that lead to it.
/// Where nobody can be asked, the steps are all there is.
async fn secret(
    name: &str,
    given: Option<&str>,
    cx: &mut Context,
) -> Result<Option<String>, Failure> {
    if let Some(given) = given {
        return Ok(Some(cx.value(given)?.trim().to_owned()));
    }
    let answer = cx.send(call(name, json!({"action": "manual"}))).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(None);
    }
    let steps: Checks = answer.read()?;
    for (index, step) in steps.lines.iter().enumerate() {
        let width = cx.ui.width;
        let head = format!("{}. ", index + 1);
        cx.ui.say(table::hanging(&head, &step.text, width));
    }
    say_url(&steps, cx);
    if !cx.interactive {
        cx.ui.hint(format_args!(
            "then `im connector webhook {name} --manual --secret -` reads the secret that PagerDuty showed"
        ));
        return Ok(None);
    }
    let asked = cx.prompt.secret(Question {
        label: "Signing secret:",
        default: None,
        help: "PagerDuty shows it once, when the webhook is added; it is not shown here",
        check: super::add::not_empty,
    })?;
    Ok(Some(asked))
}

fn say_url(found: &Checks, cx: &mut Context) {
    if let Some(url) = &found.url {
        cx.ui.say(format_args!("Webhook URL: {url}"));
    }
}
