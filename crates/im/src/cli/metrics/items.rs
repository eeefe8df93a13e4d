//! What is behind a metric, as a list.

use comfy_table::Cell;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Asked, Group, asking, figures};
use crate::cli::context::Context;
use crate::cli::error::{self, Exit};
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::client::Call;

#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the API calls them so")]
struct Items {
    time_zone: String,
    total: usize,
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    incident: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Item {
    at: Timestamp,
    incident: Option<String>,
    deployment: Option<String>,
    #[serde(default)]
    failures: Vec<Failure>,
    user: Option<Group>,
    #[serde(flatten)]
    adds: Map<String, Value>,
}

pub(super) async fn run(args: &Asked, cx: &mut Context) -> Result<Exit, error::Failure> {
    let call = asking(args, Call::get(["metrics", args.name(), "items"]));
    let page = call
        .query("limit", args.limit.to_string())
        .query("offset", args.offset.to_string());
    let answer = cx.send(page).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Items = answer.read()?;
    if found.items.is_empty() {
        cx.ui.note(match found.total {
            0 => "Nothing in this range.".to_owned(),
            total => format!("There are {total}, all before --offset {}.", args.offset),
        });
        return Ok(Exit::Done);
    }
    // Dates of another zone would seem to be out of the range.
    let (zone, name) = time::named(&found.time_zone);
    cx.ui
        .say(format_args!("{}, times of {name}\n", args.name()));
    let of_deployments = found.items.iter().all(|item| item.deployment.is_some());
    let mut columns = vec![
        Column::Whole("At"),
        Column::Whole(if of_deployments {
            "Deployment"
        } else {
            "Incident"
        }),
        Column::Rest("Person"),
        Column::Rest("Adds"),
    ];
    let has_people = found.items.iter().any(|item| item.user.is_some());
    if !has_people {
        columns.remove(2);
    }
    let rows = found.items.iter().map(|item| {
        let what = item.incident.as_deref().or(item.deployment.as_deref());
        let what = what.unwrap_or("-");
        let person = item.user.as_ref().map_or("-", |user| user.name.as_str());
        let mut row = vec![
            Cell::new(time::full(item.at, &zone)),
            Cell::new(what),
            Cell::new(person),
            Cell::new(adds(item, &zone)),
        ];
        if !has_people {
            row.remove(2);
        }
        row
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    let shown = usize::try_from(args.offset).unwrap_or_default() + found.items.len();
    if shown < found.total {
        cx.ui.hint(format_args!(
            "there are {} in all; `--offset {shown}` shows the next, `--limit` more at once",
            found.total
        ));
    }
    Ok(Exit::Done)
}

/// What an item adds, in words.
fn adds(item: &Item, zone: &TimeZone) -> String {
    let field = |name: &str| item.adds.get(name);
    if let Some(first) = item.failures.first() {
        let more = match item.failures.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        return format!("failed: {}{more} ({})", first.incident, first.reason);
    }
    let seconds = field("seconds").and_then(Value::as_f64).map(figures::short);
    if let (Some(ack), Some(resolve)) = (field("ack"), field("resolve")) {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        return format!("ack {}, resolve {}", word(ack), word(resolve));
    }
    if field("escalated_away").is_some() {
        let is = |name: &str| field(name) == Some(&Value::Bool(true));
        let taken = seconds.map_or_else(
            || "not acknowledged".to_owned(),
            |after| format!("acknowledged after {after}"),
        );
        let out = if is("out_of_hours") {
            ", out of hours"
        } else {
            ""
        };
        let away = if is("escalated_away") {
            ", escalated"
        } else {
            ""
        };
        return format!("{taken}{out}{away}");
    }
    let hour = field("hour")
        .and_then(Value::as_str)
        .and_then(|hour| hour.parse().ok());
    let is_own = field("self_assigned") == Some(&Value::Bool(true));
    match (seconds, hour, field("counts")) {
        (Some(seconds), _, _) if is_own => format!("{seconds} (self-assigned)"),
        (Some(seconds), _, _) => seconds,
        (_, Some(hour), _) => format!("the hour from {}", time::full(hour, zone)),
        (_, _, Some(Value::Bool(true))) => "1 of 1".to_owned(),
        (_, _, Some(_)) => "0 of 1".to_owned(),
        _ => "1".to_owned(),
    }
}
