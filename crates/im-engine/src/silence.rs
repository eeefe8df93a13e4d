//! Whether a webhook has been silent for longer than quiet explains.
//!
//! Nothing happens for days in a good account, so silence alone proves nothing. It is told from what
//! comparisons found that webhooks should have told, and, where nothing is compared or the
//! subscription cannot be looked at, from how long pauses were before.

use im_pagerduty::SubscriptionFilter;
use im_store::directory::{self, Kind};
use im_store::{StoreError, Tx, repair, tallies};
use jiff::{SignedDuration, Timestamp};

use crate::connector::Connector;
use crate::subscription;

/// What comparisons found counts against a webhook that was not heard of for so long.
const MISSED_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// A webhook that never came is expected after this: the first comparisons find what was before.
const FIRST: SignedDuration = SignedDuration::from_hours(1);
/// A pause up to this is never unusual.
const PAUSE_MIN: SignedDuration = SignedDuration::from_hours(24);
/// Pauses in this time before the last delivery tell what is usual.
const USUAL: SignedDuration = SignedDuration::from_hours(24 * 28);
/// More than so many times the longest of them is unusual.
const PAUSE_TIMES: i32 = 2;

/// Why the silence of a connector's webhook says that something is broken; `None` while it does not.
pub fn unusual(
    tx: &mut Tx<'_>,
    connector: &Connector,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let row = &connector.row;
    let is_used = connector.mapping.direction.receives() && connector.config.enable_webhook;
    if !is_used || row.webhook_secrets.is_empty() {
        return Ok(None);
    }
    if let Some(missed) = missed(tx, connector, now)? {
        return Ok(Some(missed));
    }
    let can_look = connector.has_key() && row.subscription.is_some();
    let Some(last) = row.last_heard_at.filter(|_| !can_look) else {
        return Ok(None);
    };
    let longest = tallies::longest_pause(tx, &row.name, "webhooks", last - USUAL)?;
    let usual = longest.map_or(PAUSE_MIN, |pause| PAUSE_MIN.max(pause * PAUSE_TIMES));
    if now.duration_since(last) <= usual || is_under_maintenance(tx, connector)? {
        return Ok(None);
    }
    Ok(Some(match longest {
        Some(pause) => format!("the longest pause before was {}", days_or_hours(pause)),
        None => "nothing came for more than a day".to_owned(),
    }))
}

/// What comparisons found since the last webhook.
fn missed(
    tx: &mut Tx<'_>,
    connector: &Connector,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    if is_narrow(tx, connector.name())? {
        return Ok(None);
    }
    let row = &connector.row;
    // What happened before the webhook was made, or while it was, it could not tell.
    let made = subscription::secret_since(tx, row)?;
    let since = match row.last_heard_at {
        Some(heard) => heard.max(made + MISSED_AFTER),
        None => made + FIRST,
    };
    if now.duration_since(since) < MISSED_AFTER {
        return Ok(None);
    }
    Ok(match repair::repaired_since(tx, &row.name, since)? {
        0 => None,
        1 => Some("a comparison found 1 change that no webhook told".to_owned()),
        count => Some(format!(
            "comparisons found {count} changes that no webhook told"
        )),
    })
}

/// Whether the subscription is meant to tell only a part of what comparisons find.
fn is_narrow(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    let scope = subscription::made_for(tx, name)?;
    let is_part = scope.is_some_and(|scope| scope != SubscriptionFilter::Account);
    Ok(is_part || !subscription::missing(tx, name)?.is_empty())
}

/// Whether no incident can come: every service that the connector names is under maintenance (S50).
/// Without a key nobody reads when that ends.
fn is_under_maintenance(tx: &mut Tx<'_>, connector: &Connector) -> Result<bool, StoreError> {
    if !connector.has_key() {
        return Ok(false);
    }
    for id in connector.mapping.service_ids() {
        let known = directory::latest(tx, connector.name(), Kind::Service, id)?;
        if known.and_then(|row| row.state).as_deref() != Some("maintenance") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn days_or_hours(pause: SignedDuration) -> String {
    match pause.as_hours() {
        0 => format!("{}m", pause.as_mins()),
        hours @ 1..48 => format!("{hours}h"),
        hours => format!("{}d", hours / 24),
    }
}
