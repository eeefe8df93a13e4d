//! `im connector doctor`.

use clap::Args;
use im_core::ConnectorName;

use crate::cli::checks;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::types::Checks;
use crate::client::Call;

/// Find out why webhooks do not come: address, TLS, subscription, signature, clocks
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Which connector
    name: ConnectorName,
}

pub(crate) async fn run(args: DoctorArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let path = ["connectors", args.name.as_str(), "doctor"];
    let answer = cx.send(Call::get(path)).await?;
    let found: Checks = answer.read()?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        checks::say(&found.lines, cx);
    }
    Ok(Exit::of_checks(found.ok))
}
