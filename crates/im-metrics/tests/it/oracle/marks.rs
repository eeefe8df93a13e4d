//! What stands beside figures: levels, marks of buckets, and what is in more than one group.

use im_metrics::{BucketSize, Dimension, Figure, Metric, Mode, Oldest};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Of, Oracle, Sample};
use crate::given::zone;
use crate::published;

/// The marks of a bucket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) dates: (Date, Date),
    pub(crate) days: i64,
    pub(crate) partial: bool,
    pub(crate) incomplete: bool,
    pub(crate) immature: bool,
}

impl Oracle<'_> {
    /// The published level of a figure.
    pub(super) fn level(&self, figure: &Figure) -> Option<&'static str> {
        // No deployments known is not a low frequency of them.
        if self.query.metric == Metric::DeploymentFrequency && self.world.deployments.is_empty() {
            return None;
        }
        let statistic = match figure {
            Figure::Durations(durations) => durations.median?,
            Figure::Rate { per_day, .. } => *per_day,
            Figure::Ratio { ratio, .. } => (*ratio)?,
            Figure::Count { .. } | Figure::Compliance { .. } | Figure::Load { .. } => return None,
        };
        published::level_of(self.query.metric.as_str(), self.query.benchmark?, statistic)
    }

    /// Of open incidents the one that was triggered first; of several the one with the smallest number.
    pub(super) fn oldest(&self, samples: &[&Sample<'_>]) -> Option<Oldest> {
        if self.query.metric != Metric::OpenIncidents {
            return None;
        }
        let mut open: Vec<(Timestamp, i64)> = Vec::new();
        for sample in samples {
            match sample.of {
                Of::Incident(history) => open.push((sample.at, history.number)),
                Of::Deployment(_) => panic!("a deployment is not open"),
            }
        }
        open.sort_unstable();
        let (since, incident) = *open.first()?;
        Some(Oldest { incident, since })
    }

    /// How the bucket of these dates stands to its nominal one, to today and to failures that may come.
    pub(crate) fn marks(&self, dates: &[Date]) -> Marks {
        let (first, last) = (dates[0], dates[dates.len() - 1]);
        let (before, after) = (first.yesterday().unwrap(), last.tomorrow().unwrap());
        let label = self.label(first);
        let is_cut = self.label(before) == label || self.label(after) == label;
        let end = after.to_zoned(zone(self.world.zone)).unwrap().timestamp();
        let since_end = i128::from(self.as_of.as_microsecond()) - i128::from(end.as_microsecond());
        let is_asked =
            self.query.metric == Metric::ChangeFailureRate && self.query.mode == Mode::Attributed;
        let may_come = match self.query.max_lag {
            Some(max) => since_end < i128::from(max),
            None => true,
        };
        Marks {
            dates: (first, last),
            days: i64::try_from(dates.len()).unwrap(),
            partial: is_cut && self.query.bucket != BucketSize::All,
            incomplete: dates.contains(&self.as_of.to_zoned(zone(self.world.zone)).date()),
            immature: is_asked && may_come,
        }
    }

    /// Items that a group by team counts more than once.
    pub(crate) fn in_several_groups(&self) -> u64 {
        if self.query.group_by != Some(Dimension::Team) {
            return 0;
        }
        let buckets = self.buckets();
        let samples = buckets.iter().flat_map(|(_, dates)| self.samples(dates));
        let several = samples.filter(|sample| self.keys_of(sample).len() > 1);
        u64::try_from(several.count()).unwrap()
    }
}
