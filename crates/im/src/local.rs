//! The API in process, on the database of this machine.
//!
//! What `im` does without `--server`: the same router that `im serve` serves, called directly. If
//! something may have to be told to PagerDuty, the run loop works beside it until it is shut down;
//! leases keep it from doing what a server on the same database does already.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::{Extension, Router};
use im_pagerduty::Secret;
use im_pagerduty::config::parse_duration;
use im_store::{Address, Db, DbOptions};
use jiff::SignedDuration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::clock::Clock;
use crate::figures::Figures;
use crate::http::auth::InProcess;
use crate::http::hooks::Doors;
use crate::http::metrics::Metrics;
use crate::http::{self, App};
use crate::run::{self, Caller, Engine, Signals};
use crate::secret::{self, Vault};
use crate::telemetry::{self, Audience};

/// The database in the data directory.
const DATABASE: &str = "im.db";
/// The key that seals secrets, beside it.
const KEY_FILE: &str = "secret.key";
/// The same key, given by whoever starts us.
const KEY_VARIABLE: &str = "IM_SECRET_KEY";
/// How long a call to PagerDuty that was never answered is left alone.
const LEASE_VARIABLE: &str = "IM_LEASE";
/// People look at a page that loads for so long, and PagerDuty mostly answers within a second.
const FORM_WAIT: Duration = Duration::from_secs(2);
/// PagerDuty delivers within seconds.
const PING_WAIT: Duration = Duration::from_secs(10);

/// Where the data is and how much to say about it.
#[derive(Debug, Clone, Default)]
pub struct LocalOptions {
    /// The directory of the database and its key.
    pub data_dir: PathBuf,
    /// Another database than the one in `data_dir`.
    pub database_url: Option<String>,
    /// Whether something may have to be told to PagerDuty, so that the engine must run.
    pub engine: bool,
    /// `-v` adds one, `-q` takes one away.
    pub verbosity: i8,
}

/// An open database with the API over it.
pub struct Local {
    /// The API; its caller is the local administrator.
    pub router: Router,
    app: Arc<App>,
    engine: Option<JoinHandle<()>>,
}

/// Opens the database and builds the API.
pub async fn open(options: LocalOptions) -> anyhow::Result<Local> {
    telemetry::start(Audience::Command, options.verbosity, None);
    let app = Arc::new(build(&options, false).await?);
    let engine = options.engine.then(|| start(&app));
    Ok(Local {
        router: http::router(Arc::clone(&app)).layer(Extension(InProcess)),
        app,
        engine,
    })
}

/// Opens the database and puts the parts of the server together.
pub async fn build(options: &LocalOptions, trusts_loopback: bool) -> anyhow::Result<App> {
    let dir = &options.data_dir;
    make_private(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let address = match &options.database_url {
        Some(url) => url.clone(),
        None => dir.join(DATABASE).display().to_string(),
    };
    let seed = u64::from_le_bytes(secret::random()?);
    let mut db = DbOptions::new(&address, seed)?;
    if !trusts_loopback && !options.engine {
        // One question needs one reader.
        db.readers = 1;
    }
    if let Address::SqliteFile(path) = &db.address {
        // SQLite gives its other files the permissions of this one. That it is there already, or
        // cannot be made, is SQLite's to meet.
        drop(secret::create_private(path));
    }
    let db = tokio::task::spawn_blocking(move || Db::open(&db)).await??;
    let vault = match std::env::var(KEY_VARIABLE) {
        Ok(key) if !key.is_empty() => Vault::with_key(Secret::new(key)),
        _ => Vault::in_file(dir.join(KEY_FILE)),
    };
    let mut app = assemble(db, Arc::new(vault), Clock::System, trusts_loopback);
    app.lease = lease()?;
    app.figures = Arc::new(Figures::in_dir(dir));
    app.logs = Some(dir.clone());
    Ok(app)
}

fn lease() -> anyhow::Result<SignedDuration> {
    let Ok(text) = std::env::var(LEASE_VARIABLE) else {
        return Ok(im_engine::LEASE);
    };
    parse_duration(&text)
        .filter(|lease| *lease > SignedDuration::ZERO)
        .with_context(|| format!("{LEASE_VARIABLE} cannot be `{text}`: write a time such as 90s"))
}

/// The parts of a server over an open database.
pub fn assemble(db: Db, vault: Arc<Vault>, clock: Clock, trusts_loopback: bool) -> App {
    let metrics = Arc::new(Metrics::default());
    let caller = Caller::new(
        db.clone(),
        Arc::clone(&vault),
        Arc::clone(&metrics),
        clock.clone(),
    );
    let access = Access::new(db.clone(), clock.clone(), trusts_loopback);
    App {
        db,
        clock,
        caller: Arc::new(caller),
        vault,
        signals: Arc::new(Signals::default()),
        metrics,
        figures: Arc::default(),
        doors: Doors::default(),
        lease: im_engine::LEASE,
        ping_wait: PING_WAIT,
        form_wait: FORM_WAIT,
        access: Arc::new(access),
        logs: None,
        stop: CancellationToken::new(),
    }
}

fn start(app: &App) -> JoinHandle<()> {
    let run = run::run(engine(app), app.stop.clone(), run::COMMAND_DRAIN);
    tokio::spawn(run)
}

/// What the run loop needs of a server.
pub fn engine(app: &App) -> Engine {
    Engine {
        db: app.db.clone(),
        clock: app.clock.clone(),
        caller: Arc::clone(&app.caller),
        signals: Arc::clone(&app.signals),
        lease: app.lease,
    }
}

/// Makes a directory that nobody else can read; one that is there stays as it is.
pub fn make_private(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

impl LocalOptions {
    /// Where the data is, for people; never a password.
    pub fn place(&self) -> String {
        let dir = self.data_dir.display();
        match &self.database_url {
            None => format!("{dir}"),
            Some(url) if url.starts_with("postgres") => {
                let server = reqwest::Url::parse(url).ok().and_then(|mut url| {
                    url.set_password(None).ok()?;
                    url.set_username("").ok()?;
                    url.set_query(None);
                    Some(url.to_string())
                });
                let server = server.unwrap_or_else(|| "the given PostgreSQL server".to_owned());
                format!("{server}, key in {dir}")
            }
            Some(file) => format!("{file}, key in {dir}"),
        }
    }
}

impl Local {
    /// Stops the engine and closes the database.
    pub async fn shutdown(self) {
        self.app.stop.cancel();
        if let Some(engine) = self.engine
            && let Err(error) = engine.await
        {
            tracing::error!("the run loop ended by a mistake of ours: {error}");
        }
        drop(self.router);
        close(self.app).await;
    }
}

/// Closes the database where waiting for its threads harms nobody.
pub async fn close(app: Arc<App>) {
    app.caller.close().await;
    // An error means that closing panicked, which the database's own threads have logged.
    drop(tokio::task::spawn_blocking(move || drop(app)).await);
}
