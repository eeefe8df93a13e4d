//! Figures of what counts.

use std::collections::BTreeSet;

use im_metrics::{Durations, Figure, Judged, Measure, Metric, Verdict};
use jiff::Timestamp;

use super::{Counts, Oracle, Sample};

impl Oracle<'_> {
    pub(super) fn compute(&self, samples: &[&Sample<'_>], days: usize) -> Figure {
        let values: Vec<&Counts> = samples.iter().map(|sample| &sample.value).collect();
        let n = count(&values, |value| *value != Counts::Part);
        match self.query.metric {
            Metric::Mttr
            | Metric::Mtta
            | Metric::TimeToRestore
            | Metric::FailedDeploymentRecoveryTime
            | Metric::ChangeLeadTime => Figure::Durations(durations(&values)),
            Metric::PageDisruptions if self.query.measure == Measure::Hours => Figure::Count {
                n: hours(&values, self.query.distinct),
            },
            Metric::Pages
            | Metric::PageDisruptions
            | Metric::OpenIncidents
            | Metric::Escalations => Figure::Count { n: wide(n) },
            Metric::IncidentFrequency | Metric::DeploymentFrequency => Figure::Rate {
                n: wide(n),
                per_day: float(n) / float(days),
            },
            Metric::ChangeFailureRate | Metric::DeploymentReworkRate | Metric::ReopenRate => {
                let part = count(&values, |value| {
                    matches!(value, Counts::Part | Counts::Whole { part: true })
                });
                Figure::Ratio {
                    numerator: wide(part),
                    denominator: wide(n),
                    ratio: ratio(part, n),
                }
            }
            Metric::SlaCompliance => compliance(&values),
            Metric::OncallLoad => load(&values),
        }
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "small numbers"
)]
fn float(n: usize) -> f64 {
    n as f64
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "small numbers"
)]
fn seconds(micros: i128) -> f64 {
    micros as f64 / 1e6
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap()
}

fn count(values: &[&Counts], test: impl Fn(&Counts) -> bool) -> usize {
    values.iter().filter(|value| test(value)).count()
}

fn hours(values: &[&Counts], distinct: bool) -> u64 {
    let hours: BTreeSet<(String, Timestamp)> = values
        .iter()
        .map(|value| match value {
            Counts::Hour(_, key) if distinct => (String::new(), *key),
            Counts::Hour(user, key) => (user.clone(), *key),
            other => panic!("{other:?}"),
        })
        .collect();
    wide(hours.len())
}

fn compliance(values: &[&Counts]) -> Figure {
    let both = |value: &Counts| match value {
        Counts::Targets(ack, resolve) => (*ack, *resolve),
        other => panic!("{other:?}"),
    };
    let judged = |which: &dyn Fn(&Counts) -> Verdict| {
        let of = |verdict| count(values, |value| which(value) == verdict);
        let (met, late) = (of(Verdict::Met), of(Verdict::Breached));
        Judged {
            met: wide(met),
            breached: wide(late),
            pending: wide(of(Verdict::Pending)),
            compliance: ratio(met, met + late),
        }
    };
    Figure::Compliance {
        n: wide(values.len()),
        ack: judged(&|value| both(value).0),
        resolve: judged(&|value| both(value).1),
    }
}

fn load(values: &[&Counts]) -> Figure {
    let answered: Vec<f64> = values
        .iter()
        .filter_map(|value| match value {
            Counts::Page(answered, _, _) => answered.map(seconds),
            other => panic!("{other:?}"),
        })
        .collect();
    let mean = answered.iter().sum::<f64>() / float(answered.len());
    let (n, out) = (
        values.len(),
        count(values, |value| matches!(value, Counts::Page(_, true, _))),
    );
    Figure::Load {
        n: wide(n),
        acknowledged: ratio(answered.len(), n),
        mtta: (!answered.is_empty()).then_some(mean),
        out_of_hours: ratio(out, n),
        escalated_away: wide(count(values, |value| {
            matches!(value, Counts::Page(_, _, true))
        })),
    }
}

fn durations(values: &[&Counts]) -> Durations {
    let mut sorted: Vec<f64> = values
        .iter()
        .map(|value| match value {
            Counts::Micros(micros) => seconds(*micros),
            other => panic!("{other:?}"),
        })
        .collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    if n == 0 {
        return Durations::default();
    }
    let at = |p: f64| {
        let position = float(n - 1) * p;
        let below = (0..n)
            .rev()
            .find(|place| float(*place) <= position)
            .unwrap();
        let above = sorted.get(below + 1).copied().unwrap_or(sorted[below]);
        Some(sorted[below] + (above - sorted[below]) * (position - float(below)))
    };
    Durations {
        n: u64::try_from(n).unwrap(),
        mean: Some(sorted.iter().sum::<f64>() / float(n)),
        median: at(0.5),
        p90: at(0.9),
        min: Some(sorted[0]),
        max: Some(sorted[n - 1]),
    }
}
