//! Webhooks of the stand-in, sent as PagerDuty sends them.

use std::sync::Arc;
use std::time::Duration;

use pd_sim::{Delivery, DeliveryResult};
use tokio_util::sync::CancellationToken;

use super::StandIn;

/// PagerDuty waits so long for an answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Timers are looked at at least so often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Delivers what is due, when it is due, until `stop`.
pub(super) async fn run(stand_in: Arc<StandIn>, stop: CancellationToken) {
    // An error means that a provider is installed already, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder()
        .timeout(ANSWER_WAIT)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let http = match http {
        Ok(http) => http,
        Err(error) => {
            tracing::error!("no webhook can be sent: {error}");
            return;
        }
    };
    while !stop.is_cancelled() {
        let now = stand_in.clock.now();
        let (deliveries, wake_at) = {
            let mut sim = stand_in.lock();
            (sim.due(now), sim.wake_at())
        };
        for delivery in deliveries {
            tokio::spawn(deliver(Arc::clone(&stand_in), http.clone(), delivery));
        }
        let wait = wake_at.map_or(LOOK_AGAIN, |at| {
            Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = stand_in.changed.notified() => {}
            () = tokio::time::sleep(wait.min(LOOK_AGAIN)) => {}
        }
    }
}

async fn deliver(stand_in: Arc<StandIn>, http: reqwest::Client, delivery: Delivery) {
    let mut request = http.post(&delivery.url).body(delivery.body);
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let result = match request.send().await {
        Ok(response) => DeliveryResult::Status(response.status().as_u16()),
        Err(error) if error.is_timeout() => DeliveryResult::TimedOut,
        Err(_) => DeliveryResult::Unreachable,
    };
    tracing::debug!(?result, "webhook to {}", delivery.url);
    let now = stand_in.clock.now();
    stand_in.with(|sim| sim.delivered(delivery.id, result, now));
}
