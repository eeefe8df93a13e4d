//! The webhook of a connector: made, removed and tried at PagerDuty.
//!
//! PagerDuty shows a subscription's secret once, in the answer that makes it. A subscription
//! whose secret we do not hold, or have reason to doubt, is therefore replaced, not adopted.

mod repair;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use im_engine::connector::Connector;
use im_engine::request_sync;
use im_engine::subscription::{self, words};
use im_pagerduty::config::BASE_URL_DEFAULT;
use im_pagerduty::{
    Answer, Call, EVENTS, Outcome, Secret, Subscription, SubscriptionFilter, missing_events,
    senders,
};
use im_store::connectors::{self, ConnectorRow};
use im_store::{StoreError, Tx, settings};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::ask::{outcome, trouble, unanswered};
use super::probe::{self, Owner};
use super::view::webhook_url;
use super::{events, find, lists, test};
use crate::http::App;
use crate::http::api::settings::stored_public_url;
use crate::http::api::types::{Check, Checks};
use crate::http::error::ApiError;
use crate::http::hooks;
use crate::http::input::Body;
use crate::http::openapi::{Conflict, NoAnswer, WrongValue};

/// What to do with the webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// `enable`, `repair`, `disable`, `test` or `manual`.
    pub(crate) action: String,
    /// With `enable`: what it listens to: `account`, `service:ID` or `team:ID`.
    pub(crate) scope: Option<String>,
    /// With `enable` and `repair`: accept a public address that begins with http://.
    #[serde(default)]
    pub(crate) insecure: bool,
    /// With `manual`: the secret that PagerDuty showed.
    pub(crate) secret: Option<String>,
}

/// Set up, test or end the webhook of a connector
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/webhook", tag = "connectors", operation_id = "set_webhook", request_body = Request,
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Checks, description = "What was done, and how it went"), Conflict, WrongValue, NoAnswer),
)]
pub(crate) async fn webhook(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(request): Body<Request>,
) -> Result<Json<Checks>, ApiError> {
    let connector = find(&app, &name).await?;
    let checks = match request.action.as_str() {
        "enable" => {
            let scope = request.scope.as_deref().map(scope).transpose()?;
            enable(&app, &connector, request.insecure, scope).await
        }
        "repair" => repair::repair(&app, &connector, request.insecure).await,
        "disable" => disable(&app, &connector).await,
        "test" => try_it(&app, &connector).await,
        "manual" => manual(&app, &connector, request.secret).await,
        other => Err(
            ApiError::wrong_value("action", format!("`action` cannot be `{other}`"))
                .hint("use enable, repair, disable, test or manual"),
        ),
    };
    checks.map(Json)
}

/// What a subscription is to listen to, as it is written.
fn scope(text: &str) -> Result<SubscriptionFilter, ApiError> {
    match text.split_once(':') {
        Some(("service", id)) if !id.is_empty() => Ok(SubscriptionFilter::Service(id.to_owned())),
        Some(("team", id)) if !id.is_empty() => Ok(SubscriptionFilter::Team(id.to_owned())),
        None if text == "account" => Ok(SubscriptionFilter::Account),
        _ => Err(
            ApiError::wrong_value("scope", format!("`scope` cannot be `{text}`"))
                .hint("use account, service:ID or team:ID, with PagerDuty's id"),
        ),
    }
}

/// The address that PagerDuty is to deliver to.
async fn address(app: &App, connector: &Connector) -> Result<String, ApiError> {
    let base = app
        .db
        .read(|tx| Ok::<_, ApiError>(stored_public_url(tx)?))
        .await?;
    let base = base.ok_or_else(|| {
        ApiError::wrong_value(
            "public_url",
            "nobody knows yet under which address PagerDuty reaches this server",
        )
        .hint("`im config set public_url https://…`")
    })?;
    Ok(webhook_url(&base, connector.name()))
}

/// The same, refused where it is not encrypted and nobody said that it may be so.
async fn safe_address(
    app: &App,
    connector: &Connector,
    insecure: bool,
) -> Result<String, ApiError> {
    let url = address(app, connector).await?;
    if url.starts_with("https://") || insecure {
        return Ok(url);
    }
    Err(ApiError::wrong_value(
        "insecure",
        format!("the address {url} is not encrypted: webhooks tell what breaks where"),
    )
    .hint("set public_url to an https:// address; `--insecure` is for trials on one machine"))
}

/// Refuses what would need a webhook where none is listened to.
pub(super) fn must_receive(connector: &Connector) -> Result<(), ApiError> {
    let name = connector.name();
    if !connector.mapping.direction.receives() {
        let direction = connector.mapping.direction.as_str();
        return Err(ApiError::conflict(
            "direction",
            format!("connector `{name}` is {direction}: it would not apply what a webhook tells"),
        )
        .hint(format!(
            "`im connector config {name} --direction bidirectional`"
        )));
    }
    if !connector.config.enable_webhook {
        return Err(ApiError::conflict(
            "webhook_off",
            format!("connector `{name}` has enable_webhook switched off"),
        )
        .hint(format!(
            "`im connector config {name} --set enable_webhook=true`"
        )));
    }
    Ok(())
}

async fn enable(
    app: &App,
    connector: &Connector,
    insecure: bool,
    scope: Option<SubscriptionFilter>,
) -> Result<Checks, ApiError> {
    must_receive(connector)?;
    let url = safe_address(app, connector, insecure).await?;
    let doubt = doubt(app, connector).await?;
    let mut old = Vec::new();
    let mut ours = None;
    for found in subscriptions(app, connector).await? {
        let is_held = Some(&found.id) == connector.row.subscription.as_ref();
        let is_here = found.url.as_deref() == Some(url.as_str());
        let why = match (is_here, is_held, doubt) {
            (false, false, _) => continue,
            (false, true, _) => "which delivered to another address",
            (true, false, _) => "whose secret is not known here",
            (true, true, Some(why)) => why,
            (true, true, None) if !found.active => "which was switched off",
            (true, true, None) if !missing_events(&found.events).is_empty() => {
                "which left out events"
            }
            (true, true, None) if scope.is_some() && found.filter != scope => {
                "which listened to something else"
            }
            (true, true, None) => {
                ours = Some(found);
                continue;
            }
        };
        let said = format!("Removed webhook subscription {}, {why}", found.id);
        old.push(Old { id: found.id, said });
    }
    let lines = if let Some(ours) = ours {
        let mut lines = vec![keep(app, connector, ours).await?];
        for one in old {
            lines.push(remove(app, connector, one).await?);
        }
        lines
    } else {
        let scope = scope.or(narrowed(app, connector).await?);
        replace(app, connector, (&url, scope), old).await?
    };
    Ok(Checks::of(lines).at(url))
}

/// A subscription that is to go.
struct Old {
    id: String,
    /// What is said once it is gone.
    said: String,
}

async fn remove(app: &App, connector: &Connector, old: Old) -> Result<Check, ApiError> {
    let Old { id, said } = old;
    match outcome(app, connector, &Call::DeleteSubscription { id: id.clone() }).await? {
        Outcome::Done(_) | Outcome::Gone => Ok(Check::ok(said)),
        other => {
            let (cause, next) = trouble(connector, &other);
            let text = format!("Webhook subscription {id} is removed");
            Ok(Check::failed(text, cause, next))
        }
    }
}

/// PagerDuty takes no more subscriptions of this scope.
const TOO_MANY: i64 = 2019;

/// Makes another in place of old ones. It is there before they go, so that nothing stays untold; only where PagerDuty
/// takes no more, one of them goes first.
async fn replace(
    app: &App,
    connector: &Connector,
    (url, scope): (&str, Option<SubscriptionFilter>),
    mut old: Vec<Old>,
) -> Result<Vec<Check>, ApiError> {
    let mut lines = Vec::new();
    let mut tried = create(app, connector, (url, scope.clone())).await?;
    if is_full(&tried)
        && let Some(one) = old.pop()
    {
        lines.push(remove(app, connector, one).await?);
        tried = create(app, connector, (url, scope)).await?;
    }
    lines.push(made(app, connector, tried).await?);
    for one in old {
        lines.push(remove(app, connector, one).await?);
    }
    Ok(lines)
}

fn is_full(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(refusal) if refusal.code == Some(TOO_MANY))
}

/// What the one before was made to listen to, where that was not all.
async fn narrowed(
    app: &App,
    connector: &Connector,
) -> Result<Option<SubscriptionFilter>, ApiError> {
    let name = connector.name().to_owned();
    let made_for = app
        .db
        .read(move |tx| Ok::<_, ApiError>(subscription::made_for(tx, &name)?))
        .await?;
    Ok(made_for.filter(|scope| *scope != SubscriptionFilter::Account))
}

/// Why our subscription may not do its work: it is not as it was made, or the secret that is stored
/// here may not be the one that PagerDuty signs with. That is beyond doubt if PagerDuty itself
/// told it, or if a delivery has fitted, and none has failed since.
async fn doubt(app: &App, connector: &Connector) -> Result<Option<&'static str>, ApiError> {
    let (row, now) = (connector.row.clone(), app.clock.now());
    app.db
        .read(move |tx| {
            if row.webhook_secrets.is_empty() {
                return Ok(Some("whose secret is not known here"));
            }
            if hooks::bad_signatures_since_good(tx, &row, now)? > 0 {
                return Ok(Some("whose secret is not the one that is stored here"));
            }
            if subscription::wrong(tx, &row.name)?.is_some() {
                return Ok(Some("which was changed in PagerDuty"));
            }
            let is_told = settings::get(tx, &told_key(&row.name))? == Some(mark(&row));
            let since = subscription::secret_since(tx, &row)?;
            let has_fitted = row.last_heard_at.is_some_and(|heard| heard >= since);
            let is_certain = is_told || has_fitted;
            Ok::<_, ApiError>((!is_certain).then_some("whose secret no delivery has proved"))
        })
        .await
}

/// The setting that says which stored secret came from PagerDuty itself.
fn told_key(connector: &str) -> String {
    format!("webhook_secret_told:{connector}")
}

/// Tells one sealed secret from another: no two are sealed alike.
fn mark(row: &ConnectorRow) -> String {
    hex::encode(Sha256::digest(row.webhook_secrets.join(" ")))
}

async fn subscriptions(app: &App, connector: &Connector) -> Result<Vec<Subscription>, ApiError> {
    lists::pages(
        app,
        connector,
        |offset| Call::ListSubscriptions { offset },
        |answer| match answer {
            Answer::Subscriptions(page) => Some((page.items, page.next_offset)),
            _ => None,
        },
    )
    .await
}

async fn subscription_at(
    app: &App,
    connector: &Connector,
    url: &str,
) -> Result<Option<Subscription>, ApiError> {
    let found = subscriptions(app, connector).await?;
    Ok(found
        .into_iter()
        .find(|subscription| subscription.url.as_deref() == Some(url)))
}

async fn keep(app: &App, connector: &Connector, ours: Subscription) -> Result<Check, ApiError> {
    if ours.temporarily_disabled {
        let id = ours.id.clone();
        must_write_to(app, connector, &Call::EnableSubscription { id }).await?;
        hurry(app, connector).await?;
        return Ok(Check::ok(format!(
            "Webhook subscription {} is switched on again",
            ours.id
        )));
    }
    Ok(Check::ok(format!(
        "Webhook subscription {} is there already",
        ours.id
    )))
}

/// Whose keys may make and change webhooks.
pub(super) const NEEDS: &str = "a webhook needs a key of the account, or of a user with the base role Manager (for a service or a team) or Admin (Global Admin or Account Owner, for the account)";

/// Asks for one that listens to what is wanted: to the account, if nothing is said.
async fn create(
    app: &App,
    connector: &Connector,
    (url, scope): (&str, Option<SubscriptionFilter>),
) -> Result<Outcome, ApiError> {
    let call = |filter| Call::CreateSubscription {
        url: url.to_owned(),
        description: format!("im, connector {}", connector.name()),
        events: EVENTS.map(str::to_owned).to_vec(),
        filter,
    };
    let is_chosen = scope.is_some();
    let wanted = call(scope.unwrap_or(SubscriptionFilter::Account));
    let tried = outcome(app, connector, &wanted).await?;
    if probe::lacks_right(&tried).is_none() || is_chosen {
        return Ok(tried);
    }
    // Managers may subscribe to a service alone.
    let service = connector.mapping.default_service.clone();
    let narrower = call(SubscriptionFilter::Service(service));
    outcome(app, connector, &narrower).await
}

/// Stores what is known of one that was made.
async fn made(app: &App, connector: &Connector, tried: Outcome) -> Result<Check, ApiError> {
    let Answer::Subscription(made) = granted(app, connector, tried).await? else {
        return Err(ApiError::internal());
    };
    let Some(secret) = made.secret.clone() else {
        return Ok(Check::failed(
            format!("Webhook subscription {} is made", made.id),
            "PagerDuty did not tell its signing secret",
            format!(
                "delete it there, then `im connector webhook {} --manual`",
                connector.name()
            ),
        ));
    };
    let scope = match &made.filter {
        Some(filter @ (SubscriptionFilter::Service(_) | SubscriptionFilter::Team(_))) => {
            format!(" for {}", words(filter))
        }
        Some(SubscriptionFilter::Account) | None => String::new(),
    };
    let id = made.id.clone();
    let stored = Stored {
        is_told: true,
        missing: missing_events(&made.events),
        found: Some(made),
    };
    store(app, connector, &secret, stored).await?;
    Ok(Check::ok(format!(
        "Webhook subscription {id} is made{scope}, and its secret is stored"
    )))
}

/// Asks for a change of a subscription; a refusal names the role that it takes.
async fn must_write_to(app: &App, connector: &Connector, call: &Call) -> Result<Answer, ApiError> {
    let tried = outcome(app, connector, call).await?;
    granted(app, connector, tried).await
}

async fn granted(app: &App, connector: &Connector, tried: Outcome) -> Result<Answer, ApiError> {
    let Some(refusal) = probe::lacks_right(&tried) else {
        return match tried {
            Outcome::Done(answer) => Ok(answer),
            other => Err(unanswered(connector, &other)),
        };
    };
    let owner = probe::owner(app, connector).await?;
    let lacks = owner.unwrap_or(Owner::Untold).lacks();
    let text = format!("PagerDuty refused ({refusal}): {NEEDS}; {lacks}");
    Err(ApiError::new(StatusCode::BAD_GATEWAY, "role", text).hint(format!(
        "`im connector webhook {} --manual` tells somebody with that role how to make one by hand",
        connector.name()
    )))
}

/// The webhook of a connector that was just added, where PagerDuty can reach this server. One that
/// sends nothing writes nothing by itself either.
pub(super) async fn of_new(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    const WHAT: &str = "Webhook: none yet";
    let is_wanted = connector.mapping.direction.receives() && connector.config.enable_webhook;
    if !is_wanted || !connector.row.webhook_secrets.is_empty() {
        return Ok(Vec::new());
    }
    let step = format!("`im connector webhook {} --enable`", connector.name());
    if !connector.mapping.direction.sends() {
        let text = format!("{WHAT}: with direction inbound nothing is written unasked");
        let next = format!("{step} makes one, so that changes arrive at once");
        return Ok(vec![Check::skipped(text).next(next)]);
    }
    if address(app, connector).await.is_err() {
        let text =
            format!("{WHAT}: nobody knows under which address PagerDuty reaches this server");
        let next = format!("`im config set public_url https://…`, then {step}");
        return Ok(vec![Check::skipped(text).next(next)]);
    }
    Ok(match enable(app, connector, false, None).await {
        Ok(checks) => checks.lines,
        Err(refused) => vec![refused.noticed(WHAT)],
    })
}

/// What is known of a subscription whose secret is stored.
struct Stored {
    /// As PagerDuty showed it.
    found: Option<Subscription>,
    /// Whether PagerDuty itself told the secret.
    is_told: bool,
    missing: Vec<&'static str>,
}

async fn store(
    app: &App,
    connector: &Connector,
    secret: &Secret,
    stored: Stored,
) -> Result<(), ApiError> {
    let mut row = connector.row.clone();
    row.subscription = stored.found.as_ref().map(|found| found.id.clone());
    row.webhook_secrets = vec![app.vault.seal(secret)?];
    let told = if stored.is_told {
        mark(&row)
    } else {
        String::new()
    };
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            let name = row.name.as_str();
            put(tx, &row, now)?;
            settings::put(tx, &told_key(name), &told)?;
            subscription::forget(tx, name)?;
            subscription::note_missing(tx, name, &stored.missing)?;
            if let Some(found) = &stored.found {
                subscription::look(tx, name, found, true)?;
            }
            Ok::<_, ApiError>(request_sync(tx, name, "webhook enabled", now)?)
        })
        .await?;
    app.signals.nudge();
    Ok(())
}

fn put(tx: &mut Tx<'_>, row: &ConnectorRow, now: Timestamp) -> Result<(), StoreError> {
    let subscription = row.subscription.as_deref();
    connectors::set_webhook(tx, &row.name, subscription, &row.webhook_secrets)?;
    hooks::note_new_secret(tx, &row.name, now)
}

async fn hurry(app: &App, connector: &Connector) -> Result<(), ApiError> {
    let (name, now) = (connector.name().to_owned(), app.clock.now());
    app.db
        .write(move |tx| Ok::<_, ApiError>(request_sync(tx, &name, "webhook enabled", now)?))
        .await?;
    app.signals.nudge();
    Ok(())
}

async fn disable(app: &App, connector: &Connector) -> Result<Checks, ApiError> {
    let mut lines = Vec::new();
    match &connector.row.subscription {
        Some(id) => {
            let call = Call::DeleteSubscription { id: id.clone() };
            match outcome(app, connector, &call).await? {
                Outcome::Done(_) => {
                    lines.push(Check::ok(format!("Webhook subscription {id} is removed")));
                }
                Outcome::Gone => lines.push(Check::ok(format!(
                    "Webhook subscription {id} was gone already"
                ))),
                other => {
                    let (cause, next) = trouble(connector, &other);
                    let text = format!("Webhook subscription {id} is removed");
                    // Without the secret its deliveries would be refused, so it is kept.
                    return Ok(Checks::of(vec![Check::failed(text, cause, next)]));
                }
            }
        }
        None => lines.push(Check::ok("There is no webhook subscription of ours")),
    }
    let name = connector.name().to_owned();
    app.db
        .write(move |tx| {
            subscription::forget(tx, &name)?;
            Ok::<_, ApiError>(connectors::set_webhook(tx, &name, None, &[])?)
        })
        .await?;
    Ok(Checks::of(lines))
}

async fn try_it(app: &App, connector: &Connector) -> Result<Checks, ApiError> {
    must_receive(connector)?;
    let url = address(app, connector).await?;
    let id = if let Some(id) = connector.row.subscription.clone() {
        Some(id)
    } else {
        let found = subscription_at(app, connector, &url).await?;
        found.map(|found| found.id)
    };
    let name = connector.name();
    let Some(id) = id else {
        return Err(
            ApiError::conflict("no_webhook", format!("connector `{name}` has no webhook"))
                .hint(format!("`im connector webhook {name} --enable` makes one")),
        );
    };
    let line = test::ping(app, connector, id, "Test webhook received (pagey.ping)").await?;
    Ok(Checks::of(vec![line]).at(url))
}

async fn manual(
    app: &App,
    connector: &Connector,
    secret: Option<String>,
) -> Result<Checks, ApiError> {
    must_receive(connector)?;
    let url = address(app, connector).await?;
    let Some(secret) = secret else {
        let mut steps = vec![
            "In PagerDuty, open Integrations → Generic Webhooks (v3)".to_owned(),
            "Choose `New Webhook`".to_owned(),
            format!("Webhook URL: {url}"),
            "Scope Type: Account; or Service, for one service".to_owned(),
            "Events: all incident events; at least triggered, acknowledged and resolved".to_owned(),
            "Choose `Add Webhook` and copy the signing secret: PagerDuty shows it only once"
                .to_owned(),
            format!(
                "Give the secret to `im`: `im connector webhook {} --manual --secret -`",
                connector.name()
            ),
        ];
        steps.extend(senders(&connector.config.base_url));
        return Ok(Checks::of(steps.into_iter().map(Check::ok).collect()).at(url));
    };
    let secret = secret.trim();
    if secret.is_empty() {
        return Err(ApiError::wrong_value("secret", "the secret is empty")
            .hint("PagerDuty shows it once, when the webhook is added"));
    }
    // Knowing its id lets repair notice when PagerDuty switches it off. A key that may not list
    // subscriptions is no reason to refuse the secret.
    let found = subscription_at(app, connector, &url).await.ok().flatten();
    let missing = found
        .as_ref()
        .map_or_else(Vec::new, |found| missing_events(&found.events));
    let mut lines = vec![Check::ok("The signing secret is stored").next(format!(
        "`im connector webhook {} --test` has PagerDuty send a test event",
        connector.name()
    ))];
    lines.extend(events::line(connector, &missing));
    let stored = Stored {
        found,
        is_told: false,
        missing,
    };
    store(app, connector, &Secret::new(secret), stored).await?;
    Ok(Checks::of(lines).at(url))
}

/// Whom a firewall has to let in: the addresses of the account's region, or of both where
/// nobody can tell.
fn senders(base_url: &str) -> Vec<String> {
    let is_eu = base_url.contains("api.eu.pagerduty.com");
    let is_us = base_url == BASE_URL_DEFAULT;
    let regions = [
        ("US", !is_eu, &senders::US[..]),
        ("EU", !is_us, &senders::EU[..]),
    ];
    regions
        .into_iter()
        .filter(|(_, is_meant, _)| *is_meant)
        .map(|(region, _, addresses)| {
            format!(
                "If a firewall is in front: PagerDuty ({region} region) sends from {}",
                addresses.join(", ")
            )
        })
        .collect()
}
