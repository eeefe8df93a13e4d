//! Flags and arguments that several commands share.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Args};
use im_core::IncidentNumber;

use crate::length;

/// `name=value`; an empty value takes a field away.
pub(crate) fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write NAME=VALUE, e.g. environment=production")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Ask this server, e.g. http://localhost:8080, instead of working on this machine's data
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "IM_SERVER",
        hide_env_values = true
    )]
    pub(crate) server: Option<String>,
    /// The token for that server (better in the environment: others can see flags)
    #[arg(long, global = true, env = "IM_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Where this machine's data is; by default $XDG_DATA_HOME/im or ~/.local/share/im
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "IM_DATA_DIR",
        hide_env_values = true
    )]
    pub(crate) data_dir: Option<PathBuf>,
    /// Another database than the one in the data directory, e.g. postgres://im@db/im
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "IM_DATABASE_URL",
        hide_env_values = true
    )]
    pub(crate) database_url: Option<String>,
    /// Who acts: an e-mail address
    #[arg(
        long = "as",
        global = true,
        value_name = "EMAIL",
        env = "IM_AS",
        hide_env_values = true
    )]
    pub(crate) acts_as: Option<String>,
    /// Print one JSON document, the API's own, instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more on stderr
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Say nothing on stderr but warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

impl Global {
    /// A variable that is set to nothing says nothing.
    pub(crate) fn without_empty(mut self) -> Self {
        for value in [
            &mut self.server,
            &mut self.token,
            &mut self.database_url,
            &mut self.acts_as,
        ] {
            if value.as_deref() == Some("") {
                *value = None;
            }
        }
        self.data_dir = self.data_dir.filter(|path| !path.as_os_str().is_empty());
        self
    }

    pub(crate) fn verbosity(&self) -> i8 {
        if self.quiet {
            -1
        } else {
            i8::try_from(self.verbose).unwrap_or(i8::MAX)
        }
    }
}

/// The incident, as an argument or as a flag.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct IncidentArg {
    /// The incident: INC-42 or 42
    #[arg(value_name = "INCIDENT")]
    argument: Option<IncidentNumber>,
    /// The same, as a flag
    #[arg(long = "incident", value_name = "INCIDENT")]
    flag: Option<IncidentNumber>,
}

impl IncidentArg {
    /// `INC-42`. Clap sees to it that one of the two is there.
    pub(crate) fn id(&self) -> String {
        self.argument
            .or(self.flag)
            .map_or_else(String::new, |number| number.to_string())
    }
}

/// How long a change may wait for PagerDuty.
#[derive(Debug, Args)]
pub(crate) struct WaitArg {
    /// How long to wait for PagerDuty's answer; the change is made here at once
    #[arg(long, value_name = "TIME", default_value = "5s")]
    wait: Wait,
}

impl WaitArg {
    /// As the API takes it.
    pub(crate) fn text(&self) -> &str {
        &self.wait.0
    }
}

/// The API refuses to wait longer.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// A duration in the usual notation, checked and kept as it was written.
#[derive(Debug, Clone)]
struct Wait(String);

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match length::read(text) {
            None => Err("write a duration like 5s, 1m or 500ms".to_owned()),
            Some(wait) if wait > WAIT_MAX => Err("wait at most 60s".to_owned()),
            Some(_) => Ok(Self(text.to_owned())),
        }
    }
}
