//! `change_failure_rate`: how many changes went wrong.
//!
//! `mode=attributed`: distinct blamed deployments ÷ distinct successful deployments finished in the
//! bucket; failures are not cut by the range. `mode=impact`: failures triggered in the bucket ÷
//! successful deployments finished in it; may exceed 1. No deployments: no ratio, never 0.
//!
//! Service, team and environment are the deployment's; other filters select failures only.

use std::collections::HashSet;

use crate::columns::Share;
use crate::plan::{Item, Measured, Plan};
use crate::query::Mode;

pub(crate) fn items<'a>(plan: &'a Plan<'a>, emit: &mut impl FnMut(Item<'a>)) {
    let blamed = match plan.query.mode {
        Mode::Attributed => blamed(plan),
        Mode::Impact => HashSet::new(),
    };
    for deployment in &plan.engine.deployments.all {
        let at = deployment.succeeded(plan.as_of);
        let Some(at) = at.filter(|_| plan.passes_deployment(deployment)) else {
            continue;
        };
        let failed = Measured::Share(blamed.contains(&deployment.id));
        emit(Item::of_deployment(plan, deployment, at, failed));
    }
    if plan.query.mode == Mode::Impact {
        plan.rows_in_range(Share::WHOLE, |row| {
            if row.is_failure() && plan.passes(row) {
                emit(Item::of(row, row.trigger(), Measured::Failure));
            }
        });
    }
}

/// The ids of the deployments behind failures.
fn blamed<'a>(plan: &'a Plan<'a>) -> HashSet<u32> {
    let mut ids = HashSet::new();
    plan.rows(Share::WHOLE, |row| {
        if row.is_failure() && plan.passes_as_failure(row) {
            ids.extend(plan.linked(row).map(|deployment| deployment.id));
        }
    });
    ids
}
