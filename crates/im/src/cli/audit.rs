//! `im audit`: who did what.

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::context::Context;
use super::error::{Exit, Failure};
use super::recent::RecentArgs;
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
    #[command(flatten)]
    recent: RecentArgs,
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
    let mut call = Call::get(["audit"]);
    if let Some(who) = &args.who {
        call = call.query("who", who);
    }
    let line = |row: &Row, cx: &Context| line(row, &cx.zone);
    args.recent.show(call, cx, "Nothing was done.", line).await
}

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
