//! Who may look: this machine.
//!
//! A page of another site can make a browser send requests to this machine, under a name of its
//! own that leads here (DNS rebinding), and a proxy or tunnel on this machine can carry requests
//! of strangers. The first shows in the host, the second in the headers that proxies add.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

const PROXIES_SAY: [HeaderName; 5] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// Answers with 403 unless the request comes from this machine and means it.
pub(crate) async fn refuse_strangers(request: Request, next: Next) -> Response {
    match reason(&request) {
        None => next.run(request).await,
        Some(reason) => refusal(reason),
    }
}

/// Why the request is refused. Without a peer it was made in this process.
fn reason(request: &Request) -> Option<&'static str> {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip().to_canonical());
    if peer.is_some_and(|peer| !peer.is_loopback()) {
        return Some("it came from another machine");
    }
    if PROXIES_SAY
        .iter()
        .any(|name| request.headers().contains_key(name))
    {
        return Some("it came through a proxy or a tunnel");
    }
    match host(request) {
        Some(host) if HOSTS.contains(&host.as_str()) => None,
        None if peer.is_none() => None,
        Some(_) | None => Some("it was addressed to another name than localhost"),
    }
}

/// The host asked for, without its port and in lower case.
fn host(request: &Request) -> Option<String> {
    let named = header_host(request.headers());
    let authority = named.or_else(|| request.uri().authority().cloned())?;
    Some(authority.host().to_ascii_lowercase())
}

fn header_host(headers: &HeaderMap) -> Option<Authority> {
    let text = headers.get(header::HOST)?.to_str().ok()?;
    // A host that cannot be read must not pass for one that is absent.
    Some(text.parse().unwrap_or(Authority::from_static("unreadable")))
}

fn refusal(reason: &str) -> Response {
    let text = format!(
        "These pages are for the machine that im runs on, and this request was refused: {reason}.\n\
         Open http://localhost with im's port on that machine, or reach it by `ssh -L`.\n\
         From elsewhere use the command line or the API with a token.\n"
    );
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, plain)], text).into_response()
}
