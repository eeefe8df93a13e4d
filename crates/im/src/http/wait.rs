//! `?wait=5s`: an answer that waits for PagerDuty's.

use std::time::Duration;

use super::App;
use super::error::ApiError;
use super::input::Params;

/// The longest that a request may wait.
const WAIT_MAX: Duration = Duration::from_mins(1);
/// Another process may be the one that carries it out; nobody tells us then.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long the caller is ready to wait.
pub fn wanted(params: &Params) -> Result<Duration, ApiError> {
    let Some(text) = params.one("wait") else {
        return Ok(Duration::ZERO);
    };
    match duration(text) {
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

/// A length of time as people write it: `5s`, `500ms`, `1m30s`, `0`.
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let unit_len = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(unit_len)?;
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let ms = digits.parse::<u64>().ok()?.checked_mul(unit_ms)?;
        total = total.checked_add(Duration::from_millis(ms))?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, ms) in [
            ("0", Some(0)),
            ("500ms", Some(500)),
            ("5s", Some(5_000)),
            ("1m30s", Some(90_000)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-5s", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(duration(text), ms.map(Duration::from_millis), "{text}");
        }
    }
}
