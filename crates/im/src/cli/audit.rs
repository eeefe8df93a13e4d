//! `im audit`: who did what.

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::context::Context;
use super::error::{Exit, Failure};
use super::time;
use crate::client::Call;

/// Show who changed what, the last first
///
/// What people, tokens and this machine do is kept for 400 days, with what was refused to them.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Only what was done by this person or token, or in this person's name
    #[arg(long, value_name = "EMAIL|TOKEN")]
    who: Option<String>,
    /// Only what is not older: a length like 15m, 2h, or a time like 2026-11-20T09:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The last, at most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

#[derive(Debug, Deserialize)]
struct Row {
    at: Timestamp,
    kind: String,
    who: String,
    acts_as: Option<String>,
    address: String,
    act: String,
    thing: String,
    status: u16,
}

pub(crate) async fn run(args: AuditArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let mut call = Call::get(["audit"]).query("limit", args.limit.to_string());
    if let Some(who) = &args.who {
        call = call.query("who", who);
    }
    if let Some(since) = &args.since {
        call = call.query("since", time::since(since, cx.now)?.to_string());
    }
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let rows: Vec<Row> = answer.read()?;
    if rows.is_empty() {
        cx.ui.note("Nothing was done.");
        return Ok(Exit::Done);
    }
    for row in &rows {
        cx.ui.say(line(row, &cx.zone));
    }
    Ok(Exit::Done)
}

/// A sentence: nothing of it is cut, so that it can be searched.
fn line(row: &Row, zone: &TimeZone) -> String {
    let (at, who, outcome) = (time::full(row.at, zone), who(row), outcome(row.status));
    let thing = match &*row.thing {
        "" => String::new(),
        thing => format!(" ({thing})"),
    };
    let from = match &*row.address {
        "" => String::new(),
        address => format!(", from {address}"),
    };
    format!("{at}  {who} {}{thing}: {outcome}{from}", row.act)
}

fn who(row: &Row) -> String {
    let name = match (row.kind.as_str(), row.who.as_str()) {
        ("local", _) => "the administrator".to_owned(),
        ("token", name) => format!("token {name}"),
        ("nobody", "") => "nobody known".to_owned(),
        ("nobody", name) => format!("nobody as {name}"),
        (_, name) => name.to_owned(),
    };
    match &row.acts_as {
        Some(other) => format!("{name} for {other}"),
        None => name,
    }
}

fn outcome(status: u16) -> String {
    match status {
        0..400 => "done".to_owned(),
        401 | 403 | 429 => format!("refused ({status})"),
        400..500 => format!("not done ({status})"),
        500.. => format!("failed ({status})"),
    }
}
