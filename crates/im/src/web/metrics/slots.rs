//! The buckets of an answer as charts and tables show them: label, state, figures, link.

use im_metrics::{Answer, Bucket, BucketSize, Figure, Value};
use jiff::civil::Date;

use super::about::About;
use super::address::Address;
use super::marks::Mark;
use super::words::{self, Unit};

/// How much of a bucket there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Whole,
    /// The range cuts it short.
    Partial,
    /// It is not over.
    Open,
    /// Failures may still come for its deployments.
    Immature,
}

impl State {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Partial => "partial",
            Self::Open => "open",
            Self::Immature => "immature",
        }
    }

    pub(super) fn is_hollow(self) -> bool {
        self != Self::Whole
    }
}

/// A bucket.
#[derive(Debug)]
pub(super) struct Slot {
    /// `12 Oct`.
    pub(super) label: String,
    /// `(so far)`, `(2 days)`.
    pub(super) note: String,
    /// `12 Oct to 18 Oct`.
    pub(super) title: String,
    pub(super) state: State,
    /// Each figure, with its name.
    pub(super) rows: Vec<(String, String)>,
    /// What else happened in it.
    pub(super) marks: Vec<Mark>,
    /// Where what is behind it is listed, if something is.
    pub(super) href: Option<String>,
    /// What following the link does.
    pub(super) act: Option<String>,
}

impl Slot {
    /// All of it in a sentence.
    pub(super) fn spoken(&self) -> String {
        let rows = self.rows.iter();
        let rows: Vec<String> = rows
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let act = self
            .act
            .as_ref()
            .map_or(String::new(), |act| format!(". {act}"));
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!(" {}", self.note)
        };
        let marks = self.marks.iter().map(|mark| &*mark.said);
        let marks: Vec<&str> = std::iter::once("").chain(marks).collect();
        let marks = marks.join(". ");
        format!("{}{note}: {}{marks}{act}", self.title, rows.join(", "))
    }
}

/// The buckets of an answer, with the figures of its one series.
pub(super) fn slots(
    about: &About,
    answer: &Answer,
    size: BucketSize,
    items: &Address,
) -> Vec<Slot> {
    let values = answer
        .series
        .first()
        .map_or(&[][..], |series| &series.values);
    let before = before(answer);
    answer
        .buckets
        .iter()
        .enumerate()
        .map(|(index, bucket)| {
            let value = values.get(index);
            let immature = answer.immature.get(index) == Some(&true);
            let then = before.and_then(|then| then.get(index));
            let n = value.map_or(0, |value| words::size(&value.figure));
            let mut slot = bare(bucket, size, immature, answer.range.1);
            slot.rows = value.map_or_else(Vec::new, |value| rows(about, &value.figure));
            if let Some(said) = then.and_then(|then| words::say(&then.figure)) {
                slot.rows.push(("Before".to_owned(), said));
            }
            if n > 0 {
                slot.href = Some(of_bucket(items, bucket).link());
                slot.act = Some(format!("Opens {}", behind(about, n)));
            }
            slot
        })
        .collect()
}

/// `the 27 incidents`.
fn behind(about: &About, n: u64) -> String {
    if n == 1 {
        format!("the {}", about.of.0)
    } else {
        format!("the {}", about.count(n))
    }
}

/// The figures of the time before, where its buckets fit ours.
pub(super) fn before(answer: &Answer) -> Option<&[Value]> {
    let previous = answer.previous.as_deref()?;
    let fits = previous.buckets.len() == answer.buckets.len();
    let series = previous.series.first()?;
    fits.then_some(series.values.as_slice())
}

/// What is behind one bucket.
pub(super) fn of_bucket(items: &Address, bucket: &Bucket) -> Address {
    let from = items.with("from", bucket.first.to_string());
    from.with("to", bucket.last.to_string())
}

/// A bucket without figures.
pub(super) fn bare(bucket: &Bucket, size: BucketSize, immature: bool, near: Date) -> Slot {
    let state = match (bucket.incomplete, bucket.partial, immature) {
        (true, _, _) => State::Open,
        (_, true, _) => State::Partial,
        (_, _, true) => State::Immature,
        (false, false, false) => State::Whole,
    };
    let note = match state {
        State::Open => "(so far)".to_owned(),
        State::Partial if bucket.days == 1 => "(1 day)".to_owned(),
        State::Partial => format!("({} days)", bucket.days),
        State::Immature => "(not final)".to_owned(),
        State::Whole => String::new(),
    };
    Slot {
        label: label(bucket.label, size, near),
        note,
        title: words::dates(bucket.first, bucket.last, near),
        state,
        rows: Vec::new(),
        marks: Vec::new(),
        href: None,
        act: None,
    }
}

fn label(start: Date, size: BucketSize, near: Date) -> String {
    match size {
        BucketSize::Day | BucketSize::Week | BucketSize::All => words::date(start, near),
        BucketSize::Month => start.strftime("%b %Y").to_string(),
        BucketSize::Quarter => format!("Q{} {}", (start.month() + 2) / 3, start.year()),
    }
}

/// Each number of a figure with its name.
pub(super) fn rows(about: &About, figure: &Figure) -> Vec<(String, String)> {
    let row = |name: &str, value: Option<String>| {
        (name.to_owned(), value.unwrap_or_else(|| "none".to_owned()))
    };
    let noun = crate::web::parts::capital(about.of.1);
    let n = words::size(figure).to_string();
    let seconds = |value: Option<f64>| value.map(|value| Unit::Seconds.say(value));
    match figure {
        Figure::Durations(durations) => vec![
            row("Mean", seconds(durations.mean)),
            row("Median", seconds(durations.median)),
            row("p90", seconds(durations.p90)),
            row(&noun, Some(n)),
        ],
        Figure::Ratio { numerator, .. } => vec![
            row("Rate", words::say(figure)),
            row("Failed", Some(numerator.to_string())),
            row(&noun, Some(n)),
        ],
        Figure::Rate { .. } => vec![row(&noun, Some(n)), row("On average", words::say(figure))],
        Figure::Count { .. } => vec![row(about.headline, Some(n))],
        Figure::Load {
            acknowledged,
            mtta,
            out_of_hours,
            escalated_away,
            ..
        } => {
            let share = |value: Option<f64>| value.map(|value| Unit::Share.say(value));
            vec![
                row(&noun, Some(n)),
                row("Acknowledged", share(*acknowledged)),
                row("After", seconds(*mtta)),
                row("Out of hours", share(*out_of_hours)),
                row("Escalated away", Some(escalated_away.to_string())),
            ]
        }
        Figure::Compliance { .. } => vec![row(&noun, Some(n))],
    }
}
