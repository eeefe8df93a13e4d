//! `im assign`.

use clap::Args;
use im_core::IncidentNumber;
use serde_json::json;

use super::args::WaitArg;
use super::context::Context;
use super::error::{Exit, Failure};
use super::{change, note};
use crate::client::Call;

/// Give an incident to one or more people
///
/// They replace the present assignees, here and at PagerDuty, and are notified there.
#[derive(Debug, Args)]
#[command(
    override_usage = "im assign [OPTIONS] INC-42 EMAIL...\n       im assign [OPTIONS] --incident INC-42 EMAIL..."
)]
pub(crate) struct AssignArgs {
    /// The incident and the people: e-mail addresses or PagerDuty user ids
    #[arg(required = true, value_name = "INCIDENT EMAIL")]
    words: Vec<String>,
    /// The incident, as a flag; then all words are people
    #[arg(long, value_name = "INCIDENT")]
    incident: Option<IncidentNumber>,
    #[command(flatten)]
    wait: WaitArg,
}

pub(crate) async fn run(args: AssignArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let (incident, people) = note::split(args.incident, &args.words)
        .map_err(|error| Failure::usage(error.to_string()))?;
    if people.is_empty() {
        return Err(Failure::usage("nobody is named")
            .hint(format!("`im assign {incident} ann@example.com`")));
    }
    let path = ["incidents", &incident.to_string(), "assign"];
    change::send(Call::post(path, json!({ "to": people })), &args.wait, cx).await
}
