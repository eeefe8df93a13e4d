//! `failed_deployment_recovery_time`: failures linked to a deployment, resolved.
//!
//! The resolve used − the deployment's finish. Negative values are left out and counted. Any linked
//! deployment with a finish counts, whatever its status. Bucketed by the resolve used.

use crate::columns::Row;
use crate::metrics::mttr::resolve_used;
use crate::plan::{Item, Measured, Plan, Sink};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if !row.is_failure() {
        return;
    }
    let (Some(used), Some(finished)) = (resolve_used(plan, row), finish(plan, row)) else {
        return;
    };
    if used.at >= finished {
        sink.take(Item {
            resolver: Some(used.kind),
            ..Item::of(row, used.at, Measured::Duration(used.at - finished))
        });
    }
}

/// When the deployment behind an incident was finished, if it is by now.
pub(crate) fn finish(plan: &Plan<'_>, row: Row<'_>) -> Option<i64> {
    let finished = plan.linked(row)?.finished;
    finished.filter(|at| *at <= plan.as_of)
}

/// Whether an incident was over before its deployment was finished.
pub(crate) fn is_negative(plan: &Plan<'_>, row: Row<'_>) -> bool {
    let finished = finish(plan, row);
    let used = resolve_used(plan, row);
    used.is_some_and(|used| finished.is_some_and(|finished| used.at < finished))
}
