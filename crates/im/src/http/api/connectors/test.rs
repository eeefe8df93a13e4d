//! Trying everything that a connector needs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::connector::Connector;
use im_engine::subscription::note_missing;
use im_pagerduty::{Answer, Call, Outcome, Subscription, User, Why, missing_events};
use im_store::connectors::State as RowState;
use im_store::people::{self, UserRow};
use im_store::{connectors, inbox};
use jiff::Timestamp;

use super::ask::{outcome, trouble, wrong_key_next};
use super::probe::{self, Owner};
use super::set_up::has_address;
use super::view::length;
use super::{custom_fields, events, find, lists, priorities, webhook};
use crate::http::App;
use crate::http::api::types::{Check, Checks};
use crate::http::error::ApiError;
use crate::http::openapi::Conflict;
use crate::http::{hooks, wait};

/// Services that are offered when one is unknown.
const OFFERED_MAX: usize = 10;

/// What a test says first.
pub(super) const CONNECTED: &str = "Connected to PagerDuty API";

/// Test a connector: the key, the service, the user, the policy, the webhook
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/test", tag = "connectors", operation_id = "test_connector",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Checks, description = "What was looked at, and how it is"), Conflict),
)]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Checks>, ApiError> {
    let connector = find(&app, &name).await?;
    let mut lines = key(&app, &connector).await?;
    if lines.iter().any(|line| line.state == "failed") {
        for text in ["Service", "User", "Escalation policy", "Webhook endpoint"] {
            lines.push(Check::skipped(format!("{text}: not looked at")));
        }
        return Ok(Json(Checks::of(lines)));
    }
    lines.push(read_access(&app, &connector).await?);
    lines.extend(list_access(&app, &connector).await?);
    lines.push(write_access(&app, &connector).await?);
    lines.push(webhook_access(&app, &connector).await?);
    lines.extend(services(&app, &connector).await?);
    lines.push(user(&app, &connector).await?);
    lines.push(policy(&app, &connector).await?);
    lines.extend(priorities::checks(&app, &connector).await?);
    lines.extend(custom_fields::learn(&app, &connector).await?);
    lines.extend(webhook(&app, &connector).await?);
    Ok(Json(Checks::of(lines)))
}

async fn set_state(
    app: &App,
    connector: &Connector,
    state: RowState,
    reason: Option<String>,
) -> Result<(), ApiError> {
    let name = connector.name().to_owned();
    let blocked = match state {
        RowState::AuthFailed => connector.row.blocked_until,
        RowState::Untested | RowState::Active | RowState::Limited | RowState::Failing => {
            Timestamp::UNIX_EPOCH
        }
    };
    app.db
        .write(move |tx| {
            Ok::<_, ApiError>(connectors::set_state(
                tx,
                &name,
                state,
                reason.as_deref(),
                blocked,
            )?)
        })
        .await
}

/// Whether PagerDuty is there and takes the key.
pub(super) async fn key(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    const TEXT: &str = CONNECTED;
    match probe::owner(app, connector).await? {
        Ok(owner) => {
            if let Owner::User(me) = &owner {
                remember(app, connector, me).await?;
            }
            Ok(vec![Check::ok(TEXT), Check::ok(owner.words())])
        }
        Err(Outcome::Gone) => Ok(vec![Check::failed(
            TEXT,
            format!("there is no PagerDuty API at {}", connector.config.base_url),
            format!(
                "`im connector config {} --base-url https://api.pagerduty.com`",
                connector.name()
            ),
        )]),
        Err(Outcome::Refused(refusal)) => {
            let cause = format!("the API key is wrong or revoked (HTTP {})", refusal.status);
            set_state(app, connector, RowState::AuthFailed, Some(cause.clone())).await?;
            Ok(vec![Check::failed(TEXT, cause, wrong_key_next(connector))])
        }
        Err(other) => {
            let (cause, next) = trouble(connector, &other);
            Ok(vec![Check::failed(TEXT, cause, next)])
        }
    }
}

/// Whether the key may read incidents.
async fn read_access(app: &App, connector: &Connector) -> Result<Check, ApiError> {
    const TEXT: &str = probe::READS;
    let tried = outcome(app, connector, &Call::ListOpenIncidents { offset: 0 }).await?;
    Ok(match tried {
        Outcome::Done(_) => Check::ok(TEXT),
        other => {
            let (cause, next) = trouble(connector, &other);
            Check::failed(TEXT, cause, next)
        }
    })
}

/// A list that a key may be kept from, and what is lost without it.
type Right = (&'static str, Call, &'static str);

/// Whether the key may read what stands around incidents. Without it the sync goes on.
async fn list_access(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    let rights: [Right; 3] = [
        (
            "users",
            Call::ListUsers { offset: 0 },
            "`im assign` by e-mail address and `im oncall` do not work, and we write in the name of from_email alone",
        ),
        (
            "services",
            Call::ListServices { offset: 0 },
            "services are known by their ids alone, and mappings cannot be checked",
        ),
        (
            "teams",
            Call::ListTeams { offset: 0 },
            "the teams of incidents are known by what incidents show alone",
        ),
    ];
    let mut lines = Vec::new();
    for (what, call, effect) in rights {
        let text = format!("API key may read {what}");
        let tried = outcome(app, connector, &call).await?;
        lines.push(match &tried {
            Outcome::Done(_) => Check::ok(text),
            Outcome::Refused(refusal) if refusal.why == Why::PlanLacks => {
                Check::skipped(format!("{text}: the account's plan does not include them"))
                    .next(effect)
            }
            Outcome::Refused(refusal) => {
                Check::skipped(format!("{text}: no ({refusal})")).next(effect)
            }
            other => {
                let (cause, next) = trouble(connector, other);
                Check::failed(text, cause, next)
            }
        });
    }
    Ok(lines)
}

/// Whether the key may make and remove webhooks. What is refused here can be done by hand.
async fn webhook_access(app: &App, connector: &Connector) -> Result<Check, ApiError> {
    const TEXT: &str = "API key may manage webhooks";
    if !connector.mapping.direction.sends() {
        return Ok(only_reads(TEXT, connector));
    }
    let tried = probe::manage_webhooks(app, connector).await?;
    if let Some(refusal) = probe::lacks_right(&tried) {
        let lacks = match probe::owner(app, connector).await? {
            Ok(owner) => owner.lacks(),
            Err(_unknown) => Owner::Untold.lacks(),
        };
        return Ok(Check::skipped(format!(
            "{TEXT}: no ({refusal}): {}; {lacks}",
            webhook::NEEDS
        ))
        .next(format!(
            "`im connector webhook {} --manual` tells how to make one by hand",
            connector.name()
        )));
    }
    Ok(match &tried {
        // PagerDuty looks at the key first: it was let through.
        Outcome::Done(_) | Outcome::Gone | Outcome::Refused(_) => Check::ok(TEXT),
        Outcome::Wait { .. } | Outcome::Unclear(_) => {
            let (cause, next) = trouble(connector, &tried);
            Check::failed(TEXT, cause, next)
        }
    })
}

/// A right to write is not asked for where nothing is written.
fn only_reads(text: &str, connector: &Connector) -> Check {
    let direction = connector.mapping.direction.as_str();
    Check::skipped(format!("{text}: not looked at with direction {direction}"))
}

/// Whether the key may change incidents.
async fn write_access(app: &App, connector: &Connector) -> Result<Check, ApiError> {
    const TEXT: &str = probe::WRITES;
    if !connector.mapping.direction.sends() {
        set_state(app, connector, RowState::Active, None).await?;
        return Ok(only_reads(TEXT, connector));
    }
    let tried = probe::write(app, connector).await?;
    if let Some(refusal) = probe::lacks_right(&tried) {
        let cause = format!("the API key may read and not write ({refusal})");
        set_state(app, connector, RowState::Limited, Some(cause.clone())).await?;
        return Ok(Check::failed(
            TEXT,
            cause,
            format!(
                "make a key with write access and `im connector update {name}`; to receive only: `im connector config {name} --direction inbound`",
                name = connector.name()
            ),
        ));
    }
    set_state(app, connector, RowState::Active, None).await?;
    Ok(match &tried {
        Outcome::Done(_) | Outcome::Gone | Outcome::Refused(_) => Check::ok(TEXT),
        Outcome::Wait { .. } | Outcome::Unclear(_) => {
            let (cause, next) = trouble(connector, &tried);
            Check::failed(TEXT, cause, next)
        }
    })
}

/// The default service, and each that is mapped.
pub(super) async fn services(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    let mut lines = Vec::new();
    for id in connector.mapping.service_ids() {
        lines.push(service(app, connector, id.to_owned()).await?);
    }
    Ok(lines)
}

/// What sets the id of a service: the default's, or that of the name that is mapped to it.
fn setting_of(connector: &Connector, id: &str) -> String {
    let mapping = &connector.mapping;
    let named = mapping.services.iter().find(|choice| choice.id == id);
    match named {
        Some(choice) => format!("--set custom.service_mappings.{}=ID", choice.name),
        None if mapping.rules.iter().any(|rule| rule.id == id) => {
            "--set custom.service_rules=[…]".to_owned()
        }
        None => "--service-id ID".to_owned(),
    }
}

async fn service(app: &App, connector: &Connector, id: String) -> Result<Check, ApiError> {
    let text = format!("Service {id} accessible");
    match outcome(app, connector, &Call::ReadService { id: id.clone() }).await? {
        Outcome::Done(Answer::Service(service)) => {
            let check = Check::ok(text);
            Ok(match service.status.as_deref() {
                Some("disabled") => {
                    check.next("it is disabled in PagerDuty: it takes no incidents")
                }
                Some("maintenance") => {
                    check.next("it is under maintenance in PagerDuty: it pages nobody now")
                }
                _ => check,
            })
        }
        Outcome::Gone => {
            let offered = lists::all_services(app, connector)
                .await
                .unwrap_or_default();
            let offered: Vec<String> = offered
                .iter()
                .take(OFFERED_MAX)
                .map(|service| format!("{} ({})", service.id, service.name))
                .collect();
            let next = if offered.is_empty() {
                "this key sees no service at all: is it of the right account?".to_owned()
            } else {
                format!(
                    "`im connector config {} {}`, one of: {}",
                    connector.name(),
                    setting_of(connector, &id),
                    offered.join(", ")
                )
            };
            let cause = format!("PagerDuty has no service {id} that this key can see");
            Ok(Check::failed(text, cause, next))
        }
        other => {
            let (cause, next) = trouble(connector, &other);
            Ok(Check::failed(text, cause, next))
        }
    }
}

/// The user in whose name we write.
async fn user(app: &App, connector: &Connector) -> Result<Check, ApiError> {
    let text = format!("User {} valid", connector.config.custom.from_email);
    match from_user(app, connector).await? {
        Ok(Some(user)) => {
            remember(app, connector, &user).await?;
            Ok(Check::ok(text))
        }
        Ok(None) => {
            let (cause, next) = no_from_user(connector);
            Ok(Check::failed(text, cause, next))
        }
        Err(other) => {
            let (cause, next) = trouble(connector, &other);
            Ok(Check::failed(text, cause, next))
        }
    }
}

/// The user of `from_email` at PagerDuty, or why that cannot be told.
pub(super) async fn from_user(
    app: &App,
    connector: &Connector,
) -> Result<Result<Option<User>, Outcome>, ApiError> {
    let email = connector.config.custom.from_email.clone();
    let call = Call::FindUser {
        email: email.clone(),
    };
    Ok(match outcome(app, connector, &call).await? {
        Outcome::Done(Answer::Users(page)) => {
            let mut users = page.items.into_iter();
            Ok(users.find(|user| has_address(user, &email)))
        }
        other => Err(other),
    })
}

/// What is wrong without that user, and what to do.
pub(super) fn no_from_user(connector: &Connector) -> (String, String) {
    let email = &connector.config.custom.from_email;
    let cause = format!("PagerDuty has no user with the address {email}");
    let next = format!(
        "`im connector config {} --from-email` takes the address of a user there",
        connector.name()
    );
    (cause, next)
}

async fn remember(app: &App, connector: &Connector, user: &User) -> Result<(), ApiError> {
    let Some(email) = user.email.clone() else {
        return Ok(());
    };
    let row = UserRow {
        id: user.id.clone(),
        email,
        name: user.name.clone(),
    };
    let name = connector.name().to_owned();
    app.db
        .write(move |tx| Ok::<_, ApiError>(people::put(tx, &name, &row)?))
        .await
}

async fn policy(app: &App, connector: &Connector) -> Result<Check, ApiError> {
    let Some(id) = connector.config.custom.escalation_policy_id.clone() else {
        return Ok(Check::skipped(
            "Escalation policy: none is set, so each service uses its own",
        ));
    };
    let text = format!("Escalation policy {id} found");
    match outcome(app, connector, &Call::ReadPolicy { id: id.clone() }).await? {
        Outcome::Done(_) => Ok(Check::ok(text)),
        Outcome::Gone => Ok(Check::failed(
            text,
            format!("PagerDuty has no escalation policy {id} that this key can see"),
            format!(
                "`im connector config {} --escalation-policy ID`, or `none` for the service's own",
                connector.name()
            ),
        )),
        other => {
            let (cause, next) = trouble(connector, &other);
            Ok(Check::failed(text, cause, next))
        }
    }
}

pub(super) async fn webhook(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    const TEXT: &str = "Webhook endpoint configured";
    let name = connector.name();
    if !connector.mapping.direction.receives() {
        let direction = connector.mapping.direction.as_str();
        return Ok(vec![Check::skipped(format!(
            "Webhook endpoint: not used with direction {direction}"
        ))]);
    }
    if !connector.config.enable_webhook {
        return Ok(vec![
            Check::skipped("Webhook endpoint: not used, since enable_webhook is off").next(
                format!("`im connector config {name} --set enable_webhook=true` switches it on"),
            ),
        ]);
    }
    let Some(id) = connector.row.subscription.clone() else {
        return Ok(vec![without_id(app, connector, TEXT).await?]);
    };
    let subscription = match outcome(app, connector, &Call::ReadSubscription { id }).await? {
        Outcome::Done(Answer::Subscription(subscription)) => subscription,
        Outcome::Gone => {
            return Ok(vec![Check::failed(
                TEXT,
                "the subscription was deleted in PagerDuty",
                format!("`im connector webhook {name} --enable` makes a new one"),
            )]);
        }
        other => {
            let (cause, next) = trouble(connector, &other);
            return Ok(vec![Check::failed(TEXT, cause, next)]);
        }
    };
    let missing = missing_events(&subscription.events);
    let line = match asleep(&subscription) {
        Some(cause) => Check::failed(
            TEXT,
            cause,
            format!("`im connector webhook {name} --enable` switches it on"),
        ),
        // A test event would be a write.
        None if !connector.mapping.direction.sends() => heard(connector, TEXT),
        None => ping(app, connector, subscription.id, TEXT).await?,
    };
    let mut lines = vec![line];
    lines.extend(events::line(connector, &missing));
    let name = name.to_owned();
    app.db
        .write(move |tx| Ok::<_, ApiError>(note_missing(tx, &name, &missing)?))
        .await?;
    Ok(lines)
}

/// There is no subscription, or we know its secret and not its id.
async fn without_id(app: &App, connector: &Connector, text: &str) -> Result<Check, ApiError> {
    let name = connector.name();
    if connector.row.webhook_secrets.is_empty() {
        let every = length(connector.config.sync_interval);
        return Ok(Check::skipped(format!(
            "Webhook endpoint: none, so changes arrive every {every}"
        ))
        .next(format!(
            "`im connector webhook {name} --enable` makes it immediate"
        )));
    }
    if bad_signatures(app, connector, app.clock.now()).await? > 0 {
        return Ok(wrong_secret(connector, text));
    }
    Ok(heard(connector, text))
}

/// By what came alone.
fn heard(connector: &Connector, text: &str) -> Check {
    match connector.row.last_heard_at {
        Some(at) => Check::ok(format!("{text} (last delivery {at})")),
        None => Check::failed(
            text,
            "no verified webhook has come yet",
            "use `Send Test Event` on the webhook's page in PagerDuty",
        ),
    }
}

pub(super) fn asleep(subscription: &Subscription) -> Option<&'static str> {
    if subscription.temporarily_disabled {
        Some("PagerDuty switched it off for 24 hours after three deliveries that failed for good")
    } else if !subscription.active {
        Some("it is switched off in PagerDuty")
    } else {
        None
    }
}

async fn bad_signatures(app: &App, connector: &Connector, now: Timestamp) -> Result<i64, ApiError> {
    let row = connector.row.clone();
    app.db
        .read(move |tx| Ok::<_, ApiError>(hooks::bad_signatures_since_good(tx, &row, now)?))
        .await
}

fn wrong_secret(connector: &Connector, text: &str) -> Check {
    let name = connector.name();
    Check::failed(
        text,
        "a webhook arrived, and its signature does not fit the secret that is stored here",
        format!(
            "`im connector webhook {name} --enable` makes a new one and keeps its secret; if it is made by hand, `--manual --secret -` takes the right secret"
        ),
    )
}

/// What became of a test event.
enum Arrived {
    Well,
    BadlySigned,
}

/// Has PagerDuty send a test event, and waits for it.
pub(super) async fn ping(
    app: &App,
    connector: &Connector,
    id: String,
    text: &str,
) -> Result<Check, ApiError> {
    let since = app.clock.now();
    let bad_before = bad_signatures(app, connector, since).await?;
    match outcome(app, connector, &Call::PingSubscription { id }).await? {
        Outcome::Done(_) => {}
        other => {
            let (cause, next) = trouble(connector, &other);
            return Ok(Check::failed(text, cause, next));
        }
    }
    let look = async || {
        let row = connector.row.clone();
        app.db
            .read(move |tx| {
                if inbox::ping_since(tx, &row.name, since)?.is_some() {
                    return Ok(Some(Arrived::Well));
                }
                let bad = hooks::bad_signatures_since_good(tx, &row, since)?;
                Ok::<_, ApiError>((bad > bad_before).then_some(Arrived::BadlySigned))
            })
            .await
    };
    Ok(match wait::until(app, app.ping_wait, look).await? {
        Some(Arrived::Well) if connector.row.webhook_secrets.is_empty() => {
            Check::ok(text).next(format!(
                "its secret is not known here, so what it tells is only a hint where to look; `im connector webhook {} --enable` makes one whose secret is known",
                connector.name()
            ))
        }
        Some(Arrived::Well) => Check::ok(text),
        Some(Arrived::BadlySigned) => wrong_secret(connector, text),
        None => Check::failed(
            text,
            format!(
                "PagerDuty sent a test event, and none arrived within {} s",
                app.ping_wait.as_secs()
            ),
            format!(
                "does `im serve` run, and does public_url lead to it from the internet? `im config show`; if both are so, `im connector webhook {} --enable` makes the webhook anew",
                connector.name()
            ),
        ),
    })
}
