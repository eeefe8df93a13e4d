//! Where a range of time begins or ends, as a request says it: a local date or an instant.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::error::ApiError;
use super::input::Params;

/// A date is the whole of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Edge {
    Day(Date),
    Instant(Timestamp),
}

impl Edge {
    /// One, written `2026-11-30` or `2026-11-30T09:00:00Z`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Jiff also reads a date out of longer texts.
        let day = (text.len() == 10).then(|| text.parse().ok()).flatten();
        day.map(Self::Day)
            .or_else(|| text.parse().ok().map(Self::Instant))
    }

    /// The parameter with this name.
    pub(crate) fn read(params: &Params, name: &str) -> Result<Option<Self>, ApiError> {
        let Some(text) = params.one(name) else {
            return Ok(None);
        };
        Self::parse(text).map(Some).ok_or_else(|| {
            ApiError::bad_request(format!("`{name}` cannot be `{text}`"))
                .hint("write a date such as 2026-11-30, or an instant such as 2026-11-30T09:00:00Z")
        })
    }

    /// The first instant of a range that begins here; none beyond the end of time.
    pub(crate) fn start(self, zone: &TimeZone) -> Option<Timestamp> {
        self.instant(zone, 0)
    }

    /// The first instant after a range that ends here.
    pub(crate) fn end(self, zone: &TimeZone) -> Option<Timestamp> {
        self.instant(zone, 1)
    }

    fn instant(self, zone: &TimeZone, days: i64) -> Option<Timestamp> {
        match self {
            Self::Instant(at) => Some(at),
            Self::Day(date) => {
                let start = date.checked_add(days.days()).ok()?.to_zoned(zone.clone());
                start.map(|start| start.timestamp()).ok()
            }
        }
    }
}
