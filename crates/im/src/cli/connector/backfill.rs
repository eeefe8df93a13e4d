//! `im connector backfill`.

use std::time::Duration;

use clap::Args;
use im_core::ConnectorName;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::{table, time};
use crate::client::{Answer, Call};

/// How often is looked how far it is.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Who sees nothing move for so many looks is told until when.
const STILL: u32 = 10;
/// The bar has so many places.
const PLACES: u64 = 20;

/// Read the past of a connector's account
///
/// Incidents and all that happened to them, from 180 days back unless told otherwise. A new connector
/// begins with it by itself. Cut off anywhere, it goes on where it was: with a server by itself, else by
/// this command. With --since it is read again, also where it was read before; what is known is not changed.
#[derive(Debug, Args)]
pub(crate) struct BackfillArgs {
    /// Which connector
    name: ConnectorName,
    /// From when on: a date, an instant, or days back like 180d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Take so many hundredths of PagerDuty's allowance [default: 50]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    share: Option<u32>,
    /// Only say how far it is
    #[arg(long, conflicts_with_all = ["since", "share", "stop", "no_wait"])]
    status: bool,
    /// Stop it; the same command without this goes on
    #[arg(long, conflicts_with_all = ["since", "share", "no_wait"])]
    stop: bool,
    /// Do not wait for its end
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Deserialize)]
struct Backfill {
    state: String,
    since: Timestamp,
    reading: Option<String>,
    rows: u64,
    total: Option<u64>,
    percent: Option<u64>,
    per_minute: Option<u64>,
    seconds_left: Option<i64>,
    next_step_by: Option<Timestamp>,
    created: i64,
    updated: i64,
    unchanged: i64,
    failed: i64,
    message: Option<String>,
}

pub(crate) async fn run(args: BackfillArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let path = ["connectors", args.name.as_str(), "backfill"];
    let mut answer = if args.status {
        cx.send(Call::get(path)).await?
    } else if args.stop {
        cx.send(Call::delete(path)).await?
    } else {
        cx.send(Call::post(path, asked(&args))).await?
    };
    let mut found: Backfill = answer.read()?;
    if !args.status && !args.stop && !args.no_wait {
        let mut still = 0;
        while found.state == "running" {
            let line = match found.next_step_by.filter(|_| still >= STILL) {
                Some(by) => format!("{}, {}", how_far(&found), waits(by, cx)),
                None => bar(&found),
            };
            cx.ui.progress(&line);
            tokio::time::sleep(LOOK_AGAIN).await;
            let before = (found.rows, found.reading.take());
            answer = cx.send(Call::get(path)).await?;
            found = answer.read()?;
            let is_still = before == (found.rows, found.reading.clone());
            still = if is_still { still + 1 } else { 0 };
        }
        cx.ui.progress("");
    }
    said(&args, &answer, &found, cx);
    let is_whole = found.failed == 0 && found.message.is_none();
    Ok(Exit::of_checks(is_whole))
}

fn asked(args: &BackfillArgs) -> Value {
    let since = args.since.clone().map(Value::from);
    let share = args.share.map(Value::from);
    let fields = [("since", since), ("share", share)].into_iter();
    let fields = fields.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::from(fields.collect::<Map<_, _>>())
}

fn said(args: &BackfillArgs, answer: &Answer, found: &Backfill, cx: &mut Context) {
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return;
    }
    let name = &args.name;
    let width = cx.ui.width;
    let day = found.since.to_zoned(cx.zone.clone()).date();
    let head = format!("Past of {name} since {day}: ");
    if found.state == "running" || found.state == "stopped" {
        let stopped = if found.state == "stopped" {
            "stopped; "
        } else {
            ""
        };
        let text = format!("{stopped}{}", bar(found));
        cx.ui.say(table::hanging(&head, &text, width));
        if found.state == "stopped" {
            cx.ui
                .hint(format_args!("`im connector backfill {name}` goes on"));
        } else if cx.is_local() {
            cx.ui.hint(format_args!(
                "it goes on while `im serve` runs, or `im connector backfill {name}`"
            ));
        }
        return;
    }
    let counts = format!(
        "{head}{} created, {} updated, {} unchanged, {} failed",
        found.created, found.updated, found.unchanged, found.failed
    );
    cx.ui.say(table::flow("  ", &counts, width));
    if let Some(message) = &found.message {
        cx.ui
            .warn(format_args!("not all of it could be read: {message}"));
    }
}

/// Until when nothing may come.
fn waits(by: Timestamp, cx: &Context) -> String {
    let at = time::clock(by, &cx.zone);
    format!("waits until {at}: allowance, or call cut off")
}

/// How far it is, and nothing else.
fn how_far(found: &Backfill) -> String {
    match found.percent {
        Some(percent) => {
            let full = usize::try_from(percent.min(100) * PLACES / 100).unwrap_or_default();
            let places = usize::try_from(PLACES).unwrap_or_default();
            format!("[{:·<places$}] {percent:>2} %", "#".repeat(full))
        }
        None => "counting".to_owned(),
    }
}

/// How far it is, in a line.
fn bar(found: &Backfill) -> String {
    let mut parts = vec![how_far(found)];
    if let Some(total) = found.total {
        parts.push(format!("{} of {total}", found.rows));
    }
    if let Some(rate) = found.per_minute {
        parts.push(format!("{rate}/min"));
    }
    if let Some(seconds) = found.seconds_left {
        let end = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let left = time::age(Timestamp::UNIX_EPOCH, end);
        parts.push(format!("{left} left"));
    }
    parts.extend(found.reading.clone());
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(percent: Option<u64>, left: Option<i64>) -> Backfill {
        Backfill {
            state: "running".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            reading: Some("log entries".to_owned()),
            rows: 4_300,
            total: percent.map(|_| 10_000),
            percent,
            per_minute: left.map(|_| 5_100),
            seconds_left: left,
            next_step_by: None,
            created: 0,
            updated: 0,
            unchanged: 0,
            failed: 0,
            message: None,
        }
    }

    #[test]
    fn a_bar_says_how_far_how_fast_and_how_long() {
        assert_eq!(
            bar(&found(Some(43), Some(70))),
            "[########············] 43 %, 4300 of 10000, 5100/min, 1m left, log entries"
        );
        assert_eq!(bar(&found(None, None)), "counting, log entries");
        assert!(bar(&found(Some(0), None)).starts_with("[····················]  0 %"));
    }
}
