//! Cells: what the items of one bucket and group add up to, and the figures made of that.

use crate::columns::NEVER;
use crate::num;
use crate::plan::{Measured, Verdict};
use crate::query::{Metric, Query};
use crate::sample::Sample;

/// The value of a cell. Statistics are in seconds, and absent where there is nothing to compute
/// them from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// A sample of durations.
    Durations(Durations),
    /// How many.
    Count {
        /// Items.
        n: u64,
    },
    /// How many, and how many a day.
    Rate {
        /// Items.
        n: u64,
        /// Items over the local dates of the cell.
        per_day: f64,
    },
    /// A part of a whole.
    Ratio {
        /// The part.
        numerator: u64,
        /// The whole.
        denominator: u64,
        /// The one over the other.
        ratio: Option<f64>,
    },
    /// Incidents against their targets.
    Compliance {
        /// Incidents with a target.
        n: u64,
        /// To the acknowledgement.
        ack: Judged,
        /// To the resolve.
        resolve: Judged,
    },
    /// What paging costs a person.
    Load {
        /// Pages.
        n: u64,
        /// The share that the person acknowledged.
        acknowledged: Option<f64>,
        /// The mean time to that.
        mtta: Option<f64>,
        /// The share outside working hours.
        out_of_hours: Option<f64>,
        /// Pages that nobody took before they were escalated.
        escalated_away: u64,
    },
}

impl Figure {
    /// The one number that stands for it: of DORA's times the median, of the others the mean; how many
    /// a day; a share; of targets the share of resolves in time. `None` where there is nothing.
    pub fn headline(&self, metric: Metric) -> Option<f64> {
        match *self {
            Self::Durations(durations) if metric.is_dora() => durations.median,
            Self::Durations(durations) => durations.mean,
            Self::Count { n } | Self::Load { n, .. } => Some(num::float(n.into())),
            Self::Rate { per_day, .. } => Some(per_day),
            Self::Ratio { ratio, .. } => ratio,
            Self::Compliance { resolve, .. } => resolve.compliance,
        }
    }

    /// How many items there are; of a share, in the whole.
    pub fn count(&self) -> u64 {
        match *self {
            Self::Durations(durations) => durations.n,
            Self::Count { n }
            | Self::Rate { n, .. }
            | Self::Compliance { n, .. }
            | Self::Load { n, .. } => n,
            Self::Ratio { denominator, .. } => denominator,
        }
    }
}

/// A sample of durations, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Durations {
    /// How many.
    pub n: u64,
    /// Their mean.
    pub mean: Option<f64>,
    /// The middle one.
    pub median: Option<f64>,
    /// The one that nine in ten do not pass.
    pub p90: Option<f64>,
    /// The shortest.
    pub min: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

/// How incidents stand to one target.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Judged {
    /// Done in time.
    pub met: u64,
    /// Late.
    pub breached: u64,
    /// Neither done nor late.
    pub pending: u64,
    /// Met over met and breached.
    pub compliance: Option<f64>,
}

impl Judged {
    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Met => self.met += 1,
            Verdict::Breached => self.breached += 1,
            Verdict::Pending => self.pending += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.met += other.met;
        self.breached += other.breached;
        self.pending += other.pending;
    }

    fn judged(self) -> Self {
        Self {
            compliance: share(self.met, self.met + self.breached),
            ..self
        }
    }
}

/// What a cell has gathered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    /// Items, or the whole of a ratio.
    n: u64,
    /// The part of a ratio, or those acknowledged.
    part: u64,
    /// Items of incidents that nobody told of when they were triggered.
    rebuilt: u64,
    durations: Vec<i64>,
    /// What few metrics gather; a cell without it is small.
    more: Option<Box<More>>,
}

/// What is gathered about targets and pages.
#[derive(Debug, Clone, Default)]
struct More {
    ack: Judged,
    resolve: Judged,
    answered: i128,
    out_of_hours: u64,
    escalated_away: u64,
    /// The incident that is open the longest: since when, and its number.
    oldest: Option<(i64, i64)>,
    /// The durations of each share that has any.
    samples: Vec<(Sample, Vec<i64>)>,
    /// Items that an earlier cell of the group has too.
    again: u64,
}

impl Cell {
    #[inline(always)]
    pub(crate) fn add(&mut self, measured: Measured, is_rebuilt: bool) {
        if is_rebuilt {
            self.rebuilt += measured.count();
        }
        match measured {
            Measured::Duration(duration) => self.durations.push(duration),
            Measured::One => self.n += 1,
            Measured::Many(count) => self.n += u64::from(count),
            Measured::Open { number, since } => {
                self.n += 1;
                let more = self.more.get_or_insert_default();
                more.oldest = older(more.oldest, Some((since, number)));
            }
            // Counted where each is told from the others.
            Measured::Hour { .. } => {}
            Measured::Share(is_part) => {
                self.n += 1;
                self.part += u64::from(is_part);
            }
            Measured::Failure => self.part += 1,
            Measured::Targets { ack, resolve } => {
                self.n += 1;
                let more = self.more.get_or_insert_default();
                more.ack.add(ack);
                more.resolve.add(resolve);
            }
            Measured::Page {
                answered_after,
                out_of_hours,
                escalated_away,
            } => {
                self.n += 1;
                let more = self.more.get_or_insert_default();
                if answered_after != NEVER {
                    self.part += 1;
                    more.answered += i128::from(answered_after);
                }
                more.out_of_hours += u64::from(out_of_hours);
                more.escalated_away += u64::from(escalated_away);
            }
        }
    }

    /// Adds so many items that are counted and nothing else, some of them of rebuilt incidents.
    pub(crate) fn add_many(&mut self, n: u64, rebuilt: u64) {
        self.n += n;
        self.rebuilt += rebuilt;
    }

    /// Adds hours of people; `is_again` where an earlier cell of the group has them too.
    pub(crate) fn add_hours(&mut self, hours: u32, is_again: bool) {
        self.n += u64::from(hours);
        if is_again {
            self.more.get_or_insert_default().again += u64::from(hours);
        }
    }

    /// Takes the same cell of a later share in.
    pub(crate) fn take(&mut self, mut other: Self) {
        self.n += other.n;
        self.take_but_items(&other);
        if let Some(theirs) = &mut other.more {
            let more = self.more.get_or_insert_default();
            more.samples.append(&mut theirs.samples);
        }
    }

    /// Takes another cell of the group in, durations apart.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.n += other.n - other.more.as_ref().map_or(0, |more| more.again);
        self.take_but_items(other);
    }

    fn take_but_items(&mut self, other: &Self) {
        self.part += other.part;
        self.rebuilt += other.rebuilt;
        if let Some(theirs) = &other.more {
            let more = self.more.get_or_insert_default();
            more.ack.merge(theirs.ack);
            more.resolve.merge(theirs.resolve);
            more.answered += theirs.answered;
            more.out_of_hours += theirs.out_of_hours;
            more.escalated_away += theirs.escalated_away;
            more.oldest = older(more.oldest, theirs.oldest);
        }
    }

    /// Makes a sample of the durations of a share.
    pub(crate) fn settle(&mut self) {
        if !self.durations.is_empty() {
            let mut durations = std::mem::take(&mut self.durations);
            let sample = Sample::of(&mut durations);
            let more = self.more.get_or_insert_default();
            more.samples.push((sample, durations));
        }
    }

    /// Its durations, in samples.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (Sample, &[i64])> {
        let more = self.more.iter().flat_map(|more| &more.samples);
        more.map(|(sample, durations)| (*sample, durations.as_slice()))
    }

    /// How many of its items are of incidents that nobody told of when they were triggered.
    pub(crate) fn rebuilt(&self) -> u64 {
        self.rebuilt
    }

    /// The incident that is open the longest: since when, and its number.
    pub(crate) fn oldest(&self) -> Option<(i64, i64)> {
        self.more.as_ref()?.oldest
    }

    /// The figure of a query's metric, over so many local dates, with the statistics of its durations.
    pub(crate) fn figure(&self, query: &Query, days: i64, durations: Durations) -> Figure {
        let nothing = More::default();
        let more = self.more.as_deref().unwrap_or(&nothing);
        match query.metric {
            Metric::Mttr
            | Metric::Mtta
            | Metric::TimeToRestore
            | Metric::FailedDeploymentRecoveryTime
            | Metric::ChangeLeadTime => Figure::Durations(durations),
            Metric::Pages
            | Metric::PageDisruptions
            | Metric::OpenIncidents
            | Metric::Escalations => Figure::Count { n: self.n },
            Metric::IncidentFrequency | Metric::DeploymentFrequency => Figure::Rate {
                n: self.n,
                per_day: num::float(i128::from(self.n)) / num::float(i128::from(days)),
            },
            Metric::ChangeFailureRate | Metric::DeploymentReworkRate | Metric::ReopenRate => {
                Figure::Ratio {
                    numerator: self.part,
                    denominator: self.n,
                    ratio: share(self.part, self.n),
                }
            }
            Metric::SlaCompliance => Figure::Compliance {
                n: self.n,
                ack: more.ack.judged(),
                resolve: more.resolve.judged(),
            },
            Metric::OncallLoad => Figure::Load {
                n: self.n,
                acknowledged: share(self.part, self.n),
                mtta: (self.part > 0)
                    .then(|| num::float(more.answered) / num::float(i128::from(self.part)) / 1e6),
                out_of_hours: share(more.out_of_hours, self.n),
                escalated_away: more.escalated_away,
            },
        }
    }
}

/// The one that began first, where there is one.
fn older(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    one.into_iter().chain(other).min()
}

/// A part over a whole, unless the whole is nothing.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| num::float(i128::from(part)) / num::float(i128::from(whole)))
}
