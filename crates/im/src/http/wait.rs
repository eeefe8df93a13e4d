//! `?wait=5s`: an answer that waits for PagerDuty's.

use std::time::Duration;

use super::App;
use super::error::ApiError;
use super::input::Params;
use crate::length;

/// The longest that a request may wait.
const WAIT_MAX: Duration = Duration::from_mins(1);
/// Another process may be the one that carries it out; nobody tells us then.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long the caller is ready to wait.
pub fn wanted(params: &Params) -> Result<Duration, ApiError> {
    let Some(text) = params.one("wait") else {
        return Ok(Duration::ZERO);
    };
    match length::read(text) {
        Some(wait) if wait <= WAIT_MAX => Ok(wait),
        Some(_) => {
            Err(ApiError::bad_request(format!("`wait={text}` is too long"))
                .hint("wait at most 60s"))
        }
        None => Err(
            ApiError::bad_request(format!("`wait={text}` is not a length of time"))
                .hint("write 5s, 500ms or 1m"),
        ),
    }
}

/// Looks until `look` finds something or the time has passed.
pub async fn until<T, L>(
    app: &App,
    wait: Duration,
    mut look: impl FnMut() -> L,
) -> Result<Option<T>, ApiError>
where
    L: Future<Output = Result<Option<T>, ApiError>>,
{
    let mut changes = app.signals.changes();
    let over = tokio::time::sleep(wait);
    tokio::pin!(over);
    loop {
        if let Some(found) = look().await? {
            return Ok(Some(found));
        }
        tokio::select! {
            () = &mut over => return look().await,
            _ = changes.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}
