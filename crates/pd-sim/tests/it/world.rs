//! One account and the few gestures that the tests share.

use jiff::{SignedDuration, Timestamp};
use pd_sim::account::lively;
use pd_sim::{Account, DeliveryResult, Options, Request, Response, Sim};
use serde_json::{Value, json};

/// An account with people in it, and a clock.
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) account: Account,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let now: Timestamp = "2026-03-10T08:00:00.250Z".parse().unwrap();
        let mut sim = Sim::new(options, now);
        let account = lively(&mut sim, now);
        Self { sim, account, now }
    }

    pub(crate) fn user(&self, index: usize) -> String {
        self.account.users[index].0.clone()
    }

    pub(crate) fn service(&self, index: usize) -> String {
        self.account.services[index].0.clone()
    }

    /// Moves the clock on and lets everything happen on the way.
    pub(crate) fn pass_s(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        for delivery in self.sim.due(self.now) {
            self.sim
                .delivered(delivery.id, DeliveryResult::Status(202), self.now);
        }
    }

    /// A request with the account key in the name of the first user.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, path)
            .with_header(
                "Authorization",
                &format!("Token token={}", self.account.api_key),
            )
            .with_header("From", &self.account.users[0].2)
    }

    pub(crate) fn send(&mut self, request: &Request) -> Response {
        self.sim.handle(request, self.now).response
    }

    /// A GET whose answer must be 200.
    #[track_caller]
    pub(crate) fn get(&mut self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut request = self.request("GET", path);
        for (name, value) in query {
            request = request.with_query(name, value);
        }
        let response = self.send(&request);
        assert_eq!(
            response.status,
            200,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        response.value().unwrap()
    }

    /// A write whose answer must have this status.
    #[track_caller]
    pub(crate) fn write(&mut self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let response = self.send(&self.request(method, path).with_json(body));
        assert_eq!(
            response.status,
            status,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        response.value().unwrap_or_default()
    }

    /// Creates an incident over REST; returns its id.
    pub(crate) fn create(&mut self, title: &str, key: Option<&str>) -> String {
        let service = self.service(0);
        let body = json!({"incident": {"type": "incident", "title": title, "incident_key": key,
            "service": {"id": service, "type": "service_reference"}}});
        let made = self.write("POST", "/incidents", &body, 201);
        made["incident"]["id"].as_str().unwrap().to_owned()
    }

    /// Changes an incident over REST.
    pub(crate) fn put(&mut self, id: &str, change: &Value) -> Value {
        let mut change = change.clone();
        change["type"] = "incident_reference".into();
        self.write(
            "PUT",
            &format!("/incidents/{id}"),
            &json!({"incident": change}),
            200,
        )["incident"]
            .clone()
    }

    /// Kinds of log entries of an incident, oldest first, without notifications.
    pub(crate) fn steps(&self, id: &str) -> Vec<&'static str> {
        let entries = self
            .sim
            .log_entries()
            .filter(|entry| entry.incident == id && entry.kind != "notify");
        entries.map(|entry| entry.kind).collect()
    }

    /// Subscribes to everything.
    pub(crate) fn subscribe(&mut self) -> String {
        const EVENTS: [&str; 16] = [
            "incident.triggered",
            "incident.acknowledged",
            "incident.unacknowledged",
            "incident.escalated",
            "incident.reassigned",
            "incident.delegated",
            "incident.priority_updated",
            "incident.service_updated",
            "incident.resolved",
            "incident.reopened",
            "incident.annotated",
            "incident.status_update_published",
            "incident.custom_field_values.updated",
            "incident.incident_type.changed",
            "incident.conference_bridge.updated",
            "incident.responder.added",
        ];
        self.subscribe_to(&EVENTS)
    }

    /// Subscribes to these events of the whole account; returns the secret.
    pub(crate) fn subscribe_to(&mut self, events: &[&str]) -> String {
        let body = json!({"webhook_subscription": {
            "type": "webhook_subscription",
            "delivery_method": {"type": "http_delivery_method", "url": "https://im.example/hooks"},
            "events": events, "filter": {"type": "account_reference"}}});
        let response = self.send(
            &self
                .request("POST", "/webhook_subscriptions")
                .with_json(&body),
        );
        assert!(
            response.status < 300,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        response.value().unwrap()["webhook_subscription"]["delivery_method"]["secret"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Events delivered by now, each answered with 202.
    pub(crate) fn events(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let due = self.sim.due(self.now);
            if due.is_empty() {
                return events;
            }
            for delivery in due {
                self.sim
                    .delivered(delivery.id, DeliveryResult::Status(202), self.now);
                let body: Value = serde_json::from_slice(&delivery.body).unwrap();
                events.push(body["event"].clone());
            }
        }
    }
}
