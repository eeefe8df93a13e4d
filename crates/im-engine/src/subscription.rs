//! Whether PagerDuty's webhook subscription is still as it was made: anybody with the right to
//! may edit it there, switch it off or delete it (G09).
//!
//! Each repair looks at it. What is found is kept in settings until the subscription is as it was
//! or another one takes its place, so that status and doctor can say it without asking.

use im_pagerduty::{EVENTS, Subscription, SubscriptionFilter, missing_events};
use im_store::connector_events::{self, EventRow, Kind};
use im_store::connectors::ConnectorRow;
use im_store::{StoreError, Tx, settings};
use jiff::Timestamp;

use crate::events::{self, Standing};

/// All that a subscription can listen to.
const ACCOUNT: &str = "the account";
/// The subscription is gone.
const GONE: &str = "the webhook subscription was deleted in PagerDuty";
/// Somebody switched it off.
const SWITCHED_OFF: &str = "the webhook subscription is switched off in PagerDuty";
/// How the webhook is while nothing is wrong with its subscription.
pub const AS_MADE: &str = "unchanged";
/// How it was before it was switched on again.
const GIVEN_UP_THERE: &str = "given up by PagerDuty";
/// So many of the last events are looked through for that.
const NEWEST: u32 = 50;
/// PagerDuty switched it off after failures.
const GIVEN_UP: &str = "PagerDuty gave the webhook subscription up for 24 hours";

/// Notes what a subscription is like now, and what is wrong with it; says why nothing comes by it, if
/// it is off and stays off: what PagerDuty gave up is switched on again where `switches_on`. How it was
/// when it was made is what the first look sees.
pub fn look(
    tx: &mut Tx<'_>,
    connector: &str,
    subscription: &Subscription,
    switches_on: bool,
) -> Result<Option<String>, StoreError> {
    note_missing(tx, connector, &missing_events(&subscription.events))?;
    let off = off(connector, subscription, switches_on);
    let mut wrong: Vec<String> = off.iter().cloned().collect();
    let now = as_seen(subscription);
    let known = first_seen(tx, connector)?;
    if let Some((_, address, scope)) = known.filter(|known| known.0 == now.0) {
        const CHANGED: &str = "the webhook subscription was changed in PagerDuty";
        if differs(&now.1, &address) {
            wrong.push(format!(
                "{CHANGED}: it delivers to {}, not to {address}",
                now.1
            ));
        }
        if differs(&now.2, &scope) {
            wrong.push(format!(
                "{CHANGED}: it listens to {}, not to {scope}",
                now.2
            ));
        }
    } else {
        let text = serde_json::json!(now).to_string();
        put(tx, &seen_key(connector), &text)?;
    }
    put(tx, &wrong_key(connector), &wrong.join("; "))?;
    Ok(off)
}

fn off(connector: &str, subscription: &Subscription, switches_on: bool) -> Option<String> {
    if !subscription.active {
        Some(SWITCHED_OFF.to_owned())
    } else if subscription.temporarily_disabled && !switches_on {
        Some(given_up(connector))
    } else {
        None
    }
}

/// What it listened to when it was made; `None` if nobody has looked at it.
pub fn made_for(
    tx: &mut Tx<'_>,
    connector: &str,
) -> Result<Option<SubscriptionFilter>, StoreError> {
    let scope = first_seen(tx, connector)?.map(|(_, _, scope)| scope);
    Ok(scope.and_then(|scope| match scope.split_once(' ')? {
        ("service", id) => Some(SubscriptionFilter::Service(id.to_owned())),
        ("team", id) => Some(SubscriptionFilter::Team(id.to_owned())),
        _ => (scope == ACCOUNT).then_some(SubscriptionFilter::Account),
    }))
}

/// Notes that it was made as it was again.
pub fn is_right(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    put(tx, &wrong_key(connector), "")?;
    put(tx, &missing_key(connector), "")
}

/// What was seen of it when it was first looked at.
fn first_seen(tx: &mut Tx<'_>, connector: &str) -> Result<Option<Seen>, StoreError> {
    let known = settings::get(tx, &seen_key(connector))?;
    Ok(known.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Notes that PagerDuty does not have it any more.
pub(crate) fn is_gone(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    put(tx, &wrong_key(connector), GONE)
}

/// Notes that PagerDuty gave it up, and that it could not be switched on again.
pub(crate) fn is_given_up(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    put(tx, &wrong_key(connector), &given_up(connector))
}

/// Notes that it was switched on again after PagerDuty had given it up.
pub(crate) fn is_on_again(
    tx: &mut Tx<'_>,
    connector: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let standing = Standing {
        kind: Kind::Webhook,
        subject: String::new(),
        word: AS_MADE,
        good: AS_MADE,
        reasons: vec![
            "it was switched on again, and the log is read from the last delivery on".to_owned(),
        ],
        next: None,
    };
    events::put_right(tx, connector, &standing, GIVEN_UP_THERE, now)
}

/// Whether it was switched on again since then.
pub fn was_switched_on(
    tx: &mut Tx<'_>,
    connector: &str,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let newest = connector_events::newest(tx, connector, NEWEST)?;
    let is_so = |event: &EventRow| event.at >= since && event.change.from == GIVEN_UP_THERE;
    Ok(newest.iter().any(is_so))
}

fn given_up(connector: &str) -> String {
    format!("{GIVEN_UP}: `im connector webhook {connector} --enable` switches it on")
}

/// What an answer leaves out is no change.
fn differs(now: &str, before: &str) -> bool {
    !now.is_empty() && !before.is_empty() && now != before
}

/// Its id, where it delivers and what it listens to, in words.
type Seen = (String, String, String);

fn as_seen(subscription: &Subscription) -> Seen {
    let address = subscription.url.clone().unwrap_or_default();
    let scope = match &subscription.filter {
        Some(filter) => words(filter),
        None => String::new(),
    };
    (subscription.id.clone(), address, scope)
}

/// What a subscription listens to, in words.
pub fn words(filter: &SubscriptionFilter) -> String {
    match filter {
        SubscriptionFilter::Account => ACCOUNT.to_owned(),
        SubscriptionFilter::Service(id) => format!("service {id}"),
        SubscriptionFilter::Team(id) => format!("team {id}"),
    }
}

/// What was wrong with the subscription when it was last looked at.
pub fn wrong(tx: &mut Tx<'_>, connector: &str) -> Result<Option<String>, StoreError> {
    let noted = settings::get(tx, &wrong_key(connector))?;
    Ok(noted.filter(|text| !text.is_empty()))
}

/// Whether it was deleted there: nothing will come by it.
pub fn was_deleted(wrong: Option<&str>) -> bool {
    wrong == Some(GONE)
}

/// Whether nothing comes by it as it is: deleted, switched off or given up.
pub fn is_off(wrong: Option<&str>) -> bool {
    wrong.is_some_and(|wrong| {
        [GONE, SWITCHED_OFF, GIVEN_UP]
            .iter()
            .any(|off| wrong.starts_with(off))
    })
}

/// Remembers what the subscription of a connector leaves out.
pub fn note_missing(tx: &mut Tx<'_>, connector: &str, missing: &[&str]) -> Result<(), StoreError> {
    put(tx, &missing_key(connector), &missing.join(" "))
}

/// What it leaves out, as last seen.
pub fn missing(tx: &mut Tx<'_>, connector: &str) -> Result<Vec<&'static str>, StoreError> {
    let noted = settings::get(tx, &missing_key(connector))?.unwrap_or_default();
    let is_noted = |event: &&str| noted.split(' ').any(|word| word == *event);
    Ok(EVENTS.into_iter().filter(is_noted).collect())
}

/// Forgets what was seen: there is another subscription now, or none.
pub fn forget(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    for key in [seen_key, wrong_key, missing_key] {
        put(tx, &key(connector), "")?;
    }
    Ok(())
}

/// Notes that a connector has another signing secret from now on.
pub fn note_secret(tx: &mut Tx<'_>, connector: &str, now: Timestamp) -> Result<(), StoreError> {
    settings::put(tx, &secret_key(connector), &now.to_string())
}

/// Since when a connector has its signing secret.
pub fn secret_since(tx: &mut Tx<'_>, row: &ConnectorRow) -> Result<Timestamp, StoreError> {
    let noted = settings::get(tx, &secret_key(&row.name))?;
    Ok(noted
        .and_then(|text| text.parse().ok())
        .unwrap_or(row.created_at))
}

/// Most looks find what the last one found.
fn put(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    if settings::get(tx, key)?.unwrap_or_default() == value {
        return Ok(());
    }
    settings::put(tx, key, value)
}

fn secret_key(connector: &str) -> String {
    format!("webhook_secret_at:{connector}")
}

fn seen_key(connector: &str) -> String {
    format!("webhook_seen:{connector}")
}

fn wrong_key(connector: &str) -> String {
    format!("webhook_wrong:{connector}")
}

fn missing_key(connector: &str) -> String {
    format!("webhook_events_missing:{connector}")
}
