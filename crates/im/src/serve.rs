//! `im serve`: the API, the webhooks and the run loop, until a signal.
//!
//! Stopping is orderly: no new requests, those under way end, running calls end or are left to
//! their lease, the database is closed last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use im_store::{Tx, connectors, settings, tokens};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::access::{new_secret, people};
use crate::cli::ServeOptions;
use crate::http::api::settings::{PUBLIC_URL, public_url, put_served_at, stored_public_url};
use crate::http::error::ApiError;
use crate::http::{self, App};
use crate::telemetry::{self, Audience};
use crate::{local, run, watch};

/// How long requests under way may take to end.
const REQUESTS_DRAIN: Duration = Duration::from_secs(5);

/// Runs until it is told to stop.
pub async fn run(options: ServeOptions) -> anyhow::Result<()> {
    let dir = &options.data.data_dir;
    local::make_private(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    telemetry::start(Audience::Server, options.data.verbosity, Some(dir));
    // Whoever is told to stop while the database is opened stops in order, too.
    let told = CancellationToken::new();
    stop_on_signal(told.clone())?;
    let listener = listen(options.listen).await?;
    let at = listener.local_addr()?;
    let app = Arc::new(local::build(&options.data, at.ip().is_loopback()).await?);
    let is_fresh = prepare(&app, options.public_url.as_deref(), at).await?;
    say_hello(at, is_fresh, &options);
    if let Some(how) = first_owner(&app, at).await? {
        tracing::warn!(target: "im::first_owner", "{how}");
    }
    let stop = app.stop.clone();
    tokio::spawn(async move {
        told.cancelled().await;
        stop.cancel();
    });
    serve(app, listener).await;
    tracing::info!("stopped");
    Ok(())
}

/// Takes an address, or says who may have it.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: is another server running there? `--listen` takes another address")
    })
}

/// Serves until the application is stopped, then ends everything in order.
pub async fn serve(app: Arc<App>, listener: TcpListener) {
    let stop = app.stop.clone();
    let engine = run::run(local::engine(&app), stop.clone(), run::SERVER_DRAIN);
    let engine = tokio::spawn(engine);
    let (figures, db) = (Arc::clone(&app.figures), app.db.clone());
    let (changes, stopping) = (app.signals.changes(), stop.clone());
    let figures = tokio::spawn(async move { figures.follow(db, changes, stopping).await });
    let service =
        http::router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
    let server =
        axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let server = tokio::spawn(server.into_future());
    let watching = tokio::spawn(watch::run(Arc::clone(&app), stop.clone()));
    stop.cancelled().await;
    watching.abort();
    drop(watching.await);
    if tokio::time::timeout(REQUESTS_DRAIN, server).await.is_err() {
        tracing::warn!("stopped although requests were under way");
    }
    if let Err(error) = engine.await {
        tracing::error!("the run loop ended by a mistake of ours: {error}");
    }
    if let Err(error) = figures.await {
        tracing::error!("figures ended by a mistake of ours: {error}");
    }
    local::close(app).await;
}

/// Stores where this server is; says whether nobody has used this database yet.
async fn prepare(app: &App, given: Option<&str>, at: SocketAddr) -> anyhow::Result<bool> {
    let url = given
        .map(public_url)
        .transpose()
        .map_err(|error| anyhow::anyhow!("--public-url: {}", error.detail()))?;
    let is_fresh = app
        .db
        .write(move |tx: &mut Tx<'_>| {
            if let Some(url) = &url {
                settings::put(tx, PUBLIC_URL, url)?;
            }
            put_served_at(tx, &near(at))?;
            let is_fresh = tokens::all(tx)?.is_empty() && connectors::all(tx)?.is_empty();
            Ok::<_, ApiError>(is_fresh)
        })
        .await
        .map_err(|error| anyhow::anyhow!("{}", error.detail()))?;
    Ok(is_fresh)
}

fn say_hello(at: SocketAddr, is_fresh: bool, options: &ServeOptions) {
    let place = options.data.place();
    tracing::info!("listening on http://{at}, data in {place}");
    if at.ip().is_loopback() {
        tracing::info!("callers of the API on this machine need no token; others cannot connect");
        tracing::info!(
            "a proxy in front must set X-Forwarded-For, or its visitors count as callers on this machine"
        );
    }
    if is_fresh {
        tracing::info!(
            "`im token create NAME` makes a token; `im connector add pagerduty NAME` adds a connector"
        );
    }
}

/// How the first owner of a server that others reach gets in, while nobody has an account.
pub async fn first_owner(app: &App, at: SocketAddr) -> anyhow::Result<Option<String>> {
    if app.access.trusts_loopback {
        return Ok(None);
    }
    let words = |error: ApiError| anyhow::anyhow!("{}", error.detail());
    let (secret, now) = (new_secret().map_err(words)?, app.clock.now());
    let made = app.db.write(move |tx: &mut Tx<'_>| {
        let url = stored_public_url(tx)?;
        Ok::<_, ApiError>((url, people::first_owner(tx, &secret, now)?))
    });
    let (url, link) = made.await.map_err(words)?;
    let Some(link) = link else { return Ok(None) };
    let base = url.unwrap_or_else(|| near(at));
    Ok(Some(format!(
        "nobody has an account yet; the first owner chooses a password at {base}{} (once, within 24 hours)",
        link.path()
    )))
}

/// Where a server that listens at an address is for its own machine.
fn near(at: SocketAddr) -> String {
    if at.ip().is_unspecified() {
        format!("http://localhost:{}", at.port())
    } else {
        format!("http://{at}")
    }
}

/// Stops at the first of SIGINT and SIGTERM; the second ends the process as usual.
pub fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("stopping at once");
        std::process::abort();
    });
    Ok(())
}
