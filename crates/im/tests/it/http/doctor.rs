//! The way of a webhook, step by step (I-109), and the certificate of the public address (G12).

use std::net::TcpListener;
use std::sync::Arc;

use im::watch;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use serde_json::{Value, json};

use super::there::{There, lines};
use super::{NEAR, request};

const PATH: &str = "/api/v1/connectors/prod/doctor";

/// A door that encrypts and then says nothing; valid until 2026-12-01, and trusted by nobody.
fn encrypted_door() -> String {
    let certificate = include_bytes!("fixtures/soon.pem");
    let key = include_bytes!("fixtures/soon.key.pem");
    let chain = vec![CertificateDer::from_pem_slice(certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
        }
    });
    format!("https://127.0.0.1:{port}")
}

async fn set_address(there: &There, url: &str) {
    let url = json!({"public_url": url});
    there.server.patch("/api/v1/settings", url).await.is(200);
}

/// The one line about the certificate.
fn certificate(lines: &[String]) -> &str {
    let found = lines
        .iter()
        .find(|line| line.to_lowercase().contains("certificate"));
    found.expect("there is a line")
}

#[tokio::test]
async fn g12_a_certificate_that_expires_within_two_weeks_is_said_everywhere() {
    let there = There::start().await;
    there.enable().await.is(200);
    let url = encrypted_door();
    set_address(&there, &url).await;
    // It is the 20th of November; nobody has looked yet.
    let silent = lines(&there.server.get("/api/v1/doctor").await);
    assert!(
        silent.iter().all(|line| !line.contains("certificate")),
        "{silent:?}"
    );
    watch::look_at_certificate(&there.server.app).await;
    let expected = format!(
        "TLS certificate of {url} is valid (until 2026-12-01) (it expires in 11 days, on 2026-12-01)"
    );
    let doctor = lines(&there.server.get("/api/v1/doctor").await);
    assert_eq!(certificate(&doctor), format!("failed: {expected}"));
    let way = lines(&there.server.get(PATH).await);
    assert_eq!(certificate(&way), format!("failed: {expected}"));
    let health = there.server.get("/api/v1/connectors/prod/health").await;
    let shown = health.is(200)["lines"].as_array().unwrap();
    let shown = shown
        .iter()
        .find(|line| line["name"] == "Certificate")
        .unwrap();
    assert_eq!(shown["state"], "warning");
    assert!(
        shown["text"]
            .as_str()
            .unwrap()
            .ends_with("it expires in 11 days, on 2026-12-01")
    );
    assert_eq!(health.body["health"], "degraded");

    there.server.pass(12 * 24 * 3600);
    let late = lines(&there.server.get(PATH).await);
    assert!(
        certificate(&late)
            .ends_with("(it expired on 2026-12-01: PagerDuty drops what it has to deliver)"),
        "{late:?}"
    );
    // What was seen of one address says nothing of another.
    set_address(&there, "http://im.example.com").await;
    let other = lines(&there.server.get("/api/v1/doctor").await);
    assert!(
        other.iter().all(|line| !line.contains("certificate")),
        "{other:?}"
    );
}

#[tokio::test]
async fn g12_a_certificate_that_lasts_is_no_news_and_one_that_nobody_vouches_for_is() {
    let there = There::start().await;
    there.enable().await.is(200);
    there.server.pass(-30 * 24 * 3600);
    set_address(&there, &encrypted_door()).await;
    let way = lines(&there.server.get(PATH).await);
    assert!(
        certificate(&way).starts_with("ok: TLS certificate of https://127.0.0.1"),
        "{way:?}"
    );
    let door = way
        .iter()
        .find(|line| line.contains("The door answers there"))
        .unwrap();
    assert!(
        door.starts_with("failed: ") && door.contains("ertificate"),
        "{door}"
    );
    let health = there.server.get("/api/v1/connectors/prod/health").await;
    let shown = health.is(200)["lines"].as_array().unwrap();
    assert!(
        shown.iter().all(|line| line["name"] != "Certificate"),
        "{shown:?}"
    );
}

#[tokio::test]
async fn i109_each_step_of_a_webhooks_way_is_looked_at() {
    let there = There::start().await;
    there.enable().await.is(200);
    let found = there.server.get(PATH).await;
    let told: Vec<String> = lines(&found)
        .iter()
        .map(|line| line.replace(&there.url, "http://im"))
        .collect();
    assert_eq!(
        told,
        [
            "ok: Connected to PagerDuty API",
            "ok: API key belongs to the account",
            "ok: Public address is set: http://im/connectors/prod/webhook",
            "skipped: TLS certificate: none, since the address begins with http://",
            "ok: The door answers there, as seen from this machine",
            "ok: Webhook endpoint configured",
            "skipped: Signatures: no delivery has come yet",
            "skipped: Clocks: PagerDuty has not told its time yet",
        ]
    );
    assert_eq!(found.body["ok"], true);
}

#[tokio::test]
async fn i109_the_step_that_fails_is_named_with_what_to_do() {
    let there = There::start().await;
    there.enable().await.is(200);
    // Somebody else signs.
    let mut forged = request(
        NEAR,
        "POST",
        "/connectors/prod/webhook",
        &json!({"event": {"id": "1"}}),
    );
    let wrong = format!("v1={}", "ab".repeat(32)).parse().unwrap();
    forged.headers_mut().insert("x-pagerduty-signature", wrong);
    there.server.send(forged).await;
    let found = lines(&there.server.get(PATH).await);
    let signed = found
        .iter()
        .find(|line| line.contains("Signatures of deliveries fit"));
    assert!(signed.unwrap().starts_with("failed: "), "{found:?}");
    // Another server is at the address.
    let elsewhere = there.stand_in.base_url.clone();
    set_address(&there, &elsewhere).await;
    let found = lines(&there.server.get(PATH).await);
    let door = found
        .iter()
        .find(|line| line.contains("The door answers there"))
        .unwrap();
    assert!(
        door.contains("and it is not the door of this server"),
        "{door}"
    );
    // Nothing is there.
    set_address(&there, "http://127.0.0.1:1").await;
    let found = lines(&there.server.get(PATH).await);
    let door = found
        .iter()
        .find(|line| line.contains("The door answers there"))
        .unwrap();
    assert!(door.contains("refused"), "{door}");
    // The key is gone: what can be looked at is looked at.
    let key = there.stand_in.account.api_key.clone();
    there.stand_in.with(|sim| sim.revoke_key(&key));
    let answer = there.server.get(PATH).await;
    let found = lines(&answer);
    assert!(
        found[0].starts_with("failed: Connected to PagerDuty API"),
        "{found:?}"
    );
    assert!(found.contains(&"skipped: Webhook subscription: PagerDuty cannot be asked".to_owned()));
    assert_eq!(answer.body["ok"], Value::Bool(false));
}
