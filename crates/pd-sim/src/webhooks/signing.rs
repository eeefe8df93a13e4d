//! The headers of one delivery attempt (docs/sim.md).
//!
//! A signature is made for each attempt, so a secret added while a webhook waits counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::subscription::Subscription;
use crate::oauth::form::percent_decode;

/// What signs while the fault `wrong_secret` is on. No subscription has it.
const SECRET_OF_NOBODY: &str = "a secret that no subscription was ever given";

/// `v1=<hex>` per secret, joined by commas without a space.
pub(super) fn signature(secrets: &[String], body: &[u8]) -> String {
    let entries: Vec<String> = secrets
        .iter()
        .map(|secret| format!("v1={}", mac(secret, body)))
        .collect();
    entries.join(",")
}

/// The secret is used as text; it only looks like base64.
fn mac(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// All headers but `Host` and `Content-Length`, which are the sender's.
pub(super) fn headers(
    to: &Subscription,
    webhook_id: &str,
    body: &[u8],
    wrong_secret: bool,
) -> Vec<(String, String)> {
    let signature = if wrong_secret {
        signature(&[SECRET_OF_NOBODY.to_owned()], body)
    } else {
        signature(&to.secrets, body)
    };
    let own = [
        ("Content-Type", "application/json".to_owned()),
        ("Accept", "application/json".to_owned()),
        ("User-Agent", "PagerDuty-Webhook/V3.0".to_owned()),
        ("X-PagerDuty-Signature", signature),
        ("X-Webhook-Id", webhook_id.to_owned()),
        ("X-Webhook-Subscription", to.id.clone()),
    ];
    let mut headers = own.map(|(name, value)| (name.to_owned(), value)).to_vec();
    if let (_, Some(userinfo)) = split_userinfo(&to.url) {
        let credentials = STANDARD.encode(percent_decode(userinfo.as_bytes()));
        headers.push(("Authorization".to_owned(), format!("Basic {credentials}")));
    }
    headers.extend(to.custom_headers.iter().cloned());
    headers
}

/// The URL without `user:password@`, and that part.
pub(super) fn split_userinfo(url: &str) -> (String, Option<&str>) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (url.to_owned(), None);
    };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(host_end).unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((userinfo, host)) => (format!("{scheme}://{host}{tail}"), Some(userinfo)),
        None => (url.to_owned(), None),
    }
}
