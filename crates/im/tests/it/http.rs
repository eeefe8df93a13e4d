//! The HTTP server without a socket: one router, one database in memory, one clock that stands.

pub(crate) mod access;
mod api;
mod auth;
mod backfill;
mod calls;
mod connectors;
mod deliveries;
mod deployments;
mod description;
mod directory;
mod doctor;
mod door;
mod event;
mod events;
mod facts;
mod figures;
pub(crate) mod findings;
mod health;
mod image;
mod keys;
mod logs;
mod metrics;
mod oncall;
mod organisation;
mod overview;
mod person_once;
mod refusals;
mod sync;
mod teams;
mod there;
mod tried;
mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use im::clock::Clock;
use im::http::App;
use im::local::{assemble, engine};
use im::run::{self, COMMAND_DRAIN};
use im::secret::Vault;
use im_pagerduty::Secret;
use im_store::{Db, DbOptions, StoreError, Tx};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

/// Where a caller sits.
const NEAR: &str = "127.0.0.1:50000";
const FAR: &str = "203.0.113.7:50000";

/// A configuration that is complete.
fn config() -> Value {
    json!({
        "api_key": "u+abcdefghijklmnopqrst",
        "base_url": "http://127.0.0.1:1",
        "sync_direction": "bidirectional",
        "custom": {"service_id": "PDAT001", "from_email": "ops@company.com"},
    })
}

/// A document as people read it.
fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap()
}

pub(crate) struct Server {
    app: Arc<App>,
    router: Router,
    clock: Clock,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.body);
        if status >= 400 {
            assert_eq!(self.headers["content-type"], "application/problem+json");
            assert_eq!(self.body["status"], status);
            assert_eq!(self.body["type"], "about:blank");
            for key in ["title", "detail", "code"] {
                let text = self.body[key].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "no {key}: {}", self.body);
            }
            let has_next = self.body["hint"]
                .as_str()
                .is_some_and(|hint| !hint.is_empty());
            assert!(has_next, "no next step: {}", self.body);
        }
        &self.body
    }
}

/// A request from a peer, with the headers that every client sends.
fn request(peer: &str, method: &str, path: &str, body: &Value) -> Request<Body> {
    let body = match body {
        Value::Null => Body::empty(),
        Value::String(text) => Body::from(text.clone()),
        document => Body::from(document.to_string()),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8080")
        .body(body)
        .unwrap();
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

fn request_of_description() -> Request<Body> {
    request(NEAR, "GET", "/api/v1/openapi.json", &Value::Null)
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::listening(true)
    }

    fn listening(on_loopback: bool) -> Self {
        let clock = Clock::manual("2026-11-20T09:14:05.12Z".parse().unwrap());
        Self::with_clock(clock, on_loopback)
    }

    pub(crate) fn with_clock(clock: Clock, on_loopback: bool) -> Self {
        Self::changed(clock, on_loopback, |_| {})
    }

    /// One of whose parts another is used.
    fn changed(clock: Clock, on_loopback: bool, change: impl FnOnce(&mut App)) -> Self {
        let db = Db::open(&DbOptions::new(":memory:", 7).unwrap()).unwrap();
        let vault = Arc::new(Vault::with_key(Secret::new("ab".repeat(32))));
        let mut app = assemble(db, vault, clock.clone(), on_loopback);
        // Nobody waits for a PagerDuty that a test does not have.
        app.form_wait = Duration::ZERO;
        change(&mut app);
        let app = Arc::new(app);
        let router = im::http::router(Arc::clone(&app));
        Self { app, router, clock }
    }

    /// The run loop works until what comes back is dropped.
    fn work(&self) -> DropGuard {
        let stop = CancellationToken::new();
        let running = run::run(engine(&self.app), stop.clone(), COMMAND_DRAIN);
        tokio::spawn(running);
        stop.drop_guard()
    }

    async fn with_connector(config: Value) -> Self {
        let server = Self::start();
        let new = json!({"name": "prod", "type": "pagerduty", "config": config});
        server.post("/api/v1/connectors", new).await.is(201);
        server
    }

    /// Asks; whatever the answer is, the description of the API must know it.
    async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (
            request.method().to_string(),
            request.uri().path().to_owned(),
        );
        let answer = self.send_unseen(request).await;
        let openapi = request_of_description();
        let document = self.send_unseen(openapi).await.body;
        description::must_know(&document, &method, &path, answer.status);
        answer
    }

    async fn send_unseen(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
        Answer {
            status,
            headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(NEAR, "GET", path, &Value::Null)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(request(NEAR, "POST", path, &body)).await
    }

    /// The same in the name of a person.
    pub(crate) async fn post_as(&self, email: &str, path: &str) -> Answer {
        let mut request = request(NEAR, "POST", path, &Value::Null);
        let headers = request.headers_mut();
        headers.insert("im-as", email.parse().unwrap());
        self.send(request).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(request(NEAR, "PATCH", path, &body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(request(NEAR, "DELETE", path, &Value::Null)).await
    }

    /// Writes into the database behind the API's back.
    async fn write(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
    ) {
        self.app.db.write(work).await.unwrap();
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// The words of a text, whatever its lines and columns are.
fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Method, path, body, status and code.
const WRONG: [(&str, &str, &str, u16, &str); 20] = [
    ("GET", "/nowhere", "", 404, "not_found"),
    ("GET", "/api/v1/nowhere", "", 404, "not_found"),
    ("PUT", "/api/v1/incidents", "", 405, "method_not_allowed"),
    ("GET", "/api/v1/incidents/xyz", "", 400, "bad_request"),
    ("GET", "/api/v1/incidents/INC-7", "", 404, "not_found"),
    (
        "GET",
        "/api/v1/incidents?status=odd",
        "",
        400,
        "bad_request",
    ),
    ("GET", "/api/v1/incidents?limit=0", "", 400, "bad_request"),
    (
        "GET",
        "/api/v1/incidents?colour=red",
        "",
        400,
        "bad_request",
    ),
    (
        "GET",
        "/api/v1/incidents?severity=odd",
        "",
        400,
        "bad_request",
    ),
    ("POST", "/api/v1/incidents", "{", 400, "bad_request"),
    // By position, which nobody means.
    (
        "POST",
        "/api/v1/incidents",
        "[\"x\", \"SEV-4\", null, null, null]",
        400,
        "bad_request",
    ),
    ("POST", "/api/v1/incidents", " []", 400, "bad_request"),
    ("POST", "/api/v1/tokens", "{\"name\": \"\"}", 422, "name"),
    (
        "POST",
        "/api/v1/tokens",
        "{\"name\": \"ci\", \"email\": \"x\"}",
        422,
        "email",
    ),
    (
        "PATCH",
        "/api/v1/settings",
        "{\"public_url\": \"foo\"}",
        422,
        "public_url",
    ),
    (
        "POST",
        "/api/v1/incidents/1/resolve?wait=1d",
        "",
        400,
        "bad_request",
    ),
    (
        "POST",
        "/api/v1/incidents/1/resolve?wait=2m",
        "",
        400,
        "bad_request",
    ),
    ("DELETE", "/api/v1/connectors/nope", "", 404, "not_found"),
    (
        "PATCH",
        "/api/v1/settings",
        "{\"status_model\": \"x\"}",
        422,
        "status_model",
    ),
    (
        "PATCH",
        "/api/v1/settings",
        "{\"public_url\": \"ftp://x\"}",
        422,
        "public_url",
    ),
];

#[tokio::test]
async fn answers_are_compressed_for_who_takes_that_and_streams_never_are() {
    let server = Server::start();
    let ask = async |path: &str, takes: bool| {
        let mut request = request(NEAR, "GET", path, &Value::Null);
        if takes {
            let gzip = "gzip".parse().unwrap();
            request.headers_mut().insert("accept-encoding", gzip);
        }
        server.router.clone().oneshot(request).await.unwrap()
    };
    for path in [
        "/",
        "/assets/app.css",
        "/api/v1/openapi.json",
        "/api/v1/connectors",
    ] {
        let packed = ask(path, true).await;
        let is_small = path.ends_with("connectors");
        assert_eq!(
            packed.headers().contains_key("content-encoding"),
            !is_small,
            "{path}"
        );
        assert_eq!(packed.headers().contains_key("vary"), !is_small, "{path}");
        let bytes = axum::body::to_bytes(packed.into_body(), usize::MAX)
            .await
            .unwrap();
        assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), !is_small, "{path}");
        let plain = ask(path, false).await;
        assert!(!plain.headers().contains_key("content-encoding"), "{path}");
    }
    let live = ask("/live", true).await;
    assert_eq!(live.status(), StatusCode::OK);
    assert!(!live.headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let server = Server::start();
    for (method, path, body, status, code) in WRONG {
        let answer = server.send(request(NEAR, method, path, &body.into())).await;
        assert_eq!(answer.is(status)["code"], code, "{method} {path}");
    }
}

#[tokio::test]
async fn a_browser_at_an_address_that_nothing_has_is_shown_a_page() {
    let server = Server::start();
    let mut asked = request(NEAR, "GET", "/nowhere", &Value::Null);
    let accepted = "text/html,application/xhtml+xml,*/*;q=0.8";
    let headers = asked.headers_mut();
    headers.insert("accept", accepted.parse().unwrap());
    let answer = server.send_unseen(asked).await;
    assert_eq!(answer.status, 404);
    assert!(answer.headers.contains_key("content-security-policy"));
    let page = answer.body.as_str().unwrap();
    assert!(page.contains("There is nothing at this address"), "{page}");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_names_its_key() {
    let server = Server::start();
    let cases = [
        (json!({"title": "x"}), "severity"),
        (json!({"title": 3, "severity": "SEV-1"}), "title"),
        (
            json!({"title": "x", "severity": "SEV-1", "servise": "db"}),
            "servise",
        ),
    ];
    for (body, key) in cases {
        let answer = server.post("/api/v1/incidents", body).await;
        let detail = answer.is(400)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(key), "{detail}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let server = Server::start();
    let body = json!({"title": "x".repeat(1024 * 1024), "severity": "SEV-1"});
    let answer = server.post("/api/v1/incidents", body).await;
    assert_eq!(answer.is(413)["code"], "too_large");
    let body = json!({"version": 1, "x": "x".repeat(16 * 1024 * 1024)});
    let answer = server
        .send(request(NEAR, "PUT", "/api/v1/data", &body))
        .await;
    let detail = answer.is(413)["detail"].as_str().unwrap();
    assert!(detail.contains("16384 KiB"), "{detail}");
}

#[tokio::test]
async fn health_metrics_and_the_description_are_there() {
    let server = Server::with_connector(config()).await;
    let health = server.get("/health").await;
    assert_eq!(health.is(200)["status"], "healthy");
    assert_eq!(health.body["timestamp"], "2026-11-20T09:14:05.12Z");
    let metrics = server.get("/metrics").await;
    let text = metrics.is(200).as_str().unwrap();
    assert!(
        text.contains("im_connector_up{connector=\"prod\"} 0"),
        "{text}"
    );
    let openapi = server.get("/api/v1/openapi.json").await;
    let document = openapi.is(200);
    assert_eq!(document["info"]["title"], "im");
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(
        StatusCode::OK,
        StatusCode::from_u16(openapi.status).unwrap()
    );
}
