//! Between PagerDuty's webhooks and our inbox.

use im_core::ConnectorName;
use im_engine::inbox;
use im_pagerduty::{read_envelope, verify};
use im_store::fault::Fault;
use im_store::inbox::Arrival;
use jiff::Timestamp;
use pd_sim::{Delivery, DeliveryResult};
use serde_json::Value;

use super::{CONNECTOR, Death, World};

/// Which webhooks do not come straight in.
pub(crate) type Which = fn(&Value) -> bool;
/// What PagerDuty writes differently.
pub(crate) type Edit = Box<dyn Fn(&mut Value)>;

/// How webhooks fare on their way.
#[derive(Default)]
pub(crate) struct Door {
    /// These are kept on the way until the world lets them go.
    pub(crate) keep_back: Option<Which>,
    /// These never arrive, and nobody notices.
    pub(crate) lose: Option<Which>,
    /// PagerDuty writes them so.
    pub(crate) edit: Option<Edit>,
    /// Whether we answer so late that PagerDuty has given up waiting.
    pub(crate) late: bool,
    /// Whether we know the secret: if not, they are hints.
    pub(crate) unverified: bool,
    /// How many of the next arrivals meet a disk that is full at their commit.
    pub(crate) failing_commits: u8,
    /// What is kept back, in order of sending.
    pub(crate) kept: Vec<Delivery>,
    /// The ids of the events that were taken with a 2xx.
    pub(crate) taken: Vec<String>,
    /// The ids of the events that our database may have kept, or not: we answered with a 503.
    pub(crate) unclear: Vec<String>,
    /// Every attempt at our own account, in order.
    pub(crate) attempts: Vec<Delivery>,
}

impl World {
    /// Lets PagerDuty try what is due; says how much that was.
    pub(crate) fn deliver(&mut self) -> usize {
        let due = self.sim.due(self.now);
        let mut tried = due.len();
        for delivery in due {
            self.way.attempts.push(delivery.clone());
            let result = self.meet(delivery.clone());
            self.sim.delivered(delivery.id, result, self.now);
        }
        for at in 0..self.others.len() {
            let due = self.others[at].sim.due(self.now);
            tried += due.len();
            for delivery in due {
                let name = self.others[at].connector.clone();
                let result = if self.asleep {
                    DeliveryResult::Unreachable
                } else {
                    self.receive(&name, &delivery)
                };
                self.others[at].sim.delivered(delivery.id, result, self.now);
            }
        }
        tried
    }

    fn meet(&mut self, delivery: Delivery) -> DeliveryResult {
        let is = |which: Option<Which>| {
            which.is_some_and(|which| which(&serde_json::from_slice(&delivery.body).unwrap()))
        };
        if self.asleep {
            return DeliveryResult::Unreachable;
        }
        if let Some(result) = self.door {
            return result;
        }
        if is(self.way.lose) {
            return DeliveryResult::Status(202);
        }
        if is(self.way.keep_back) {
            self.way.kept.push(delivery);
            return DeliveryResult::Status(202);
        }
        self.receive(CONNECTOR, &delivery)
    }

    /// Our door: verified, stored, then answered.
    pub(crate) fn receive(&mut self, connector: &str, delivery: &Delivery) -> DeliveryResult {
        let signature = header(delivery, "X-PagerDuty-Signature").unwrap_or_default();
        let secrets = match self
            .others
            .iter()
            .find(|other| other.connector == connector)
        {
            Some(other) => other.secrets.clone(),
            None => self.secrets.clone(),
        };
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        if !verify(&signature, &delivery.body, &secrets) {
            return DeliveryResult::Status(503);
        }
        let mut body = String::from_utf8(delivery.body.clone()).unwrap();
        if let Some(edit) = &self.way.edit {
            let mut value: Value = serde_json::from_str(&body).unwrap();
            edit(&mut value);
            body = value.to_string();
        }
        self.store(connector, body, header(delivery, "X-Webhook-Id"))
    }

    /// A body whose signature was right, or cannot be checked, is stored.
    fn store(
        &mut self,
        connector: &str,
        body: String,
        delivery_id: Option<String>,
    ) -> DeliveryResult {
        let event_id = match read_envelope(body.as_bytes()) {
            Ok(envelope) => envelope.event_id.into_owned(),
            // Our door takes a hash of the body; any word of its own will do here.
            Err(_) => format!("body-of-{}-{}", body.len(), self.way.attempts.len()),
        };
        let arrival = Arrival {
            connector: connector.parse::<ConnectorName>().unwrap(),
            event_id: event_id.clone(),
            delivery_id,
            verified: !self.way.unverified,
            environment: None,
            body,
        };
        let now = self.our_now();
        let death = self.next_step();
        if death == Some(Death::Before) {
            return DeliveryResult::Unreachable;
        }
        if self.way.failing_commits > 0 {
            self.way.failing_commits -= 1;
            self.faults.fail_commit(Fault::Full);
        }
        match self.db.write(|tx| inbox::receive(tx, arrival, now)) {
            Ok(_) if death.is_some() || self.way.late => DeliveryResult::TimedOut,
            Ok(_) => {
                self.way.taken.push(event_id);
                DeliveryResult::Status(202)
            }
            Err(_) => {
                self.way.unclear.push(event_id);
                DeliveryResult::Status(503)
            }
        }
    }

    /// A body comes in with a signature that is right.
    pub(crate) fn arrive(&mut self, body: &str, delivery_id: &str) {
        let result = self.store(CONNECTOR, body.to_owned(), Some(delivery_id.to_owned()));
        assert_eq!(result, DeliveryResult::Status(202));
    }

    /// The same at the door of another connector.
    pub(crate) fn arrive_at(&mut self, connector: &str, body: &str) {
        let result = self.store(connector, body.to_owned(), None);
        assert_eq!(result, DeliveryResult::Status(202));
    }

    /// What was kept back comes in now, in the order given by `order`.
    pub(crate) fn let_in(&mut self, order: impl Fn(&mut Vec<Delivery>)) {
        self.way.keep_back = None;
        let mut kept = std::mem::take(&mut self.way.kept);
        order(&mut kept);
        for delivery in kept {
            assert_eq!(
                self.receive(CONNECTOR, &delivery),
                DeliveryResult::Status(202)
            );
        }
    }

    /// The bodies of all webhooks about one of PagerDuty's incidents, in order of sending.
    pub(crate) fn told_about(&self, twin: &str) -> Vec<String> {
        self.way
            .attempts
            .iter()
            .map(|delivery| String::from_utf8(delivery.body.clone()).unwrap())
            .filter(|body| body.contains(twin))
            .collect()
    }
}

/// An event of our own making, about one of PagerDuty's incidents or nothing.
pub(crate) fn event(id: &str, event_type: &str, at: Timestamp, data: &Value) -> String {
    serde_json::json!({"event": {
        "id": id,
        "event_type": event_type,
        "resource_type": event_type.split('.').next(),
        "occurred_at": format!("{at:.3}"),
        "agent": null,
        "client": null,
        "data": data,
    }})
    .to_string()
}

fn header(delivery: &Delivery, name: &str) -> Option<String> {
    delivery
        .headers
        .iter()
        .find(|(have, _)| have.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.clone())
}

/// Whether a webhook is of this type: `"resolved"` for `incident.resolved`.
pub(crate) fn is_event(body: &Value, what: &str) -> bool {
    body["event"]["event_type"].as_str() == Some(&format!("incident.{what}"))
}
