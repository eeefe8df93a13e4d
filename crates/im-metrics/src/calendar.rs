//! Local dates and the buckets cut at them.
//!
//! A bucket is cut at the first instant of each local date, daylight saving included, so that no row
//! ever asks a time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use crate::distinct::Hour;

/// A query may ask for this many buckets: ten years of days.
pub const BUCKETS_MAX: usize = 3_660;

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketSize {
    /// A local date.
    Day,
    /// An ISO week: it begins on Monday.
    Week,
    /// A calendar month.
    Month,
    /// A quarter of a year.
    Quarter,
    /// The whole range.
    All,
}

impl BucketSize {
    /// All sizes, shortest first.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::All];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::All => "all",
        }
    }
}

/// A part of the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its nominal start: a week that the range cuts still begins on its Monday.
    pub label: Date,
    /// Its first date inside the range.
    pub first: Date,
    /// Its last date inside the range.
    pub last: Date,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// How many local dates of it are inside the range.
    pub days: i64,
    /// Whether the range cuts it short.
    pub partial: bool,
    /// Whether it holds today.
    pub incomplete: bool,
}

/// The first instant of a local date, in microseconds.
pub(crate) fn first_instant(date: Date, zone: &TimeZone) -> i64 {
    let start = zone.to_timestamp(date.at(0, 0, 0, 0));
    start.map_or(i64::MAX, Timestamp::as_microsecond)
}

/// The first instant after a local date, in microseconds.
pub(crate) fn end_instant(date: Date, zone: &TimeZone) -> i64 {
    date.tomorrow()
        .map_or(i64::MAX, |next| first_instant(next, zone))
}

/// The local date of an instant.
pub fn local_date(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

/// Days from one date to another.
pub(crate) fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

/// The same date, `days` later.
pub(crate) fn plus_days(date: Date, days: i64) -> Option<Date> {
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// As many dates before a range; none where the calendar begins later.
pub(crate) fn before((from, to): (Date, Date)) -> Option<(Date, Date)> {
    let days = days_between(from, to) + 1;
    let earlier = |date| plus_days(date, -days).filter(|date| date.year() >= 0);
    earlier(from).zip(earlier(to))
}

/// The buckets of a range of dates, both inclusive; `None` if they are too many.
pub(crate) fn buckets(
    (from, to): (Date, Date),
    size: BucketSize,
    today: Date,
    zone: &TimeZone,
) -> Option<Vec<Bucket>> {
    let mut all = Vec::new();
    let mut label = nominal_start(from, size);
    while label <= to {
        if all.len() == BUCKETS_MAX {
            return None;
        }
        let next = nominal_next(label, size);
        let nominal_last = next.and_then(|next| next.yesterday().ok());
        let whole_last = nominal_last.unwrap_or(to);
        let (first, last) = (label.max(from), whole_last.min(to));
        let instant = |at: i64| Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX);
        all.push(Bucket {
            label,
            first,
            last,
            start: instant(first_instant(first, zone)),
            end: instant(end_instant(last, zone)),
            days: days_between(first, last) + 1,
            partial: size != BucketSize::All && (first > label || last < whole_last),
            incomplete: first <= today && today <= last,
        });
        match next {
            Some(next) => label = next,
            None => break,
        }
    }
    Some(all)
}

fn nominal_start(date: Date, size: BucketSize) -> Date {
    let day_of = |month: i8| Date::new(date.year(), month, 1).unwrap_or(date);
    match size {
        BucketSize::Day | BucketSize::All => date,
        BucketSize::Week => {
            let past = i64::from(date.weekday().to_monday_zero_offset());
            plus_days(date, -past).unwrap_or(date)
        }
        BucketSize::Month => day_of(date.month()),
        BucketSize::Quarter => day_of((date.month() - 1) / 3 * 3 + 1),
    }
}

/// The start of the next bucket; none where there is one bucket, or the calendar ends.
fn nominal_next(label: Date, size: BucketSize) -> Option<Date> {
    let span = match size {
        BucketSize::Day => 1.day(),
        BucketSize::Week => 7.days(),
        BucketSize::Month => 1.month(),
        BucketSize::Quarter => 3.months(),
        BucketSize::All => return None,
    };
    label.checked_add(span).ok()
}

/// Finds the bucket of an instant by a guess from the average length: buckets differ little.
#[derive(Debug)]
pub(crate) struct Cuts {
    /// The start of each bucket, and the end of the last.
    starts: Vec<i64>,
    start: i64,
    end: i64,
    average: i64,
}

/// A bucket that was found: the next instant mostly is in it too.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    pub(crate) place: usize,
    start: i64,
    end: i64,
}

impl Found {
    /// Whether an instant is in it.
    #[inline(always)]
    pub(crate) fn has(&self, at: i64) -> bool {
        self.start <= at && at < self.end
    }
}

impl Cuts {
    pub(crate) fn new(buckets: &[Bucket]) -> Self {
        let mut starts: Vec<i64> = buckets.iter().map(|b| b.start.as_microsecond()).collect();
        let end = buckets.last().map_or(0, |last| last.end.as_microsecond());
        let start = starts.first().copied().unwrap_or(end);
        let count = i64::try_from(starts.len()).unwrap_or(1).max(1);
        starts.push(end);
        Self {
            starts,
            start,
            end,
            average: ((end - start) / count).max(1),
        }
    }

    /// The first instant of the range, and the first after it.
    pub(crate) fn range(&self) -> (i64, i64) {
        (self.start, self.end)
    }

    /// Whether an instant is in the range.
    pub(crate) fn hold(&self, at: i64) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether an hour, in which something of the bucket was, is of another bucket too.
    pub(crate) fn cut_hour(&self, bucket: usize, hour: Hour) -> bool {
        let ends = self.starts.get(bucket..bucket + 2);
        !matches!(ends, Some([start, end]) if *start <= hour.start() && hour.end() <= *end)
    }

    /// The bucket that an instant is in, if it is in the range.
    #[inline(never)]
    pub(crate) fn find(&self, at: i64) -> Option<Found> {
        let place = self.search(at)?;
        let [start, end] = *self.starts.get(place..)?.first_chunk()?;
        Some(Found { place, start, end })
    }

    fn search(&self, at: i64) -> Option<usize> {
        if !self.hold(at) {
            return None;
        }
        let guess = usize::try_from((at - self.start) / self.average).ok()?;
        let mut place = guess.min(self.starts.len() - 2);
        while self.starts.get(place).is_some_and(|start| at < *start) {
            place -= 1;
        }
        while self.starts.get(place + 1).is_some_and(|next| at >= *next) {
            place += 1;
        }
        Some(place)
    }

    /// How many buckets have ended by an instant, where the last instant that counts ends all the others.
    pub(crate) fn ended_by(&self, at: i64, last: i64) -> usize {
        let ends = self.starts.get(1..).unwrap_or_default();
        ends.partition_point(|end| *end.min(&last.saturating_add(1)) <= at)
    }
}
