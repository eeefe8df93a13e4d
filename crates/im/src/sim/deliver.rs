//! Webhooks of the stand-in, sent as PagerDuty sends them.

use std::sync::Arc;
use std::time::Duration;

use pd_sim::{Delivery, DeliveryResult};
use tokio_util::sync::CancellationToken;

use super::StandIn;

/// PagerDuty waits so long for an answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// What sends webhooks; it follows no redirect.
pub(super) fn sender() -> Result<reqwest::Client, reqwest::Error> {
    // An error means that a provider is installed already, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .timeout(ANSWER_WAIT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// Delivers what is due, when it is due, until `stop`.
pub(super) async fn run(stand_in: Arc<StandIn>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let wake_at = start_due(&stand_in);
        tokio::select! {
            () = stop.cancelled() => {}
            () = stand_in.changed.notified() => {}
            () = tokio::time::sleep(stand_in.clock.wait_until(wake_at)) => {}
        }
    }
}

/// Lets everything happen that is due, and sends the webhooks of it without waiting for their
/// answers. Says when there is something to do next.
pub(super) fn start_due(stand_in: &Arc<StandIn>) -> Option<jiff::Timestamp> {
    let (deliveries, wake_at) = {
        let mut sim = stand_in.lock();
        let deliveries = sim.due(stand_in.clock.now());
        // Under the lock, so that nobody sees neither the debt nor the delivery.
        stand_in
            .under_way
            .send_modify(|count| *count += deliveries.len());
        (deliveries, sim.wake_at())
    };
    for delivery in deliveries {
        tokio::spawn(deliver(Arc::clone(stand_in), delivery));
    }
    wake_at
}

/// Waits until nothing is due and nothing is under way.
pub(super) async fn settle(stand_in: &Arc<StandIn>) {
    let mut under_way = stand_in.under_way.subscribe();
    loop {
        start_due(stand_in);
        // An error would mean that the stand-in is gone, and we hold it.
        if *under_way.borrow_and_update() == 0 || under_way.changed().await.is_err() {
            return;
        }
    }
}

async fn deliver(stand_in: Arc<StandIn>, delivery: Delivery) {
    send(&stand_in, &delivery).await;
    stand_in.under_way.send_modify(|count| *count -= 1);
}

/// Makes one attempt and reports what came of it.
pub(super) async fn send(stand_in: &StandIn, delivery: &Delivery) {
    let (result, body) = match &stand_in.sender {
        Some(sender) => attempt(sender, delivery).await,
        None => (DeliveryResult::Unreachable, Vec::new()),
    };
    tracing::debug!(?result, "sent to {}", delivery.url);
    let now = stand_in.clock.now();
    stand_in.with(|sim| sim.delivered_with(delivery.id, result, &body, now));
}

async fn attempt(sender: &reqwest::Client, delivery: &Delivery) -> (DeliveryResult, Vec<u8>) {
    let mut request = sender.post(&delivery.url).body(delivery.body.clone());
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return (DeliveryResult::TimedOut, Vec::new()),
        Err(_) => return (DeliveryResult::Unreachable, Vec::new()),
    };
    let result = DeliveryResult::Status(response.status().as_u16());
    if !delivery.asks_token {
        return (result, Vec::new());
    }
    // A token whose body breaks off is no token.
    let body = response.bytes().await.unwrap_or_default();
    (result, body.to_vec())
}
