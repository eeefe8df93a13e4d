//! The configuration of a connector. Input: its JSON.

use im_engine::connector::part;
use im_pagerduty::config::{ConfigError, SYNC_INTERVAL_MIN, parse, parse_without_key};

pub(crate) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let config = match parse(&text) {
        Ok(config) => config,
        Err(error) => return refused(&error),
    };
    let key = config.api_key.expose();
    assert!(!key.is_empty());
    assert!(key.bytes().all(|byte| byte.is_ascii_graphic()), "a header");
    assert!(config.sync_interval >= SYNC_INTERVAL_MIN);
    assert!(!config.custom.service_id.is_empty());

    // What is stored says the same, and tells no secret.
    let parted = part(&text).expect("what was read once");
    assert_eq!(parted.config, config);
    let mut stored = parse_without_key(&parted.stored, key).expect("what we stored");
    assert_eq!(stored.webhook_secret, None, "a secret was stored in clear");
    stored.webhook_secret.clone_from(&config.webhook_secret);
    assert_eq!(stored, config);
}

/// It says where and why.
fn refused(error: &ConfigError) {
    assert!(!error.to_string().is_empty());
}
