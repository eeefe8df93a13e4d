//! What changed in a figure since it was read.

use comfy_table::{Cell, CellAlignment};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answer, Asked, Series, asking, figures};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::client::Call;

#[derive(Debug, Deserialize)]
struct Restated {
    since: Timestamp,
    before: Option<Answer>,
    now: Answer,
    more: bool,
    incidents: Vec<Changed>,
}

#[derive(Debug, Deserialize)]
struct Changed {
    incident: String,
    before: Vec<Map<String, Value>>,
    now: Vec<Map<String, Value>>,
    why: Vec<Late>,
}

#[derive(Debug, Deserialize)]
struct Late {
    kind: String,
    recorded_at: Option<Timestamp>,
}

pub(super) async fn run(args: &Asked, read_at: &str, cx: &mut Context) -> Result<Exit, Failure> {
    let since = time::since("--restated", read_at, cx.now)?;
    let call = asking(args, Call::get(["metrics", args.name(), "restated"]));
    let answer = cx.send(call.query("since", since.to_string())).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let restated: Restated = answer.read()?;
    say(&restated, cx);
    Ok(Exit::Done)
}

fn say(restated: &Restated, cx: &mut Context) {
    let Restated { since, now, .. } = restated;
    let (zone, name) = time::named(&now.time_zone);
    cx.ui.say(format_args!(
        "{}, {} to {} ({}), as of {}",
        now.metric,
        now.from,
        now.to,
        name,
        time::full(*since, &zone)
    ));
    if restated.incidents.is_empty() && !restated.more {
        cx.ui.note("Nothing became known since that changes it.");
        return;
    }
    cx.ui.say("");
    if let Some(before) = &restated.before {
        cx.ui.say(both(before, now, cx.ui.table_width()));
        cx.ui.say("");
    } else {
        cx.ui
            .warn("more became known since than is looked at: the figure of then is not computed");
    }
    let columns = [
        Column::Whole("Incident"),
        Column::Whole("Then"),
        Column::Whole("Now"),
        Column::Rest("Because of"),
        Column::Whole("Known since"),
    ];
    let rows = restated.incidents.iter().map(|changed| {
        let known = changed.why.iter().filter_map(|late| late.recorded_at);
        let known = known
            .max()
            .map_or_else(|| "-".to_owned(), |at| time::full(at, &zone));
        vec![
            Cell::new(&changed.incident),
            Cell::new(adds(&changed.before)),
            Cell::new(adds(&changed.now)),
            Cell::new(because_of(&changed.why)),
            Cell::new(known),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
}

/// The figure of each group, as it was known then and as it is known now.
fn both(before: &Answer, now: &Answer, width: u16) -> String {
    let columns = [
        Column::Rest("Group"),
        Column::Whole("N then"),
        Column::Whole("N now"),
        Column::Whole("Then"),
        Column::Whole("Now"),
    ];
    let keys = |series: &Series| -> Vec<Option<String>> {
        series.group.iter().map(|group| group.key.clone()).collect()
    };
    let gone = before.series.iter();
    let gone = gone.filter(|then| now.series.iter().all(|now| keys(now) != keys(then)));
    let rows = now.series.iter().chain(gone).map(|series| {
        let find = |answer: &Answer| {
            let mut all = answer.series.iter();
            let found = all.find(|other| keys(other) == keys(series));
            found.map_or_else(
                || ["-".to_owned(), "-".to_owned()],
                |found| figures::in_short(&found.total, answer),
            )
        };
        let ([n_then, then], [n_now, now]) = (find(before), find(now));
        let names: Vec<&str> = series.group.iter().map(|group| &*group.name).collect();
        let name = if names.is_empty() {
            "all".to_owned()
        } else {
            names.join(", ")
        };
        let number = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        vec![
            Cell::new(name),
            number(n_then),
            number(n_now),
            number(then),
            number(now),
        ]
    });
    table::rows(&columns, rows.collect(), width)
}

/// What an incident adds; it may be in more than one bucket.
fn adds(parts: &[Map<String, Value>]) -> String {
    match parts {
        [] => "-".to_owned(),
        [part] => {
            let seconds = part.get("seconds").and_then(Value::as_f64);
            seconds.map_or_else(|| "1".to_owned(), figures::short)
        }
        parts => parts.len().to_string(),
    }
}

/// What became known, each kind once, in its order.
fn because_of(late: &[Late]) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for late in late {
        let kind = late.kind.replace('_', " ");
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.join(", ")
}
