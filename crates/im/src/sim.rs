//! `im sim`: a stand-in for PagerDuty, served over HTTP.
//!
//! REST, the Events API and OAuth's token endpoint answer on one port, as `pd-sim` says; what is
//! due there happens by the machine's clock, and webhooks leave as real requests. Below `/_sim`
//! people can look and act without a key ([`control`]).
//!
//! Nothing here knows what an answer means.

mod account;
pub(crate) mod control;
mod deliver;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response as HttpResponse};
use axum::routing::get;
use pd_sim::{Account, Answered, Options, Request, Response, Sim};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::cli::SimOptions;
use crate::clock::Clock;
use crate::serve::{listen, stop_on_signal};
use crate::telemetry::{self, Audience};

pub use account::document;

/// PagerDuty takes no larger request.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// An answer that is lost keeps its caller waiting for so long.
const LOST_FOR: Duration = Duration::from_mins(1);

/// An account that requests, timers and people share.
pub struct StandIn {
    sim: Mutex<Sim>,
    /// Where it is reached.
    pub base_url: String,
    /// What is in it.
    pub account: Account,
    /// Its time.
    pub clock: Clock,
    changed: Notify,
}

impl StandIn {
    /// An account at `address`, made by `fill`.
    pub fn new(
        address: SocketAddr,
        clock: Clock,
        fill: impl FnOnce(Options) -> (Sim, Account),
    ) -> Self {
        let base_url = format!("http://{address}");
        let options = Options {
            base_url: base_url.clone(),
            web_url: format!("{base_url}{}", control::PREFIX),
            ..Options::default()
        };
        let (sim, account) = fill(options);
        Self {
            sim: Mutex::new(sim),
            base_url,
            account,
            clock,
            changed: Notify::new(),
        }
    }

    /// Works with the account; what becomes due by that happens at once.
    pub fn with<T>(&self, work: impl FnOnce(&mut Sim) -> T) -> T {
        let done = work(&mut self.lock());
        self.changed.notify_one();
        done
    }

    // A panic of the simulator leaves a state that is as good as any other for trying things.
    fn lock(&self) -> MutexGuard<'_, Sim> {
        self.sim.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until it is told to stop.
pub async fn run(options: SimOptions) -> anyhow::Result<()> {
    telemetry::start(Audience::Server, 0);
    let stop = CancellationToken::new();
    let listener = listen(options.listen).await?;
    let address = listener.local_addr()?;
    let clock = Clock::System;
    let now = clock.now();
    let stand_in = StandIn::new(address, clock, |sim| {
        account::lively(sim, options.api_key.as_deref(), now)
    });
    let stand_in = Arc::new(stand_in);
    account::tell(&stand_in, options.json);
    stop_on_signal(stop.clone())?;
    serve(stand_in, listener, stop).await
}

/// Serves until `stop`.
pub async fn serve(
    stand_in: Arc<StandIn>,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let delivering = tokio::spawn(deliver::run(Arc::clone(&stand_in), stop.clone()));
    let service = axum::serve(listener, router(stand_in));
    tokio::select! {
        ended = service => ended?,
        () = stop.cancelled() => {}
    }
    delivering.await?;
    Ok(())
}

/// PagerDuty's API, and what people do without one.
pub fn router(stand_in: Arc<StandIn>) -> Router {
    Router::new()
        .route("/", get(async || Redirect::temporary(control::PREFIX)))
        .merge(control::routes())
        .fallback(answer)
        .with_state(stand_in)
}

async fn answer(State(stand_in): State<Arc<StandIn>>, request: HttpRequest) -> HttpResponse {
    let Some(request) = read(request).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let now = stand_in.clock.now();
    let answered = stand_in.with(|sim| sim.handle(&request, now));
    let Answered {
        response,
        lost,
        unreachable,
    } = answered;
    tracing::debug!(
        http.status = response.status,
        "{} {}",
        request.method,
        request.path
    );
    if lost || unreachable {
        // A server cannot take back that it was reached; silence comes nearest.
        tokio::time::sleep(LOST_FOR).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    write(response)
}

async fn read(request: HttpRequest) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.ok()?;
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let query: axum::extract::Query<Vec<(String, String)>> =
        axum::extract::Query::try_from_uri(&parts.uri).unwrap_or_default();
    Some(Request {
        method: parts.method.to_string(),
        path: decoded(parts.uri.path()),
        query: query.0,
        headers: headers.collect(),
        body: body.to_vec(),
    })
}

/// Ids need no escapes, but clients may write them.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .split_at_checked(2)
            .filter(|_| *first == b'%')
            .and_then(|(digits, after)| Some((hex::decode(digits).ok()?, after)));
        if let Some((byte, after)) = escaped {
            bytes.extend(byte);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn write(response: Response) -> HttpResponse {
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Body::from(response.body))
        .unwrap_or_else(|_wrong_header| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
