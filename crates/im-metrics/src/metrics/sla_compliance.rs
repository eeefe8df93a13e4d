//! `sla_compliance`: incidents with a target for their severity, on the wall clock from the trigger.
//!
//! At or before the target is met. A resolve stops the clock of the acknowledgement too. The resolve
//! judged is the last one; an incident that is open now is judged by now. Pending: not done and not
//! yet late.

use crate::columns::{Flags, NEVER, Row};
use crate::plan::{Item, Measured, Plan, Sink, Verdict};

#[inline(always)]
pub(crate) fn items<'a>(plan: &Plan<'a>, row: Row<'a>, sink: &mut impl Sink<'a>) {
    if row.is_left_out() {
        return;
    }
    let Some((ack, resolve)) = target(plan, row) else {
        return;
    };
    let acked = row.first_ack().min(row.first_resolve());
    let resolved = if row.is(Flags::OPEN) {
        NEVER
    } else {
        row.last_resolve()
    };
    let judge = |done: i64, allowed: i64| {
        let until = if done == NEVER { plan.as_of } else { done };
        match until - row.trigger() > allowed {
            true => Verdict::Breached,
            false if done == NEVER => Verdict::Pending,
            false => Verdict::Met,
        }
    };
    let verdicts = Measured::Targets {
        ack: judge(acked, ack),
        resolve: judge(resolved, resolve),
    };
    sink.take(Item::of(row, row.trigger(), verdicts));
}

/// How long an acknowledgement and a resolve may take, in microseconds.
pub(crate) fn target(plan: &Plan<'_>, row: Row<'_>) -> Option<(i64, i64)> {
    let severity = plan.engine.names.text(plan.engine.labels(row).severity)?;
    let target = plan.engine.settings.targets.get(severity)?;
    Some((target.ack_s * 1_000_000, target.resolve_s * 1_000_000))
}
