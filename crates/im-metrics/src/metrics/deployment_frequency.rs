//! `deployment_frequency`: successful deployments by their finish; count, and count ÷ days.

use crate::deployments::Deployment;
use crate::plan::{Item, Measured, Plan};

pub(crate) fn items<'a>(
    plan: &Plan<'_>,
    deployment: &'a Deployment,
    emit: &mut impl FnMut(Item<'a>),
) {
    if let Some(at) = deployment.succeeded(plan.as_of) {
        emit(Item::of_deployment(plan, deployment, at, Measured::One));
    }
}
