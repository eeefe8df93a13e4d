//! Targets as the page says and reads them: with the unit of what they are of.

use im_core::Severity;
use im_metrics::Metric;
use im_metrics::input::Settings;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::{Row, required};
use crate::http::error::ApiError;
use crate::length;
use crate::organisation::{Length, Target, Thing as _};
use crate::web::guard::Fields;
use crate::web::times;

/// What the form calls its fields.
pub(super) const OF: &str = "Severity or metric";
pub(super) const ACK: &str = "Of a severity: acknowledged within";
pub(super) const RESOLVE: &str = "and resolved within";
pub(super) const AT_MOST: &str = "Of a metric: at most";
pub(super) const AT_LEAST: &str = "or at least";

/// What a bound of a metric is a number of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Time,
    Share,
    PerDay,
    Pages,
}

impl Unit {
    fn of(name: &str) -> Option<Self> {
        match Metric::parse(name)? {
            Metric::ChangeFailureRate | Metric::DeploymentReworkRate | Metric::ReopenRate => {
                Some(Self::Share)
            }
            Metric::IncidentFrequency | Metric::DeploymentFrequency => Some(Self::PerDay),
            Metric::PageDisruptions => Some(Self::Pages),
            Metric::Mttr
            | Metric::Mtta
            | Metric::TimeToRestore
            | Metric::FailedDeploymentRecoveryTime
            | Metric::ChangeLeadTime => Some(Self::Time),
            _ => None,
        }
    }

    fn say(self, bound: f64) -> String {
        match self {
            Self::Time => SignedDuration::try_from_secs_f64(bound).map_or_else(
                |_too_long| format!("{bound} s"),
                |length| times::say(length.as_secs()),
            ),
            Self::Share => format!("{} %", (bound * 1e4).round() / 100.0),
            Self::PerDay => format!("{bound} a day"),
            Self::Pages => format!("{bound} pages of a person in a week"),
        }
    }

    fn read(self, text: &str) -> Option<f64> {
        let number = || text.parse::<f64>().ok().filter(|number| number.is_finite());
        match self {
            Self::Time => number().or_else(|| Some(length::read_loosely(text)?.as_secs_f64())),
            Self::Share => match text.strip_suffix('%') {
                Some(percents) => Some(percents.trim().parse::<f64>().ok()? / 100.0),
                None => number(),
            },
            Self::PerDay | Self::Pages => number(),
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Time => "write a length of time such as 30m or 4h, or a number of seconds",
            Self::Share => "write a share such as 15% or 0.15",
            Self::PerDay => "write how many a day, e.g. 2 or 0.5",
            Self::Pages => "write how many pages of a person in a week, e.g. 7",
        }
    }
}

/// The targets that hold, the usual ones of severities included.
pub(super) fn rows(all: &[Target]) -> Vec<Row> {
    let usual = Settings::new(TimeZone::UTC).targets;
    let is_set = |name: &str| all.iter().any(|target| target.name == name);
    let usual = Severity::ALL.into_iter().filter_map(|severity| {
        let name = severity.as_str();
        let target = usual.get(name).filter(|_| !is_set(name))?;
        let (ack, resolve) = (times::say(target.ack_s), times::say(target.resolve_s));
        Some(Row {
            key: None,
            name: name.to_owned(),
            said: format!("{}, as is usual", within(&ack, &resolve)),
        })
    });
    let set = all.iter().map(|target| Row {
        key: Some(target.key()),
        name: target.name.clone(),
        said: said(target),
    });
    let mut rows: Vec<Row> = usual.chain(set).collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

fn within(ack: &str, resolve: &str) -> String {
    format!("acknowledged within {ack}, resolved within {resolve}")
}

fn said(target: &Target) -> String {
    if let (Some(ack), Some(resolve)) = (target.ack, target.resolve) {
        let say = |length: Length| times::say(length.seconds());
        return within(&say(ack), &say(resolve));
    }
    let (word, bound) = target.bound();
    let bound = Unit::of(&target.name).map_or_else(|| bound.to_string(), |unit| unit.say(bound));
    format!("{word} {bound}")
}

/// The bounds of a form as a document has them.
pub(super) fn bounds(fields: &Fields) -> Result<Map<String, Value>, ApiError> {
    required(fields, &[("name", OF)])?;
    let unit = Unit::of(fields.get("name"));
    let given = |(name, _): &(&str, &str)| !fields.get(name).is_empty();
    if unit.is_none() {
        let severity = fields.get("name").parse::<Severity>().is_ok();
        let names = [("at_most", AT_MOST), ("at_least", AT_LEAST)];
        if severity && !names.iter().any(given) {
            required(fields, &[("ack", ACK), ("resolve", RESOLVE)])?;
        }
    }
    let mut object = Map::new();
    for (name, label) in [("at_most", AT_MOST), ("at_least", AT_LEAST)] {
        let text = fields.get(name);
        // Of anything else it is refused with the reason, whatever stands there.
        let unit = unit.unwrap_or(Unit::PerDay);
        if text.is_empty() {
            continue;
        }
        let bound = unit.read(text).ok_or_else(|| {
            let detail = format!("\u{201c}{label}\u{201d} cannot be `{text}`");
            ApiError::wrong_value("value", detail).hint(unit.example())
        })?;
        if unit == Unit::Share && bound > 1.0 {
            let detail =
                format!("\u{201c}{label}\u{201d} cannot be `{text}`: a share is at most 100 %");
            return Err(ApiError::wrong_value("value", detail).hint(unit.example()));
        }
        object.insert(name.to_owned(), bound.into());
    }
    if unit.is_some() && object.len() != 1 {
        let detail = format!(
            "the target of {} is either \u{201c}{AT_MOST}\u{201d} or \u{201c}{AT_LEAST}\u{201d}",
            fields.get("name")
        );
        return Err(ApiError::wrong_value("value", detail).hint("fill in one of the two"));
    }
    Ok(object)
}
