//! Until when the certificate of the public address is valid, as last seen (G12).
//!
//! PagerDuty takes most errors of TLS for final: what it cannot deliver for them is dropped. So a
//! certificate that expires soon is said two weeks ahead, by the server's hourly look, by
//! `im doctor`, and by the health of each connector that has a webhook.

use im_store::{StoreError, Tx, settings};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::App;
use super::api::settings::stored_public_url;
use super::error::ApiError;

/// So long before its end a person has to see to a new one.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 14);
/// The setting that holds what was last seen.
const KEPT: &str = "public_certificate";

/// What was seen of the certificate of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    url: String,
    until: Timestamp,
}

impl Certificate {
    /// What is wrong with it at `now`, and what to do.
    pub fn trouble(&self, now: Timestamp) -> Option<(String, String)> {
        let left = self.until.duration_since(now);
        let day = self.until.strftime("%Y-%m-%d");
        let cause = if left <= SignedDuration::ZERO {
            format!("it expired on {day}: PagerDuty drops what it has to deliver")
        } else if left < AHEAD {
            let days = left.as_hours() / 24;
            format!("it expires in {days} days, on {day}")
        } else {
            return None;
        };
        let next = "renew it where TLS ends, at the proxy in front; `im connector sync NAME` brings what was missed".to_owned();
        Some((cause, next))
    }

    /// What it says of itself.
    pub fn text(&self) -> String {
        let day = self.until.strftime("%Y-%m-%d");
        format!("TLS certificate of {} is valid (until {day})", self.url)
    }
}

/// Looks at the certificate of the public address and remembers it. `None` without an address, or
/// without encryption; an error where it cannot be seen.
pub async fn look(app: &App) -> Result<Option<Result<Certificate, String>>, ApiError> {
    let url = app
        .db
        .read(|tx| Ok::<_, ApiError>(stored_public_url(tx)?))
        .await?;
    let Some(url) = url else { return Ok(None) };
    let Some(seen) = app.caller.certificate(&url).await else {
        return Ok(None);
    };
    let until = match seen {
        Ok(until) => until,
        Err(why) => return Ok(Some(Err(why))),
    };
    let certificate = Certificate { url, until };
    let text = serde_json::to_string(&certificate).unwrap_or_default();
    app.db
        .write(move |tx| {
            if settings::get(tx, KEPT)?.as_deref() != Some(text.as_str()) {
                settings::put(tx, KEPT, &text)?;
            }
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(Some(Ok(certificate)))
}

/// What was last seen of the certificate of the address that is set now.
pub fn known(tx: &mut Tx<'_>) -> Result<Option<Certificate>, StoreError> {
    let kept = settings::get(tx, KEPT)?;
    let kept: Option<Certificate> = kept.and_then(|text| serde_json::from_str(&text).ok());
    let url = stored_public_url(tx)?;
    Ok(kept.filter(|kept| Some(&kept.url) == url.as_ref()))
}
