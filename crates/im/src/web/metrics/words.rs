//! Figures in words: one number of each, and what changed.

use im_metrics::Figure;
use jiff::SignedDuration;
use jiff::civil::Date;

use super::about::{About, Better};
use crate::http::api::metrics::Trend;
use crate::web::times;

/// A comparison of fewer is chance.
pub(super) const FEW: u64 = 5;

/// What a number is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Count,
    PerDay,
    Share,
}

impl Unit {
    pub(super) fn of(figure: &Figure) -> Self {
        match figure {
            Figure::Durations(_) => Self::Seconds,
            Figure::Count { .. } | Figure::Load { .. } => Self::Count,
            Figure::Rate { .. } => Self::PerDay,
            Figure::Ratio { .. } | Figure::Compliance { .. } => Self::Share,
        }
    }

    /// A number of it: `1 h 15 min`, `27`, `4.3 a day`, `9.4 %`.
    pub(super) fn say(self, value: f64) -> String {
        match self {
            Self::Seconds => length(value),
            Self::Count => format!("{value:.0}"),
            Self::PerDay => format!("{} a day", short(value)),
            Self::Share => percent(value * 100.0),
        }
    }

    /// The same as briefly as an axis needs it.
    pub(super) fn tick(self, value: f64) -> String {
        let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
        match self {
            Self::Seconds => units
                .into_iter()
                .find(|(unit, _)| value >= *unit)
                .map_or_else(
                    || "0".to_owned(),
                    |(unit, name)| format!("{} {name}", trimmed(value / unit)),
                ),
            Self::Count | Self::PerDay => trimmed(value),
            Self::Share => format!("{} %", trimmed(value * 100.0)),
        }
    }
}

/// The number that stands for a figure.
pub(super) fn value(figure: &Figure) -> Option<f64> {
    match figure {
        Figure::Durations(durations) => durations.mean,
        Figure::Count { n } | Figure::Load { n, .. } => Some(float(*n)),
        Figure::Rate { per_day, .. } => Some(*per_day),
        Figure::Ratio { ratio, .. } => *ratio,
        Figure::Compliance { resolve, .. } => resolve.compliance,
    }
}

/// How many things a figure is of.
pub(super) fn size(figure: &Figure) -> u64 {
    match figure {
        Figure::Durations(durations) => durations.n,
        Figure::Count { n }
        | Figure::Rate { n, .. }
        | Figure::Compliance { n, .. }
        | Figure::Load { n, .. } => *n,
        Figure::Ratio { denominator, .. } => *denominator,
    }
}

/// A figure in words; nothing where there is none.
pub(super) fn say(figure: &Figure) -> Option<String> {
    value(figure).map(|value| Unit::of(figure).say(value))
}

/// A count as a number to compute with.
pub(super) fn float(n: u64) -> f64 {
    u32::try_from(n).map_or(f64::from(u32::MAX), f64::from)
}

/// A place as a number to compute with.
pub(super) fn place(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::from(u32::MAX), f64::from)
}

/// `47 s`, `2 min 34 s`, `1 h 43 min`, `3 d 4 h`: what rounds up to a unit is said in that unit.
pub(super) fn length(seconds: f64) -> String {
    if seconds < 0.0 {
        return format!("−{}", length(-seconds));
    }
    let step = if seconds < 3_570.0 {
        1.0
    } else if seconds < 86_370.0 {
        60.0
    } else {
        3_600.0
    };
    let rounded = (seconds / step).round() * step;
    SignedDuration::try_from_secs_f64(rounded).map_or_else(
        |_too_long| "ages".to_owned(),
        |length| times::say(length.as_secs()),
    )
}

/// `27 %`, `9.4 %`: no decimals above ten.
pub(super) fn percent(value: f64) -> String {
    format!("{} %", short(value))
}

/// No decimals above ten, none that say nothing.
fn short(value: f64) -> String {
    if value.abs() >= 9.95 {
        format!("{value:.0}")
    } else {
        let text = format!("{value:.1}");
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How a figure stands to the one before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    /// `27 % quicker`.
    pub(super) words: String,
    /// `green`, `orange` or `grey`.
    pub(super) tone: &'static str,
    /// How much worse, in parts of what it was; less than 0 is better. Nothing where it cannot be told.
    pub(super) worse: Option<f64>,
}

/// Of a figure that is what it was.
const UNCHANGED: &str = "unchanged";

impl Change {
    /// The way that it went.
    pub(super) fn trend(&self) -> Trend {
        match self.worse {
            Some(worse) if worse > 0.0 => Trend::Worse,
            Some(_) => Trend::Better,
            None if self.words == UNCHANGED => Trend::Same,
            None => Trend::Unknown,
        }
    }

    /// The place among others, the worst last: what is as it was is between better and worse, and what cannot be told
    /// comes before all.
    pub(super) fn rank(&self) -> f64 {
        let same = (self.words == UNCHANGED).then_some(0.0);
        self.worse.or(same).unwrap_or(f64::MIN)
    }

    fn unclear(words: &str) -> Self {
        Self {
            words: words.to_owned(),
            tone: "grey",
            worse: None,
        }
    }
}

/// What changed from `then` to `now`.
pub(super) fn change(about: &About, now: &Figure, then: Option<&Figure>) -> Change {
    let before = then.and_then(|then| value(then).map(|value| (value, size(then))));
    let (Some(after), Some((before, before_n))) = (value(now), before) else {
        return Change::unclear("none before");
    };
    if before_n == 0 && size(now) == 0 {
        return Change::unclear("none before");
    }
    if before_n < FEW || size(now) < FEW {
        return Change::unclear("too few to tell");
    }
    let difference = after - before;
    let unit = Unit::of(now);
    let part = if before == 0.0 {
        difference.signum()
    } else {
        difference / before
    };
    let (amount, is_nothing) = if unit == Unit::Share {
        let points = (difference * 100.0).abs();
        (format!("{} points", short(points)), points < 0.05)
    } else {
        let percents = (part * 100.0).abs();
        (percent(percents), percents < 0.5)
    };
    if is_nothing {
        return Change::unclear(UNCHANGED);
    }
    let (up, down) = match unit {
        Unit::Seconds => ("slower", "quicker"),
        Unit::Count | Unit::PerDay => ("more", "fewer"),
        Unit::Share => ("higher", "lower"),
    };
    let word = if difference > 0.0 { up } else { down };
    let worse = match about.better {
        Better::Lower => part,
        Better::Higher => -part,
    };
    Change {
        words: format!("{amount} {word}"),
        tone: if worse > 0.0 { "orange" } else { "green" },
        worse: Some(worse),
    }
}

/// `six weeks`, `30 days`: how long a range is.
pub(super) fn span(from: Date, to: Date) -> String {
    match days(from, to) {
        42 => "six weeks".to_owned(),
        7 => "week".to_owned(),
        1 => "day".to_owned(),
        days if days % 7 == 0 && days < 100 => format!("{} weeks", days / 7),
        days => format!("{days} days"),
    }
}

/// `these six weeks`, `this day`.
pub(super) fn this(from: Date, to: Date) -> String {
    let span = span(from, to);
    let word = if ["day", "week"].contains(&span.as_str()) {
        "this"
    } else {
        "these"
    };
    format!("{word} {span}")
}

/// How many dates a range has.
pub(super) fn days(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24 + 1
}

/// `12 Oct`; with its year where that is not the one of `near`.
pub(super) fn date(date: Date, near: Date) -> String {
    let format = if date.year() == near.year() {
        "%-d %b"
    } else {
        "%-d %b %Y"
    };
    date.strftime(format).to_string()
}

/// `12 Oct to 18 Oct`, or one date.
pub(super) fn dates(from: Date, to: Date, near: Date) -> String {
    if from == to {
        date(from, near)
    } else {
        format!("{} to {}", date(from, near), date(to, near))
    }
}

#[cfg(test)]
mod tests {
    use im_metrics::Durations;

    use super::*;

    #[test]
    fn a_length_has_two_units_and_none_that_it_rounds_up_to() {
        let said: Vec<String> = [
            0.0, 59.6, 154.2, 3_599.7, 6_185.0, 86_399.0, 273_600.0, -90.0,
        ]
        .into_iter()
        .map(length)
        .collect();
        let expected = [
            "0 s",
            "1 min",
            "2 min 34 s",
            "1 h",
            "1 h 43 min",
            "1 d",
            "3 d 4 h",
            "−1 min 30 s",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn an_axis_says_round_steps_in_one_unit() {
        let said = [0.0, 30.0, 5_400.0, 3_600.0, 172_800.0].map(|value| Unit::Seconds.tick(value));
        assert_eq!(said, ["0", "30 s", "1.5 h", "1 h", "2 d"]);
        assert_eq!(Unit::Share.tick(0.025), "2.5 %");
        assert_eq!(Unit::Count.tick(20.0), "20");
    }

    #[test]
    fn a_change_is_said_in_words_and_only_where_it_can_be_told() {
        let mean = |n, mean| {
            Figure::Durations(Durations {
                n,
                mean: Some(mean),
                ..Durations::default()
            })
        };
        let mttr = About::of("mttr").unwrap();
        let said = |now: &Figure, then: Option<&Figure>| {
            let change = change(mttr, now, then);
            (change.words, change.tone)
        };
        let owned = |words: &str, tone| (words.to_owned(), tone);
        assert_eq!(
            said(&mean(9, 75.0), Some(&mean(9, 100.0))),
            owned("25 % quicker", "green")
        );
        assert_eq!(
            said(&mean(9, 104.0), Some(&mean(9, 100.0))),
            owned("4 % slower", "orange")
        );
        assert_eq!(
            said(&mean(9, 100.2), Some(&mean(9, 100.0))),
            owned("unchanged", "grey")
        );
        assert_eq!(
            said(&mean(4, 75.0), Some(&mean(9, 100.0))),
            owned("too few to tell", "grey")
        );
        assert_eq!(said(&mean(9, 75.0), None), owned("none before", "grey"));
        let rank = |n, now| change(mttr, &mean(n, now), Some(&mean(9, 100.0))).rank();
        let worst_first = [
            rank(9, 150.0),
            rank(9, 100.2),
            rank(9, 50.0),
            rank(4, 150.0),
        ];
        assert!(worst_first.is_sorted_by(|a, b| a > b), "{worst_first:?}");
        let ratio = |numerator, denominator| Figure::Ratio {
            numerator,
            denominator,
            ratio: Some(float(numerator) / float(denominator)),
        };
        let rate = About::of("change_failure_rate").unwrap();
        let lower = change(rate, &ratio(9, 100), Some(&ratio(12, 100)));
        assert_eq!(
            (lower.words.as_str(), lower.tone),
            ("3 points lower", "green")
        );
        let per_day = |n| Figure::Rate {
            n,
            per_day: float(n) / 10.0,
        };
        let deployments = About::of("deployment_frequency").unwrap();
        let fewer = change(deployments, &per_day(10), Some(&per_day(20)));
        assert_eq!((fewer.words.as_str(), fewer.tone), ("50 % fewer", "orange"));
    }
}
