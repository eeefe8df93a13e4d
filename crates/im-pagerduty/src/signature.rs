//! Whether a webhook is PagerDuty's: `docs/pagerduty/signature.md`.
//!
//! Only the bytes of the body are signed, no time and no number. So a copy of an old webhook
//! passes here; what tells it apart is the event's id inside the body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A header with more entries than this is not PagerDuty's: one entry stands for one secret.
const ENTRIES_MAX: usize = 16;

/// Whether any `v1=` entry of the header signs the body with any of the secrets.
///
/// The time taken tells nothing about how much of a signature was right.
pub fn verify(header: &str, body: &[u8], secrets: &[&str]) -> bool {
    let mut found = false;
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let Some(expected) = digest(secret, body) else {
            continue;
        };
        for entry in header.split(',').take(ENTRIES_MAX) {
            if let Some(given) = entry.trim().strip_prefix("v1=") {
                found |= bool::from(expected.as_bytes().ct_eq(given.as_bytes()));
            }
        }
    }
    found
}

/// The secret is used as text, although it looks like base64.
fn digest(secret: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(body);
    Some(hex::encode(mac.finalize().into_bytes()))
}
