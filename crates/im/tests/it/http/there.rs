//! The server with a PagerDuty that it can call, and that can deliver to it.
//!
//! Both listen on a free port of this machine, under one clock that stands.

use std::net::SocketAddr;
use std::sync::Arc;

use im::clock::Clock;
use im::http::App;
use im::sim::{self, StandIn};
use pd_sim::{Sim, account};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Answer, Server};

pub(super) struct There {
    pub(super) server: Server,
    pub(super) stand_in: Arc<StandIn>,
    pub(super) url: String,
    _stop: DropGuard,
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

impl There {
    /// A server whose connector `prod` works, without a webhook.
    pub(super) async fn start() -> Self {
        Self::changed(|_| {}).await
    }

    /// The same, where another part of the server is used.
    pub(super) async fn changed(change: impl FnOnce(&mut App)) -> Self {
        let there = Self::apart(change).await;
        let account = &there.stand_in.account;
        let new = json!({"name": "prod", "type": "pagerduty", "config": {
            "api_key": account.api_key,
            "base_url": there.stand_in.base_url,
            "sync_direction": "bidirectional",
            "custom": {"service_id": account.services[0].0, "from_email": account.users[0].2},
        }});
        there.server.post("/api/v1/connectors", new).await.is(201);
        there
    }

    /// A server that knows its public address, and no PagerDuty.
    pub(super) async fn apart(change: impl FnOnce(&mut App)) -> Self {
        let clock = Clock::manual("2026-11-20T09:14:05.12Z".parse().unwrap());
        let stop = CancellationToken::new();
        let (pagerduty, address) = listener().await;
        let now = clock.now();
        let stand_in = Arc::new(StandIn::new(address, clock.clone(), |options| {
            let mut sim = Sim::new(options, now);
            let account = account::lively(&mut sim, now);
            (sim, account)
        }));
        tokio::spawn(sim::serve(Arc::clone(&stand_in), pagerduty, stop.clone()));
        let server = Server::changed(clock, true, change);
        let (ours, address) = listener().await;
        let service = server
            .router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        let serving =
            axum::serve(ours, service).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::spawn(serving.into_future());
        let there = Self {
            server,
            stand_in,
            url: format!("http://{address}"),
            _stop: stop.drop_guard(),
        };
        let url = json!({"public_url": there.url});
        there.server.patch("/api/v1/settings", url).await.is(200);
        there
    }

    pub(super) async fn webhook(&self, body: Value) -> Answer {
        self.server
            .post("/api/v1/connectors/prod/webhook", body)
            .await
    }

    pub(super) async fn enable(&self) -> Answer {
        self.webhook(json!({"action": "enable", "insecure": true}))
            .await
    }

    pub(super) async fn test(&self) -> Answer {
        self.server
            .post("/api/v1/connectors/prod/test", Value::Null)
            .await
    }

    /// Asks PagerDuty's own API.
    pub(super) fn pagerduty(&self, method: &str, path: &str, body: &Value) -> Value {
        let key = format!("Token token={}", self.stand_in.account.api_key);
        let request = pd_sim::Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            headers: vec![
                ("Authorization".to_owned(), key),
                ("Content-Type".to_owned(), "application/json".to_owned()),
            ],
            body: body.to_string().into_bytes(),
        };
        let now = self.stand_in.clock.now();
        let answered = self.stand_in.with(|sim| sim.handle(&request, now));
        assert!(answered.response.status < 300, "{:?}", answered.response);
        serde_json::from_slice(&answered.response.body).unwrap_or_default()
    }

    /// The addresses to which PagerDuty delivers.
    pub(super) fn receivers(&self) -> Vec<String> {
        let found = self.pagerduty("GET", "/webhook_subscriptions", &Value::Null);
        let found = found["webhook_subscriptions"].as_array().unwrap();
        let url = |one: &Value| one["delivery_method"]["url"].as_str().unwrap().to_owned();
        found.iter().map(url).collect()
    }

    /// A person makes a webhook in PagerDuty's pages; the secret that she sees.
    pub(super) fn by_hand(&self, events: &[&str]) -> String {
        let made = self.pagerduty(
            "POST",
            "/webhook_subscriptions",
            &json!({"webhook_subscription": {
                "type": "webhook_subscription",
                "delivery_method": {
                    "type": "http_delivery_method",
                    "url": format!("{}/connectors/prod/webhook", self.url),
                },
                "description": "by hand",
                "events": events,
                "filter": {"type": "account_reference"},
            }}),
        );
        let secret = &made["webhook_subscription"]["delivery_method"]["secret"];
        secret.as_str().unwrap().to_owned()
    }

    /// How the connector is doing.
    pub(super) async fn status(&self) -> Value {
        let answer = self.server.get("/api/v1/connectors/prod").await;
        answer.is(200).clone()
    }
}

/// The lines of a check, as `state: text (cause)`.
pub(super) fn lines(answer: &Answer) -> Vec<String> {
    let line = |line: &Value| {
        let text = format!(
            "{}: {}",
            line["state"].as_str().unwrap(),
            line["text"].as_str().unwrap()
        );
        match line["cause"].as_str() {
            Some(cause) => format!("{text} ({cause})"),
            None => text,
        }
    };
    let lines = answer.is(200)["lines"].as_array().unwrap();
    lines.iter().map(line).collect()
}
