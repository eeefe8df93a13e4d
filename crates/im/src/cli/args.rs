//! Flags and arguments that several commands share.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args};
use im_core::IncidentNumber;

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
const WAIT_MS_MAX: u64 = 60_000;

/// A duration in the usual notation, checked and kept as it was written.
#[derive(Debug, Clone)]
struct Wait(String);

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match duration_ms(text) {
            None => Err("write a duration like 5s, 1m or 500ms".to_owned()),
            Some(ms) if ms > WAIT_MS_MAX => Err("wait at most 60s".to_owned()),
            Some(_) => Ok(Self(text.to_owned())),
        }
    }
}

/// Milliseconds of `1m30s`, `500ms`, `0`.
fn duration_ms(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit_len = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_len);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let count: u64 = digits.parse().ok()?;
        total = total.checked_add(count.checked_mul(unit_ms)?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, ms) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("5s", Some(5000)),
            ("1m30s", Some(90_000)),
            ("2h", Some(7_200_000)),
            ("", None),
            ("5", None),
            ("s", None),
            ("5 s", None),
            ("-5s", None),
            ("5d", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(duration_ms(text), ms, "{text}");
        }
    }
}
