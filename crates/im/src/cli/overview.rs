//! `im overview`: the report of a period, as the page of that name has it.

use clap::Args;
use comfy_table::{Cell, CellAlignment};
use serde::Deserialize;

use super::context::Context;
use super::error::{Exit, Failure};
use super::filters::{Places, once};
use super::metrics::length;
use super::table::{self, Column};
use crate::client::Call;

/// Report a period: its main figures with the time before, and the recovery of each service
///
/// The numbers are those of the page `/overview`. --csv writes one line for each figure, --json the
/// API's own object.
#[derive(Debug, Args)]
pub(crate) struct OverviewArgs {
    /// The first date [default: 41 days before the last]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last date [default: today]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    #[command(flatten)]
    places: Places,
    /// previous: with as many dates before; or none [default: previous]
    #[arg(long, value_name = "WHAT")]
    compare: Option<String>,
    /// As CSV
    #[arg(long)]
    csv: bool,
}

#[derive(Debug, Deserialize)]
struct Report {
    from: String,
    to: String,
    time_zone: String,
    compared_from: Option<String>,
    compared_to: Option<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    title: String,
    service: Option<String>,
    unit: String,
    value: Option<f64>,
    n: u64,
    value_before: Option<f64>,
    change: String,
}

pub(crate) async fn run(args: OverviewArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let is_csv = args.csv && !cx.ui.json;
    let call = once(
        Call::get(["overview"]),
        [
            ("from", args.from),
            ("to", args.to),
            ("compare", args.compare),
            ("format", is_csv.then(|| "csv".to_owned())),
        ],
    );
    let answer = cx.send(args.places.ask(call)).await?;
    if is_csv {
        cx.ui.raw(&answer.body);
    } else if cx.ui.json {
        cx.ui.document(&answer.body);
    } else {
        say(&answer.read()?, cx);
    }
    Ok(Exit::Done)
}

fn say(report: &Report, cx: &mut Context) {
    let Report { from, to, .. } = report;
    let compared = report.compared_from.as_ref();
    let compared = compared.zip(report.compared_to.as_ref());
    let compared = compared.map_or_else(String::new, |(from, to)| {
        format!(", before: {from} to {to}")
    });
    cx.ui.say(format_args!(
        "{from} to {to} ({}){compared}",
        report.time_zone
    ));
    let has_before = report.compared_from.is_some();
    let mut columns = vec![
        Column::Rest("Figure"),
        Column::Whole("Value"),
        Column::Whole("N"),
    ];
    if has_before {
        columns.extend([Column::Whole("Before"), Column::Optional("Change", 0)]);
    }
    let mut rows: Vec<Vec<Cell>> = report
        .rows
        .iter()
        .map(|row| cells(row, has_before))
        .collect();
    let width = cx.ui.table_width();
    table::fit(&mut columns, &mut rows, width);
    cx.ui.say("");
    cx.ui.say(table::rows(&columns, rows, width));
}

fn cells(row: &Row, has_before: bool) -> Vec<Cell> {
    let number = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let figure = match &row.service {
        Some(service) => format!("{} of {service}", row.title),
        None => row.title.clone(),
    };
    let mut cells = vec![
        Cell::new(figure),
        number(said(&row.unit, row.value)),
        number(row.n.to_string()),
    ];
    if has_before {
        let before = number(said(&row.unit, row.value_before));
        cells.extend([before, Cell::new(&row.change)]);
    }
    cells
}

fn said(unit: &str, value: Option<f64>) -> String {
    match (value, unit) {
        (None, _) => "-".to_owned(),
        (Some(value), "seconds") => length(value),
        (Some(value), "share") => format!("{:.1} %", value * 100.0),
        (Some(value), "per_day") => format!("{value:.2} a day"),
        (Some(value), _) => format!("{value}"),
    }
}
