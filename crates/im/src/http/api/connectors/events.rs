//! Which events a webhook subscription should tell of, and which it leaves out.
//!
//! PagerDuty is asked when a subscription is made, tried or given by hand, and by each repair
//! (`im_engine::subscription`).

use im_engine::connector::Connector;
use im_pagerduty::EVENTS;

use super::view::length;
use crate::http::api::types::Check;

/// Without these a webhook does not tell how an incident stands.
const BASIC: [&str; 3] = [
    "incident.triggered",
    "incident.acknowledged",
    "incident.resolved",
];

/// Says what is left out, in a few words; `None` if it is nothing.
pub(super) fn told(missing: &[&str]) -> Option<String> {
    let basic = missing.iter().find(|event| BASIC.contains(event));
    let example = basic.or_else(|| missing.first())?;
    Some(match missing.len() {
        1 => format!("the webhook leaves out {example}"),
        count => format!(
            "the webhook leaves out {count} of {} events, {example} among them",
            EVENTS.len()
        ),
    })
}

/// The line of a check about it.
pub(in crate::http) fn line(connector: &Connector, missing: &[&str]) -> Option<Check> {
    const TEXT: &str = "Webhook tells of every event";
    let told = told(missing)?;
    let name = connector.name();
    let every = length(connector.config.sync_interval);
    let next = format!(
        "what it leaves out comes every {every}; `im connector webhook {name} --enable` makes one for all events"
    );
    let is_basic = missing.iter().any(|event| BASIC.contains(event));
    Some(if is_basic {
        Check::failed(TEXT, told, next)
    } else {
        Check::skipped(format!("{TEXT}: {told}")).next(next)
    })
}
