//! `im demo`.

use std::net::SocketAddr;

use clap::Args;

use super::context::Context;
use super::error::{Exit, Failure};
use super::serve::stopped;

/// Run the server with a simulated PagerDuty and a quarter of incidents
///
/// Needs no account and keeps nothing.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// The address of the server
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "IM_LISTEN",
        hide_env_values = true,
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,
    /// The address of the simulated PagerDuty
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub sim_listen: SocketAddr,
    /// `-v` adds one, `-q` takes one away.
    #[arg(skip)]
    pub verbosity: i8,
}

pub(super) async fn run(mut options: DemoOptions, cx: &Context) -> Result<Exit, Failure> {
    options.verbosity = cx.ui.verbosity;
    crate::demo::run(options).await.map_err(stopped)?;
    Ok(Exit::Done)
}
