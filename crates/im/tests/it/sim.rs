//! The stand-in's HTTP skin, without a socket.

mod control;
mod files;
mod pages;
mod webhooks;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use im::clock::Clock;
use im::sim::{Hands, StandIn, router};
use jiff::Timestamp;
use pd_sim::{Sim, account};
use serde_json::Value;
use tower::ServiceExt as _;

/// A stand-in whose clock stands still, and whom to ask.
pub(crate) struct Here {
    pub(crate) stand_in: Arc<StandIn>,
}

pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
}

impl Here {
    pub(crate) fn new() -> Self {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let clock = Hands::starting(Clock::manual(now), now, 0.0);
        let stand_in = StandIn::at("http://127.0.0.1:8081".to_owned(), clock, |options| {
            let mut sim = Sim::new(options, now);
            let account = account::lively(&mut sim, now);
            (sim, account)
        });
        Self {
            stand_in: Arc::new(stand_in),
        }
    }

    /// An account that holds nothing.
    pub(crate) fn empty() -> Self {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let clock = Hands::starting(Clock::manual(now), now, 0.0);
        let base_url = "http://127.0.0.1:8081".to_owned();
        let stand_in = StandIn::at(base_url, clock, |options| {
            (Sim::new(options, now), account::Account::default())
        });
        Self {
            stand_in: Arc::new(stand_in),
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Said {
        let router = router(Arc::clone(&self.stand_in));
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let location = response.headers().get("Location");
        let location = location.map(|value| value.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        Said {
            status,
            location,
            text: String::from_utf8(body.unwrap().to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Said {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// A control request with its parameters as a form.
    pub(crate) async fn post(&self, path: &str, form: &str) -> Said {
        self.send(
            Request::post(path)
                .body(Body::from(form.to_owned()))
                .unwrap(),
        )
        .await
    }

    /// A REST request with the account key.
    pub(crate) async fn rest(&self, method: &str, path: &str) -> Said {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(
                "Authorization",
                format!("Token token={}", self.stand_in.account.api_key),
            )
            .header("Content-Type", "application/json");
        self.send(request.body(Body::empty()).unwrap()).await
    }
}
