//! The report of a period: what the overview shows, as a file. Its numbers are those of the page, under its filters.

use im_metrics::{Answer, Dimension, Figure};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::address::Address;
use super::asked::Wrong;
use super::overview::{self, Tile};
use super::words::{Change, Unit, size, value};
use super::{bar, groups};
use crate::csv;
use crate::figures::Known;
use crate::http::api::default_filter::Filter;

/// A report.
#[derive(Serialize, ToSchema)]
pub(crate) struct Report {
    /// The first local date.
    #[schema(value_type = String, example = "2026-10-20")]
    from: Date,
    /// The last local date.
    #[schema(value_type = String, example = "2026-11-30")]
    to: Date,
    /// Of these dates.
    time_zone: String,
    /// The first date of the time before; null where nothing is compared.
    #[schema(value_type = Option<String>)]
    compared_from: Option<Date>,
    /// The last date of the time before.
    #[schema(value_type = Option<String>)]
    compared_to: Option<Date>,
    /// What was filtered by: name and value.
    #[schema(value_type = Vec<Vec<String>>)]
    filters: Vec<(String, String)>,
    /// The figures.
    rows: Vec<Row>,
}

/// One figure.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportRow)]
struct Row {
    /// The metric.
    metric: &'static str,
    /// What people call it.
    title: String,
    /// The service that it is of; all of them where absent.
    service: Option<String>,
    /// `seconds`, `count`, `per_day` or `share`.
    unit: &'static str,
    /// The number that stands for it; null where there is no data at all.
    value: Option<f64>,
    /// How many things it is of.
    n: u64,
    /// The same of as many dates before.
    value_before: Option<f64>,
    n_before: Option<u64>,
    /// In words.
    change: String,
}

const COLUMNS: [&str; 9] = [
    "metric",
    "title",
    "service",
    "unit",
    "value",
    "n",
    "value_before",
    "n_before",
    "change",
];

impl Row {
    fn new(
        (metric, title): (&'static str, String),
        service: Option<String>,
        (figure, before): (&Figure, Option<&Figure>),
        change: &Change,
    ) -> Self {
        Self {
            metric,
            title,
            service,
            unit: match Unit::of(figure) {
                Unit::Seconds => "seconds",
                Unit::Count => "count",
                Unit::PerDay => "per_day",
                Unit::Share => "share",
            },
            value: value(figure),
            n: size(figure),
            value_before: before.and_then(value),
            n_before: before.map(size),
            change: change.words.clone(),
        }
    }

    fn cells(&self) -> [String; COLUMNS.len()] {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        [
            self.metric.to_owned(),
            self.title.clone(),
            self.service.clone().unwrap_or_default(),
            self.unit.to_owned(),
            number(self.value),
            self.n.to_string(),
            number(self.value_before),
            self.n_before.map_or_else(String::new, |n| n.to_string()),
            self.change.clone(),
        ]
    }
}

impl Report {
    /// The report behind an address of the overview.
    pub(super) fn ask(
        (address, filter): (&Address, Option<&Filter>),
        known: &Known,
        now: Timestamp,
    ) -> Result<Self, Wrong> {
        let tiles = overview::tiles((address, filter), known, now)?;
        let rows = tiles.iter().filter_map(|tile| of_tile(tile, known));
        let mut rows: Vec<Row> = rows.collect();
        let (mut range, mut compared) = (None, None);
        let mut filters = Vec::new();
        if let Some(recovery) = tiles.first() {
            recovery.asked.must_be_known()?;
            let by_service = &recovery.by_service;
            rows.extend(of_services(recovery, by_service, known));
            range = Some(by_service.range);
            compared = by_service.previous.as_deref().map(|before| before.range);
            let pairs = recovery.asked.address.pairs();
            let pairs = pairs.filter(|(name, _)| Dimension::parse(name).is_some());
            filters.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        let (from, to) = range.unwrap_or_default();
        let zone = &known.engine.settings().zone;
        Ok(Self {
            from,
            to,
            time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            compared_from: compared.map(|(from, _)| from),
            compared_to: compared.map(|(_, to)| to),
            filters,
            rows,
        })
    }

    /// One line for each figure, under a line of names.
    pub(crate) fn as_csv(&self) -> String {
        let lines = self.rows.iter().map(|row| csv::line(row.cells()));
        std::iter::once(csv::line(COLUMNS)).chain(lines).collect()
    }
}

fn of_tile(tile: &Tile, known: &Known) -> Option<Row> {
    let metric = tile.asked.query.metric;
    let names = (metric.as_str(), tile.title().to_owned());
    let figures = (tile.figure()?, tile.before());
    let mut row = Row::new(names, None, figures, &tile.change);
    if known.nothing_to_count(metric).is_some() {
        // Of nothing there is no number, not 0 a day.
        (row.value, row.value_before) = (None, None);
    }
    Some(row)
}

fn of_services(recovery: &Tile, by_service: &Answer, known: &Known) -> Vec<Row> {
    let groups = groups::groups(&recovery.asked, by_service, Dimension::Service, known);
    let rows = groups.iter().map(|group| {
        let before = by_service.previous.as_deref();
        let before = before.and_then(|before| {
            let mut series = before.series.iter();
            series.find(|series| series.keys == group.series.keys)
        });
        let names = (
            recovery.asked.query.metric.as_str(),
            recovery.title().to_owned(),
        );
        let service = bar::key_name(Dimension::Service, group.key, known);
        let before = before.map(|series| &series.total.figure);
        let figures = (&group.series.total.figure, before);
        Row::new(names, Some(service), figures, &group.change)
    });
    rows.collect()
}
