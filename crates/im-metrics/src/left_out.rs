//! What is left out of an answer, and why: the same rule for every metric.
//!
//! Over the incidents triggered in the range that pass the filters (by team: the incident's own), each
//! counted once under the first reason that holds, in the order of the fields below.

use crate::columns::{Flags, Row, Share};
use crate::metrics::{failed_deployment_recovery_time, sla_compliance};
use crate::plan::Plan;
use crate::query::{Metric, Mode, Query, Reach};

/// How many incidents an answer leaves out. A reason that the metric has no use for is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Test incidents.
    pub test: u64,
    /// Merge sources.
    pub merged: u64,
    /// Not resolved yet.
    pub open: Option<u64>,
    /// Never acknowledged.
    pub unacknowledged: Option<u64>,
    /// Marked or ruled to be no failures.
    pub not_failure: Option<u64>,
    /// No deployment is behind them.
    pub unlinked: Option<u64>,
    /// Over before their deployment was.
    pub negative: Option<u64>,
    /// No target for their severity.
    pub no_target: Option<u64>,
    /// Known from what was read afterwards, where only what was told counts.
    pub rebuilt: Option<u64>,
}

/// Counts what the query leaves out of a share of the incidents.
pub(crate) fn left_out<'a>(plan: &'a Plan<'a>, share: Share) -> LeftOut {
    let mut left_out = LeftOut::none(plan.query);
    if plan.query.metric.is_of_deployments() {
        return left_out;
    }
    // Most incidents count, and most reasons are a flag.
    let (flags, only_flags) = (left_out.flags(), left_out.has_only_flags());
    plan.rows_in_range(share, |row| {
        if (!only_flags || row.is(flags))
            && plan.cuts.hold(row.trigger())
            && plan.passes(row)
            && plan.passes_own_teams(row)
        {
            left_out.count(plan, row);
        }
    });
    left_out
}

impl LeftOut {
    /// Zero for each reason that a metric uses.
    fn none(query: &Query) -> Self {
        let (metric, mode) = (query.metric, query.mode);
        let used = |uses: bool| uses.then_some(0);
        let is_recovery = metric == Metric::FailedDeploymentRecoveryTime;
        let is_attributed = metric == Metric::ChangeFailureRate && mode == Mode::Attributed;
        let is_restore = metric == Metric::TimeToRestore;
        Self {
            test: 0,
            merged: 0,
            open: used(metric == Metric::Mttr || is_restore || is_recovery),
            unacknowledged: used(metric == Metric::Mtta),
            not_failure: used(metric.is_of_failures()),
            unlinked: used(is_recovery || is_attributed),
            negative: used(is_recovery),
            no_target: used(metric == Metric::SlaCompliance),
            rebuilt: used(query.reach == Reach::Live),
        }
    }

    /// Adds what another share leaves out.
    pub(crate) fn add(&mut self, other: &Self) {
        self.test += other.test;
        self.merged += other.merged;
        let counts = [
            (&mut self.open, other.open),
            (&mut self.unacknowledged, other.unacknowledged),
            (&mut self.not_failure, other.not_failure),
            (&mut self.unlinked, other.unlinked),
            (&mut self.negative, other.negative),
            (&mut self.no_target, other.no_target),
            (&mut self.rebuilt, other.rebuilt),
        ];
        for (count, more) in counts {
            if let (Some(count), Some(more)) = (count, more) {
                *count += more;
            }
        }
    }

    /// The flags that are reasons.
    fn flags(&self) -> Flags {
        let flags = Flags::TEST.with(Flags::MERGED, true);
        let flags = flags.with(Flags::OPEN, self.open.is_some());
        let flags = flags.with(Flags::NOT_FAILURE, self.not_failure.is_some());
        let flags = flags.with(Flags::UNACKNOWLEDGED, self.unacknowledged.is_some());
        flags.with(Flags::REBUILT, self.rebuilt.is_some())
    }

    /// Whether no other reason is used.
    fn has_only_flags(&self) -> bool {
        let others = [self.unlinked, self.negative, self.no_target];
        others.iter().all(Option::is_none)
    }

    #[inline(always)]
    fn count(&mut self, plan: &Plan<'_>, row: Row<'_>) {
        if row.is(Flags::TEST) {
            self.test += 1;
        } else if row.is(Flags::MERGED) {
            let counts_pages = matches!(
                plan.query.metric,
                Metric::Pages
                    | Metric::PageDisruptions
                    | Metric::OncallLoad
                    | Metric::OpenIncidents
                    | Metric::Escalations
            );
            self.merged += u64::from(!counts_pages);
        } else {
            self.count_own(plan, row);
        }
    }

    #[inline(always)]
    fn count_own(&mut self, plan: &Plan<'_>, row: Row<'_>) {
        let add = |count: &mut Option<u64>, holds: bool| {
            if let Some(count) = count {
                *count += u64::from(holds);
            }
            count.is_some() && holds
        };
        let is_unlinked = || {
            if plan.query.metric == Metric::FailedDeploymentRecoveryTime {
                failed_deployment_recovery_time::finish(plan, row).is_none()
            } else {
                plan.linked(row).is_none()
            }
        };
        let _ = add(&mut self.open, row.is(Flags::OPEN))
            || add(&mut self.unacknowledged, row.is(Flags::UNACKNOWLEDGED))
            || add(&mut self.not_failure, row.is(Flags::NOT_FAILURE))
            || (self.unlinked.is_some() && add(&mut self.unlinked, is_unlinked()))
            || (self.negative.is_some()
                && add(
                    &mut self.negative,
                    failed_deployment_recovery_time::is_negative(plan, row),
                ))
            || (self.no_target.is_some()
                && add(
                    &mut self.no_target,
                    sla_compliance::target(plan, row).is_none(),
                ))
            || add(&mut self.rebuilt, row.is(Flags::REBUILT));
    }
}
