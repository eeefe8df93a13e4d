//! Classic paging and instants in queries.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::http::{Request, Response, invalid};
use crate::schedule::zone;

/// Rows beyond this can never be reached by paging.
const REACH: usize = 10_000;
const LIMIT_DEFAULT: usize = 25;
const LIMIT_MAX: usize = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    with_total: bool,
}

impl Page {
    /// Reads `limit`, `offset` and `total`.
    pub(crate) fn of(request: &Request) -> Result<Self, Response> {
        let number = |name: &str| request.query(name).map(str::parse::<usize>);
        let limit = match number("limit") {
            None => LIMIT_DEFAULT,
            Some(Ok(limit)) => limit.clamp(1, LIMIT_MAX),
            Some(Err(_)) => return Err(invalid("Limit must be a number.")),
        };
        let offset = match number("offset") {
            None => 0,
            Some(Ok(offset)) => offset,
            Some(Err(_)) => return Err(invalid("Offset must be a number.")),
        };
        within(offset, limit, REACH)?;
        Ok(Self {
            offset,
            limit,
            with_total: request.query("total") == Some("true"),
        })
    }

    /// Refuses a page of what an account with fewer rows does not show.
    pub(crate) fn reaches(request: &Request, reach: usize) -> Result<(), Response> {
        if request.query("offset").is_none() || reach >= REACH {
            return Ok(());
        }
        let Self { offset, limit, .. } = Self::of(request)?;
        within(offset, limit, reach)
    }

    /// All rows as if they were one page, as answers to bulk changes show them.
    pub(crate) fn whole<T, S: Serialize>(
        key: &str,
        rows: &[T],
        render: impl Fn(&T) -> S,
    ) -> Response {
        let limit = rows.len().max(LIMIT_MAX);
        Self {
            offset: 0,
            limit,
            with_total: false,
        }
        .answer(key, rows, render)
    }

    /// Cuts the page out of a whole list; only its rows are rendered.
    pub(crate) fn answer<T, S: Serialize>(
        self,
        key: &str,
        rows: &[T],
        render: impl Fn(&T) -> S,
    ) -> Response {
        let page: Vec<S> = rows
            .iter()
            .skip(self.offset)
            .take(self.limit)
            .map(render)
            .collect();
        let more = self.offset.saturating_add(self.limit) < rows.len();
        let total = self.with_total.then_some(rows.len());
        Response::of(
            200,
            &List {
                key,
                page,
                request: self,
                more,
                total,
            },
        )
    }
}

fn within(offset: usize, limit: usize, reach: usize) -> Result<(), Response> {
    if offset.saturating_add(limit) <= reach {
        return Ok(());
    }
    let most = reach.saturating_sub(limit);
    let reason = format!("Offset must be less than or equal to {most}.");
    Err(invalid(&reason))
}

/// One page as it is sent.
struct List<'a, S> {
    key: &'a str,
    page: Vec<S>,
    request: Page,
    more: bool,
    total: Option<usize>,
}

impl<S: Serialize> Serialize for List<'_, S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry(self.key, &self.page)?;
        map.serialize_entry("limit", &self.request.limit)?;
        map.serialize_entry("offset", &self.request.offset)?;
        map.serialize_entry("more", &self.more)?;
        map.serialize_entry("total", &self.total)?;
        map.end()
    }
}

/// The request with an offset to each date that has none: it is read in the zone that the request
/// names, or in the account's. `None`: there is nothing to add.
pub(crate) fn with_offsets(request: &Request, account: &str) -> Option<Request> {
    let asked = request.query("time_zone").unwrap_or(account);
    let zone = zone(asked).filter(|zone| *zone != TimeZone::UTC)?;
    let mut zoned = request.clone();
    let mut changed = false;
    for (name, value) in &mut zoned.query {
        if !matches!(name.as_str(), "since" | "until") || value.parse::<Timestamp>().is_ok() {
            continue;
        }
        let date = value
            .parse::<Date>()
            .map(|date| date.to_datetime(Time::midnight()));
        let naive = value.parse::<DateTime>().or(date);
        if let Some(at) = naive.ok().and_then(|at| zone.to_timestamp(at).ok()) {
            *value = at.to_string();
            changed = true;
        }
    }
    changed.then_some(zoned)
}

/// An instant in a query; a date alone is its midnight in UTC.
pub(crate) fn instant(request: &Request, name: &str) -> Result<Option<Timestamp>, Response> {
    let Some(text) = request.query(name) else {
        return Ok(None);
    };
    parse(text)
        .map(Some)
        .ok_or_else(|| Response::error(400, 2004, "Invalid since/until", &[]))
}

/// Reads ISO 8601 with or without offset and time.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // As one language prints its times: `2026-01-01 00:00:00 +0000 UTC`.
    let parts: Vec<&str> = text.split(' ').collect();
    if let [date, time, offset, ..] = parts.as_slice() {
        return format!("{date}T{time}{offset}").parse().ok();
    }
    if let Ok(at) = text.parse::<jiff::civil::DateTime>() {
        return at
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp());
    }
    let date: Date = text.parse().ok()?;
    date.to_zoned(TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}
