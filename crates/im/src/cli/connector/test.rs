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
}

pub(crate) async fn run(args: TestArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let path = ["connectors", args.name.as_str(), "test"];
    let answer = cx.send(Call::post(path, json!({}))).await?;
    let found: Checks = answer.read()?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        checks::say(&found.lines, cx);
    }
    Ok(Exit::of_checks(found.ok))
}
