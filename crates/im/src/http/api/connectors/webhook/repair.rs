//! Putting right what somebody changed of our subscription in PagerDuty.
//!
//! Events, what it listens to and whether it is switched on can be set. An address cannot, and a
//! subscription that is gone cannot come back: another is made, with a secret of its own.

use im_engine::connector::Connector;
use im_engine::subscription::{self, words};
use im_pagerduty::{
    Answer, Call, EVENTS, Outcome, Subscription, SubscriptionFilter, missing_events,
};

use super::super::ask::{outcome, unanswered};
use super::{Old, hurry, must_receive, must_write_to, replace, safe_address};
use crate::http::App;
use crate::http::api::types::{Check, Checks};
use crate::http::error::ApiError;

pub(super) async fn repair(
    app: &App,
    connector: &Connector,
    insecure: bool,
) -> Result<Checks, ApiError> {
    must_receive(connector)?;
    let url = safe_address(app, connector, insecure).await?;
    let name = connector.name();
    let noted = name.to_owned();
    let (scope, was_deleted) = app
        .db
        .read(move |tx| {
            let wrong = subscription::wrong(tx, &noted)?;
            let was_deleted = subscription::was_deleted(wrong.as_deref());
            Ok::<_, ApiError>((subscription::made_for(tx, &noted)?, was_deleted))
        })
        .await?;
    let held = connector.row.subscription.clone();
    if held.is_none() && !was_deleted {
        let text = format!("connector `{name}` has no webhook to repair");
        return Err(ApiError::conflict("no_webhook", text)
            .hint(format!("`im connector webhook {name} --enable` makes one")));
    }
    let found = match held {
        Some(id) => look(app, connector, id).await?,
        None => None,
    };
    let lines = match found {
        Some(found) if found.url.as_deref() == Some(url.as_str()) => {
            set(app, connector, found, scope).await?
        }
        found => anew(app, connector, found, (&url, scope)).await?,
    };
    Ok(Checks::of(lines).at(url))
}

/// The subscription as it is there; `None` if it is gone.
async fn look(
    app: &App,
    connector: &Connector,
    id: String,
) -> Result<Option<Subscription>, ApiError> {
    match outcome(app, connector, &Call::ReadSubscription { id }).await? {
        Outcome::Gone => Ok(None),
        Outcome::Done(Answer::Subscription(found)) => Ok(Some(found)),
        other => Err(unanswered(connector, &other)),
    }
}

/// Sets what can be set.
async fn set(
    app: &App,
    connector: &Connector,
    found: Subscription,
    scope: Option<SubscriptionFilter>,
) -> Result<Vec<Check>, ApiError> {
    let (id, missing) = (found.id.clone(), missing_events(&found.events));
    let scope = scope.or_else(|| found.filter.clone());
    let mut lines = Vec::new();
    if !missing.is_empty() {
        let count = missing.len();
        lines.push(Check::ok(format!(
            "Events: {count} that it left out are back"
        )));
    }
    if let (Some(now), Some(scope)) = (&found.filter, &scope)
        && now != scope
    {
        let (now, scope) = (words(now), words(scope));
        lines.push(Check::ok(format!(
            "It listens to {scope} again, not to {now}"
        )));
    }
    if !found.active {
        lines.push(Check::ok("It is switched on again"));
    }
    if !lines.is_empty() {
        let call = Call::UpdateSubscription {
            id: id.clone(),
            events: EVENTS.map(str::to_owned).to_vec(),
            filter: scope.unwrap_or(SubscriptionFilter::Account),
        };
        must_write_to(app, connector, &call).await?;
    }
    if found.temporarily_disabled {
        must_write_to(app, connector, &Call::EnableSubscription { id: id.clone() }).await?;
        let text = "It is switched on again, which PagerDuty had given up for 24 hours";
        lines.push(Check::ok(text));
    }
    if lines.is_empty() {
        let text = format!("Webhook subscription {id} is as it was made");
        return Ok(vec![Check::ok(text)]);
    }
    let name = connector.name().to_owned();
    app.db
        .write(move |tx| Ok::<_, ApiError>(subscription::is_right(tx, &name)?))
        .await?;
    // What it did not tell meanwhile is read now.
    hurry(app, connector).await?;
    Ok(lines)
}

/// Makes another one in its place.
async fn anew(
    app: &App,
    connector: &Connector,
    found: Option<Subscription>,
    (url, scope): (&str, Option<SubscriptionFilter>),
) -> Result<Vec<Check>, ApiError> {
    let Some(found) = found else {
        let mut lines = vec![Check::ok("It was deleted in PagerDuty: another is made")];
        lines.extend(replace(app, connector, (url, scope), Vec::new()).await?);
        return Ok(lines);
    };
    let other = found.url.unwrap_or_else(|| "another address".to_owned());
    let old = Old {
        id: found.id,
        said: format!(
            "It delivered to {other}: another is made, since PagerDuty changes no address"
        ),
    };
    replace(app, connector, (url, scope), vec![old]).await
}
