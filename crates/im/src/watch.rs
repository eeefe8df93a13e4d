//! What a server looks at each hour, whoever asks: the certificate of its public address (G12).
//!
//! The webhook subscription is looked at by each repair (`im_engine::subscription`).

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::http::App;
use crate::http::certificate;

const EVERY: Duration = Duration::from_hours(1);

/// Looks now and each hour, until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        look(&app).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Looks once, and logs what a person has to see to.
pub async fn look(app: &App) {
    match certificate::look(app).await {
        Ok(None) => {}
        Ok(Some(Ok(seen))) => {
            if let Some((cause, next)) = seen.trouble(app.clock.now()) {
                tracing::warn!("{}: {cause}; {next}", seen.text());
            }
        }
        Ok(Some(Err(why))) => {
            tracing::warn!("the certificate of the public address cannot be seen: {why}");
        }
        Err(error) => tracing::warn!("the public address was not looked at: {}", error.detail()),
    }
}
