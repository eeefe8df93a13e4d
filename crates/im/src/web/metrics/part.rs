//! Which of the things behind a figure are listed, and in what order, as an address says it.

use axum::http::StatusCode;
use im_core::IncidentNumber;
use im_metrics::{Behind, Query, Reason, Recurring, Thing, Worth};
use jiff::Timestamp;

use super::address::Address;
use super::asked::Wrong;
use super::heat::Hour;
use crate::figures::Known;

/// A day of the week, from 0 for Monday.
pub(super) const WEEKDAY: &str = "weekday";
/// An hour of the day.
pub(super) const HOUR: &str = "hour";
/// The cause that was named; `null` is none.
pub(super) const CAUSE: &str = "cause";
/// An incident of the matter that came again.
pub(super) const RECURS_WITH: &str = "recurs_with";
/// Why an incident is left out: those that are, in place of those that count.
pub(super) const LEFT_OUT: &str = "left_out";
/// `yes`: only deployments that failed, and failures.
pub(super) const FAILED: &str = "failed";
/// `longest`: the longest first, in place of the oldest.
pub(super) const ORDER: &str = "order";
/// How many pages of rows come before.
const PAGE: &str = "page";

/// What chooses a part; the other parameters are the question's.
pub(super) const OF_PART: [&str; 8] = [
    WEEKDAY,
    HOUR,
    CAUSE,
    RECURS_WITH,
    LEFT_OUT,
    FAILED,
    ORDER,
    PAGE,
];

/// Which of the things behind a metric are listed.
#[derive(Debug, Clone)]
pub(super) struct Part {
    weekday: Option<usize>,
    hour: Option<usize>,
    cause: Option<String>,
    recurs_with: Option<IncidentNumber>,
    pub(super) left_out: Option<Reason>,
    is_failed: bool,
    is_longest_first: bool,
    pub(super) page: usize,
}

impl Part {
    /// Reads the part that an address asks for.
    pub(super) fn read(address: &Address) -> Result<Self, Wrong> {
        let number = |name: &str, most: usize| {
            let works = format!("use a number from 0 to {most}");
            read(address, name, &works, |text| {
                text.parse().ok().filter(|number| *number <= most)
            })
        };
        let is = |name: &str, only: &str| {
            let works = format!("use {only}");
            let found = read(address, name, &works, |text| (text == only).then_some(()));
            found.map(|found| found.is_some())
        };
        let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        let reasons = format!("use one of {}", reasons.join(", "));
        Ok(Self {
            left_out: read(address, LEFT_OUT, &reasons, Reason::parse)?,
            is_failed: is(FAILED, "yes")?,
            is_longest_first: is(ORDER, "longest")?,
            weekday: number(WEEKDAY, 6)?,
            hour: number(HOUR, 23)?,
            cause: address.get(CAUSE).map(str::to_lowercase),
            recurs_with: read(
                address,
                RECURS_WITH,
                "use the number of an incident, e.g. INC-42",
                |text| text.parse().ok(),
            )?,
            page: number(PAGE, 10_000)?.unwrap_or(0),
        })
    }

    /// What a question counts, as far as it is of the part.
    pub(super) fn of(
        &self,
        query: &Query,
        known: &Known,
        now: Timestamp,
    ) -> Result<Vec<Behind>, im_metrics::BadQuery> {
        let mut all = match self.left_out {
            Some(reason) => known.engine.left_out(query, reason, now)?,
            None => known.engine.items(query, now)?,
        };
        let matter = match self.recurs_with {
            Some(number) => Some(matter(number, known.engine.recurring(query, now)?)),
            None => None,
        };
        all.retain(|item| self.has(item, matter.as_deref(), known));
        if self.is_longest_first {
            all.sort_by(|a, b| seconds(b).total_cmp(&seconds(a)));
        }
        Ok(all)
    }

    fn has(&self, item: &Behind, matter: Option<&[i64]>, known: &Known) -> bool {
        let at = || Hour::of(item, &known.engine.settings().zone);
        let number = match &item.what {
            Thing::Incident(number) => Some(*number),
            Thing::Deployment(_) => None,
        };
        let is_of_cause = |cause: &str| {
            let named = number.and_then(|number| known.engine.cause(number));
            named == Some(cause) || (cause == "null" && named.is_none())
        };
        self.weekday.is_none_or(|day| day == at().day)
            && self.hour.is_none_or(|hour| hour == at().hour)
            && (!self.is_failed || item.worth == Worth::Part(true))
            && self.cause.as_deref().is_none_or(is_of_cause)
            && matter.is_none_or(|matter| number.is_some_and(|number| matter.contains(&number)))
    }

    /// What it is, each with the parameters that say so.
    pub(super) fn said(&self) -> Vec<(Vec<&'static str>, String)> {
        let time = match (self.weekday, self.hour) {
            (Some(day), Some(hour)) => Some(Hour { day, hour }.say()),
            (Some(day), None) => Some(Hour { day, hour: 0 }.day().to_owned()),
            (None, Some(hour)) => Some(Hour { day: 0, hour }.clock()),
            (None, None) => None,
        };
        let cause = self.cause.as_ref().map(|cause| match cause.as_str() {
            "null" => "no cause named".to_owned(),
            cause => format!("the cause {cause}"),
        });
        let matter = self
            .recurs_with
            .map(|number| format!("what recurs with {number}"));
        let left_out = self.left_out.map(|reason| why(reason, 2).to_owned());
        let failed = self.is_failed.then(|| "what failed".to_owned());
        let order = self.is_longest_first.then(|| "Longest first".to_owned());
        [
            (vec![LEFT_OUT], left_out),
            (vec![FAILED], failed),
            (vec![ORDER], order),
            (vec![WEEKDAY, HOUR], time),
            (vec![CAUSE], cause),
            (vec![RECURS_WITH], matter),
        ]
        .into_iter()
        .filter_map(|(names, words)| words.map(|words| (names, words)))
        .collect()
    }
}

/// What is left out for a reason, after how many there are.
pub(super) fn why(reason: Reason, count: u64) -> &'static str {
    match reason {
        Reason::Test if count == 1 => "test",
        Reason::Test => "tests",
        Reason::Merged => "merged",
        Reason::Open => "open",
        Reason::Unacknowledged => "without an acknowledgement",
        Reason::Waiting => "not acknowledged yet",
        Reason::Unanswered => "over without an acknowledgement",
        Reason::NotFailure => "no failures",
        Reason::Unlinked => "without a deployment",
        Reason::Negative => "over before their deployment",
        Reason::NoTarget => "without a target",
        Reason::Rebuilt => "rebuilt from PagerDuty's log",
    }
}

/// How long a thing took, if that is what it adds.
fn seconds(item: &Behind) -> f64 {
    match item.worth {
        Worth::Seconds(seconds) => seconds,
        Worth::Page { answered_after, .. } => answered_after.unwrap_or(-1.0),
        Worth::One | Worth::Hour(_) | Worth::Part(_) | Worth::Verdicts { .. } => -1.0,
    }
}

/// A parameter of an address, if it is there; one that cannot be read is refused.
fn read<T>(
    address: &Address,
    name: &str,
    works: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Wrong> {
    let Some(text) = address.get(name) else {
        return Ok(None);
    };
    parse(text).map(Some).ok_or_else(|| Wrong {
        status: StatusCode::BAD_REQUEST,
        code: "bad_request",
        detail: format!("`{name}` cannot be `{text}`"),
        hint: works.to_owned(),
        without: Some(address.without(name).link()),
        plain: address.path().to_owned(),
    })
}

/// The incidents of the matter that an incident is one of.
fn matter(number: IncidentNumber, matters: Vec<Recurring>) -> Vec<i64> {
    let is_it = |other: &i64| IncidentNumber::new(*other).map(IncidentNumber::said) == Some(number);
    let found = matters
        .into_iter()
        .find(|matter| matter.incidents.iter().any(is_it));
    found.map(|matter| matter.incidents).unwrap_or_default()
}
