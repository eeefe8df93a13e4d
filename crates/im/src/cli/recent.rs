//! What `im audit` and `im connector calls` have in common: the last rows of a log, one line each.

use clap::Args;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::error::{Exit, Failure};
use super::time;
use crate::client::Call;

/// How much of a log.
#[derive(Debug, Args)]
pub(super) struct RecentArgs {
    /// Only what is not older: a length like 15m, 2h, or a time like 2026-11-20T09:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The last, at most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

impl RecentArgs {
    /// Shows what `call` is answered, or that there is `nothing`. No line is cut, so that it can be searched.
    pub(super) async fn show<Row: DeserializeOwned>(
        &self,
        call: Call,
        cx: &mut Context,
        nothing: &str,
        line: impl Fn(&Row, &Context) -> String,
    ) -> Result<Exit, Failure> {
        let mut call = call.query("limit", self.limit.to_string());
        if let Some(since) = &self.since {
            call = call.query("since", time::since("--since", since, cx.now)?.to_string());
        }
        let answer = cx.send(call).await?;
        if cx.ui.json {
            cx.ui.document(&answer.body);
            return Ok(Exit::Done);
        }
        let rows: Vec<Row> = answer.read()?;
        if rows.is_empty() {
            cx.ui.note(nothing);
        }
        for row in &rows {
            cx.ui.say(line(row, cx));
        }
        Ok(Exit::Done)
    }
}
