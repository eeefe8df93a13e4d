//! What PagerDuty says of a connector when it is asked now.

use im_engine::connector::Connector;
use im_pagerduty::{Answer, Call, Outcome, Subscription, Why};
use jiff::{SignedDuration, Timestamp};

use super::stored::{Heard, ago, heard, key};
use super::{API, FROM, HealthLine, KEY, SERVICE, WEBHOOK};
use crate::http::App;
use crate::http::api::connectors::ask::{outcome, trouble};
use crate::http::api::connectors::config::masked_key;
use crate::http::api::connectors::test;
use crate::http::api::connectors::view::length;
use crate::http::error::ApiError;

/// A webhook that was heard of in this time needs no trial.
const QUIET: SignedDuration = SignedDuration::from_hours(1);

/// All that PagerDuty can be asked for; what no key or a refused key leaves unknown is said so.
pub(super) async fn lines(app: &App, connector: &Connector) -> Result<Vec<HealthLine>, ApiError> {
    if !connector.has_key() {
        let given_up = HealthLine::skipped(KEY, "Discarded: the key was forgotten on purpose");
        return Ok(vec![given_up, webhook(app, connector).await?]);
    }
    let mut lines = reach(app, connector).await?;
    if lines.iter().any(|line| line.state == "failed") {
        lines.push(HealthLine::skipped(SERVICE, "not looked at"));
        lines.push(HealthLine::skipped(WEBHOOK, "not looked at"));
    } else {
        lines.push(services(app, connector).await?);
        lines.extend(from(app, connector).await?);
        lines.push(webhook(app, connector).await?);
    }
    Ok(lines)
}

/// Whether PagerDuty answers, and takes the key.
async fn reach(app: &App, connector: &Connector) -> Result<Vec<HealthLine>, ApiError> {
    let watch = app.clock.stopwatch();
    let mut found = outcome(app, connector, &Call::ReadMe).await?;
    let took = watch.elapsed().as_millis();
    if matches!(&found, Outcome::Refused(refusal) if refusal.why != Why::BadKey) {
        // Keys of the account have no owner: ask something that they may ask.
        found = outcome(app, connector, &Call::ListAbilities).await?;
    }
    let connected = HealthLine::ok(API, format!("Connected ({took}ms response time)"));
    Ok(match &found {
        Outcome::Done(_) => vec![connected, key(connector)],
        Outcome::Refused(refusal) if refusal.why == Why::BadKey => {
            let text = format!("The API key is wrong or revoked (HTTP {})", refusal.status);
            let curl = format!(
                "`curl -H \"Authorization: Token token={}\" -H \"Accept: application/vnd.pagerduty+json;version=2\" {}/users` tells with the whole key; `im connector update {}` takes another one",
                masked_key(app, connector),
                connector.config.base_url,
                connector.name()
            );
            vec![connected, HealthLine::failed(KEY, text).next(curl)]
        }
        Outcome::Refused(_) => vec![connected, key(connector)],
        other => {
            let (cause, next) = trouble(connector, other);
            vec![
                HealthLine::failed(API, cause).next(next),
                HealthLine::skipped(KEY, "not looked at"),
            ]
        }
    })
}

/// The default service and each that is mapped.
async fn services(app: &App, connector: &Connector) -> Result<HealthLine, ApiError> {
    let checks = test::services(app, connector).await?;
    if let Some(bad) = checks.iter().find(|check| check.state == "failed") {
        return Ok(HealthLine::of(SERVICE, bad.clone(), ""));
    }
    if let Some((check, next)) = checks
        .iter()
        .find_map(|check| Some((check, check.next.clone()?)))
    {
        return Ok(HealthLine::warning(
            SERVICE,
            format!("{}, but {next}", check.text),
        ));
    }
    let ids = checks.iter().filter_map(|check| {
        let id = check.text.strip_prefix("Service ")?;
        id.strip_suffix(" accessible")
    });
    let ids: Vec<&str> = ids.collect();
    Ok(HealthLine::ok(
        SERVICE,
        format!("{} accessible", ids.join(", ")),
    ))
}

/// The person in whose name we write, if PagerDuty does not have it: every change would be refused
/// (S64). A key that may not read users tells nothing.
async fn from(app: &App, connector: &Connector) -> Result<Option<HealthLine>, ApiError> {
    if !connector.mapping.direction.sends() {
        return Ok(None);
    }
    let found = test::from_user(app, connector).await?;
    Ok(matches!(found, Ok(None)).then(|| {
        let (cause, next) = test::no_from_user(connector);
        HealthLine::failed(FROM, cause).next(next)
    }))
}

/// Whether webhooks come, or would.
async fn webhook(app: &App, connector: &Connector) -> Result<HealthLine, ApiError> {
    let name = connector.name();
    let every = length(connector.config.sync_interval);
    if !connector.mapping.direction.receives() || !connector.config.enable_webhook {
        return Ok(HealthLine::skipped(WEBHOOK, "Not used by this connector"));
    }
    let row = &connector.row;
    if row.subscription.is_none() && row.webhook_secrets.is_empty() {
        let text = format!("None, so changes arrive every {every}");
        return Ok(HealthLine::skipped(WEBHOOK, text).next(format!(
            "`im connector webhook {name} --enable` makes it immediate"
        )));
    }
    let now = app.clock.now();
    let again = format!("`im connector webhook {name} --enable` makes it anew");
    let seen = Heard::load(app, connector, now).await?;
    if seen.bad_signatures > 0 {
        let text = format!("{} deliveries with a wrong signature", seen.bad_signatures);
        return Ok(HealthLine::failed(WEBHOOK, text).next(again));
    }
    if let Some(wrong) = seen.wrong.as_ref().filter(|_| row.subscription.is_none()) {
        return Ok(HealthLine::failed(WEBHOOK, wrong).next(again));
    }
    let Some(id) = row.subscription.clone().filter(|_| connector.has_key()) else {
        return Ok(heard(connector, &seen, now));
    };
    match outcome(app, connector, &Call::ReadSubscription { id }).await? {
        Outcome::Done(Answer::Subscription(found)) => {
            subscribed(app, connector, &found, &seen, now).await
        }
        Outcome::Gone => Ok(HealthLine::failed(
            WEBHOOK,
            "The subscription was deleted in PagerDuty",
        )
        .next(again)),
        // A key that may not look at subscriptions: what comes still tells.
        _ => Ok(heard(connector, &seen, now)),
    }
}

async fn subscribed(
    app: &App,
    connector: &Connector,
    found: &Subscription,
    seen: &Heard,
    now: Timestamp,
) -> Result<HealthLine, ApiError> {
    let again = format!(
        "`im connector webhook {} --enable` switches it on",
        connector.name()
    );
    if let Some(asleep) = test::asleep(found) {
        return Ok(HealthLine::failed(WEBHOOK, asleep).next(again));
    }
    if let Some(wrong) = &seen.wrong {
        return Ok(HealthLine::failed(WEBHOOK, wrong).next(again));
    }
    let last = connector.row.last_heard_at;
    // Where nothing is sent, no test event is asked for either.
    let is_lively = last.is_some_and(|at| now.duration_since(at) < QUIET);
    if is_lively || !connector.mapping.direction.sends() {
        return Ok(heard(connector, seen, now));
    }
    let said = last.map_or_else(|| "never".to_owned(), |at| ago(at, now));
    let check = test::ping(app, connector, found.id.clone(), WEBHOOK).await?;
    let good = format!("Receiving events (a test event arrived; last before: {said})");
    Ok(HealthLine::of(WEBHOOK, check, good))
}
