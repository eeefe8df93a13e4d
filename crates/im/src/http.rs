//! The HTTP server: the API, PagerDuty's webhooks, health and metrics.
//!
//! Handlers read the request, run one transaction and shape the answer. They decide nothing about
//! incidents and never call PagerDuty themselves: what is owed is owed by the engine, and what is
//! asked now goes through [`run::Caller`](crate::run::Caller).
//!
//! Invariants
//! - Every error is `application/problem+json` with what, why and the next step.
//! - A webhook is answered with 2xx only after it is stored.

pub mod api;
pub mod auth;
pub mod certificate;
mod edge;
pub mod error;
pub mod health;
pub mod hooks;
pub mod input;
pub mod metrics;
pub mod openapi;
pub mod wait;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use im_store::Db;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::access::{Access, audit};
use crate::clock::Clock;
use crate::figures::Figures;
use crate::run::{Caller, Signals};
use crate::secret::Vault;
use crate::web;
use error::ApiError;
use metrics::Metrics;

/// A request larger than this is not one of ours.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What handlers work with.
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// What opens keys and secrets.
    pub vault: Arc<Vault>,
    /// Who performs calls that are needed now.
    pub caller: Arc<Caller>,
    /// Who is nudged, and who tells of changes.
    pub signals: Arc<Signals>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is made of the facts.
    pub figures: Arc<Figures>,
    /// The doors for webhooks.
    pub doors: hooks::Doors,
    /// How long a call whose answer never came is left alone.
    pub lease: SignedDuration,
    /// A test event that needs longer than this does not arrive.
    pub ping_wait: Duration,
    /// How long a form waits for what PagerDuty answers to its act; the page tells of the rest.
    pub form_wait: Duration,
    /// Who may do what.
    pub access: Arc<Access>,
    /// Where the server's log is kept.
    pub logs: Option<PathBuf>,
    /// Ends everything that would go on by itself.
    pub stop: CancellationToken,
}

/// Every route, over `app`.
pub fn router(app: Arc<App>) -> Router {
    let access = Arc::clone(&app.access);
    let (guarded, mut document) = api::routes().merge(health::guarded()).split_for_parts();
    let check = middleware::from_fn_with_state(Arc::clone(&app), auth::check);
    openapi::guard(&mut document);
    let (open, mut described) = hooks::routes().merge(health::open()).split_for_parts();
    openapi::open(&mut described);
    document.merge(described);
    Router::new()
        .merge(guarded.route_layer(check))
        .merge(open)
        .merge(openapi::route(document))
        .merge(pages(&app))
        .fallback(nothing_here)
        .method_not_allowed_fallback(async || {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this address does not take this method",
            )
            .hint("/api/v1/openapi.json lists what it takes")
        })
        // Streams of pages stay as they are. No answer holds a lasting secret beside what a stranger may put in: forms are
        // told by where they come from, and not by a token.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(|_panic| {
            tracing::error!("a request ended by a mistake of ours");
            ApiError::internal().into_response()
        }))
        // Outside of what catches a mistake of ours, so that an act which ended by one is kept, too.
        .layer(middleware::from_fn_with_state(access, audit::keep))
        .layer(middleware::from_fn(log))
        .with_state(app)
}

/// A problem for programs, a page for whoever asks for pages.
async fn nothing_here(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    if web::asks_for_page(&headers) && !uri.path().starts_with("/api/") {
        return web::nothing_here(app.clock.now());
    }
    ApiError::not_found("there is nothing at this address")
        .hint("/api/v1/openapi.json lists the addresses of the API; the pages begin at /")
        .into_response()
}

/// The pages, which look after their own access.
fn pages(app: &Arc<App>) -> Router<Arc<App>> {
    let state = web::WebState::new(Arc::clone(app), app.signals.changes());
    web::routes(state).with_state(())
}

/// One line for each request. The query is left out: people put tokens there.
async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.map_or_else(
        || request.uri().path().to_owned(),
        |path| path.as_str().to_owned(),
    );
    let response = next.run(request).await;
    let status = response.status();
    if status.is_server_error() {
        tracing::warn!(http.status = status.as_u16(), "{method} {path}: {status}");
    } else {
        tracing::debug!(http.status = status.as_u16(), "{method} {path}: {status}");
    }
    response
}
