//! The rules of webhooks (docs/sim.md), seen from the outside: requests in, deliveries out.

mod clients;
mod delivering;
mod faults;
mod subscribing;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Delivery, DeliveryResult, Event, WebhookFaults, Webhooks};
use crate::http::{Request, Response};
use crate::ids::Ids;

/// A body of the published examples.
macro_rules! example {
    ($path:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/",
            $path
        )))
        .unwrap()
    };
}
use example;

const OK: DeliveryResult = DeliveryResult::Status(202);

/// Webhooks with a clock, a seed and faults.
struct Desk {
    webhooks: Webhooks,
    ids: Ids,
    now: Timestamp,
    faults: WebhookFaults,
}

impl Desk {
    fn seeded(seed: u64) -> Self {
        Self {
            webhooks: Webhooks::new("https://api.example"),
            ids: Ids::new(seed),
            now: "2026-03-10T08:00:00Z".parse().unwrap(),
            faults: WebhookFaults::default(),
        }
    }

    /// With one subscription to everything that the tests publish.
    fn subscribed() -> (Self, String) {
        let mut desk = Self::seeded(1);
        let id = desk.subscribe(json!({"type": "account_reference"}));
        (desk, id)
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now = self.now.checked_add(time).unwrap();
    }

    fn call(&mut self, method: &str, path: &[&str], body: &Value) -> Response {
        let request = Request {
            method: method.to_owned(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        self.webhooks.rest(&request, path, &mut self.ids, self.now)
    }

    fn get(&mut self, path: &[&str]) -> Value {
        let answer = self.call("GET", path, &Value::Null);
        assert_eq!(answer.status, 200);
        value(&answer)
    }

    fn subscribe(&mut self, filter: Value) -> String {
        let mut body = creation();
        body["webhook_subscription"]["filter"] = filter;
        let answer = self.call("POST", &[], &body);
        assert_eq!(answer.status, 201, "{}", value(&answer));
        value(&answer)["webhook_subscription"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Publishes something about an incident of service `PSVC001` and team `PTEAM01`.
    fn publish(&mut self, incident: &str, event_type: &str) {
        let body = format!("{incident} {event_type}");
        self.publish_body(incident, event_type, body.into_bytes());
    }

    fn publish_body(&mut self, incident: &str, event_type: &str, body: Vec<u8>) {
        let event = Event {
            id: self.ids.event(self.now),
            event_type: event_type.to_owned(),
            resource_id: incident.to_owned(),
            service_id: Some("PSVC001".to_owned()),
            team_ids: vec!["PTEAM01".to_owned()],
            body,
        };
        self.webhooks.publish(event, &mut self.ids, self.now);
    }

    fn due(&mut self) -> Vec<Delivery> {
        self.webhooks.due(&self.faults, &mut self.ids, self.now)
    }

    /// Makes one round of attempts, answers each with `result`, and shows the bodies.
    fn round(&mut self, result: DeliveryResult) -> Vec<String> {
        let due = self.due();
        for delivery in &due {
            self.webhooks.delivered(delivery.id, result, &[], self.now);
        }
        due.iter().map(text).collect()
    }

    /// Makes rounds and jumps from wake to wake until nothing is left, at most `rounds` times.
    fn run(&mut self, result: DeliveryResult, rounds: usize) -> Vec<(Timestamp, Delivery)> {
        let mut seen = Vec::new();
        for _ in 0..rounds {
            let Some(wake) = self.webhooks.wake_at() else {
                break;
            };
            self.now = self.now.max(wake);
            for delivery in self.due() {
                self.webhooks.delivered(delivery.id, result, &[], self.now);
                seen.push((self.now, delivery));
            }
        }
        seen
    }

    fn queued(&self) -> usize {
        self.webhooks
            .subscriptions()
            .iter()
            .map(|subscription| subscription.queued.len())
            .sum()
    }

    fn disabled(&mut self, id: &str) -> bool {
        let shown = self.get(&[id]);
        shown["webhook_subscription"]["delivery_method"]["temporarily_disabled"]
            .as_bool()
            .unwrap()
    }
}

fn creation() -> Value {
    example!("rest/webhook-subscription-create.request.json")
}

fn value(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn text(delivery: &Delivery) -> String {
    String::from_utf8(delivery.body.clone()).unwrap()
}

#[track_caller]
fn header<'a>(delivery: &'a Delivery, name: &str) -> &'a str {
    let found = delivery.headers.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str()).unwrap()
}
