//! Asking PagerDuty now, and saying why it did not answer.

use axum::http::StatusCode;
use im_engine::connector::Connector;
use im_engine::figures;
use im_pagerduty::{Answer, Call, Outcome, Refusal, WaitReason, Why};
use im_store::connectors;

use crate::http::App;
use crate::http::error::ApiError;

/// The answer, or why there is none.
pub(super) async fn ask(app: &App, connector: &Connector, call: &Call) -> Result<Answer, ApiError> {
    match outcome(app, connector, call).await? {
        Outcome::Done(answer) => Ok(answer),
        other => Err(unanswered(connector, &other)),
    }
}

/// Why there is no answer, as an error.
pub(super) fn unanswered(connector: &Connector, outcome: &Outcome) -> ApiError {
    let (cause, next) = trouble(connector, outcome);
    let status = match outcome {
        Outcome::Wait { .. } | Outcome::Unclear(_) => StatusCode::GATEWAY_TIMEOUT,
        Outcome::Done(_) | Outcome::Gone | Outcome::Refused(_) => StatusCode::BAD_GATEWAY,
    };
    ApiError::new(status, "pagerduty", cause).hint(next)
}

/// PagerDuty said nothing that can be used.
pub(crate) fn no_answer(why: String, next: String) -> ApiError {
    ApiError::new(StatusCode::GATEWAY_TIMEOUT, "pagerduty", why).hint(next)
}

/// What became of the call.
pub(in crate::http) async fn outcome(
    app: &App,
    connector: &Connector,
    call: &Call,
) -> Result<Outcome, ApiError> {
    if !connector.has_key() {
        return Err(no_key(connector.name()));
    }
    let now = app.clock.now();
    let (outcome, limits) = app.caller.ask(connector, call, now).await?;
    let failed = is_failure(&outcome);
    let name = connector.name().to_owned();
    let api_key = connector.row.api_key.clone();
    app.db
        .write(move |tx| {
            // What a key does that is only tried is not the connector's.
            if connectors::find(tx, &name)?.is_some_and(|row| row.api_key == api_key) {
                figures::called(tx, &name, &limits, failed, now)?;
            }
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(outcome)
}

/// The key was given up.
pub(super) fn no_key(name: &str) -> ApiError {
    let text = format!(
        "connector `{name}` has no API key: it was forgotten, and webhooks alone tell what happens"
    );
    ApiError::conflict("no_key", text)
        .hint(format!("`im connector update {name}` gives it one again"))
}

/// Whether the connection failed. A refusal of what was only tried is an answer.
fn is_failure(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Done(_) | Outcome::Gone => false,
        Outcome::Wait { why, .. } => *why != WaitReason::RateLimited,
        Outcome::Unclear(_) => true,
        Outcome::Refused(refusal) => refusal.why == Why::BadKey,
    }
}

/// What went wrong, and what to do about it.
pub(super) fn trouble(connector: &Connector, outcome: &Outcome) -> (String, String) {
    match outcome {
        Outcome::Done(_) => (String::new(), String::new()),
        Outcome::Gone => (
            format!(
                "PagerDuty at {} does not have it",
                connector.config.base_url
            ),
            "is the id right, and may this key see it?".to_owned(),
        ),
        Outcome::Wait { why, .. } => (why.to_string(), unreachable_next(connector, *why)),
        Outcome::Unclear(what) => (
            format!("PagerDuty did not answer clearly: {what}"),
            "try again in a minute; https://status.pagerduty.com says whether it is ill".to_owned(),
        ),
        Outcome::Refused(refusal) => (
            format!("PagerDuty refused: {refusal}"),
            refused_next(connector, refusal),
        ),
    }
}

fn unreachable_next(connector: &Connector, why: WaitReason) -> String {
    let base_url = &connector.config.base_url;
    match why {
        WaitReason::RateLimited | WaitReason::Locked => "try again in a minute".to_owned(),
        WaitReason::Server => {
            "try again in a minute; https://status.pagerduty.com says whether it is ill".to_owned()
        }
        WaitReason::Unreachable | WaitReason::Dns => format!(
            "is base_url right ({base_url}), and may this machine reach it? `curl -sS {base_url}/abilities` tells"
        ),
        WaitReason::Tls => format!(
            "are the system's certificates installed (package ca-certificates), and is {base_url} really PagerDuty?"
        ),
    }
}

fn refused_next(connector: &Connector, refusal: &Refusal) -> String {
    let name = connector.name();
    match refusal.why {
        Why::BadKey => wrong_key_next(connector),
        Why::ReadOnly | Why::Forbidden => format!(
            "use a key with write access (Manager or Admin role): `im connector update {name}`"
        ),
        Why::PlanLacks => "the account's plan does not include it".to_owned(),
        Why::UnknownFrom | Why::MissingFrom => format!(
            "`im connector config {name} --from-email` must be the address of a PagerDuty user"
        ),
        Why::LimitReached => {
            "PagerDuty holds at most 10 webhook subscriptions: delete one there".to_owned()
        }
        Why::AlreadyInState
        | Why::DuplicateKey
        | Why::AccountKey
        | Why::TooMany
        | Why::WindowTooLarge
        | Why::NobodyOnCall
        | Why::Invalid
        | Why::Other => format!("`im connector test {name}` looks at everything"),
    }
}

/// Keys of one region are unknown in the other, and PagerDuty does not say so.
pub(super) fn wrong_key_next(connector: &Connector) -> String {
    let name = connector.name();
    let host = &connector.config.base_url;
    if host.contains("api.eu.pagerduty.com") {
        format!(
            "is this key of the US region? `im connector config {name} --base-url https://api.pagerduty.com`; else make a new key and `im connector update {name}`"
        )
    } else {
        format!(
            "is this key of the EU region? `im connector config {name} --base-url https://api.eu.pagerduty.com`; else make a new key and `im connector update {name}`"
        )
    }
}
