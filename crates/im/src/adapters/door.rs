//! Our own door, seen from outside: whether the public address answers, and until when its
//! certificate is valid.
//!
//! The certificate is read whoever vouches for it, because one that has expired must be read, too;
//! whether it is trusted is told by the request that follows the usual rules.

use std::error::Error;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// PagerDuty waits five seconds for the whole answer.
const WAIT: Duration = Duration::from_secs(5);
/// What the door says to an unsigned test.
const TEST: &str = r#"{"test":"ping"}"#;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Until when the certificate is valid; `None` for an address without encryption.
    pub certificate: Option<Result<Timestamp, String>>,
    /// Whether the door answered as ours does.
    pub answer: Result<(), String>,
}

/// Looks at the door at `url`.
#[derive(Default)]
pub(crate) struct Door {
    http: OnceLock<Result<reqwest::Client, String>>,
}

impl Door {
    /// Until when the certificate of `url` is valid; `None` without encryption.
    pub(crate) async fn certificate(&self, url: &str) -> Option<Result<Timestamp, String>> {
        let parsed = match Url::parse(url) {
            Ok(parsed) => parsed,
            Err(error) => return Some(Err(format!("{url} is no address: {error}"))),
        };
        if parsed.scheme() != "https" {
            return None;
        }
        let looked = tokio::task::spawn_blocking(move || valid_until(&parsed)).await;
        Some(looked.unwrap_or_else(|error| Err(error.to_string())))
    }

    /// The certificate, and what the door answers to a test.
    pub(crate) async fn look(&self, url: &str) -> Seen {
        Seen {
            certificate: self.certificate(url).await,
            answer: self.answer(url).await,
        }
    }

    async fn answer(&self, url: &str) -> Result<(), String> {
        let http = self.http.get_or_init(client).as_ref();
        let http = http.map_err(Clone::clone)?;
        let request = http
            .post(url)
            .header("Content-Type", "application/json")
            .body(TEST);
        let response = request.send().await.map_err(|error| last_cause(&error))?;
        let status = response.status();
        let server = response.text().await.unwrap_or_default();
        if status == reqwest::StatusCode::OK && server.contains("unsigned test ignored") {
            return Ok(());
        }
        Err(format!(
            "something answers there with HTTP {}, and it is not the door of this server",
            status.as_u16()
        ))
    }
}

/// A client that waits five seconds and follows nobody elsewhere.
pub(super) fn client() -> Result<reqwest::Client, String> {
    // An error means that a provider is installed already, which is what we want.
    drop(ring::default_provider().install_default());
    reqwest::Client::builder()
        .user_agent(concat!("im/", env!("CARGO_PKG_VERSION")))
        .timeout(WAIT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| last_cause(&error))
}

/// Without the address that was asked.
pub(super) fn last_cause(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn valid_until(url: &Url) -> Result<Timestamp, String> {
    let host = url.host_str().ok_or("the address names no host")?;
    let port = url.port_or_known_default().unwrap_or(443);
    let host = host.trim_matches(['[', ']']);
    let mut at = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("{host} cannot be found: {error}"))?;
    let at = at.next().ok_or_else(|| format!("{host} has no address"))?;
    let mut stream = TcpStream::connect_timeout(&at, WAIT)
        .map_err(|error| format!("{host}:{port} does not answer: {error}"))?;
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&stream, Some(WAIT)).map_err(|error| error.to_string())?;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    let mut tls =
        ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    while tls.is_handshaking() {
        tls.complete_io(&mut stream)
            .map_err(|error| format!("{host}:{port} does not encrypt: {error}"))?;
    }
    let leaf = tls.peer_certificates().and_then(<[_]>::first);
    let leaf = leaf.ok_or("it shows no certificate")?;
    let read = Certificate::from_der(leaf);
    let read = read.map_err(|error| format!("its certificate cannot be read: {error}"))?;
    let until = read.tbs_certificate.validity.not_after.to_unix_duration();
    let until = SignedDuration::try_from(until).map_err(|error| error.to_string())?;
    Timestamp::from_duration(until).map_err(|error| error.to_string())
}

/// Takes any certificate: it is only looked at. Nothing is sent to who shows it.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
