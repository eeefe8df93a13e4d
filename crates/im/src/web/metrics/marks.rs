//! What else happened while a figure was what it was: deployments to the same services, other working hours.

use im_metrics::{Answer, BadQuery, Metric};
use jiff::Timestamp;

use super::asked::Asked;
use super::page::values;
use super::slots::Slot;
use super::words::size;
use crate::figures::Known;

/// What else happened in a bucket.
#[derive(Debug)]
pub(super) struct Mark {
    /// `deployments`.
    of: &'static str,
    /// `3 deployments`.
    pub(super) said: String,
    /// Whether it is rare enough for a diamond: what is in most buckets tells none from another.
    pub(super) drawn: bool,
}

/// What the diamonds of a chart stand for.
pub(super) fn drawn(slots: &[Slot]) -> Vec<&'static str> {
    let marks = slots.iter().flat_map(|slot| &slot.marks);
    let mut kinds: Vec<_> = marks
        .filter(|mark| mark.drawn)
        .map(|mark| mark.of)
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Notes what else happened in each bucket: deployments to the same services, and other working hours where
/// these count.
pub(super) fn note(
    slots: &mut [Slot],
    asked: &Asked,
    answer: &Answer,
    known: &Known,
    now: Timestamp,
) -> Result<(), BadQuery> {
    let metric = asked.query.metric;
    if !matches!(
        metric,
        Metric::DeploymentFrequency | Metric::ChangeFailureRate
    ) {
        let shared = ["service", "team", "environment", "bucket", "as_of_time"];
        let (from, to) = (answer.range.0.to_string(), answer.range.1.to_string());
        let pairs = asked
            .address
            .pairs()
            .filter(|(name, _)| shared.contains(name));
        let pairs = pairs.chain([("from", &*from), ("to", &*to)]);
        let query = im_metrics::parse(Metric::DeploymentFrequency.as_str(), pairs)?;
        let (query, _said_above) = known.meant_as_far_as_known(&query);
        let deployed = known.engine.answer(&query, now)?;
        let counts: Vec<u64> = values(&deployed)
            .iter()
            .map(|value| size(&value.figure))
            .collect();
        let deployed_in = counts.iter().filter(|count| **count > 0).count();
        let drawn = deployed_in * 2 < slots.len();
        for (slot, count) in slots.iter_mut().zip(counts) {
            if count > 0 {
                let said = format!("{count} deployment{}", if count == 1 { "" } else { "s" });
                slot.marks.push(Mark {
                    of: "deployments",
                    said,
                    drawn,
                });
            }
        }
    }
    if metric == Metric::PageDisruptions {
        for (slot, bucket) in slots.iter_mut().zip(&answer.buckets) {
            let dates = known
                .hours_since()
                .filter(|date| (bucket.first..=bucket.last).contains(date));
            slot.marks.extend(dates.map(|date| Mark {
                of: "other working hours",
                said: format!("Other working hours since {date}"),
                drawn: true,
            }));
        }
    }
    Ok(())
}
