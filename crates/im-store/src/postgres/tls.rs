//! Encryption to PostgreSQL, with the `sslmode` words of libpq.
//!
//! | mode | encrypted | server checked |
//! |---|---|---|
//! | `disable` | no | no |
//! | `allow`, `prefer` (the default) | if the server can | no |
//! | `require` | yes | only with `sslrootcert` |
//! | `verify-ca`, `verify-full` | yes | yes, with its name |
//!
//! `sslrootcert` is a PEM file or `system`; without it the system's roots are used.

use std::{env, path::PathBuf, sync::Arc};

use postgres::config::SslMode;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Cause, StoreError};

/// Where Unix systems keep their roots.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What we ask of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// No encryption.
    Plain,
    /// Encryption if the server can, with anyone.
    Opportunistic,
    /// Encryption, with anyone.
    Anyone,
    /// Encryption, with a server that these roots vouch for.
    Roots(Roots),
}

/// Who vouches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    System,
    File(PathBuf),
}

impl Trust {
    pub(super) fn ssl_mode(&self) -> SslMode {
        match self {
            Self::Plain => SslMode::Disable,
            Self::Opportunistic => SslMode::Prefer,
            Self::Anyone | Self::Roots(_) => SslMode::Require,
        }
    }
}

/// Takes `sslmode` and `sslrootcert` out of a URL, because the driver knows three modes only.
pub(super) fn take_parameters(url: &str) -> Result<(String, Trust), StoreError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut others) = ("prefer", None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = value,
            Some(("sslrootcert", "system")) => roots = Some(Roots::System),
            Some(("sslrootcert", value)) => roots = Some(Roots::File(PathBuf::from(value))),
            _ => others.push(pair),
        }
    }
    let trust = match (mode, roots) {
        ("disable", _) => Trust::Plain,
        ("allow" | "prefer", _) => Trust::Opportunistic,
        ("require", None) => Trust::Anyone,
        ("require" | "verify-ca" | "verify-full", Some(roots)) => Trust::Roots(roots),
        ("verify-ca" | "verify-full", None) => Trust::Roots(Roots::System),
        _ => {
            let hint = format!(
                "sslmode is `{mode}`; write disable, allow, prefer, require, verify-ca or verify-full"
            );
            return Err(StoreError::Address(Cause::new(hint)));
        }
    };
    let query = others.join("&");
    let url = if query.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{query}")
    };
    Ok((url, trust))
}

/// What makes the encrypted streams.
pub(super) fn connector(trust: &Trust) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Address(Cause::new(error)))?;
    let config = match trust {
        Trust::Roots(roots) => builder.with_root_certificates(load(roots)?),
        Trust::Plain | Trust::Opportunistic | Trust::Anyone => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider))),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn load(roots: &Roots) -> Result<RootCertStore, StoreError> {
    let path = match roots {
        Roots::File(path) => path.clone(),
        Roots::System => system_roots()?,
    };
    let unreadable = |error| {
        StoreError::Address(Cause::new(format!(
            "cannot read {}: {error}",
            path.display()
        )))
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&path).map_err(unreadable)? {
        // A bundle may hold roots that rustls does not understand; the others count.
        store.add_parsable_certificates([certificate.map_err(unreadable)?]);
    }
    if store.is_empty() {
        let hint = format!("there is no certificate in {}", path.display());
        return Err(StoreError::Address(Cause::new(hint)));
    }
    Ok(store)
}

fn system_roots() -> Result<PathBuf, StoreError> {
    let named = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    named
        .into_iter()
        .chain(SYSTEM_ROOTS.iter().map(PathBuf::from))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            StoreError::Address(Cause::new(
                "this system has no root certificates; set sslrootcert",
            ))
        })
}

/// Encrypts without asking who is there, as `sslmode=require` has always meant. The handshake's
/// own signatures are still checked.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::{Roots, Trust, take_parameters};

    #[track_caller]
    fn check(query: &str, rest: &str, expect: &Trust) {
        let (url, trust) = take_parameters(&format!("postgres://h/d{query}")).unwrap();
        assert_eq!(url, format!("postgres://h/d{rest}"));
        assert_eq!(&trust, expect);
    }

    #[test]
    fn modes_mean_what_libpq_says() {
        check("", "", &Trust::Opportunistic);
        check("?sslmode=disable", "", &Trust::Plain);
        check(
            "?sslmode=require&connect_timeout=3",
            "?connect_timeout=3",
            &Trust::Anyone,
        );
        check("?sslmode=verify-full", "", &Trust::Roots(Roots::System));
        let file = Roots::File("/a.pem".into());
        check(
            "?sslrootcert=/a.pem&sslmode=require",
            "",
            &Trust::Roots(file),
        );
        assert!(take_parameters("postgres://h/d?sslmode=maybe").is_err());
    }
}
