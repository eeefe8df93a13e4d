//! `deployment_rework_rate`: the share of successful deployments that were unplanned fixes.

use crate::deployments::Deployment;
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'_>, deployment: &'a Deployment, sink: &mut impl Sink<'a>) {
    if let Some(at) = deployment.succeeded(plan.as_of) {
        let fix = Measured::Share(deployment.unplanned_fix);
        sink.take(Item::of_deployment(deployment, at, fix));
    }
}
