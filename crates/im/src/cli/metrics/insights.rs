//! One sentence for each figure of a metric.

use serde::Deserialize;

use super::{Asked, asking};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table;
use crate::client::Call;

#[derive(Debug, Deserialize)]
struct Insight {
    text: String,
}

pub(super) async fn run(args: &Asked, cx: &mut Context) -> Result<Exit, Failure> {
    let call = asking(args, Call::get(["metrics", args.name(), "insights"]));
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let insights: Vec<Insight> = answer.read()?;
    if insights.is_empty() {
        cx.ui.note("Nothing in this range.");
    }
    let width = cx.ui.width;
    for insight in insights {
        cx.ui.say(table::flow("", &insight.text, width));
    }
    Ok(Exit::Done)
}
