//! `im sim`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::error::{Exit, Failure};
use super::serve::stopped;
use crate::sim::FACTOR_MAX;

/// Run a simulated PagerDuty, to try things without an account
///
/// REST, the Events API, OAuth and webhooks answer on one port. The page at `/` shows what happens
/// and lets you act as people do in PagerDuty; the control API below `/_sim` does the same for
/// scripts, and turns faults and the clock. docs/sim.md describes both.
#[derive(Debug, Args)]
pub struct SimOptions {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
    /// The API key that it accepts; without one it makes up a key and prints it
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<String>,
    /// Serve the account in these files instead of an invented one: see docs/sim.md
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Write the account into files here, at the end and when the control API asks for it
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// How its links name it, where that is not the address: behind a proxy, in a container
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub base_url: Option<String>,
    /// Where `html_url` links lead, for clients that read the account's name from them; its own page,
    /// if not given
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub web_url: Option<String>,
    /// How its clock goes: `real`, so many times as fast (`60x`), or `manual`
    #[arg(long, value_name = "PACE", default_value = "real")]
    pub clock: Pace,
    /// When its clock starts, e.g. 2027-03-10T08:00:00Z; now, if not given
    #[arg(long, value_name = "INSTANT")]
    pub start: Option<Timestamp>,
    /// Rate limits: `on` as PagerDuty has them, `off`, or a factor on them (`0.1`)
    #[arg(long, value_name = "LIMITS", default_value = "on")]
    pub rate_limits: RateLimits,
    /// Refuse to reopen a resolved incident, as PagerDuty did before September 2025
    #[arg(long)]
    pub no_reopen: bool,
    /// An ability that the account lacks, so that 402 is answered where it is needed
    #[arg(long, value_name = "ABILITY")]
    pub without: Vec<String>,
    /// The service region; the key of one is refused in the other
    #[arg(long, value_name = "REGION", default_value = "us")]
    pub region: Region,
    /// The account's time zone: dates without an offset are read in it
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = time_zone)]
    pub time_zone: String,
    /// What fixes all ids and all chance: the same number, the same ids
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Whether to print how to reach it as one JSON document
    #[arg(skip)]
    pub json: bool,
}

/// Where an account lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Region {
    /// The United States
    Us,
    /// Europe
    Eu,
}

impl Region {
    /// As scopes name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
        }
    }
}

/// How fast the clock of the stand-in goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace(f64);

impl Pace {
    /// Seconds there for one here; 0 when the clock is only pushed.
    pub fn factor(self) -> f64 {
        self.0
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "real" => Ok(Self(1.0)),
            "manual" => Ok(Self(0.0)),
            _ => {
                let factor = text.strip_suffix('x').unwrap_or(text).parse().ok();
                let factor = factor.filter(|factor| (0.001..=FACTOR_MAX).contains(factor));
                factor.map(Self).ok_or_else(|| {
                    format!("`real`, `manual` or a factor up to {FACTOR_MAX}, e.g. `60x`")
                })
            }
        }
    }
}

/// Whether requests are counted, and how strictly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimits(Option<f64>);

impl RateLimits {
    /// The factor on the published limits; none when nothing is refused.
    pub fn factor(self) -> Option<f64> {
        self.0
    }
}

impl FromStr for RateLimits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self(Some(1.0))),
            "off" => Ok(Self(None)),
            _ => {
                let factor = text.parse().ok().filter(|factor: &f64| {
                    factor.is_finite() && *factor > 0.0 && *factor <= 1_000.0
                });
                factor
                    .map(|factor| Self(Some(factor)))
                    .ok_or_else(|| "`on`, `off` or a factor, e.g. `0.1`".to_owned())
            }
        }
    }
}

fn time_zone(text: &str) -> Result<String, String> {
    jiff::tz::TimeZone::get(text)
        .map(|_known| text.to_owned())
        .map_err(|_unknown| "an IANA name such as Europe/Berlin".to_owned())
}

fn base_url(text: &str) -> Result<String, String> {
    let trimmed = text.trim_end_matches('/');
    let rest = trimmed
        .strip_prefix("https://")
        .or_else(|| trimmed.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', ' ']) => {
            Ok(trimmed.to_owned())
        }
        _ => Err("an http or https URL without a path, e.g. https://sim.example".to_owned()),
    }
}

pub(super) async fn run(mut options: SimOptions, cx: &Context) -> Result<Exit, Failure> {
    options.json = cx.ui.json;
    crate::sim::run(options).await.map_err(stopped)?;
    Ok(Exit::Done)
}
