//! `change_lead_time`: pairs of a successful deployment and a commit in it.
//!
//! Deployment finish − commit time; negative values are kept. Bucketed by finish.

use crate::deployments::Deployment;
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'_>, deployment: &'a Deployment, sink: &mut impl Sink<'a>) {
    let Some(at) = deployment.succeeded(plan.as_of) else {
        return;
    };
    for commit in &deployment.commits {
        let took = Measured::Duration(at - commit);
        sink.take(Item::of_deployment(deployment, at, took));
    }
}
