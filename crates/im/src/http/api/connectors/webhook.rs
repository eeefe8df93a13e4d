//! The webhook of a connector: made, removed and tried at PagerDuty.
//!
//! PagerDuty shows a subscription's secret once, in the answer that makes it. A subscription
//! whose secret we do not hold is therefore replaced, not adopted.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::connector::Connector;
use im_engine::request_sync;
use im_pagerduty::{Answer, Call, Outcome, Refusal, Secret, Subscription, SubscriptionFilter, Why};
use im_store::connectors;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ask::{ask, outcome, trouble};
use super::view::webhook_url;
use super::{find, lists, test};
use crate::http::App;
use crate::http::api::settings::stored_public_url;
use crate::http::api::types::{Check, Checks};
use crate::http::error::{ApiError, Problem};
use crate::http::hooks;
use crate::http::input::Body;

/// What we listen to: all of it that says something about an incident or its service.
const EVENTS: [&str; 24] = [
    "incident.acknowledged",
    "incident.action_invocation.created",
    "incident.action_invocation.terminated",
    "incident.action_invocation.updated",
    "incident.annotated",
    "incident.conference_bridge.updated",
    "incident.custom_field_values.updated",
    "incident.delegated",
    "incident.escalated",
    "incident.incident_type.changed",
    "incident.priority_updated",
    "incident.reassigned",
    "incident.reopened",
    "incident.resolved",
    "incident.responder.added",
    "incident.responder.replied",
    "incident.role.assigned",
    "incident.service_updated",
    "incident.status_update_published",
    "incident.triggered",
    "incident.unacknowledged",
    "incident.workflow.completed",
    "incident.workflow.started",
    "service.deleted",
];

/// What to do with the webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// `enable`, `disable`, `test` or `manual`.
    action: String,
    /// With `enable`: accept a public address that begins with http://.
    #[serde(default)]
    insecure: bool,
    /// With `manual`: the secret that PagerDuty showed.
    secret: Option<String>,
}

/// Set up, test or end the webhook of a connector
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/webhook", tag = "connectors", request_body = Request,
    params(("name" = String, Path, description = "Which connector")),
    responses(
        (status = 200, body = Checks),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn webhook(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(request): Body<Request>,
) -> Result<Json<Checks>, ApiError> {
    let connector = find(&app, &name).await?;
    let checks = match request.action.as_str() {
        "enable" => enable(&app, &connector, request.insecure).await,
        "disable" => disable(&app, &connector).await,
        "test" => try_it(&app, &connector).await,
        "manual" => manual(&app, &connector, request.secret).await,
        other => Err(ApiError::wrong_value(
            "action",
            format!("`action` cannot be `{other}`: use enable, disable, test or manual"),
        )),
    };
    checks.map(Json)
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

fn must_receive(connector: &Connector) -> Result<(), ApiError> {
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

async fn enable(app: &App, connector: &Connector, insecure: bool) -> Result<Checks, ApiError> {
    must_receive(connector)?;
    let url = address(app, connector).await?;
    if !url.starts_with("https://") && !insecure {
        return Err(ApiError::wrong_value(
            "insecure",
            format!("{url} is not encrypted: webhooks tell what breaks where"),
        )
        .hint("set public_url to an https:// address; `--insecure` is for trials on one machine"));
    }
    let mut lines = Vec::new();
    let mut ours = None;
    for found in subscriptions_at(app, connector, &url).await? {
        let is_ours = Some(&found.id) == connector.row.subscription.as_ref()
            && !connector.row.webhook_secrets.is_empty();
        if is_ours && found.active {
            ours = Some(found);
        } else {
            let call = Call::DeleteSubscription {
                id: found.id.clone(),
            };
            ask(app, connector, &call).await?;
            lines.push(Check::ok(format!(
                "Removed webhook subscription {}, whose secret is not known here",
                found.id
            )));
        }
    }
    lines.push(match ours {
        Some(ours) => keep(app, connector, ours).await?,
        None => make(app, connector, &url).await?,
    });
    Ok(Checks::of(lines).at(url))
}

async fn subscriptions_at(
    app: &App,
    connector: &Connector,
    url: &str,
) -> Result<Vec<Subscription>, ApiError> {
    let mut found = lists::pages(
        app,
        connector,
        |offset| Call::ListSubscriptions { offset },
        |answer| match answer {
            Answer::Subscriptions(page) => Some((page.items, page.next_offset)),
            _ => None,
        },
    )
    .await?;
    found.retain(|subscription| subscription.url.as_deref() == Some(url));
    Ok(found)
}

async fn keep(app: &App, connector: &Connector, ours: Subscription) -> Result<Check, ApiError> {
    if ours.temporarily_disabled {
        let id = ours.id.clone();
        ask(app, connector, &Call::EnableSubscription { id }).await?;
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

async fn make(app: &App, connector: &Connector, url: &str) -> Result<Check, ApiError> {
    let call = |filter| Call::CreateSubscription {
        url: url.to_owned(),
        description: format!("im, connector {}", connector.name()),
        events: EVENTS.map(str::to_owned).to_vec(),
        filter,
    };
    let account = call(SubscriptionFilter::Account);
    let answer = match outcome(app, connector, &account).await? {
        // Managers of a service may subscribe to that service alone.
        Outcome::Refused(Refusal {
            why: Why::Forbidden | Why::ReadOnly,
            ..
        }) => {
            let service = connector.mapping.default_service.clone();
            ask(app, connector, &call(SubscriptionFilter::Service(service))).await?
        }
        Outcome::Done(answer) => answer,
        _ => ask(app, connector, &account).await?,
    };
    let Answer::Subscription(made) = answer else {
        return Err(ApiError::internal());
    };
    let Some(secret) = made.secret else {
        return Ok(Check::failed(
            format!("Webhook subscription {} is made", made.id),
            "PagerDuty did not tell its signing secret",
            format!(
                "delete it there, then `im connector webhook {} --manual`",
                connector.name()
            ),
        ));
    };
    store(app, connector, Some(made.id.clone()), &secret).await?;
    let scope = match made.filter {
        Some(SubscriptionFilter::Service(id)) => format!(" for service {id}"),
        _ => String::new(),
    };
    Ok(Check::ok(format!(
        "Webhook subscription {} is made{scope}, and its secret is stored",
        made.id
    )))
}

async fn store(
    app: &App,
    connector: &Connector,
    subscription: Option<String>,
    secret: &Secret,
) -> Result<(), ApiError> {
    let sealed = vec![app.vault.seal(secret)?];
    let (name, now) = (connector.name().to_owned(), app.clock.now());
    app.db
        .write(move |tx| {
            connectors::set_webhook(tx, &name, subscription.as_deref(), &sealed)?;
            hooks::note_new_secret(tx, &name, now)?;
            Ok::<_, ApiError>(request_sync(tx, &name, "webhook enabled", now)?)
        })
        .await?;
    app.signals.nudge();
    Ok(())
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
        .write(move |tx| Ok::<_, ApiError>(connectors::set_webhook(tx, &name, None, &[])?))
        .await?;
    Ok(Checks::of(lines))
}

async fn try_it(app: &App, connector: &Connector) -> Result<Checks, ApiError> {
    must_receive(connector)?;
    let url = address(app, connector).await?;
    let id = if let Some(id) = connector.row.subscription.clone() {
        Some(id)
    } else {
        let found = subscriptions_at(app, connector, &url).await?;
        found.into_iter().next().map(|found| found.id)
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
        let steps = [
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
        return Ok(Checks::of(steps.into_iter().map(Check::ok).collect()).at(url));
    };
    let secret = secret.trim();
    if secret.is_empty() {
        return Err(ApiError::wrong_value("secret", "the secret is empty"));
    }
    // Knowing its id lets repair notice when PagerDuty switches it off. A key that may not list
    // subscriptions is no reason to refuse the secret.
    let found = subscriptions_at(app, connector, &url).await;
    let id = found
        .ok()
        .and_then(|found| found.into_iter().next())
        .map(|found| found.id);
    store(app, connector, id, &Secret::new(secret)).await?;
    let lines = vec![Check::ok("The signing secret is stored").next(format!(
        "`im connector webhook {} --test` has PagerDuty send a test event",
        connector.name()
    ))];
    Ok(Checks::of(lines).at(url))
}
