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
mod pages;
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
        Metric::Mttr => incidents(plan, share, |row| mttr::items(plan, row, sink)),
        Metric::Mtta => incidents(plan, share, |row| mtta::items(plan, row, sink)),
        Metric::Pages => incidents(plan, share, |row| pages::items(plan, row, sink)),
        Metric::PageDisruptions => {
            incidents(plan, share, |row| page_disruptions::items(plan, row, sink));
        }
        Metric::IncidentFrequency => {
            incidents(plan, share, |row| {
                incident_frequency::items(plan, row, sink);
            });
        }
        Metric::TimeToRestore => {
            incidents(plan, share, |row| time_to_restore::items(plan, row, sink));
        }
        Metric::FailedDeploymentRecoveryTime => incidents(plan, share, |row| {
            failed_deployment_recovery_time::items(plan, row, sink);
        }),
        Metric::SlaCompliance => {
            incidents(plan, share, |row| sla_compliance::items(plan, row, sink));
        }
        Metric::OncallLoad => incidents(plan, share, |row| oncall_load::items(plan, row, sink)),
        Metric::ReopenRate => incidents(plan, share, |row| reopen_rate::items(plan, row, sink)),
        // What is open in the range need not have moved in it.
        Metric::OpenIncidents => plan.rows(share, |row| {
            if plan.passes(row) {
                open_incidents::items(plan, row, sink);
            }
        }),
        Metric::Escalations => incidents(plan, share, |row| escalations::items(plan, row, sink)),
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

#[inline]
fn incidents<'a>(plan: &'a Plan<'a>, share: Share, mut each: impl FnMut(Row<'a>)) {
    plan.rows_in_range(share, |row| {
        if plan.passes(row) {
            each(row);
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
