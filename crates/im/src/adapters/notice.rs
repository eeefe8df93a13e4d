//! The webhook of the settings: a POST with one JSON document, taken by any 2xx.

use std::sync::OnceLock;

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
    pub(crate) async fn send(&self, url: &str, body: &Value) -> Result<(), String> {
        let http = self.http.get_or_init(client).as_ref();
        let http = http.map_err(Clone::clone)?;
        let request = http
            .post(url)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let answer = request.send().await.map_err(|error| last_cause(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(format!("it answered with HTTP {}", status.as_u16()))
    }
}
