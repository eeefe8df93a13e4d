//! Values that are checked when they are read.

use std::fmt;
use std::time::Duration;

use im_metrics::Week;
use jiff::SignedDuration;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::length;

/// Names, ids and reasons go into tables.
const CHARS_MAX: usize = 200;
/// Nobody waits longer for an incident.
const LENGTH_MAX: Duration = Duration::from_hours(366 * 24);

/// The clock of whoever tells of what has happened may be so far ahead of ours.
pub const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// A short text that says something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same; an e-mail address in lower case, as people go by it.
    #[must_use]
    pub fn as_address(&self) -> Self {
        if is_email(&self.0) {
            Self(self.0.to_lowercase())
        } else {
            self.clone()
        }
    }
}

impl TryFrom<String> for Text {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        match text.chars().count() {
            1..=CHARS_MAX => Ok(Self(text.to_owned())),
            0 => Err("an empty text says nothing: leave it out".to_owned()),
            many => Err(format!("{many} characters are more than {CHARS_MAX}")),
        }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a time zone that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

impl Zone {
    /// The zone itself.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Files beside the zones of a time zone database: a default, the machine's own zone, a zone that nobody has set.
const NO_ZONES: [&str; 3] = ["factory", "posixrules", "localtime"];

/// The IANA name of a zone, as it was written if it is one; PagerDuty may call it by its name in Rails.
pub fn zone_name(text: &str) -> Option<String> {
    let text = text.trim();
    let lower = text.to_lowercase();
    let is_copy = lower.starts_with("posix/") || lower.starts_with("right/");
    if is_copy || NO_ZONES.contains(&&*lower) {
        return None;
    }
    let zone = TimeZone::get(text).or_else(|_unknown| TimeZone::get(im_metrics::iana(text)));
    zone.ok()?.iana_name().map(str::to_owned)
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        zone_name(&text).map(Self).ok_or_else(|| {
            format!("there is no time zone `{text}`: write the IANA name, e.g. Europe/Berlin, America/New_York or UTC")
        })
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

/// A part of a day: `08:00-18:00`; one that ends before it starts ends on the next day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval {
    start: String,
    end: String,
}

impl Interval {
    /// The week with it on a day.
    pub fn on(&self, day: Weekday, week: Week) -> Week {
        let with = week.clone().with(day, &self.start, &self.end);
        // It was tried when it was read.
        with.unwrap_or(week)
    }
}

impl TryFrom<String> for Interval {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (start, end) = text
            .split_once('-')
            .ok_or_else(|| format!("`{text}` is not a part of a day: write 08:00-18:00"))?;
        let (start, end) = (start.trim(), end.trim());
        Week::default()
            .with(Weekday::Monday, start, end)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            start: start.to_owned(),
            end: end.to_owned(),
        })
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        format!("{}-{}", interval.start, interval.end)
    }
}

/// A length of time: `15m`, `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Length(Duration);

impl Length {
    /// Whole seconds.
    pub fn seconds(self) -> i64 {
        i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX)
    }
}

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` {why}: write a length such as 15m or 1h30m");
        match length::read(&text) {
            None => Err(wrong("is not a length of time")),
            Some(length) if length > LENGTH_MAX => Err(wrong("is more than a year")),
            Some(length) if length.subsec_nanos() > 0 => Err(wrong("has parts of a second")),
            Some(length) if length.is_zero() => Err(wrong("is no time at all")),
            Some(length) => Ok(Self(length)),
        }
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        length::write(length.0)
    }
}

/// Whose working hours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Whose {
    /// Everybody's for whom nothing nearer was set.
    Organisation,
    /// Those of the members of a team.
    Team(Text),
    /// A person's.
    Person(Text),
}

impl TryFrom<String> for Whose {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "organisation" {
            return Ok(Self::Organisation);
        }
        match text.split_once(':') {
            Some(("team", id)) => Ok(Self::Team(Text::try_from(id.to_owned())?)),
            Some(("person", id)) => Ok(Self::Person(Text::try_from(id.to_owned())?.as_address())),
            _ => Err(format!(
                "`{text}` has no working hours: write organisation, team:ID or person:ID"
            )),
        }
    }
}

impl From<Whose> for String {
    fn from(whose: Whose) -> Self {
        whose.to_string()
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation => f.write_str("organisation"),
            Self::Team(id) => write!(f, "team:{id}"),
            Self::Person(id) => write!(f, "person:{id}"),
        }
    }
}

/// Whether a text looks like an e-mail address; whether anybody has it is PagerDuty's to say.
pub fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
