//! The stream that tells an open page to look again.
//!
//! It carries the number of the newest change and nothing else. Changes that come while a
//! browser is slow become one tick, so a stream never holds more than one.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::WebState;

/// Comments between ticks: shorter than what proxies and browsers take for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The number now, and each later one; ends with the server.
pub(super) async fn ticks(
    State(state): State<WebState>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let WebState {
        mut changes, stop, ..
    } = state;
    // The first number tells a page that is older than the stream.
    changes.mark_changed();
    let ticks = stream::unfold((changes, stop), |(mut changes, stop)| async move {
        let tick = stop.run_until_cancelled(next(&mut changes)).await.flatten();
        tick.map(|tick| (Ok(tick), (changes, stop)))
    });
    Sse::new(ticks).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

async fn next(changes: &mut watch::Receiver<i64>) -> Option<Event> {
    changes.changed().await.ok()?;
    let version = *changes.borrow_and_update();
    Some(Event::default().data(version.to_string()))
}
