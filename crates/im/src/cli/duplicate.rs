//! `im duplicate`.

use clap::Args;
use im_core::IncidentNumber;
use serde_json::{Map, json};

use super::change::{self, ChangeArgs};
use super::context::Context;
use super::error::{Exit, Failure};

/// Say that an incident is the same as another
///
/// It ends here and at PagerDuty; the other one goes on.
#[derive(Debug, Args)]
pub(crate) struct DuplicateArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// The incident that goes on
    #[arg(long, value_name = "INCIDENT")]
    of: IncidentNumber,
}

pub(crate) async fn run(args: DuplicateArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let mut body = Map::new();
    body.insert("of".to_owned(), json!(args.of.to_string()));
    change::run_with("duplicate", body, args.change, cx).await
}
