//! What is left out of an answer, and why: the same rule for every metric.
//!
//! Over the incidents triggered in the range that pass the filters (by team: the incident's own), each
//! counted once under the first reason that holds, in the order of the fields below.

use jiff::Timestamp;

use crate::answer::{Behind, Thing, Worth};
use crate::columns::{Flags, Row, Share};
use crate::engine::Engine;
use crate::metrics::{failed_deployment_recovery_time, sla_compliance};
use crate::params::BadQuery;
use crate::plan::Plan;
use crate::query::{Metric, Mode, Query, Reach, Reason};

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
    /// Those of them that are open.
    pub unacknowledged_open: Option<u64>,
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

/// Tells what a query leaves out, a share of the incidents at a time.
fn each<'a>(plan: &'a Plan<'a>, share: Share, mut each: impl FnMut(Row<'a>, Reason)) {
    if plan.query.metric.is_of_deployments() {
        return;
    }
    let uses = LeftOut::none(plan.query);
    // Most incidents count, and most reasons are a flag.
    let (flags, has_only_flags) = (uses.flags(), uses.has_only_flags());
    plan.rows_in_range(share, |row| {
        if (!has_only_flags || row.is(flags))
            && let Some(reason) = uses.reason_in_range(plan, row)
        {
            each(row, reason);
        }
    });
}

impl LeftOut {
    /// Counts what a query leaves out of a share of the incidents.
    pub(crate) fn count(plan: &Plan<'_>, share: Share) -> Self {
        let mut counts = Self::none(plan.query);
        each(plan, share, |_, reason| counts.add_one(reason));
        counts
    }

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
            unacknowledged_open: used(metric == Metric::Mtta),
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
            (&mut self.unacknowledged_open, other.unacknowledged_open),
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

    /// How many there are of a reason; nothing where the metric has no use for it.
    pub fn of(&self, reason: Reason) -> Option<u64> {
        match reason {
            Reason::Test => Some(self.test),
            Reason::Merged => Some(self.merged),
            Reason::Open => self.open,
            Reason::Unacknowledged => self.unacknowledged,
            Reason::Waiting => self.unacknowledged_open,
            Reason::Unanswered => {
                let (all, open) = self.unacknowledged.zip(self.unacknowledged_open)?;
                Some(all - open)
            }
            Reason::NotFailure => self.not_failure,
            Reason::Unlinked => self.unlinked,
            Reason::Negative => self.negative,
            Reason::NoTarget => self.no_target,
            Reason::Rebuilt => self.rebuilt,
        }
    }

    fn add_one(&mut self, reason: Reason) {
        let count = match reason {
            Reason::Test => Some(&mut self.test),
            Reason::Merged => Some(&mut self.merged),
            Reason::Open => self.open.as_mut(),
            Reason::Unacknowledged | Reason::Unanswered => self.unacknowledged.as_mut(),
            Reason::Waiting => {
                self.add_one(Reason::Unacknowledged);
                self.unacknowledged_open.as_mut()
            }
            Reason::NotFailure => self.not_failure.as_mut(),
            Reason::Unlinked => self.unlinked.as_mut(),
            Reason::Negative => self.negative.as_mut(),
            Reason::NoTarget => self.no_target.as_mut(),
            Reason::Rebuilt => self.rebuilt.as_mut(),
        };
        if let Some(count) = count {
            *count += 1;
        }
    }

    /// Why an incident of the range that passes the filters is left out, if it is.
    #[inline(never)]
    fn reason_in_range(&self, plan: &Plan<'_>, row: Row<'_>) -> Option<Reason> {
        let is_asked =
            plan.passes(row) && plan.cuts.hold(row.trigger()) && plan.passes_own_teams(row);
        is_asked.then(|| self.reason(plan, row)).flatten()
    }

    /// Why an incident is left out, by the reasons that are used.
    fn reason(&self, plan: &Plan<'_>, row: Row<'_>) -> Option<Reason> {
        let metric = plan.query.metric;
        if row.is(Flags::TEST) {
            return Some(Reason::Test);
        }
        if row.is(Flags::MERGED) {
            let counts_pages = matches!(
                metric,
                Metric::Pages
                    | Metric::PageDisruptions
                    | Metric::OncallLoad
                    | Metric::OpenIncidents
                    | Metric::Escalations
            );
            return (!counts_pages).then_some(Reason::Merged);
        }
        let is_unlinked = || {
            if metric == Metric::FailedDeploymentRecoveryTime {
                failed_deployment_recovery_time::finish(plan, row).is_none()
            } else {
                plan.linked(row).is_none()
            }
        };
        if self.open.is_some() && row.is(Flags::OPEN) {
            Some(Reason::Open)
        } else if self.unacknowledged.is_some() && row.is(Flags::UNACKNOWLEDGED) {
            Some(if row.is(Flags::OPEN) {
                Reason::Waiting
            } else {
                Reason::Unanswered
            })
        } else if self.not_failure.is_some() && row.is(Flags::NOT_FAILURE) {
            Some(Reason::NotFailure)
        } else if self.unlinked.is_some() && is_unlinked() {
            Some(Reason::Unlinked)
        } else if self.negative.is_some() && failed_deployment_recovery_time::is_negative(plan, row)
        {
            Some(Reason::Negative)
        } else if self.no_target.is_some() && sla_compliance::target(plan, row).is_none() {
            Some(Reason::NoTarget)
        } else if self.rebuilt.is_some() && row.is(Flags::REBUILT) {
            Some(Reason::Rebuilt)
        } else {
            None
        }
    }
}

impl Engine {
    /// The incidents that a question leaves out for a reason, oldest first: those that
    /// [`LeftOut::of`] counts.
    pub fn left_out(
        &self,
        query: &Query,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Vec<Behind>, BadQuery> {
        let plan = Plan::new(self, query, now)?;
        let mut found = Vec::new();
        let is_it = |found: Reason| {
            let is_either = matches!(found, Reason::Waiting | Reason::Unanswered);
            found == reason || (reason == Reason::Unacknowledged && is_either)
        };
        each(&plan, Share::WHOLE, |row, reason| {
            if is_it(reason) {
                found.push(row);
            }
        });
        found.sort_by_key(|row| (row.trigger(), row.number()));
        let told = found.into_iter().map(|row| Behind {
            bucket: 0,
            at: Timestamp::from_microsecond(row.trigger()).unwrap_or(Timestamp::MAX),
            what: Thing::Incident(row.number()),
            user: None,
            worth: Worth::One,
            rebuilt: row.is(Flags::REBUILT),
            self_assigned: false,
            failures: Vec::new(),
        });
        Ok(told.collect())
    }
}
