//! Signatures of webhooks.

use hmac::{Hmac, KeyInit, Mac};
use im_pagerduty::verify;
use proptest::prelude::*;
use sha2::Sha256;

use crate::support::fixture;

fn sign(body: &[u8], secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[test]
fn s06_s07_each_documented_vector_holds() {
    let vectors: serde_json::Value =
        serde_json::from_slice(&fixture("signature-vectors.json")).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let secrets: Vec<&str> = vector["secrets_held_by_receiver"]
            .as_array()
            .unwrap()
            .iter()
            .map(|secret| secret.as_str().unwrap())
            .collect();
        let header = vector["x_pagerduty_signature"].as_str().unwrap_or_default();
        let body = vector["body_utf8"].as_str().unwrap().as_bytes();
        let valid = verify(header, body, &secrets);
        assert_eq!(
            valid,
            vector["expect_valid"].as_bool().unwrap(),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn without_a_secret_nothing_is_valid() {
    let body = b"{}";
    assert!(!verify(&sign(body, ""), body, &[""]));
    assert!(!verify(&sign(body, "s"), body, &[]));
    assert!(verify(&sign(body, "s"), body, &["old", "s"]));
}

#[test]
fn a_header_of_thousands_of_entries_is_not_searched_for_ever() {
    let header = format!("{}{}", "v1=00,".repeat(10_000), sign(b"{}", "s"));
    assert!(!verify(&header, b"{}", &["s"]));
}

proptest! {
    #[test]
    fn s07_what_was_signed_is_valid_and_one_changed_byte_is_not(
        body in prop::collection::vec(any::<u8>(), 1..300),
        secret in "[ -~]{1,80}",
        at in any::<prop::sample::Index>(),
        others in prop::collection::vec("[a-z0-9=]{0,70}", 0..4),
    ) {
        let header = format!("{}, {}", others.join(","), sign(&body, &secret));
        prop_assert!(verify(&header, &body, &["another", &secret]));
        let mut changed = body.clone();
        let at = at.index(changed.len());
        changed[at] ^= 1;
        prop_assert!(!verify(&header, &changed, &[&secret]));
    }
}
