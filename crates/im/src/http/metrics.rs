//! What is counted, as Prometheus' text format or as `OpenMetrics`, whichever is asked for.
//!
//! The two differ in the name under which a counter is introduced and in how they end. A
//! connector that was removed leaves the page with all its rows.

pub mod figures;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use figures::FigureGauge;

/// Before every name.
const PREFIX: &str = "im";

/// A connector's numbers at one moment.
#[derive(Debug, Clone)]
pub struct ConnectorGauges {
    /// Its name.
    pub connector: String,
    /// Changes that wait to be sent.
    pub waiting: i64,
    /// Dead letters.
    pub parked: i64,
    /// 1 if its last calls succeeded.
    pub up: bool,
    /// Unix time of the last complete repair, 0 for never.
    pub last_sync: i64,
    /// Unix time of the last verified webhook, 0 for never.
    pub last_webhook: i64,
    /// Seconds by which our clock is ahead of PagerDuty's.
    pub clock_ahead: i64,
}

/// What the page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' own, which every collector reads.
    Text,
    /// `OpenMetrics` 1.0, for who asks for it.
    OpenMetrics,
}

impl Format {
    /// What a client wants by its `Accept`.
    pub fn wanted(accept: &str) -> Self {
        let open = preference(accept, &["application/openmetrics-text"]);
        let plain = preference(accept, &["text/plain", "text/*", "*/*"]);
        if open > 0.0 && open >= plain {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// The content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The highest `q` of the media types in an `Accept`.
fn preference(accept: &str, types: &[&str]) -> f32 {
    let quality = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?;
        let is_meant = types.iter().any(|known| known.eq_ignore_ascii_case(name));
        let given = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
        is_meant.then(|| given.unwrap_or(1.0))
    };
    accept.split(',').filter_map(quality).fold(0.0, f32::max)
}

/// Counts by connector and one or two words out of a fixed vocabulary.
type Counts<const WORDS: usize> = Mutex<BTreeMap<(String, [&'static str; WORDS]), u64>>;

/// Every counter.
#[derive(Debug, Default)]
pub struct Metrics {
    calls: Counts<2>,
    webhooks: Counts<1>,
}

fn count<const WORDS: usize>(
    counts: &Counts<WORDS>,
    connector: &str,
    words: [&'static str; WORDS],
) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    *counts.entry((connector.to_owned(), words)).or_default() += 1;
}

impl Metrics {
    /// Counts a call.
    pub fn called(&self, connector: &str, call: &'static str, outcome: &'static str) {
        count(&self.calls, connector, [call, outcome]);
    }

    /// Counts a delivery.
    pub fn delivered(&self, connector: &str, result: &'static str) {
        count(&self.webhooks, connector, [result]);
    }

    /// The page: what was counted, and what the database says now.
    pub fn text(
        &self,
        format: Format,
        inbox_waiting: i64,
        incidents_open: i64,
        connectors: &[ConnectorGauges],
        figures: &[FigureGauge],
    ) -> String {
        let mut page = Page {
            text: String::new(),
            format,
        };
        page.counter(
            ("pagerduty_calls", "Calls to PagerDuty by outcome"),
            ["call", "outcome"],
            &self.calls,
            connectors,
        );
        page.counter(
            ("webhooks", "Deliveries at the door by result"),
            ["result"],
            &self.webhooks,
            connectors,
        );
        page.single(
            ("inbox_waiting", "Stored webhooks that are not digested"),
            inbox_waiting,
        );
        page.single(
            ("incidents_open", "Incidents that are not over"),
            incidents_open,
        );
        for (name, help, value) in GAUGES {
            page.gauge((name, help), value, connectors);
        }
        for figure in figures {
            page.figure(figure);
        }
        page.end()
    }
}

/// A gauge of each connector: name, help, value.
type Gauge = (&'static str, &'static str, fn(&ConnectorGauges) -> i64);

const GAUGES: [Gauge; 6] = [
    (
        "outbox_waiting",
        "Changes that PagerDuty has not taken yet",
        |row| row.waiting,
    ),
    (
        "outbox_parked",
        "Changes that PagerDuty refused: a person must decide",
        |row| row.parked,
    ),
    (
        "connector_up",
        "1 while calls of the connector succeed",
        |row| i64::from(row.up),
    ),
    (
        "connector_last_sync_timestamp_seconds",
        "When the last repair ended",
        |row| row.last_sync,
    ),
    (
        "connector_last_webhook_timestamp_seconds",
        "When the last verified webhook came",
        |row| row.last_webhook,
    ),
    (
        "connector_clock_ahead_seconds",
        "How far the clock here is ahead of PagerDuty's; negative: behind",
        |row| row.clock_ahead,
    ),
];

struct Page {
    text: String,
    format: Format,
}

impl Page {
    /// Connectors' names and our own words need no escapes.
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a String takes everything");
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {PREFIX}_{name} {help}"));
        self.line(format_args!("# TYPE {PREFIX}_{name} {kind}"));
    }

    fn counter<const WORDS: usize>(
        &mut self,
        (name, help): (&str, &str),
        labels: [&str; WORDS],
        counts: &Counts<WORDS>,
        connectors: &[ConnectorGauges],
    ) {
        let total = format!("{name}_total");
        match self.format {
            Format::Text => self.head(&total, "counter", help),
            Format::OpenMetrics => self.head(name, "counter", help),
        }
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|(connector, _), _| connectors.iter().any(|row| row.connector == *connector));
        for ((connector, words), count) in counts.iter() {
            let pairs = labels.iter().zip(words);
            let words: Vec<String> = pairs
                .map(|(label, word)| format!("{label}=\"{word}\""))
                .collect();
            let words = words.join(",");
            self.line(format_args!(
                "{PREFIX}_{total}{{connector=\"{connector}\",{words}}} {count}"
            ));
        }
    }

    fn single(&mut self, (name, help): (&str, &str), value: i64) {
        self.head(name, "gauge", help);
        self.line(format_args!("{PREFIX}_{name} {value}"));
    }

    fn gauge(
        &mut self,
        (name, help): (&str, &str),
        value: fn(&ConnectorGauges) -> i64,
        connectors: &[ConnectorGauges],
    ) {
        self.head(name, "gauge", help);
        for row in connectors {
            let (connector, value) = (&row.connector, value(row));
            self.line(format_args!(
                "{PREFIX}_{name}{{connector=\"{connector}\"}} {value}"
            ));
        }
    }

    fn figure(&mut self, figure: &FigureGauge) {
        let FigureGauge { name, help, .. } = figure;
        self.head(name, "gauge", &format!("{help}, of the last 42 days"));
        for (label, value) in &figure.samples {
            let label = label.map(|(label, word)| format!("{{{label}=\"{word}\"}}"));
            let label = label.unwrap_or_default();
            self.line(format_args!("{PREFIX}_{name}{label} {value}"));
        }
    }

    fn end(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.line(format_args!("# EOF"));
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_who_prefers_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("text/plain", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            (prometheus, Format::OpenMetrics),
            (
                "text/plain;q=0.9, application/openmetrics-text;q=0.1",
                Format::Text,
            ),
            ("application/openmetrics-text;q=0", Format::Text),
        ] {
            assert_eq!(Format::wanted(accept), expected, "{accept}");
        }
    }
}
