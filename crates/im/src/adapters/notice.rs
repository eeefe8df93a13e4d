//! The webhook of the settings: a POST with one JSON document, taken by any 2xx.

use std::sync::OnceLock;

use im_engine::events::Untaken;
use serde_json::Value;

use super::door::{client, last_cause};

/// Tells the webhook.
#[derive(Default)]
pub(crate) struct Notice {
    http: OnceLock<Result<reqwest::Client, String>>,
}

impl Notice {
    /// Sends one document; why it was not taken. The address is in no message: it may hold what is
    /// secret.
    pub(crate) async fn send(&self, url: &str, body: &Value) -> Result<(), Untaken> {
        let later = |why| Untaken {
            why,
            is_final: false,
        };
        let http = self.http.get_or_init(client).as_ref();
        let http = http.map_err(|why| later(why.clone()))?;
        let request = http
            .post(url)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let sent = request.send().await;
        let answer = sent.map_err(|error| later(last_cause(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(Untaken {
            why: format!("it answered with HTTP {}", status.as_u16()),
            // Time-out and too many requests pass; what else it says to this body it says again.
            is_final: status.is_client_error() && ![408, 429].contains(&status.as_u16()),
        })
    }
}
