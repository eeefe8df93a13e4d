//! `im sim`: a stand-in for PagerDuty, served over HTTP.
//!
//! REST, the Events API and OAuth answer on one port, as `pd-sim` says ([`api`]); what is due
//! there happens by a clock that can be told how to go ([`time`]), and webhooks leave as real
//! requests ([`deliver`]). Below `/_sim` scripts and people look, act and switch faults without a
//! key ([`control`]); `/` shows the same on pages ([`page`]).
//!
//! Nothing here knows what an answer means.

mod account;
mod api;
pub(crate) mod control;
mod deliver;
mod files;
mod line;
mod page;
mod time;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use pd_sim::{Account, Options, Sim};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::cli::SimOptions;
use crate::clock::Clock;
use crate::serve::{listen, stop_on_signal};
use crate::telemetry::{self, Audience};

pub use account::document;
pub use time::{FACTOR_MAX, Hands};

/// An account that requests, timers and people share.
pub struct StandIn {
    sim: Mutex<Sim>,
    /// Where it is reached.
    pub base_url: String,
    /// What was in it when it started.
    pub account: Account,
    /// Its time.
    pub clock: Hands,
    changed: Notify,
    /// Deliveries that were sent and not answered.
    under_way: watch::Sender<usize>,
    /// Where the account is written on demand and at the end.
    save_to: Option<PathBuf>,
    sender: Option<reqwest::Client>,
    silence_ms: AtomicU64,
}

impl StandIn {
    /// An account at `address`, made by `fill`.
    pub fn new(
        address: SocketAddr,
        clock: Clock,
        fill: impl FnOnce(Options) -> (Sim, Account),
    ) -> Self {
        Self::at(format!("http://{address}"), Hands::of(clock), fill)
    }

    /// An account that is reached at `base_url`.
    pub fn at(
        base_url: String,
        clock: Hands,
        fill: impl FnOnce(Options) -> (Sim, Account),
    ) -> Self {
        let (sim, account) = fill(Self::options(&base_url));
        Self::of(base_url, clock, sim, account)
    }

    /// How an account behaves that is reached there.
    fn options(base_url: &str) -> Options {
        Options {
            base_url: base_url.to_owned(),
            web_url: format!("{base_url}{}", control::PREFIX),
            limits: Some(1.0),
            ..Options::default()
        }
    }

    fn of(base_url: String, clock: Hands, sim: Sim, account: Account) -> Self {
        let sender = deliver::sender()
            .inspect_err(|error| tracing::error!("no webhook can be sent: {error}"));
        Self {
            sim: Mutex::new(sim),
            base_url,
            account,
            clock,
            changed: Notify::new(),
            under_way: watch::Sender::new(0),
            save_to: None,
            sender: sender.ok(),
            silence_ms: AtomicU64::new(millis(api::SILENCE)),
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

    /// Writes the account where the command line says; none when it says nothing.
    fn save(&self) -> anyhow::Result<Option<&Path>> {
        if let Some(dir) = &self.save_to {
            files::save(dir, &self.lock())?;
        }
        Ok(self.save_to.as_deref())
    }

    /// How long a caller waits for an answer that is lost.
    fn silence(&self) -> Duration {
        Duration::from_millis(self.silence_ms.load(Ordering::SeqCst))
    }

    fn set_silence(&self, silence: Duration) {
        self.silence_ms.store(millis(silence), Ordering::SeqCst);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Runs until it is told to stop.
pub async fn run(options: SimOptions) -> anyhow::Result<()> {
    telemetry::start(Audience::Server, 0, None);
    let stop = CancellationToken::new();
    let listener = listen(options.listen).await?;
    let stand_in = Arc::new(account::open(&options, listener.local_addr()?)?);
    // First, so that whoever has read how to reach it can already stop it in order.
    stop_on_signal(stop.clone())?;
    account::tell(&stand_in, options.json);
    serve(Arc::clone(&stand_in), listener, stop).await?;
    stand_in.save().map(drop)
}

/// Serves until `stop`.
pub async fn serve(
    stand_in: Arc<StandIn>,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let delivering = tokio::spawn(deliver::run(Arc::clone(&stand_in), stop.clone()));
    let service = router(stand_in).into_make_service_with_connect_info::<line::Caller>();
    let service = axum::serve(line::Lines(listener), service);
    tokio::select! {
        ended = service.into_future() => ended?,
        () = stop.cancelled() => {}
    }
    delivering.await?;
    Ok(())
}

/// PagerDuty's API, and what people do without one.
pub fn router(stand_in: Arc<StandIn>) -> Router {
    Router::new()
        .merge(page::routes())
        .merge(control::routes())
        .fallback(api::answer)
        .layer(middleware::from_fn(name_the_peer))
        .with_state(stand_in)
}

/// Tells those who ask for it where a request comes from.
async fn name_the_peer(mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<ConnectInfo<line::Caller>>();
    if let Some(peer) = caller.map(|ConnectInfo(caller)| caller.peer) {
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    next.run(request).await
}
