//! `im team`: teams beside PagerDuty's.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{dash, list, object, put, remove};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::Column;
use crate::client::Call;

/// Make, list and remove teams beside PagerDuty's
#[derive(Debug, Args)]
pub(crate) struct TeamArgs {
    #[command(subcommand)]
    command: TeamCommand,
}

#[derive(Debug, Subcommand)]
enum TeamCommand {
    /// List the teams
    List,
    /// Make a team, or replace one
    Set(SetArgs),
    /// Remove a team
    Remove {
        /// Which
        id: String,
    },
}

/// A team as a whole: what is left out it does not have.
#[derive(Debug, Args)]
struct SetArgs {
    /// Its id, e.g. ops
    id: String,
    /// What people say
    #[arg(long)]
    name: Option<String>,
    /// Who is in it: an e-mail address or a user of PagerDuty's, with =FROM..TO where it is not for ever
    #[arg(long, value_name = "PERSON", value_parser = member)]
    member: Vec<Value>,
    /// A service that it is responsible for, by PagerDuty's id or by its name there or here
    #[arg(long, value_name = "SERVICE")]
    service: Vec<String>,
    /// A team of PagerDuty's that is a part of it, by id
    #[arg(long, value_name = "ID")]
    pagerduty_team: Vec<String>,
}

/// Reads `ann@example.com` or `ann@example.com=2026-01-01..2026-03-31`.
fn member(text: &str) -> Result<Value, String> {
    let Some((person, dates)) = text.split_once('=') else {
        return Ok(json!({ "person": text }));
    };
    let date = |text: &str| match text {
        "" => Some(None),
        text => text.parse::<Date>().ok().map(Some),
    };
    let parsed = dates
        .split_once("..")
        .and_then(|(from, to)| Some((date(from)?, date(to)?)));
    let (from, to) = parsed.ok_or("write it like ann@example.com=2026-01-01..2026-03-31")?;
    let text = |date: Option<Date>| date.map(|date| Value::from(date.to_string()));
    Ok(object([
        ("person", Some(person.into())),
        ("from", text(from)),
        ("to", text(to)),
    ]))
}

/// A team, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Team {
    id: String,
    name: Option<String>,
    #[serde(default)]
    members: Vec<Member>,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    pagerduty_teams: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Member {
    person: String,
    from: Option<String>,
    to: Option<String>,
}

pub(crate) async fn run(args: TeamArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        TeamCommand::List => {
            let columns = vec![
                Column::Whole("Team"),
                Column::Optional("Name", 0),
                Column::Wrapped("Members"),
                Column::Wrapped("Services"),
                Column::Wrapped("PagerDuty Teams"),
            ];
            let none = "No teams but PagerDuty's. `im team set ID --member EMAIL` makes one.";
            list(Call::get(["teams"]), (columns, none), row, cx).await?;
        }
        TeamCommand::Set(team) => {
            let said = format!("Set team {}", team.id);
            let body = object([
                ("id", Some(team.id.into())),
                ("name", team.name.map(Value::from)),
                ("members", Some(team.member.into())),
                ("services", Some(team.service.into())),
                ("pagerduty_teams", Some(team.pagerduty_team.into())),
            ]);
            put(Call::post(["teams"], body), &said, cx).await?;
        }
        TeamCommand::Remove { id } => {
            let said = format!("Removed team {id}");
            remove(Call::delete(["teams", &id]), &id, &said, cx).await?;
        }
    }
    Ok(Exit::Done)
}

fn row(team: &Team) -> Vec<Cell> {
    let some = |all: &[String]| match all {
        [] => "-".to_owned(),
        all => all.join(", "),
    };
    let members: Vec<String> = team.members.iter().map(said).collect();
    vec![
        Cell::new(&team.id),
        Cell::new(dash(team.name.as_ref())),
        Cell::new(some(&members)),
        Cell::new(some(&team.services)),
        Cell::new(some(&team.pagerduty_teams)),
    ]
}

fn said(member: &Member) -> String {
    let dates = match (&member.from, &member.to) {
        (None, None) => return member.person.clone(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("to {to}"),
        (Some(from), Some(to)) => format!("{from} to {to}"),
    };
    format!("{} ({dates})", member.person)
}
