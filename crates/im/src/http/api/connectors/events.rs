//! Which events a webhook subscription should tell of, and which it leaves out.
//!
//! PagerDuty is asked when a subscription is made, tried or given by hand; what was found then is
//! kept in a setting, so that status and doctor can say it without asking.

use im_engine::connector::Connector;
use im_pagerduty::EVENTS;
use im_store::{StoreError, Tx, settings};

use super::view::length;
use crate::http::api::types::Check;

/// Without these a webhook does not tell how an incident stands.
const BASIC: [&str; 3] = [
    "incident.triggered",
    "incident.acknowledged",
    "incident.resolved",
];

fn key(connector: &str) -> String {
    format!("webhook_events_missing:{connector}")
}

/// Remembers what the subscription of a connector leaves out.
pub(super) fn note(tx: &mut Tx<'_>, connector: &str, missing: &[&str]) -> Result<(), StoreError> {
    settings::put(tx, &key(connector), &missing.join(" "))
}

/// What was remembered.
pub(in crate::http) fn noted(
    tx: &mut Tx<'_>,
    connector: &str,
) -> Result<Vec<&'static str>, StoreError> {
    let noted = settings::get(tx, &key(connector))?.unwrap_or_default();
    let is_noted = |event: &&str| noted.split(' ').any(|word| word == *event);
    Ok(EVENTS.into_iter().filter(is_noted).collect())
}

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
