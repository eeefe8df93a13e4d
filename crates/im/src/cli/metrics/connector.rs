//! `im metrics connector`.

use clap::Args;
use im_core::ConnectorName;
use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::client::Call;

/// Show a connector in figures
///
/// What is marked 24h is of the last 24 hours; the rate limit's usage is the highest of the last minute.
#[derive(Debug, Args)]
pub(crate) struct ConnectorArgs {
    /// Which connector
    name: ConnectorName,
}

#[derive(Debug, Deserialize)]
struct Metrics {
    connector: String,
    incidents: i64,
    success_percent_24h: Option<f64>,
    sync_mean_ms_24h: Option<i64>,
    sync_p95_ms_24h: Option<i64>,
    api_calls_24h: i64,
    rate_limit_percent: i64,
    webhooks_24h: i64,
}

pub(crate) async fn run(args: ConnectorArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let path = ["connectors", args.name.as_str(), "metrics"];
    let answer = cx.send(Call::get(path)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Metrics = answer.read()?;
    let none = || "no calls yet".to_owned();
    let success = found.success_percent_24h;
    let success = success.map_or_else(none, |percent| format!("{percent:.1}% (24h)"));
    let time = match (found.sync_mean_ms_24h, found.sync_p95_ms_24h) {
        (Some(mean), Some(p95)) => format!("{} (24h; 95% within {})", seconds(mean), seconds(p95)),
        _ => "no changes yet (24h)".to_owned(),
    };
    let ui = &mut cx.ui;
    ui.say(format_args!("Connector: {}", found.connector));
    ui.say(format_args!(
        "Total Incidents: {}",
        grouped(found.incidents)
    ));
    ui.say(format_args!("Sync Success Rate: {success}"));
    ui.say(format_args!("Average Sync Time: {time}"));
    ui.say(format_args!(
        "API Calls (24h): {}",
        grouped(found.api_calls_24h)
    ));
    ui.say(format_args!(
        "Rate Limit Usage: {}%",
        found.rate_limit_percent
    ));
    ui.say(format_args!(
        "Webhook Events (24h): {}",
        grouped(found.webhooks_24h)
    ));
    Ok(Exit::Done)
}

/// `1.2s`.
fn seconds(ms: i64) -> String {
    format!("{}.{}s", (ms + 50) / 1000, (ms + 50) % 1000 / 100)
}

/// `1,247`.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i118_i119_times_and_large_numbers_are_written_as_people_read_them() {
        assert_eq!(
            [0, 49, 50, 1_200, 1_250, 61_000].map(seconds),
            ["0.0s", "0.0s", "0.1s", "1.2s", "1.3s", "61.0s"]
        );
        assert_eq!(
            [0, 999, 1_247, 1_000_000].map(grouped),
            ["0", "999", "1,247", "1,000,000"]
        );
    }
}
