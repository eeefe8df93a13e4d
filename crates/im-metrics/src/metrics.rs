//! One definition a file, named after its metric; and the walk over what a metric reads.

mod change_failure_rate;
mod change_lead_time;
mod deployment_frequency;
mod deployment_rework_rate;
mod escalations;
pub(crate) mod failed_deployment_recovery_time;
mod incident_frequency;
mod mtta;
mod mttr;
mod oncall_load;
mod open_incidents;
mod page_disruptions;
pub(crate) mod pages;
mod reopen_rate;
pub(crate) mod sla_compliance;
mod time_to_restore;

use crate::columns::{Row, Share};
use crate::deployments::Deployment;
use crate::plan::{Plan, Sink};
use crate::query::Metric;

/// Gives `sink` everything that the query's metric counts; filters by team and person, and the range,
/// are left to the receiver, since they depend on the item. What is about deployments is in no share but
/// the whole.
pub(crate) fn scan<'a>(plan: &'a Plan<'a>, share: Share, sink: &mut impl Sink<'a>) {
    match plan.query.metric {
        Metric::Mttr => incidents(plan, share, sink, mttr::items),
        Metric::Mtta => incidents(plan, share, sink, mtta::items),
        Metric::Pages => pages::scan(plan, share, sink),
        Metric::PageDisruptions => {
            incidents(plan, share, sink, page_disruptions::items);
        }
        Metric::IncidentFrequency => {
            incidents(plan, share, sink, incident_frequency::items);
        }
        Metric::TimeToRestore => {
            incidents(plan, share, sink, time_to_restore::items);
        }
        Metric::FailedDeploymentRecoveryTime => {
            incidents(plan, share, sink, failed_deployment_recovery_time::items);
        }
        Metric::SlaCompliance => {
            incidents(plan, share, sink, sla_compliance::items);
        }
        Metric::OncallLoad => incidents(plan, share, sink, oncall_load::items),
        Metric::ReopenRate => incidents(plan, share, sink, reopen_rate::items),
        // What is open in the range need not have moved in it.
        Metric::OpenIncidents => plan.rows(share, |row| {
            if plan.passes(row) {
                open_incidents::items(plan, row, sink);
            }
        }),
        Metric::Escalations => incidents(plan, share, sink, escalations::items),
        Metric::DeploymentFrequency => {
            deployments(plan, |one| deployment_frequency::items(plan, one, sink));
        }
        Metric::ChangeLeadTime => deployments(plan, |one| change_lead_time::items(plan, one, sink)),
        Metric::DeploymentReworkRate => {
            deployments(plan, |one| deployment_rework_rate::items(plan, one, sink));
        }
        Metric::ChangeFailureRate => change_failure_rate::items(plan, sink),
    }
}

/// A function of its own for each metric: in one for all of them hardly anything stays in registers.
#[inline(never)]
pub(crate) fn incidents<'a, S: Sink<'a>>(
    plan: &'a Plan<'a>,
    share: Share,
    sink: &mut S,
    items: impl Fn(&Plan<'a>, Row<'a>, &mut S),
) {
    plan.rows_in_range(share, |row| {
        if S::TAKES_ALL || plan.passes(row) {
            items(plan, row, sink);
        }
    });
}

fn deployments<'a>(plan: &'a Plan<'a>, mut each: impl FnMut(&'a Deployment)) {
    for deployment in &plan.engine.deployments.all {
        if plan.passes_deployment(deployment) {
            each(deployment);
        }
    }
}
