//! `change_failure_rate`: how many changes went wrong.
//!
//! `mode=attributed`: distinct blamed deployments ÷ distinct successful deployments finished in the
//! bucket; failures are not cut by the range. `mode=impact`: failures triggered in the bucket ÷
//! successful deployments finished in it; may exceed 1. No deployments: no ratio, never 0.
//!
//! Service, team and environment are the deployment's; other filters select failures only.

use crate::columns::Share;
use crate::metrics::incidents;
use crate::num;
use crate::plan::{Item, Measured, Plan, Sink};
use crate::query::Mode;

#[inline(always)]
pub(crate) fn items<'a>(plan: &'a Plan<'a>, sink: &mut impl Sink<'a>) {
    let blamed = match plan.query.mode {
        Mode::Attributed => blamed(plan),
        Mode::Impact => Vec::new(),
    };
    for (place, deployment) in plan.engine.deployments.all.iter().enumerate() {
        let at = deployment.succeeded(plan.as_of);
        let Some(at) = at.filter(|_| plan.passes_deployment(deployment)) else {
            continue;
        };
        let failed = Measured::Share(blamed.get(place) == Some(&true));
        sink.take(Item::of_deployment(deployment, at, failed));
    }
    incidents(plan, Share::WHOLE, sink, |plan, row, sink| {
        if plan.query.mode == Mode::Impact && row.is_failure() {
            sink.take(Item::of(row, row.trigger(), Measured::Failure));
        }
    });
}

/// Of each deployment by its place, whether it is behind a failure.
fn blamed<'a>(plan: &'a Plan<'a>) -> Vec<bool> {
    let mut blamed = vec![false; plan.engine.deployments.all.len()];
    plan.rows(Share::WHOLE, |row| {
        // Most incidents are of a deployment that is blamed already.
        if let Some(is_blamed @ false) = blamed.get_mut(num::at(row.deployment())) {
            *is_blamed =
                row.is_failure() && plan.passes_as_failure(row) && plan.linked(row).is_some();
        }
    });
    blamed
}
