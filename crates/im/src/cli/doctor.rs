//! `im doctor`.

use clap::Args;

use super::checks;
use super::context::Context;
use super::error::{Exit, Failure};
use super::types::Checks;
use crate::client::Call;

/// Check the database, the stored state and each connector
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {}

pub(crate) async fn run(_: DoctorArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let answer = cx.send(Call::get(["doctor"])).await?;
    let found: Checks = answer.read()?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        checks::say(&found.lines, cx);
    }
    Ok(Exit::of_checks(found.ok))
}
