//! `im connector update`: a new API key.

use clap::Args;
use im_core::ConnectorName;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::prompt::Question;
use crate::client::Call;

/// Where the key may stand without being seen by others.
const KEY_VARIABLE: &str = "IM_API_KEY";

/// Give a connector another API key
///
/// The key comes from `--api-key`, from IM_API_KEY, or from a question.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// Which connector
    name: ConnectorName,
    /// The key; better `-` (standard input) or `@file`, for others can see the command line
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
}

pub(crate) async fn run(args: UpdateArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let api_key = key(args.api_key.as_deref(), cx)?;
    let body = json!({ "api_key": api_key.trim() });
    let answer = cx
        .send(Call::patch(["connectors", args.name.as_str()], body))
        .await?;
    super::config::say_updated(&args.name, &answer, cx)?;
    Ok(Exit::Done)
}

fn key(given: Option<&str>, cx: &mut Context) -> Result<String, Failure> {
    if let Some(given) = given {
        if given != "-" && !given.starts_with('@') {
            cx.ui.warn(format_args!(
                "the key is in your shell's history now; {KEY_VARIABLE} or `--api-key -` keep it out"
            ));
        }
        return cx.value(given);
    }
    if let Some(key) = cx.variable(KEY_VARIABLE) {
        return Ok(key);
    }
    if !cx.interactive {
        return Err(
            Failure::usage("there is no key and no terminal to ask for it on").hint(format!(
                "set {KEY_VARIABLE}, or use `--api-key -` or `--api-key @file`"
            )),
        );
    }
    cx.prompt.secret(Question {
        label: "API Key:",
        default: None,
        help: "your new PagerDuty API key; it is not shown",
        check: super::add::not_empty,
    })
}
