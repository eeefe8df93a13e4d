//! Ids that know what they name.

use std::fmt;
use std::str::FromStr;

/// An incident of ours, as people say it: `INC-42`. Never reused, dense, in order of birth.
///
/// The parts of an incident of several services (ADR 0009) have numbers of their own, of which
/// one can be told from the other without asking: `INC-42.1` is the first part of `INC-42`.
/// People never have to say one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentNumber(i64);

/// Numbers from here on are those of parts: more than anybody declares, and of twenty parts each
/// exact in every language that reads JSON.
pub const PARTS: i64 = 1 << 40;

impl IncidentNumber {
    /// The first number that no whole incident has.
    pub const FIRST_OF_PARTS: i64 = PARTS;

    /// The number of its part; parts count from 1.
    #[must_use]
    pub fn part(self, index: u8) -> Self {
        Self(i64::from(index) * PARTS + self.0 % PARTS)
    }

    /// For a part: the incident that it is a part of.
    pub fn whole(self) -> Option<Self> {
        (self.0 >= PARTS).then_some(Self(self.0 % PARTS))
    }

    /// What people call it: a part goes by the name of its whole.
    #[must_use]
    pub fn said(self) -> Self {
        self.whole().unwrap_or(self)
    }

    /// The number of a text that we wrote ourselves: `5`, or `5.2` for a part.
    pub fn parse_own(text: &str) -> Option<Self> {
        match text.split_once('.') {
            None => text.parse().ok(),
            Some((whole, index)) => {
                let whole: Self = whole.parse().ok()?;
                let index = index.parse::<u8>().ok().filter(|index| *index > 0)?;
                Some(whole.part(index))
            }
        }
    }

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
        match self.0 / PARTS {
            0 => write!(f, "INC-{}", self.0),
            index => write!(f, "INC-{}.{index}", self.0 % PARTS),
        }
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
            .filter(|number| number.whole().is_none())
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
    fn a_part_is_called_after_its_whole_and_asked_for_by_nobody() {
        let whole: IncidentNumber = "INC-42".parse().unwrap();
        let part = whole.part(2);
        assert_eq!(part.to_string(), "INC-42.2");
        assert_eq!(part.whole(), Some(whole));
        assert_eq!(
            (whole.whole(), whole.said(), part.said()),
            (None, whole, whole)
        );
        assert_eq!(IncidentNumber::parse_own("42.2"), Some(part));
        assert_eq!(IncidentNumber::parse_own("42"), Some(whole));
        let odd = ["42.0", "42.x", ".2", "42.2.1", &part.get().to_string()];
        for text in odd {
            assert_eq!(IncidentNumber::parse_own(text), None, "{text}");
        }
        assert!("INC-42.2".parse::<IncidentNumber>().is_err());
        assert!(part.get().to_string().parse::<IncidentNumber>().is_err());
    }

    #[test]
    fn a_connector_name_is_a_slug() {
        assert!("prod-pagerduty".parse::<ConnectorName>().is_ok());
        for text in ["", "-x", "Prod", "a b", "a/b"] {
            assert!(text.parse::<ConnectorName>().is_err(), "{text}");
        }
    }
}
