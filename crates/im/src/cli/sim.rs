//! `im sim`.

use std::net::SocketAddr;

use clap::Args;

use super::context::Context;
use super::error::{Exit, Failure};
use super::serve::stopped;

/// Run a simulated PagerDuty, to try things without an account
#[derive(Debug, Args)]
pub struct SimOptions {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
    /// The API key that it accepts; without one it makes up a key and prints it
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<String>,
    /// Whether to print how to reach it as one JSON document
    #[arg(skip)]
    pub json: bool,
}

pub(super) async fn run(mut options: SimOptions, cx: &Context) -> Result<Exit, Failure> {
    options.json = cx.ui.json;
    crate::sim::run(options).await.map_err(stopped)?;
    Ok(Exit::Done)
}
