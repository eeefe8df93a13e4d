//! `im serve`.

use std::net::SocketAddr;

use clap::Args;

use super::context::Context;
use super::error::{Exit, Failure};
use crate::local::LocalOptions;

/// Run the server: API, web pages, webhooks and the synchronisation
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// The address to listen on
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "IM_LISTEN",
        hide_env_values = true,
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,
    /// The address under which PagerDuty reaches this server, e.g. https://im.example.com
    #[arg(
        long,
        value_name = "URL",
        env = "IM_PUBLIC_URL",
        hide_env_values = true
    )]
    pub public_url: Option<String>,
    /// Where the data is.
    #[arg(skip)]
    pub data: LocalOptions,
}

pub(super) async fn run(mut options: ServeOptions, cx: &mut Context) -> Result<Exit, Failure> {
    options.data = cx.local_options(true)?;
    crate::serve::run(options).await.map_err(stopped)?;
    Ok(Exit::Done)
}

/// A server that could not start or had to stop.
#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
pub(super) fn stopped(error: anyhow::Error) -> Failure {
    Failure::new(Exit::Unavailable, format!("{error:#}"))
}
