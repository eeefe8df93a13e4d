//! What is counted, in Prometheus' text format.

use std::fmt::Write as _;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    connector: String,
    call: Word,
    outcome: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabels {
    connector: String,
    result: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectorLabels {
    connector: String,
}

/// A label value out of a fixed vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Word(&'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        encoder.write_str(self.0)
    }
}

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
}

/// Every counter and gauge.
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    webhooks: Family<WebhookLabels, Counter>,
    inbox_waiting: Gauge,
    incidents_open: Gauge,
    outbox_waiting: Family<ConnectorLabels, Gauge>,
    outbox_parked: Family<ConnectorLabels, Gauge>,
    up: Family<ConnectorLabels, Gauge>,
    last_sync: Family<ConnectorLabels, Gauge>,
    last_webhook: Family<ConnectorLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("im"),
            calls: Family::default(),
            webhooks: Family::default(),
            inbox_waiting: Gauge::default(),
            incidents_open: Gauge::default(),
            outbox_waiting: Family::default(),
            outbox_parked: Family::default(),
            up: Family::default(),
            last_sync: Family::default(),
            last_webhook: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "pagerduty_calls",
            "Calls to PagerDuty by outcome",
            self.calls.clone(),
        );
        registry.register(
            "webhooks",
            "Deliveries at the door by result",
            self.webhooks.clone(),
        );
        registry.register(
            "inbox_waiting",
            "Stored webhooks that are not digested",
            self.inbox_waiting.clone(),
        );
        registry.register(
            "incidents_open",
            "Incidents that are not over",
            self.incidents_open.clone(),
        );
        for (name, help, family) in [
            (
                "outbox_waiting",
                "Changes that PagerDuty has not taken yet",
                &self.outbox_waiting,
            ),
            (
                "outbox_parked",
                "Changes that PagerDuty refused: a person must decide",
                &self.outbox_parked,
            ),
            (
                "connector_up",
                "1 while calls of the connector succeed",
                &self.up,
            ),
            (
                "connector_last_sync_timestamp_seconds",
                "When the last repair ended",
                &self.last_sync,
            ),
            (
                "connector_last_webhook_timestamp_seconds",
                "When the last verified webhook came",
                &self.last_webhook,
            ),
        ] {
            registry.register(name, help, family.clone());
        }
    }

    /// Counts a call.
    pub fn called(&self, connector: &str, call: &'static str, outcome: &'static str) {
        self.calls
            .get_or_create(&CallLabels {
                connector: connector.to_owned(),
                call: Word(call),
                outcome: Word(outcome),
            })
            .inc();
    }

    /// Counts a delivery.
    pub fn delivered(&self, connector: &str, result: &'static str) {
        self.webhooks
            .get_or_create(&WebhookLabels {
                connector: connector.to_owned(),
                result: Word(result),
            })
            .inc();
    }

    /// The text, after the gauges were set to what the database says.
    pub fn text(
        &self,
        inbox_waiting: i64,
        incidents_open: i64,
        connectors: &[ConnectorGauges],
    ) -> Result<String, std::fmt::Error> {
        self.inbox_waiting.set(inbox_waiting);
        self.incidents_open.set(incidents_open);
        let families = [
            &self.outbox_waiting,
            &self.outbox_parked,
            &self.up,
            &self.last_sync,
            &self.last_webhook,
        ];
        for family in families {
            // A connector that was removed leaves the page.
            family.clear();
        }
        for row in connectors {
            let labels = ConnectorLabels {
                connector: row.connector.clone(),
            };
            let values = [
                row.waiting,
                row.parked,
                i64::from(row.up),
                row.last_sync,
                row.last_webhook,
            ];
            for (family, value) in families.into_iter().zip(values) {
                family.get_or_create(&labels).set(value);
            }
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
