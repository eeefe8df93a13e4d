//! `im connector test`.

use clap::Args;
use im_core::ConnectorName;
use serde_json::json;

use crate::cli::checks;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::types::Checks;
use crate::client::Call;

/// Test a connector: the key, the service, the user, the policy, the webhook
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Which connector
    name: ConnectorName,
    /// Try a routing key of the Events API instead: one [test] event, seen by webhook, resolved again. It pages who is on
    /// call (`-` reads the key from standard input, `@file` from a file)
    #[arg(long, value_name = "KEY")]
    routing_key: Option<String>,
    /// With --routing-key: how long each webhook is waited for
    #[arg(long, value_name = "LENGTH", requires = "routing_key")]
    wait: Option<String>,
}

pub(crate) async fn run(args: TestArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let name = args.name.as_str();
    let call = match args.routing_key {
        Some(key) => {
            let key = cx.value(&key)?;
            let call = Call::post(
                ["connectors", name, "test-event"],
                json!({"routing_key": key.trim()}),
            );
            match &args.wait {
                Some(wait) => call.query("wait", wait.as_str()),
                None => call,
            }
        }
        None => Call::post(["connectors", name, "test"], json!({})),
    };
    let answer = cx.send(call).await?;
    let found: Checks = answer.read()?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        checks::say(&found.lines, cx);
    }
    Ok(Exit::of_checks(found.ok))
}
