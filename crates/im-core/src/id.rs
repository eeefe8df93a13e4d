//! Ids that know what they name.

use std::fmt;
use std::str::FromStr;

/// An incident of ours, as people say it: `INC-42`. Never reused, dense, in order of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentNumber(i64);

impl IncidentNumber {
    /// The number without its prefix; `None` unless it is positive.
    pub fn new(number: i64) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// The number as it is stored.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for IncidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INC-{}", self.0)
    }
}

/// Why a text is not the id that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// Not an incident number.
    #[error("`{0}` is not an incident: write INC-42 or 42")]
    Incident(String),
    /// Not a connector name.
    #[error(
        "`{0}` is not a connector name: use 1 to 63 lower-case letters, digits and hyphens, starting with a letter or digit"
    )]
    Connector(String),
}

impl FromStr for IncidentNumber {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let digits = trimmed
            .get(..4)
            .filter(|prefix| prefix.eq_ignore_ascii_case("inc-"))
            .and_then(|_| trimmed.get(4..))
            .unwrap_or(trimmed);
        digits
            .parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| ParseIdError::Incident(text.to_owned()))
    }
}

/// The name of a connector: a slug, part of its webhook URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectorName(String);

impl ConnectorName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A DNS label's length: long enough for a name, short enough for a table column.
const CONNECTOR_NAME_MAX: usize = 63;

impl FromStr for ConnectorName {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=CONNECTOR_NAME_MAX).contains(&text.len())
            && !text.starts_with('-')
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseIdError::Connector(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_may_write_an_incident_in_any_of_its_usual_forms() {
        for text in ["INC-42", "inc-42", " 42 "] {
            assert_eq!(
                text.parse::<IncidentNumber>().unwrap().to_string(),
                "INC-42"
            );
        }
        for text in ["", "INC-", "INC-0", "-3", "PINC1", "INC-4x", "é€"] {
            assert!(text.parse::<IncidentNumber>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_connector_name_is_a_slug() {
        assert!("prod-pagerduty".parse::<ConnectorName>().is_ok());
        for text in ["", "-x", "Prod", "a b", "a/b"] {
            assert!(text.parse::<ConnectorName>().is_err(), "{text}");
        }
    }
}
