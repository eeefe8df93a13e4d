//! The header `X-PagerDuty-Signature`. Input: the header, a line for the secret, the body.

use hmac::{Hmac, KeyInit, Mac};
use im_pagerduty::verify;
use sha2::Sha256;

use crate::line;

/// What a header may have: `docs/pagerduty/signature.md`.
const ENTRIES_MAX: usize = 16;

pub(crate) fn check(input: &[u8]) {
    let (header, rest) = line(input);
    let (secret, body) = line(rest);
    let (header, secret) = (
        String::from_utf8_lossy(header),
        String::from_utf8_lossy(secret),
    );
    let signed = format!("v1={}", sign(&secret, body));
    let is_valid = !secret.is_empty()
        && header
            .split(',')
            .take(ENTRIES_MAX)
            .any(|entry| entry.trim() == signed);
    assert_eq!(verify(&header, body, &[&secret]), is_valid);
    assert!(!verify(&header, body, &[]), "without a secret");
    let other = format!("{secret}'");
    assert!(
        !verify(&header, body, &[&other]) || header.contains(&sign(&other, body)),
        "by another secret"
    );
    if is_valid {
        let longer = [body, b"."].concat();
        assert!(!verify(&header, &longer, &[&secret]), "of another body");
        assert!(verify(&header, body, &[&other, "", &secret]));
    }
    let known = !secret.is_empty() && header.split(',').count() < ENTRIES_MAX;
    let both = format!("{header}, {signed}");
    assert!(verify(&both, body, &[&secret]) || !known, "beside others");
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}
