//! `im demo`: the server beside a stand-in for PagerDuty, and a story that runs in both.
//!
//! The stand-in is that of `im sim`, the server that of `im serve`, and what happens here goes
//! through the API: the account's past is read as any other is, and what the company settles comes as
//! one data document. The data directory is temporary and goes with us.

mod history;
mod plan;
mod settled;
mod story;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Extension;
use im_store::{StoreError, settings};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::history::Past;
use self::plan::Plan;
use crate::cli::DemoOptions;
use crate::client::{Call, Client, ClientError};
use crate::clock::Clock;
use crate::http::auth::InProcess;
use crate::http::{self, App, api::settings::PUBLIC_URL};
use crate::local::{self, LocalOptions};
use crate::serve::{self, listen, stop_on_signal};
use crate::sim::{self, StandIn};
use crate::telemetry::{self, Audience};
use crate::{secret, sim::control};

/// The connector's name.
const CONNECTOR: &str = "demo";
/// Our names of the stand-in's services, in its order.
const SERVICES: [&str; 6] = [
    "payments",
    "checkout",
    "db",
    "search",
    "notifications",
    "billing",
];
/// What fixes the past.
const SEED: u64 = 7;

/// Both sides, and how to act on each.
pub(crate) struct Stage {
    stand_in: Arc<StandIn>,
    client: Client,
    /// Who acts by the client.
    person: String,
    server: String,
    /// How the first owner gets in, where others reach the server.
    first_owner: Option<String>,
    stop: CancellationToken,
}

/// Runs until it is told to stop.
pub async fn run(options: DemoOptions) -> anyhow::Result<()> {
    let dir = TemporaryDir::new()?;
    telemetry::start(Audience::Command, options.verbosity, Some(&dir.0));
    let sim_listener = listen(options.sim_listen).await?;
    let listener = listen(options.listen).await?;
    let (sim_at, at) = (sim_listener.local_addr()?, listener.local_addr()?);
    let app = Arc::new(open(&dir.0, at).await?);
    let stop = app.stop.clone();
    stop_on_signal(stop.clone())?;
    let clock = Clock::System;
    let plan = Plan::new(SEED, clock.now());
    let mut twins = Vec::new();
    let stand_in = StandIn::new(sim_at, clock, |options| {
        let past = Past::new(options, &plan);
        twins = past.twins;
        (past.sim, past.account)
    });
    let document = settled::document(&plan, &stand_in.account, &twins);
    let stand_in = Arc::new(stand_in);
    let standing_in = tokio::spawn(sim::serve(
        Arc::clone(&stand_in),
        sim_listener,
        stop.clone(),
    ));
    let first_owner = serve::first_owner(&app, at).await?;
    let router = http::router(Arc::clone(&app)).layer(Extension(InProcess));
    let serving = tokio::spawn(serve::serve(app, listener));
    let (_, person, email) = stand_in.account.users.get(1).cloned().unwrap_or_default();
    let stage = Stage {
        stand_in,
        client: Client::local(router, Some(&email)).map_err(words)?,
        person,
        server: format!("http://{at}"),
        first_owner,
        stop: stop.clone(),
    };
    let told = tell(&stage, &plan, &document).await;
    stop.cancel();
    drop(stage);
    serving.await?;
    standing_in.await??;
    told
}

/// A server on an empty database that knows under which address it is reached.
async fn open(dir: &Path, at: SocketAddr) -> anyhow::Result<App> {
    let options = LocalOptions {
        data_dir: dir.to_owned(),
        database_url: None,
        engine: true,
        verbosity: 0,
    };
    let app = local::build(&options, at.ip().is_loopback()).await?;
    let url = format!("http://{at}");
    app.db
        .write(move |tx| settings::put(tx, PUBLIC_URL, &url))
        .await
        .map_err(|error: StoreError| anyhow::anyhow!("{error}"))?;
    Ok(app)
}

async fn tell(stage: &Stage, plan: &Plan, document: &Value) -> anyhow::Result<()> {
    connect(stage, plan)
        .await
        .context("cannot connect both sides")?;
    story::say(&introduction(stage));
    if let Some(how) = &stage.first_owner {
        story::say(&format!("  The pages: {how}\n"));
    }
    story::run(stage, document).await
}

/// A connector in both directions with a webhook; the reading of the account's past is begun.
async fn connect(stage: &Stage, plan: &Plan) -> anyhow::Result<()> {
    let account = &stage.stand_in.account;
    let mappings: serde_json::Map<String, Value> = SERVICES
        .iter()
        .zip(&account.services)
        .map(|(name, (id, ..))| ((*name).to_owned(), id.as_str().into()))
        .collect();
    let (Some((service, ..)), Some((_, _, email))) =
        (account.services.first(), account.users.first())
    else {
        bail!("the stand-in is empty");
    };
    let config = json!({
        "api_key": account.api_key,
        "base_url": stage.stand_in.base_url,
        "sync_direction": "bidirectional",
        "sync_interval": "10s",
        "custom": {
            "service_id": service,
            "from_email": email,
            "service_mappings": mappings,
        },
    });
    let new = json!({
        "name": CONNECTOR,
        "type": "pagerduty",
        "config": config,
        "since": plan.since,
    });
    let _: IgnoredAny = stage.send(Call::post(["connectors"], new)).await?;
    let webhook = json!({"action": "enable", "insecure": true});
    let made: Made = stage
        .send(Call::post(["connectors", CONNECTOR, "webhook"], webhook))
        .await?;
    if !made.ok {
        bail!("the webhook could not be made");
    }
    let _: IgnoredAny = stage
        .send(Call::post(["connectors", CONNECTOR, "sync"], json!({})))
        .await?;
    Ok(())
}

/// What the webhook's answer is about.
#[derive(Deserialize)]
struct Made {
    ok: bool,
}

impl Stage {
    /// Asks the API.
    async fn send<T: DeserializeOwned>(&self, call: Call) -> anyhow::Result<T> {
        let answer = self.client.send(&call).await.map_err(words)?;
        answer.read().map_err(words)
    }
}

fn words(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Refused { problem, .. } => anyhow::anyhow!("{}", problem.detail),
        ClientError::Address { reason, .. } | ClientError::Unreachable { reason, .. } => {
            anyhow::anyhow!("{reason}")
        }
        ClientError::Foreign { what, .. } => anyhow::anyhow!("{what}"),
    }
}

/// What runs where, and what to try.
fn introduction(stage: &Stage) -> String {
    let im = std::env::args().next().unwrap_or_else(|| "im".to_owned());
    let (server, sim) = (&stage.server, &stage.stand_in.base_url);
    let prefix = control::PREFIX;
    let open = stage.stand_in.with(|sim| {
        let waiting = sim
            .incidents()
            .filter(|incident| incident.status == "triggered");
        waiting.last().map_or(0, |incident| incident.number)
    });
    format!(
        "im and a stand-in for PagerDuty, in step, with a quarter of incidents and
deployments behind them. Everything is invented, nothing is kept.

  {server}   im: the pages of incidents and figures, the API
  {sim}   the stand-in: its page, where you can act as its people

Try this in another terminal:

     export IM_SERVER={server}

  1. Declare here, and watch it appear there.
     {im} declare --sev SEV-2 \\
       --title 'Checkout is slow' --service checkout
     curl -s {sim}{prefix}

  2. Acknowledge there, and watch it change here.
     curl -s -X POST {sim}{prefix}/incidents/{open}/acknowledge
     {im} list

  3. Take PagerDuty away for a minute, and work on: what is owed is pending.
     curl -s -X POST '{sim}{prefix}/outage?seconds=60'
     {im} declare --sev SEV-3 \\
       --title 'Nobody hears this yet' --wait 1s
     {im} connector status {CONNECTOR}
     Ask for the status again after the minute: nothing is pending any more, and
     PagerDuty has the incident, once.

Meanwhile, others work. Ctrl-C ends it.
"
    )
}

/// A directory that goes when we go.
struct TemporaryDir(PathBuf);

impl TemporaryDir {
    fn new() -> anyhow::Result<Self> {
        let name = format!("im-demo-{}", hex::encode(secret::random::<8>()?));
        let dir = Self(std::env::temp_dir().join(name));
        local::make_private(&dir.0).with_context(|| format!("cannot make {}", dir.0.display()))?;
        Ok(dir)
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        // Whatever is left behind is in the system's directory for such things.
        drop(fs::remove_dir_all(&self.0));
    }
}
