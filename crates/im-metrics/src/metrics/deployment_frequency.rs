//! `deployment_frequency`: successful deployments by their finish; count, and count ÷ days.

use crate::deployments::Deployment;
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'_>, deployment: &'a Deployment, sink: &mut impl Sink<'a>) {
    if let Some(at) = deployment.succeeded(plan.as_of) {
        sink.take(Item::of_deployment(deployment, at, Measured::One));
    }
}
