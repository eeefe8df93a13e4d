//! The stream that tells an open page to look again.
//!
//! It carries the number of the newest change and nothing else. Changes that come while a
//! browser is slow become one tick, so a stream never holds more than one. It ends with the session.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use im_store::{StoreError, accounts, sessions};
use tokio::sync::watch;

use super::WebState;
use super::guard::Visit;
use crate::access::sign_in::used;

/// Comments between ticks: shorter than what proxies and browsers take for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The number now, and each later one; ends with the server.
pub(super) async fn ticks(
    State(mut state): State<WebState>,
    visit: Visit,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // The first number tells a page that is older than the stream.
    state.changes.mark_changed();
    let ticks = stream::unfold((state, visit), |(mut state, visit)| async move {
        let stop = state.stop.clone();
        let tick = stop.run_until_cancelled(next(&mut state.changes)).await;
        let tick = tick.flatten()?;
        let goes_on = is_on(&state, &visit).await;
        goes_on.then_some((Ok(tick), (state, visit)))
    });
    Sse::new(ticks).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// Whether who listens is still signed in; while nobody has an account, nobody has to be.
async fn is_on(state: &WebState, visit: &Visit) -> bool {
    let (session, used) = (visit.session.clone(), used(state.clock.now()));
    let found = state.db.read(move |tx| match &session {
        Some(session) => Ok(sessions::find(tx, session, used)?.is_some()),
        None => Ok::<_, StoreError>(!accounts::any(tx)?),
    });
    found.await.unwrap_or(false)
}

async fn next(changes: &mut watch::Receiver<i64>) -> Option<Event> {
    changes.changed().await.ok()?;
    let version = *changes.borrow_and_update();
    Some(Event::default().data(version.to_string()))
}
