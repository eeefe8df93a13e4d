//! `im note`.

use clap::Args;
use im_core::{IncidentNumber, ParseIdError};
use serde_json::json;

use super::args::WaitArg;
use super::change;
use super::context::Context;
use super::error::{Exit, Failure};
use crate::client::Call;

/// Add a note to an incident
///
/// It appears once here and once at PagerDuty, where its writer is named.
#[derive(Debug, Args)]
#[command(
    override_usage = "im note [OPTIONS] INC-42 TEXT...\n       im note [OPTIONS] --incident INC-42 TEXT..."
)]
pub(crate) struct NoteArgs {
    /// The incident and the text; a text of `-` is read from standard input
    #[arg(required = true, value_name = "INCIDENT TEXT")]
    words: Vec<String>,
    /// The incident, as a flag; then all words are the text
    #[arg(long, value_name = "INCIDENT")]
    incident: Option<IncidentNumber>,
    #[command(flatten)]
    wait: WaitArg,
}

pub(crate) async fn run(args: NoteArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let (incident, words) =
        split(args.incident, &args.words).map_err(|error| Failure::usage(error.to_string()))?;
    let text = cx.text(&words.join(" "))?;
    if text.trim().is_empty() {
        return Err(Failure::usage("the note has no text").hint(format!(
            "`im note {incident} \"what you found\"`, or `-` to read it"
        )));
    }
    let body = json!({ "text": text });
    let path = ["incidents", &incident.to_string(), "notes"];
    change::send(Call::post(path, body), &args.wait, cx).await
}

/// The incident and what is left: the flag's, or else the first word's.
pub(crate) fn split(
    flag: Option<IncidentNumber>,
    words: &[String],
) -> Result<(IncidentNumber, &[String]), ParseIdError> {
    match (flag, words) {
        (Some(incident), words) => Ok((incident, words)),
        (None, [first, rest @ ..]) => Ok((first.parse()?, rest)),
        (None, []) => "".parse().map(|incident| (incident, words)),
    }
}
