//! Severity, and the urgency that PagerDuty pages by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How bad it is, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Critical system impact.
    #[serde(rename = "SEV-1")]
    Sev1,
    /// Major functionality impact.
    #[serde(rename = "SEV-2")]
    Sev2,
    /// Minor functionality impact.
    #[serde(rename = "SEV-3")]
    Sev3,
    /// Informational only.
    #[serde(rename = "SEV-4")]
    Sev4,
}

impl Severity {
    /// All severities, worst first.
    pub const ALL: [Self; 4] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4];

    /// `SEV-1` … `SEV-4`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sev1 => "SEV-1",
            Self::Sev2 => "SEV-2",
            Self::Sev3 => "SEV-3",
            Self::Sev4 => "SEV-4",
        }
    }

    /// What the severity means, in the words of the integration's table.
    pub fn description(self) -> &'static str {
        match self {
            Self::Sev1 => "Critical system impact",
            Self::Sev2 => "Major functionality impact",
            Self::Sev3 => "Minor functionality impact",
            Self::Sev4 => "Informational only",
        }
    }

    /// The urgency that goes with it unless a connector maps it otherwise.
    pub fn default_urgency(self) -> Urgency {
        match self {
            Self::Sev1 | Self::Sev2 => Urgency::High,
            Self::Sev3 | Self::Sev4 => Urgency::Low,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: use SEV-1, SEV-2, SEV-3 or SEV-4", self.what())]
pub struct ParseSeverityError(String);

impl ParseSeverityError {
    fn what(&self) -> String {
        match self.0.trim() {
            "" => "no severity is given".to_owned(),
            _ => format!("`{}` is not a severity", self.0),
        }
    }
}

impl FromStr for Severity {
    type Err = ParseSeverityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.trim().to_ascii_uppercase();
        let digit = upper
            .strip_prefix("SEV")
            .map_or(upper.as_str(), |rest| rest.trim_start_matches('-'));
        match digit {
            "1" => Ok(Self::Sev1),
            "2" => Ok(Self::Sev2),
            "3" => Ok(Self::Sev3),
            "4" => Ok(Self::Sev4),
            _ => Err(ParseSeverityError(text.to_owned())),
        }
    }
}

/// Where the severity of an incident comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeveritySource {
    /// Somebody said it.
    Explicit,
    /// Read off the PagerDuty priority.
    Priority,
    /// Guessed from the PagerDuty urgency.
    Inferred,
}

/// PagerDuty's urgency: whether it wakes people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Escalates until somebody acknowledges.
    High,
    /// Never escalates.
    Low,
}

impl Urgency {
    /// `high` or `low`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }

    /// The urgency of a word of PagerDuty's.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "high" => Some(Self::High),
            "low" => Some(Self::Low),
            _ => None,
        }
    }
}
