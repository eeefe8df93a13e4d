//! `im hours`: working hours of the organisation, of teams and of people, by date.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{dash, list, object, put, remove};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::Column;
use crate::cli::time;
use crate::client::Call;

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// The same in tables.
const SHORT: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Set and show working hours: the organisation's, teams', people's
///
/// A person's own hours go before those of the person's teams, and these before the organisation's.
/// Without any: Monday to Friday, 08:00 to 18:00. A change is a change of past figures, too.
#[derive(Debug, Args)]
pub(crate) struct HoursArgs {
    #[command(subcommand)]
    command: HoursCommand,
}

#[derive(Debug, Subcommand)]
enum HoursCommand {
    /// List the working hours
    List,
    /// Set working hours from a date on
    Set {
        /// Whose: organisation, team:ID or person:ID (an e-mail address, or PagerDuty's id of a user)
        of: String,
        /// The first date on which they hold
        #[arg(long, value_name = "DATE", value_parser = time::date)]
        from: Date,
        /// The zone of the wall clock, e.g. Pacific/Auckland [default: each person's own]
        #[arg(long)]
        zone: Option<String>,
        /// Days and hours, e.g. mon-fri=08:00-12:00,13:00-17:00; `none` where there are none; may be given more than once
        #[arg(long, value_name = "DAYS=HOURS", required = true, value_parser = days)]
        week: Vec<Days>,
    },
    /// Take back hours that were set from a date on
    Remove {
        /// Whose: organisation, team:ID or person:ID
        of: String,
        /// The date
        #[arg(long, value_name = "DATE", value_parser = time::date)]
        from: Date,
    },
}

/// The word for no hours.
const NO_HOURS: &str = "none";

/// Some days, and the same hours on each, or none.
#[derive(Debug, Clone)]
struct Days {
    days: Vec<&'static str>,
    hours: Vec<String>,
}

/// Reads `mon-fri=08:00-18:00`, `sat=none` or `none`; a range may pass the end of the week.
fn days(text: &str) -> Result<Days, String> {
    let is_none = |text: &str| text.trim().eq_ignore_ascii_case(NO_HOURS);
    let parse = || {
        if is_none(text) {
            return Some(Days {
                days: DAYS.to_vec(),
                hours: Vec::new(),
            });
        }
        let (days, hours) = text.split_once('=')?;
        let place = |word: &str| {
            let word = word.trim().to_lowercase();
            DAYS.iter()
                .position(|day| word.len() >= 3 && day.starts_with(&*word))
        };
        let (first, last) = match days.split_once('-') {
            Some((first, last)) => (place(first)?, place(last)?),
            None => (place(days)?, place(days)?),
        };
        let count = (last + DAYS.len() - first) % DAYS.len() + 1;
        let days = DAYS.iter().cycle().skip(first).take(count);
        let hours = if is_none(hours) {
            Vec::new()
        } else {
            let hours = hours.split(',').map(|hours| hours.trim().to_owned());
            hours.collect()
        };
        Some(Days {
            days: days.copied().collect(),
            hours,
        })
    };
    parse().ok_or_else(|| "write it like mon-fri=08:00-18:00".to_owned())
}

/// The hours of each day.
fn week_of(week: Vec<Days>) -> Map<String, Value> {
    let mut all = Map::new();
    for Days { days, hours } in week {
        for day in days {
            if hours.is_empty() {
                all.remove(day);
            } else {
                all.insert(day.to_owned(), hours.clone().into());
            }
        }
    }
    all
}

/// The hours of each day, out of a text like `mon-fri=08:00-18:00 sat=10:00-12:00`.
pub(crate) fn week(text: &str) -> Result<Map<String, Value>, String> {
    let days: Result<Vec<Days>, String> = text.split_whitespace().map(days).collect();
    days.map(week_of)
}

/// Working hours, as far as they are shown.
#[derive(Debug, Deserialize)]
struct Hours {
    of: String,
    effective_from: String,
    zone: Option<String>,
    week: Map<String, Value>,
}

pub(crate) async fn run(args: HoursArgs, cx: &mut Context) -> Result<Exit, Failure> {
    match args.command {
        HoursCommand::List => {
            let columns = vec![
                Column::Rest("Whose"),
                Column::Whole("From"),
                Column::Optional("Zone", 0),
                Column::Wrapped("Hours"),
            ];
            let none = "No working hours are set: Monday to Friday, 08:00 to 18:00, of each person's clock. `im hours set organisation` sets others.";
            list(Call::get(["hours"]), (columns, none), row, cx).await?;
        }
        HoursCommand::Set {
            of,
            from,
            zone,
            week,
        } => {
            let all = week_of(week);
            let said = format!("Set the working hours of {of} from {from} on");
            let body = object([
                ("of", Some(of.into())),
                ("effective_from", Some(from.to_string().into())),
                ("zone", zone.map(Value::from)),
                ("week", Some(all.into())),
            ]);
            put(Call::post(["hours"], body), &said, cx).await?;
        }
        HoursCommand::Remove { of, from } => {
            let from = from.to_string();
            let said = format!("Took back the working hours of {of} from {from} on");
            let call = Call::delete(["hours", &of, &from]);
            remove(call, &format!("{of}@{from}"), &said, cx).await?;
        }
    }
    Ok(Exit::Done)
}

fn row(hours: &Hours) -> Vec<Cell> {
    vec![
        Cell::new(&hours.of),
        Cell::new(&hours.effective_from),
        Cell::new(dash(hours.zone.as_ref())),
        Cell::new(said(&hours.week)),
    ]
}

/// `Mon-Fri 08:00-18:00; Sat 10:00-12:00`.
pub(crate) fn said(week: &Map<String, Value>) -> String {
    let of = |day: &str| {
        let hours = week.get(day).and_then(Value::as_array);
        let hours = hours.into_iter().flatten().filter_map(Value::as_str);
        hours.collect::<Vec<_>>().join(", ")
    };
    let mut runs: Vec<(&str, &str, String)> = Vec::new();
    let mut is_next = false;
    for (day, short) in DAYS.into_iter().zip(SHORT) {
        let hours = of(day);
        match runs.last_mut() {
            Some((_, last, same)) if is_next && *same == hours => *last = short,
            _ if hours.is_empty() => {}
            _ => runs.push((short, short, hours.clone())),
        }
        is_next = !hours.is_empty();
    }
    let runs = runs.into_iter();
    let runs = runs.map(|(first, last, hours)| {
        if first == last {
            format!("{first} {hours}")
        } else {
            format!("{first}-{last} {hours}")
        }
    });
    let said = runs.collect::<Vec<_>>().join("; ");
    if said.is_empty() {
        NO_HOURS.to_owned()
    } else {
        said
    }
}
